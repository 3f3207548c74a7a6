"""The arithmetic of readable senders beside stored ablations: how many a row must be read among, and whether it copies.

Every form is the paper's but for its activation: exact norm and post-norm.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crn_lib.analysis.readable import readable_senders, senders_seen
from crn_lib.experiments.verdicts import Share, Verdict, all_of
from crn_lib.sweeps.stored_runs import Run


@dataclass(frozen=True)
class Outcome:
    """What the runs of one activation, width and length came to, at the learning rate that did best.

    Attributes:
        rates: learning rates that were tried.
        share: of the seeds at the best of them.
        steps: of all runs at that rate that copied, fewest first; empty if none did.
    """

    activation: str
    width: int
    string_length: int
    rates: int
    share: Share
    steps: tuple[int, ...]

    @property
    def readable(self) -> float:
        """Senders among which one pair can be read, by the arithmetic."""
        return readable_senders(self.activation, self.width)

    @property
    def seen(self) -> float:
        """Senders that it must be read among."""
        return senders_seen(self.string_length)

    @property
    def predicted(self) -> bool:
        """Whether the arithmetic says that it copies."""
        return self.readable > self.seen

    @property
    def copies(self) -> Verdict:
        """Whether more than half of the seeds copied; open where some were stopped while still rising."""
        if self.share.works:
            return True
        return None if self.share.unfinished else False

    @property
    def fits(self) -> Verdict:
        """Whether the runs did what the arithmetic says."""
        return None if self.copies is None else self.copies == self.predicted


def outcomes(runs: Iterable[Run]) -> list[Outcome]:
    """Runs with the exact norm, post-norm and one head, by width, length and activation."""
    groups: dict[tuple[int, int, str], dict[float, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        model = run.row["model"]
        if run.kind == "causal_rn" and (model["norm"], model["post_norm"], model["heads"]) == ("exact", True, 1):
            place = model["width"], run.string_length, model["activation"]
            groups[place][run.row["training"]["learning_rate"]].append(run)
    found = []
    for (width, length, activation), by_rate in sorted(groups.items()):
        shares = {rate: Share.of(own) for rate, own in by_rate.items()}
        steps = {
            rate: sorted(int(point["step"]) for run in own if (point := run.first()) is not None)
            for rate, own in by_rate.items()
        }
        order = {  # as `AtRate.order`; of those that do not copy, by what may still rise
            rate: (share.least, share.copied, -min(steps[rate], default=0), share.unfinished)
            for rate, share in shares.items()
        }
        best = max(order, key=order.__getitem__)
        found.append(Outcome(activation, width, length, len(by_rate), shares[best], tuple(steps[best])))
    return found


def copies_only_what_it_can_read(found: Sequence[Outcome]) -> Verdict:
    """Whether a form copies where the arithmetic lets its letters be read, and nowhere else."""
    return all_of(outcome.fits for outcome in found)
