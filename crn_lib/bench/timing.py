"""How a case is timed: every contender once to see that they agree, then again for time and for memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.measure import CPU, added_memory, call_times

MOST_REPEATS = 200
"""Calls that are timed at most: enough for calls of a few milliseconds to fill the half second that longer ones get."""


class Disagreement(AssertionError):
    """Two contenders of one case gave different results, so a ratio of their times would mean nothing."""


@dataclass(frozen=True)
class Measurement:
    """One contender of one case.

    Attributes:
        seconds: the shortest of `repeats` runs.
        added_bytes: peak memory above what was held before, of the process or of torch on a GPU; `None` where this
            machine cannot tell.
        difference: largest difference from the first contender's results, relative to their largest value; `None`
            for one that computes something else and gives no results to compare.
    """

    contender: str
    seconds: float
    repeats: int
    added_bytes: int | None
    difference: float | None


@dataclass(frozen=True)
class Elsewhere:
    """A contender that another process has run and timed; fields as in `Measurement`."""

    results: list[Tensor]
    seconds: float
    repeats: int
    added_bytes: int | None


Contender = Callable[[], list[Tensor]] | Elsewhere


def run_case(
    name: str, contenders: Mapping[str, Contender], *, tolerance: float, device: torch.device = CPU
) -> list[Measurement]:
    """Time all contenders of a case.

    Args:
        contenders: names to functions that compute the same tensors, or to what another process measured; the first is
            the truth. A function that computes something else returns an empty list and is timed uncompared.
        tolerance: largest relative difference that counts as agreement.
        device: where those of this process work.

    Raises:
        Disagreement: a contender's results differ by more; nothing has been timed here then.
    """
    truth: list[Tensor] = []
    differences: dict[str, float | None] = {}
    for contender, compute in contenders.items():
        given = compute.results if isinstance(compute, Elsewhere) else compute()
        results = [result.detach().clone() for result in given]
        truth = truth or results
        difference = max(map(_relative_difference, results, truth), default=None)
        differences[contender] = difference
        if difference is not None and not difference <= tolerance:
            raise Disagreement(
                f"{name}: {contender} differs from {next(iter(contenders))} by {difference:.1e}, more than "
                f"{tolerance:.0e}; no ratio is given"
            )
    return [_time(contender, compute, differences[contender], device) for contender, compute in contenders.items()]


def _time(contender: str, compute: Contender, difference: float | None, device: torch.device) -> Measurement:
    if isinstance(compute, Elsewhere):
        return Measurement(contender, compute.seconds, compute.repeats, compute.added_bytes, difference)
    added = added_memory(compute, device)
    times = call_times(compute, device, most_repeats=MOST_REPEATS)
    return Measurement(contender, min(times), len(times), added, difference)


def _relative_difference(result: Tensor, truth: Tensor) -> float:
    scale = float(truth.abs().max()) or 1.0
    return float((result.double() - truth.double()).abs().max()) / scale
