"""Exercises of lesson 06: warm-up, a loss that counts only what is scored, and when a model has learnt."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from crn_lib.course.checks import Exercise, expect_same
from crn_lib.tasks import NOT_SCORED


def _examine_warmup(attempt: Callable[..., Any]) -> None:
    for peak, warmup in ((2e-3, 50), (1.0, 4), (5e-4, 1)):
        for step in (0, 1, warmup // 2):
            wanted = min(1.0, (step + 1) / warmup) * peak
            expect_same(
                1, f"step {step}, peak {peak}, warmup {warmup}", attempt(step, peak, warmup) / peak, wanted / peak
            )
        for step in (warmup - 1, warmup, 10 * warmup):
            expect_same(2, f"step {step}, peak {peak}, warmup {warmup}", attempt(step, peak, warmup) / peak, 1.0)
    expect_same(3, "step 0 without warm-up", attempt(0, 0.5, 0), 0.5)


def _examine_loss(attempt: Callable[..., Any]) -> None:
    generator = torch.Generator().manual_seed(6)
    for batch, length, vocab in ((2, 6, 5), (3, 4, 29)):
        logits = torch.randn(batch, length, vocab, generator=generator, dtype=torch.float64)
        targets = torch.randint(vocab, (batch, length), generator=generator)
        everything = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        expect_same(1, "targets that are all scored", attempt(logits, targets), everything)
        targets[:, : length // 2] = NOT_SCORED
        targets[0, -1] = NOT_SCORED
        wanted = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED)
        expect_same(2, "targets of which some are -100", attempt(logits, targets), wanted)
    shifted = logits + 1e4
    expect_same(3, "logits of size 10,000", attempt(shifted, targets), wanted, tolerance=1e-4)


def _examine_first_step(attempt: Callable[..., Any]) -> None:
    rows = [{"step": s, "string_accuracy": a} for s, a in ((25, 0.0), (50, 0.4), (75, 0.97), (100, 0.9), (125, 1.0))]
    expect_same(1, "a goal of 0.4", attempt(rows, 0.4), 50)
    expect_same(1, "a goal of 0.95 that is passed, lost and passed again", attempt(rows, 0.95), 75)
    expect_same(1, "a goal of 1.0", attempt(rows, 1.0), 125)
    expect_same(2, "a goal that is never reached", attempt(rows[:2], 0.5), None)
    expect_same(2, "an empty history", attempt([], 0.5), None)


EXERCISES = (
    Exercise(
        key="06.warmup",
        title="warm up the learning rate",
        difficulty=1,
        minutes=4,
        requirements=(
            "In the first `warmup` steps, counted from 0, the rate grows in equal parts; step 0 already has one.",
            "Step `warmup - 1` has the whole `peak`, and so has every step after it.",
            "With `warmup` 0 the rate is `peak` from the start.",
        ),
        examine=_examine_warmup,
    ),
    Exercise(
        key="06.loss",
        title="a loss that counts only what is scored",
        difficulty=2,
        minutes=8,
        requirements=(
            "The loss is the mean of `-log p(target)` over the positions, `p` being the softmax of the logits.",
            "A position with target -100 counts neither in the sum nor in the number it is divided by.",
            "Large logits do not overflow.",
        ),
        examine=_examine_loss,
    ),
    Exercise(
        key="06.first_step",
        title="when has it learnt?",
        difficulty=1,
        minutes=4,
        requirements=(
            "The result is the `step` of the first row whose `string_accuracy` is at least `goal`.",
            "Where no row reaches the goal, the result is `None`.",
        ),
        examine=_examine_first_step,
    ),
)
