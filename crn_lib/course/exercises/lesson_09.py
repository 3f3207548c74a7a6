"""Exercises of lesson 09: the interval around a share of few seeds, and the verdict that may stay open."""

import math
import random
from collections.abc import Callable
from typing import Any

from crn_lib.course.checks import Exercise, expect, expect_numbers, expect_same
from crn_lib.experiments.verdicts import Share, copies_as_well


def _interval(copied: int, runs: int, z: float) -> tuple[float, float]:
    """The two shares p for which the observed one lies z standard errors away: roots of a quadratic."""
    share, spread = copied / runs, z * z / runs
    middle, reach = share + spread / 2, math.sqrt(spread * share * (1 - share) + spread * spread / 4)
    return (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)


def _examine_interval(attempt: Callable[..., Any]) -> None:
    draw = random.Random(0)
    special = [(3, 3), (0, 3), (1, 2), (1, 1), (0, 1), (20, 36), (0, 36)]
    drawn = [(draw.randint(0, runs), runs) for runs in draw.choices(range(1, 60), k=20)]
    for copied, runs in (*special, *drawn):
        for z in (1.96, 1.0):
            case = f"{copied} of {runs} runs and z = {z}"
            low, high = expect_numbers(1, case, attempt(copied, runs, z), ("lower end", "upper end"))
            wanted = _interval(copied, runs, z)
            expect(1, low <= high, f"for {case}: got {low:g} and {high:g}, wanted the lower end first")
            expect(3, -1e-9 <= low <= high <= 1 + 1e-9, f"for {case}: got {low:g} to {high:g}, which are no shares")
            expect_same(2, case, [low, high], list(wanted), tolerance=1e-6)


def _examine_verdict(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, ours: tuple[int, int, int], yardstick: tuple[int, int, int]) -> None:
        case = f"ours = {ours} and yardstick = {yardstick}"
        wanted = copies_as_well(*(Share(copied, runs, unfinished) for copied, unfinished, runs in (ours, yardstick)))
        expect_same(requirement, case, attempt(ours, yardstick), wanted)

    for ours in ((3, 0, 3), (0, 0, 3), (1, 1, 2)):
        for yardstick in ((0, 0, 3), (1, 0, 3), (1, 1, 2), (1, 2, 3), (0, 3, 3)):
            compare(1, ours, yardstick)
    for ours, yardstick in (
        ((3, 0, 3), (3, 0, 3)),
        ((2, 0, 3), (2, 0, 3)),
        ((2, 0, 3), (4, 0, 6)),
        ((1, 0, 1), (2, 1, 3)),
    ):
        compare(2, ours, yardstick)
    compare(2, (3, 0, 4), (2, 1, 3))  # 75% against the 100% that it might have reached
    for ours in ((0, 0, 3), (1, 0, 3), (1, 0, 2), (0, 1, 2), (1, 1, 3), (0, 3, 3)):
        compare(3, ours, (3, 0, 3))
    draw = random.Random(1)

    def side() -> tuple[int, int, int]:
        runs = draw.randint(1, 6)
        copied = draw.randint(0, runs)
        return copied, draw.randint(0, runs - copied), runs

    for _ in range(300):
        compare(4, side(), side())


EXERCISES = (
    Exercise(
        key="09.interval",
        title="what few seeds leave possible",
        difficulty=2,
        minutes=8,
        requirements=(
            "It returns two numbers, the lower end and the upper end.",
            (
                "They are the two shares p for which the observed share is exactly z standard errors away: "
                "(copied / runs − p)² = z² · p (1 − p) / runs."
            ),
            "Both are from 0 to 1, also where none or all of the runs copied.",
        ),
        examine=_examine_interval,
    ),
    Exercise(
        key="09.verdict",
        title="a verdict that may stay open",
        difficulty=2,
        minutes=8,
        requirements=(
            (
                "A side is (copied, not finished, runs). If the yardstick copied in at most half of its runs (one that "
                "is not finished has not copied), the verdict is None: open."
            ),
            (
                "Otherwise it is True if our share of copied runs is not below the share that the yardstick would have "
                "if all its unfinished runs had copied as well."
            ),
            (
                "Otherwise it is False if at most half of our runs copied, even with all our unfinished runs counted "
                "as copied."
            ),
            "In every other case it is None.",
        ),
        examine=_examine_verdict,
    ),
)
