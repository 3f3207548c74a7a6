"""What stored runs say to a statement: `True` agrees, `False` disagrees, `None` is open.

The rules common to all studies; a study with a rule of its own keeps it beside its rows. Two things are never read as
agreement: a yardstick that does not work, and a run that was stopped while it was still rising.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, linear_regression
from typing import Literal

from crn_lib.sweeps.jobs import History
from crn_lib.sweeps.stored_runs import Run

Verdict = bool | None
Ending = Literal["copied", "not finished", "failed"]

LAST_PART = 0.2
"""Of a run's steps, the part at the end that its last slope is fitted to."""

MORE_STEPS = 3
"""A run counts as not finished if its last slope would take it to the end within so many times its steps."""


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Whether a statement holds of every part: no as soon as one disagrees, open while one is open, and of no part."""
    found = list(verdicts)
    if False in found:
        return False
    return True if found and None not in found else None


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Whether a statement holds of some part: yes as soon as one agrees, no only if all disagree."""
    found = list(verdicts)
    if True in found:
        return True
    return False if found and None not in found else None


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval for a share of which `successes` of `trials` were seen, as E. B. Wilson gave it (1927).

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.

    Raises:
        ValueError: no trial, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"an interval needs 0 to n successes of n > 0 trials; got {successes} of {trials}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = successes / trials, z * z / trials
    middle = share + spread / 2
    reach = z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))


def slope_at_end(history: History, metric: str = "character_accuracy") -> float:
    """Gained a step over a run's last part, of letters right; 0 where there are not two evaluations, NaN with NaN."""
    if not history:
        return 0.0
    tail = [point for point in history if point["step"] >= (1 - LAST_PART) * history[-1]["step"]]
    tail = tail if len(tail) > 1 else list(history[-2:])
    if len(tail) < 2:
        return 0.0
    return linear_regression([point["step"] for point in tail], [point[metric] for point in tail]).slope


def ending(run: Run) -> Ending:
    """How a run ended: it copied, it was stopped while still rising, or it failed, as one that diverged has.

    Still rising: at the slope of its last part it would have every letter right within `MORE_STEPS` times its steps.
    A slope that is lost in the noise of the evaluations is not enough for that, and neither is NaN. Of a task without
    letters it is the main metric that rises.
    """
    if run.first() is not None:
        return "copied"
    if run.row.get("stopped") == "diverged":
        return "failed"
    last = run.history[-1] if run.history else {}
    metric = "character_accuracy" if "character_accuracy" in last else run.main_metric
    if metric not in last:
        return "failed"
    gain = slope_at_end(run.history, metric) * last["step"] * (MORE_STEPS - 1)
    return "not finished" if gain >= 1 - last[metric] else "failed"


@dataclass(frozen=True)
class Share:
    """How many of some runs copied, and how many were still rising when they were stopped."""

    copied: int
    runs: int
    unfinished: int = 0

    @classmethod
    def of(cls, runs: Iterable[Run]) -> "Share":
        """Counted over runs that differ in their seed."""
        endings = [ending(run) for run in runs]
        return cls(endings.count("copied"), len(endings), endings.count("not finished"))

    @property
    def works(self) -> bool:
        """Whether more than half of the runs copied."""
        return 2 * self.copied > self.runs

    @property
    def least(self) -> float:
        """The share that copied."""
        return self.copied / self.runs

    @property
    def most(self) -> float:
        """The share if all that were still rising had copied in the end."""
        return (self.copied + self.unfinished) / self.runs

    def words(self) -> str:
        """As in `1 of 2 (9% to 91%; 1 not finished)`; the interval is Wilson's, of 95%."""
        if not self.runs:
            return "no run"
        low, high = wilson(self.copied, self.runs)
        rest = f"; {self.unfinished} not finished" if self.unfinished else ""
        return f"{self.copied} of {self.runs} ({low:.0%} to {high:.0%}{rest})"


def all_copy(share: Share) -> Verdict:
    """Whether every run copies; open without a run, or if one was stopped while still rising."""
    if not share.runs or share.least < 1 <= share.most:
        return None
    return share.least == 1


def copies_as_well(ours: Share, yardstick: Share) -> Verdict:
    """Whether we copy as well as the yardstick, at one length and shape, each at its own best learning rate.

    Open where the yardstick does not copy in more than half of its runs: then there is nothing to copy as well as,
    however we do. Agrees where our share is not below the one that the yardstick has or might still have reached.
    Disagrees where we do not copy in more than half of our runs, those still rising counted as if they had. Between
    the two, a seed more or less, it is open.
    """
    if not ours.runs or not yardstick.runs or not yardstick.works:
        return None
    if ours.least >= yardstick.most:
        return True
    return False if ours.most <= 0.5 else None


def falls_short(other: Share, yardstick: Share) -> Verdict:
    """Whether another model does not copy although the yardstick does; open if that does not, or if it still rises."""
    if not other.runs or not yardstick.runs or not yardstick.works:
        return None
    if other.works:
        return False
    return True if not other.copied and not other.unfinished else None


def accuracy_as_well(ours: float, yardstick: float, *, works_at: float = 0.9, margin: float = 0.02) -> Verdict:
    """The same for two accuracies of one run each: open where the yardstick is below `works_at`, or one is NaN."""
    if not all(map(math.isfinite, (ours, yardstick, works_at))) or yardstick < works_at:
        return None
    return ours >= yardstick - margin


def reaches(accuracy: float, goal: float) -> Verdict:
    """Whether an accuracy reaches a goal; open if it is NaN."""
    return accuracy >= goal if math.isfinite(accuracy) else None


def clearly_above(with_it: Sequence[float], without: Sequence[float], factor: float = 2.0) -> Verdict:
    """Whether the worst seed with something is above `factor` times the best without it; open without numbers."""
    numbers = [*with_it, *without]
    if not with_it or not without or not all(map(math.isfinite, numbers)):
        return None
    return min(with_it) > factor * max(without)


def looks_back_only(ahead: int, back: int, tokens: int) -> Verdict:
    """Whether every output notices its own and all earlier tokens and no later one, from the changes noticed."""
    return None if tokens < 2 else ahead == 0 and back == tokens * (tokens + 1) // 2


def unchanged(changes: Iterable[float], tolerance: float = 1e-9) -> Verdict:
    """Whether all relative changes are rounding; open without one, or with NaN."""
    found = list(changes)
    if not found or any(math.isnan(change) for change in found):
        return None
    return max(found) < tolerance
