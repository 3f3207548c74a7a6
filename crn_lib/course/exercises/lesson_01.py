"""Exercises of lesson 01: targets, the score, the least number of bits, and the best code."""

import random
from collections.abc import Callable
from functools import cache
from itertools import combinations, product
from typing import Any

import torch

from crn_lib.course.checks import UNTOUCHED, Exercise, expect_same, expect_whole
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.tasks.copying import ALPHABET


def _examine_targets(attempt: Callable[..., Any]) -> None:
    for length, vocab in ((1, 26), (2, 26), (2, 1), (3, 26), (8, 2), (21, 26)):
        task = CopyingTask(CopyingConfig(string_length=length, vocab=vocab))
        tokens, targets = task.sample(5, torch.Generator().manual_seed(length))
        for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
            case = f"the tokens {row}"
            answer = expect_whole(1, case, attempt(row))
            expect_same(1, case + " (how many targets)", len(answer), len(wanted))
            expect_same(2, case + " (before SEP)", answer[: length + 1], wanted[: length + 1])
            expect_same(3, case + " (from SEP on)", answer[length + 1 : -1], wanted[length + 1 : -1])
            expect_same(4, case + " (the last one)", answer[-1], wanted[-1])


def _score(written: str, asked: str) -> tuple[int, float]:
    """The requirement that decides, and the score."""
    end = written.find(">")
    if end != len(asked):
        return (2 if end < 0 else 3), 0.0
    return 1, sum(a == b for a, b in zip(written, asked, strict=False)) / len(asked)


def _examine_score(attempt: Callable[..., Any]) -> None:
    cases = [("a>", "a"), ("b>", "a"), ("ab", "a"), (">>", "a"), (">a", "a")]
    cases += [("abcd>", "abcd"), ("abxd>", "abcd"), ("xxxx>", "abcd"), ("badc>", "abcd"), ("bcda>", "abcd")]
    cases += [("abcde", "abcd"), ("abcdd", "abcd"), ("ab>d>", "abcd"), (">bcd>", "abcd"), ("abc>d", "abcd")]
    draw = random.Random(2)
    for number in range(150):
        asked = "".join(draw.choices("abc" if number % 3 else ALPHABET, k=1 + number // 5))
        letters = [draw.choice([letter, letter, "a", draw.choice(ALPHABET)]) for letter in asked]
        if number % 4 == 1:
            letters[draw.randrange(len(letters))] = ">"
        cases.append(("".join(letters) + (draw.choice(ALPHABET) if number % 4 == 2 else ">"), asked))
    for written, asked in cases:
        requirement, wanted = _score(written, asked)
        expect_same(requirement, f"written {written!r}, asked {asked!r}", attempt(written, asked), wanted)


CLOSE = ((1, 2**53 - 1), (1, 2**60 - 1), (1, 2**60), (3, 2**20 + 1))
"""Alphabets beside a power of two, which the logarithm of a float cannot tell from it."""


def _examine_bits(attempt: Callable[..., Any]) -> None:
    small = [(length, vocab) for vocab in range(2, 31) for length in (*range(1, 14), 29, 31)]
    for length, vocab in (*small, (300, 26), (1000, 2), (500, 4), (200, 8), (1, 2**53 + 1), *CLOSE):
        wanted = (vocab**length - 1).bit_length()
        got, rounded = attempt(length, vocab), vocab**length > 2**28
        near = " (a rounded logarithm?)" if rounded and got in (wanted - 1, wanted + 1) else ""
        expect_same(2 if rounded else 1, f"{length} letters from {vocab}{near}", got, wanted, tolerance=0)
    for length in (1, 5):
        expect_same(3, f"{length} letters from an alphabet of 1", attempt(length, 1), 0, tolerance=0)


@cache
def _best_share(bits: int, length: int, vocab: int) -> float:
    """The best share of letters over all codes: every choice of answers, each string with the answer nearest to it."""
    strings = list(product(range(vocab), repeat=length))
    right = [[sum(map(int.__eq__, one, other)) for other in strings] for one in strings]
    codes = combinations(range(len(strings)), min(2**bits, len(strings)))
    most = max(sum(max(row[answer] for answer in code) for row in right) for code in codes)
    return most / (length * len(strings))


def _examine_code(attempt: Callable[..., Any]) -> None:
    small = [
        (0, 1, 3),
        (1, 1, 3),
        (0, 2, 3),
        (1, 2, 2),
        (1, 2, 3),
        (2, 2, 3),
        (1, 3, 2),
        (2, 3, 2),
        (1, 3, 3),
        (1, 1, 26),
        (2, 5, 2),  # here the answers that look best one by one are not the best together
    ]
    for bits, length, vocab in small:
        case = f"{bits} bits, {length} letters from {vocab}"
        expect_same(1, case, attempt(bits, length, vocab), _best_share(bits, length, vocab))
    for bits, length, vocab in ((1, 1, 2), (3, 2, 2), (4, 2, 3), (6, 1, 26), (0, 3, 1), (2, 2, 1)):
        case = f"{bits} bits, {length} letters from {vocab}"
        expect_same(2, case, attempt(bits, length, vocab), 1.0)


EXERCISES = (
    Exercise(
        key="01.targets",
        title="write the targets",
        difficulty=1,
        minutes=4,
        requirements=(
            "There are as many targets as tokens.",
            "Every position before SEP (1) has the target -100: not scored.",
            "From SEP on, a position's target is the token that comes next.",
            "The last position, which has no next token, must say EOS (2).",
            UNTOUCHED,
        ),
        examine=_examine_targets,
        untouched=5,
    ),
    Exercise(
        key="01.score",
        title="score one answer",
        difficulty=1,
        minutes=4,
        requirements=(
            "The score is the share of right letters; `>` stands for EOS and is no letter.",
            "Without EOS right after the last letter the score is 0.",
            "With EOS anywhere before that the score is 0.",
        ),
        examine=_examine_score,
    ),
    Exercise(
        key="01.bits",
        title="the least number of bits",
        difficulty=2,
        minutes=5,
        requirements=(
            "The result is the least whole number of bits that tells every string of that length from every other.",
            "It is exact for every alphabet and every length: count in whole numbers, since a logarithm is rounded.",
            "With an alphabet of one letter nothing has to be remembered.",
        ),
        examine=_examine_bits,
    ),
    Exercise(
        key="01.code",
        title="the best code, by brute force",
        difficulty=3,
        minutes=12,
        requirements=(
            (
                "A code gives every string one of 2^bits states, and every state one answer. The result is the share "
                "of right letters, over all strings, under the best code. (Try sets of answers, whose order does not "
                "matter: of the ways to give strings their states there are too many, 2^26 for one bit and one letter "
                "of 26. The check's last case has 36,000 sets, some seconds for a plain loop.)"
            ),
            "Where there are at least as many states as strings, it is 1.",
        ),
        examine=_examine_code,
    ),
)
