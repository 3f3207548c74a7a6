"""Exercises of lesson 01: targets, the score, and the least number of bits."""

from collections.abc import Callable
from typing import Any

import torch

from crn_lib.course.checks import Exercise, expect_same
from crn_lib.tasks import CopyingConfig, CopyingTask


def _examine_targets(attempt: Callable[..., Any]) -> None:
    for length, vocab in ((3, 26), (1, 26), (8, 2)):
        task = CopyingTask(CopyingConfig(string_length=length, vocab=vocab))
        tokens, targets = task.sample(3, torch.Generator().manual_seed(length))
        for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
            answer = list(attempt(list(row)))
            case = f"the tokens {row}"
            expect_same(1, case + " (how many targets)", len(answer), len(wanted))
            expect_same(2, case + " (before SEP)", answer[: length + 1], wanted[: length + 1])
            expect_same(3, case + " (from SEP on)", answer[length + 1 : -1], wanted[length + 1 : -1])
            expect_same(4, case + " (the last one)", answer[-1], wanted[-1])


def _examine_score(attempt: Callable[..., Any]) -> None:
    cases = (
        (1, "abcd>", "abcd", 1.0),
        (1, "abxd>", "abcd", 0.75),
        (1, "xxxx>", "abcd", 0.0),
        (2, "abcde", "abcd", 0.0),
        (2, "abcdd", "abcd", 0.0),
        (3, "ab>d>", "abcd", 0.0),
        (3, ">bcd>", "abcd", 0.0),
        (1, "a>", "a", 1.0),
    )
    for requirement, written, asked, wanted in cases:
        expect_same(requirement, f"written {written!r}, asked {asked!r}", attempt(written, asked), wanted)


def _examine_bits(attempt: Callable[..., Any]) -> None:
    for length, vocab in ((1, 2), (16, 26), (3, 5), (300, 26)):
        wanted = (vocab**length - 1).bit_length()
        expect_same(1, f"{length} letters from {vocab}", attempt(length, vocab), wanted, tolerance=0)
    for length, vocab in ((8, 2), (5, 4), (1000, 2)):
        wanted = (vocab**length - 1).bit_length()
        expect_same(2, f"{length} letters from {vocab}", attempt(length, vocab), wanted, tolerance=0)
    expect_same(3, "5 letters from an alphabet of 1", attempt(5, 1), 0, tolerance=0)


EXERCISES = (
    Exercise(
        key="01.targets",
        title="write the targets",
        difficulty=1,
        minutes=6,
        requirements=(
            "There are as many targets as tokens.",
            "Every position before SEP (1) has the target -100: not scored.",
            "From SEP on, a position's target is the token that comes next.",
            "The last position, which has no next token, must say EOS (2).",
        ),
        examine=_examine_targets,
    ),
    Exercise(
        key="01.score",
        title="score one answer",
        difficulty=1,
        minutes=5,
        requirements=(
            "The score is the share of right letters; `>` stands for EOS and is no letter.",
            "Without EOS right behind the last letter the score is 0.",
            "With EOS anywhere before that the score is 0.",
        ),
        examine=_examine_score,
    ),
    Exercise(
        key="01.bits",
        title="the least number of bits",
        difficulty=2,
        minutes=6,
        requirements=(
            "The result is the least whole number of bits that tells every string of that length from every other.",
            "It is exact where the alphabet is a power of two, also for long strings: no rounding by chance.",
            "With an alphabet of one letter nothing has to be remembered.",
        ),
        examine=_examine_bits,
    ),
)
