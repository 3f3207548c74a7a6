"""What the runs beyond copying say: recall by bytes, prefix and suffix, retrieving or averaging, hops and depth.

Every rule is the same at heart: a yardstick must work, a model that solves a task has solved it however few rates it
was given, and one that fails has failed only after `RATES` of them (`Point.solves`). Else the question is open.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crn_lib.experiments.beyond import EQUAL, Point, comparable, errors_by_examples, hops_by_number
from crn_lib.experiments.length_generalisation import letters_right
from crn_lib.experiments.lengths import FIXED_STATES, shares_at
from crn_lib.experiments.verdicts import Verdict, accuracy_as_well, all_of, any_of
from crn_lib.sweeps.stored_runs import Run, Spread
from crn_lib.tasks import string_bits
from crn_lib.tasks.text import BITS

MARGIN = 0.02
"""Scores closer than this are a tie."""

GROWING = ("causal_rn", "transformer")
STATIC_NORMS = ("none", "approx")

Row = Mapping[str, Any]


def copies_at(runs: Iterable[Run], string_length: int) -> dict[str, Verdict]:
    """For each kind whether it copies strings of this length; open where half copy, or where some still rise."""
    found: dict[str, Verdict] = {}
    for kind, share in shares_at(runs, string_length).items():
        found[kind] = True if share.works else False if not share.copied and not share.unfinished else None
    return found


def solved_by(points: Iterable[Point], width: int) -> dict[str, Verdict]:
    """For each kind whether its plain model of this width solves the task."""
    return {p.model.kind: p.solves for p in points if p.plain and p.model.width == width}


def length_for(bits: float, lengths: Iterable[int]) -> int | None:
    """The shortest of the lengths whose strings hold as many bits as a task asks a state to keep."""
    return min((n for n in lengths if string_bits(n) >= bits), default=None)


def copying_tells(
    copies: Mapping[int, Mapping[str, Verdict]],
    bits: Mapping[str, float],
    solves: Mapping[str, Mapping[str, Verdict]],
) -> Verdict:
    """Whether the kinds that copy, and only they, solve the other tasks too.

    Args:
        copies: by length of the strings, then by kind. Kinds about which it says nothing are left out.
        bits: by task, how many it asks a state to keep; it is compared with copying at the `length_for` as many.
        solves: by task, then by kind. A task that the Transformer does not solve decides nothing.
    """
    as_long = {task: copies.get(length_for(bits[task], copies) or 0, {}) for task in solves}
    return all_of(
        all_of(_same(copy, own.get(kind)) for kind, copy in as_long[task].items() if copy is not None)
        if own.get("transformer")
        else None
        for task, own in solves.items()
    )


def _same(copy: bool, solve: Verdict) -> Verdict:
    return None if solve is None else solve == copy


def more_at_equal_bytes(points: Sequence[Point], *, seeds: int = 3) -> Verdict:
    """Whether a CausalRN answers more than a Transformer that holds as many bytes, each at its best rate.

    Compared are plain models of as many blocks with `EQUAL` bytes. Yes if it is ahead at some size and
    behind at none; no if it is behind at some size. Where all are ties, as where all solve the task, it is open, and
    where two differ that have fewer seeds.
    """
    ours = [p for p in points if p.plain and p.model.kind == "causal_rn"]
    theirs = [p for p in points if p.plain and p.model.kind == "transformer"]
    pairs = [
        (a, b)
        for a in ours
        for b in theirs
        if a.model.blocks == b.model.blocks and b.state_bytes / EQUAL <= a.state_bytes <= b.state_bytes * EQUAL
    ]
    found = {_ahead(a, b, seeds) for a, b in pairs}
    if "behind" in found:
        return False
    return True if "ahead" in found and "open" not in found else None


def _ahead(a: Point, b: Point, seeds: int) -> str:
    if a.solves is None or b.solves is None:
        return "open"
    difference = a.score.median - b.score.median
    if abs(difference) <= MARGIN:
        return "tie"
    if min(len(a.runs), len(b.runs)) < seeds:
        return "open"
    return "ahead" if difference > 0 else "behind"


def static_points(points: Iterable[Point], *, blocks: int, convolutions: Sequence[int] = (0, 3)) -> list[Point]:
    """Those whose relations rank senders alike for all receivers, of this depth and with one of these convolutions."""
    return [
        p
        for p in points
        if p.model.norm in STATIC_NORMS and p.model.blocks == blocks and p.model.short_conv in convolutions
    ]


def static_stays_below(
    points: Sequence[Point], *, width: int, blocks: int, convolutions: Sequence[int] = (0, 3)
) -> Verdict:
    """Whether relations that rank senders alike for all receivers fail where the exact norm solves the task.

    Static are the norms `none` and `approx`, with each of the convolutions: models all of which have to fail. One that
    comes as far as the exact norm refutes it.
    """
    alike = [p for p in points if (p.model.width, p.model.blocks, p.model.expansion) == (width, blocks, 1)]
    exact = next((p for p in alike if p.plain and p.model.kind == "causal_rn" and p.solves), None)
    if exact is None:
        return None
    own = static_points(alike, blocks=blocks, convolutions=convolutions)
    found = {(p.model.kind, p.model.norm, p.model.short_conv): _falls_short(p, exact) for p in own}
    wanted = [("causal_rn", norm, convolution) for norm in STATIC_NORMS for convolution in convolutions]
    return all_of([*found.values(), *(None for key in wanted if key not in found)])


def _falls_short(point: Point, yardstick: Point) -> Verdict:
    if point.solves or point.score.median >= yardstick.score.low - MARGIN:
        return False
    return True if point.solves is False else None


def all_solve(points: Iterable[Point], kinds: Iterable[str], *, width: int) -> Verdict:
    """Whether each of these kinds solves the task at this width; open for one without a row."""
    own = solved_by(points, width)
    return all_of(own.get(kind) for kind in kinds)


def key_place_decides(prefix: Sequence[Point], suffix: Sequence[Point]) -> Verdict:
    """Whether states of fixed size answer if the key comes before the string, and not if it comes after it.

    Both tasks are judged by kinds whose memory grows: each of them must be solved by the Transformer. Then some fixed
    state has to solve the one, and none of them the other.
    """
    before, after = (solved_by(comparable(name, own), 64) for name, own in (("prefix", prefix), ("suffix", suffix)))
    if not before.get("transformer") or not after.get("transformer"):
        return None
    fixed = [kind for kind in FIXED_STATES if kind in before or kind in after]
    with_prefix = any_of(before.get(kind) for kind in fixed)
    without = all_of(_not(after.get(kind)) for kind in fixed)
    return all_of([with_prefix, without])


def _not(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict


def nearest_curve(errors: Sequence[float], curves: Mapping[str, Sequence[float]]) -> str | None:
    """Which estimator's errors are the nearest to a model's; `None` if two are about as near, or a number is missing.

    The distance is the root mean square over all numbers of examples from 1 on. Errors above 1 count as 1: predicting
    0 would do better than that. The nearest must be 20% nearer than the next.
    """
    if len(curves) < 2 or not errors or not all(map(math.isfinite, errors)):
        return None

    def distance(curve: Sequence[float]) -> float:
        squares = [(min(a, 1.0) - min(b, 1.0)) ** 2 for a, b in zip(errors[1:], curve[1:], strict=True)]
        return math.sqrt(sum(squares) / len(squares))

    ordered = sorted((distance(curve), name) for name, curve in curves.items())
    return ordered[0][1] if ordered[0][0] <= 0.8 * ordered[1][0] else None


def fits_in_context(
    ours: Point | None, yardstick: Point | None, curves: Mapping[str, Sequence[float]], *, seeds: int = 3
) -> Verdict:
    """Whether a model's errors follow least squares rather than retrieving or averaging.

    Open if the yardstick, the Transformer, does not follow least squares itself: then training was too short to tell;
    and if ours does not, but may do so yet (`Point.solves`), or has fewer seeds.
    """
    if ours is None or yardstick is None or nearest_curve(errors_by_examples(yardstick), curves) != "least squares":
        return None
    found = nearest_curve(errors_by_examples(ours), curves)
    if found == "least squares":
        return True
    return False if found and ours.solves is False and len(ours.runs) >= seeds else None


def hops_reached(point: Point, threshold: float = 0.95) -> int:
    """The most hops k such that strings of 1, 2 ... k hops are all answered; 0 where not even one is."""
    reached = 0
    for k, accuracy in enumerate(hops_by_number(point)):
        if k and not accuracy >= threshold:  # NaN too
            break
        reached = k
    return reached


def doubling(blocks: int, most: int) -> int:
    """Hops within reach if look-ups double: `floor(log2 k) + 2` blocks for k of them."""
    return min(most, int(2 ** (blocks - 1)) - 1)


def depth_tells(point: Point) -> bool:
    """Whether doubling puts more hops within reach of so many blocks than one hop a block does."""
    most = len(hops_by_number(point)) - 1
    return doubling(point.model.blocks, most) > min(most, point.model.blocks - 1)


def depth_doubles_hops(points: Sequence[Point], kind: str = "causal_rn") -> Verdict:
    """Whether depth buys hops by doubling, as it does for a Transformer in theory, and not one hop a block.

    Judged at the depths that tell. A model that falls short at one rate only leaves it open.
    """
    found = []
    for point in (p for p in points if p.plain and p.model.kind == kind and depth_tells(p)):
        enough = hops_reached(point) >= doubling(point.model.blocks, len(hops_by_number(point)) - 1)
        found.append(True if enough else False if point.solves is False else None)
    return all_of(found)


Scheme = tuple[str, int]
"""How a model tells places apart: its positions, and the window of its first block, 0 for none."""


def by_scheme(rows: Iterable[Row], kind: str, length: int) -> dict[Scheme, list[float]]:
    """The share of letters right, given those before, in strings of this length, one number a seed.

    Models of random positions are read with positions drawn, as they were trained.

    Args:
        rows: of `figures/data/unseen_lengths.jsonl`, each scheme's of one learning rate (`at_best_rate`).
    """
    found: dict[Scheme, list[float]] = {}
    for row in rows:
        if row["kind"] == kind and row["tested_at"] == length:
            found.setdefault((row["positions"], row["first_window"] or 0), []).append(letters_right(row))
    return found


def reads_unseen_lengths(rows: Sequence[Row], kind: str, *, length: int, seeds: int = 3) -> Verdict:
    """Whether some way to tell places apart lets a kind copy letters of strings twice as long as any it saw.

    Yes if of some scheme the median over seeds at this length is 90% of letters or more. No if of every scheme no seed
    has half of them, though the median at the longest strings of its training is 90%: what has not learnt those says
    nothing about longer ones. In all other cases, and while a scheme has fewer seeds, it is open.
    """
    schemes = by_scheme(rows, kind, length)
    if not schemes or not all(math.isfinite(share) for own in schemes.values() for share in own):
        return None
    if any(len(own) >= seeds and Spread.of(own).median >= 0.9 for own in schemes.values()):
        return True
    trained = {
        scheme: own for n in {row["trained_up_to"] for row in rows} for scheme, own in by_scheme(rows, kind, n).items()
    }
    learnt = all(scheme in trained and Spread.of(trained[scheme]).median >= 0.9 for scheme in schemes)
    return False if learnt and all(len(own) >= seeds and max(own) < 0.5 for own in schemes.values()) else None


def _pair(points: Iterable[Point], metric: str | None = None) -> tuple[float, float]:
    """A metric of CausalRN and Transformer, the widest of each, the main one if none is named, as the next three rules
    compare it.

    NaN without a row, and of a model that has not had its chance: then they are open.
    """
    own = sorted((p for p in points if p.had_its_chance), key=lambda p: p.model.width)
    found = {p.model.kind: (p.metric(metric) if metric else p.score).median for p in own}
    return found.get("causal_rn", math.nan), found.get("transformer", math.nan)


def text_as_well(points: Iterable[Point], packed: float) -> Verdict:
    """Whether our bits per byte are no more than the yardstick's; open if that does not do better than packing."""
    ours, yardstick = _pair(points, BITS)
    if not all(map(math.isfinite, (ours, yardstick, packed))) or yardstick >= packed:
        return None
    return ours <= yardstick + MARGIN


def digits_as_well(points: Iterable[Point], ridge: float) -> Verdict:
    """Whether our accuracy is not below the yardstick's; open if that reads digits worse than ridge regression does."""
    return accuracy_as_well(*_pair(points), works_at=ridge, margin=MARGIN)


def reviews_as_well(points: Iterable[Point], counted: float) -> Verdict:
    """Whether our accuracy is not below the yardstick's; open if that reads reviews worse than counting does."""
    return accuracy_as_well(*_pair(points), works_at=counted, margin=MARGIN)
