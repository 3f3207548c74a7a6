"""What lesson 10 claims: each statement with the points it rests on and the function that judges it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crn_lib.experiments import beyond_verdicts as judge
from crn_lib.experiments.beyond import Point, circumstances_of, comparable, find, in_short
from crn_lib.experiments.review_baselines import COUNTED
from crn_lib.experiments.verdicts import Verdict
from crn_lib.sweeps.stored_runs import Spread
from crn_lib.tasks.text import BITS

WIDTH = 64
"""At which kinds are compared where a task has several widths."""

UNSEEN = 64
"""Letters of the strings twice as long as any in training."""

RETRIEVAL = ("recall", "suffix")
"""Panels whose tasks ask for one place out of many, as copying does. Four pairs (11 bits) are left out: no stored
string is as short as that."""


@dataclass(frozen=True)
class Evidence:
    """All that the statements are judged by.

    Attributes:
        points: by panel, as `read_points` gives them.
        copies: by length of the strings, then by kind, as `copies_at` gives them.
        estimators: errors by number of examples, of the estimators of regression.
        packed: bits per byte of the sonnets' test part when a packer has read the rest.
        ridge: accuracy of ridge regression on the digits' test part.
        tested: the rows of unseen lengths.
        reviews: accuracy on the reviews' test part by baseline, as `review_baselines` names them.
    """

    points: Mapping[str, Sequence[Point]]
    copies: Mapping[int, Mapping[str, Verdict]]
    estimators: Mapping[str, Sequence[float]]
    packed: float
    ridge: float
    tested: Sequence[judge.Row]
    reviews: Mapping[str, float]

    def compared(self, *names: str) -> list[Point]:
        """The comparable points of these panels."""
        return [point for name in names for point in comparable(name, self.points[name])]

    def bits(self) -> dict[str, float]:
        """By retrieval task, how many it asks a state to keep; infinitely many while it has no row."""
        own = {name: self.compared(name) for name in RETRIEVAL}
        return {
            name: getattr(points[0].config.task, "bits", math.inf) if points else math.inf
            for name, points in own.items()
        }

    def solves(self) -> dict[str, dict[str, Verdict]]:
        """By retrieval task, then by kind, whether it is solved."""
        return {name: judge.solved_by(self.compared(name), WIDTH) for name in RETRIEVAL}


class InShort(NamedTuple):
    """What a statement rests on, over what it was measured, and on what device."""

    ours: str
    spread: str
    device: str


class Statement(NamedTuple):
    """One claim: whose, in what words, where it is said, under which heading it is tested, and by what.

    `metric` is what it compares and how that is written, where that is not the task's main one, a share. `beside` says
    what baselines have.
    """

    about: str
    words: str
    where: str
    cell: str
    rests_on: Callable[[Evidence], list[Point]]
    verdict: Callable[[Evidence], Verdict]
    tested: Callable[[Evidence], InShort] | None = None
    metric: tuple[str | None, str] = (None, ".1%")
    beside: Callable[[Evidence], str] | None = None

    def in_short(self, evidence: Evidence, names: Mapping[str, str]) -> InShort:
        """What it rests on in one line, kinds by these names; over what; and on what.

        Points say so themselves. What was measured of stored models has words of its own, `tested`.
        """
        if self.tested:
            return self.tested(evidence)
        own = self.rests_on(evidence)
        baselines = f"; {self.beside(evidence)}" if self.beside and own else ""
        return InShort(in_short(own, names, *self.metric) + baselines, *circumstances_of(own))


def _unseen_lengths(evidence: Evidence) -> InShort:
    schemes = judge.by_scheme(evidence.tested, "causal_rn", UNSEEN)
    if not schemes:
        return InShort("no row yet", *circumstances_of([]))
    found = "; ".join(
        f"positions {positions}{f' and a first window of {window}' if window else ''}: {Spread.of(own).show('.0%')}"
        for (positions, window), own in sorted(schemes.items())
    )
    seeds = sorted({len(own) for own in schemes.values()})
    devices = " and ".join(sorted({f"{row['device']}, {row['dtype']}" for row in evidence.tested}))
    return InShort(
        f"letters right at {UNSEEN}, given those before: {found}", f"seeds: {' or '.join(map(str, seeds))}", devices
    )


def _fits(evidence: Evidence) -> Verdict:
    ours, yardstick = (find(evidence.compared("regression"), kind) for kind in ("causal_rn", "transformer"))
    return judge.fits_in_context(ours, yardstick, evidence.estimators)


STATEMENTS = (
    Statement(
        "paper",
        "What copying takes tells what strong retrieval from the context takes",
        "abstract",
        "Does copying tell?",
        lambda evidence: [p for p in evidence.compared(*RETRIEVAL) if p.model.width == WIDTH],
        lambda evidence: judge.copying_tells(evidence.copies, evidence.bits(), evidence.solves()),
    ),
    Statement(
        "ours",
        "At equal bytes a CausalRN recalls more than a Transformer",
        "recall of 16 pairs",
        "Recall against bytes",
        lambda evidence: evidence.compared("recall"),
        lambda evidence: judge.more_at_equal_bytes(evidence.compared("recall")),
    ),
    Statement(
        "ours",
        "No static relation recalls 4 pairs, not even with a short convolution",
        "4 pairs of 16 symbols",
        "Recall against bytes",
        lambda evidence: judge.static_points(evidence.points["few"], blocks=2),
        lambda evidence: judge.static_stays_below(evidence.points["few"], width=WIDTH, blocks=2),
    ),
    Statement(
        "ours",
        "Static relations of width 64 do not recall 16 pairs of 128 symbols",
        "16 pairs of 128 symbols, convolution of 3",
        "Recall against bytes",
        lambda evidence: judge.static_points(evidence.points["recall"], blocks=2, convolutions=(3,)),
        lambda evidence: judge.static_stays_below(evidence.points["recall"], width=WIDTH, blocks=2, convolutions=(3,)),
    ),
    Statement(
        "ours",
        "Where nothing is to be retrieved, all kinds that were asked for 16 pairs solve the task",
        "one dictionary of 127 keys, learnt by heart",
        "No retrieval, and keys of several tokens",
        lambda evidence: evidence.compared("by_heart"),
        lambda evidence: judge.all_solve(
            evidence.compared("by_heart"), {p.model.kind for p in evidence.compared("recall")}, width=WIDTH
        ),
    ),
    Statement(
        "around",
        "States of fixed size answer a look-up whose key comes first, and none whose key comes last",
        "Jelassi et al. 2024",
        "Asked before, asked after",
        lambda evidence: evidence.compared("prefix", "suffix"),
        lambda evidence: judge.key_place_decides(evidence.points["prefix"], evidence.points["suffix"]),
    ),
    Statement(
        "ours",
        "Some way to tell places apart lets a CausalRN name the next letter of copies twice as long as any it saw",
        "sweep unseen_lengths",
        "Lengths it never saw",
        lambda evidence: [],
        lambda evidence: judge.reads_unseen_lengths(evidence.tested, "causal_rn", length=UNSEEN),
        _unseen_lengths,
    ),
    Statement(
        "ours",
        "A CausalRN without a convolution does linear regression in context, rather than retrieve or average",
        "five coordinates",
        "Regression: retrieve or average?",
        lambda evidence: evidence.compared("regression"),
        _fits,
    ),
    Statement(
        "ours",
        "Depth buys a CausalRN hops by doubling",
        "0 to 4 hops",
        "Hops against depth",
        lambda evidence: [p for p in evidence.points["hops"] if p.plain and judge.depth_tells(p)],
        lambda evidence: judge.depth_doubles_hops(evidence.points["hops"]),
    ),
    Statement(
        "ours",
        "On the sonnets a CausalRN needs no more bits per byte than a Transformer of its width",
        "their test part",
        "Real text and digits",
        lambda evidence: evidence.compared("text"),
        lambda evidence: judge.text_as_well(evidence.compared("text"), evidence.packed),
        metric=(BITS, ".2f"),
        beside=lambda evidence: f"bits per byte, the fewer the better; bz2 {evidence.packed:.2f}",
    ),
    Statement(
        "ours",
        "A CausalRN reads digits patch by patch as well as a Transformer",
        "their test part, on which the medians of six kinds lie within five images",
        "Real text and digits",
        lambda evidence: evidence.compared("patches"),
        lambda evidence: judge.digits_as_well(evidence.compared("patches"), evidence.ridge),
        beside=lambda evidence: f"ridge regression {evidence.ridge:.1%}",
    ),
    Statement(
        "ours",
        "A CausalRN tells whether a review likes its film as well as a Transformer",
        "their test part, 128 bytes of each",
        "Real text and digits",
        lambda evidence: evidence.compared("sentences"),
        lambda evidence: judge.reviews_as_well(evidence.compared("sentences"), evidence.reviews.get(COUNTED, math.nan)),
        beside=lambda evidence: ", ".join(f"{name} {right:.1%}" for name, right in evidence.reviews.items()),
    ),
)
