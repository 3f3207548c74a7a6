"""Right and wrong answers to the exercises of lesson 09."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from crn_lib.experiments.verdicts import wilson

Side = tuple[int, int, int]


def interval(copied: int, runs: int, z: float) -> tuple[float, float]:
    share, c = copied / runs, z * z / runs
    root = math.sqrt(c * c / 4 + c * share * (1 - share))
    return (share + c / 2 - root) / (1 + c), (share + c / 2 + root) / (1 + c)


def interval_by_roots(copied: int, runs: int, z: float) -> list[float]:
    share, c = copied / runs, z * z / runs
    return sorted(np.roots([1 + c, -(2 * share + c), share * share]).real)


def wald(copied: int, runs: int, z: float) -> tuple[float, float]:
    """The interval of most textbooks: the standard error at the observed share, which is 0 for none and for all."""
    share = copied / runs
    reach = z * math.sqrt(share * (1 - share) / runs)
    return max(0.0, share - reach), min(1.0, share + reach)


def verdict(ours: Side, yardstick: Side) -> bool | None:
    if 2 * yardstick[0] <= yardstick[2]:
        return None
    if ours[0] / ours[2] >= (yardstick[0] + yardstick[1]) / yardstick[2]:
        return True
    return False if 2 * (ours[0] + ours[1]) <= ours[2] else None


def verdict_in_whole_numbers(ours: Side, yardstick: Side) -> bool | None:
    """Shares compared without dividing."""
    (copied, rising, runs), (theirs, still, all_theirs) = ours, yardstick
    if theirs * 2 > all_theirs and copied * all_theirs >= (theirs + still) * runs:
        return True
    return False if theirs * 2 > all_theirs and (copied + rising) * 2 <= runs else None


def verdict_without(*, yardstick_works: bool = True, their_rising: bool = True, our_rising: bool = True) -> Any:
    """The verdict without one of its parts."""

    def attempt(ours: Side, yardstick: Side) -> bool | None:
        if yardstick_works and 2 * yardstick[0] <= yardstick[2]:
            return None
        if ours[0] / ours[2] >= (yardstick[0] + their_rising * yardstick[1]) / yardstick[2]:
            return True
        return False if 2 * (ours[0] + our_rising * ours[1]) <= ours[2] else None

    return attempt


def verdict_never_open(ours: Side, yardstick: Side) -> bool:
    return ours[0] / ours[2] >= yardstick[0] / yardstick[2]


def verdict_by_numbers(ours: Side, yardstick: Side) -> bool | None:
    if 2 * yardstick[0] <= yardstick[2]:
        return None
    if ours[0] >= yardstick[0] + yardstick[1]:
        return True
    return False if 2 * (ours[0] + ours[1]) <= ours[2] else None


def verdict_at_half(ours: Side, yardstick: Side) -> bool | None:
    return None if 2 * yardstick[0] < yardstick[2] else verdict_without(yardstick_works=False)(ours, yardstick)


RIGHT: dict[str, Callable[..., Any]] = {"09.interval": interval, "09.verdict": verdict}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "09.interval": [interval_by_roots],
    "09.verdict": [verdict_in_whole_numbers],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "09.interval": {
        "the textbook's, of no width for 3 of 3": wald,
        "always 95%": lambda copied, runs, z: wilson(copied, runs),
        "z not squared": lambda copied, runs, z: interval(copied, runs, math.sqrt(z)),
        "only one end": lambda copied, runs, z: interval(copied, runs, z)[0],
        "not from 0 to 1": lambda copied, runs, z: (copied / runs - z / runs, copied / runs + z / runs),
        "in per cent": lambda copied, runs, z: tuple(100 * end for end in interval(copied, runs, z)),
    },
    "09.verdict": {
        "the yardstick need not work": verdict_without(yardstick_works=False),
        "the yardstick's unfinished runs count as failed": verdict_without(their_rising=False),
        "our unfinished runs count as failed": verdict_without(our_rising=False),
        "never open": verdict_never_open,
        "numbers in place of shares": verdict_by_numbers,
        "half is enough for the yardstick": verdict_at_half,
        "False in place of open": lambda ours, yardstick: bool(verdict(ours, yardstick)),
    },
}
