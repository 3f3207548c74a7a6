"""The verdicts of lesson 10 on made-up points: agrees, refuted, open; no row, missing rates, NaN, ties."""

import math
from dataclasses import replace
from typing import Any

import pytest

from crn_lib.experiments import beyond_verdicts as verdicts
from crn_lib.experiments.beyond import Point, points_of
from crn_lib.tasks import HopsConfig, NgramLookupConfig, RecallConfig, RegressionConfig
from tests.experiments.test_beyond import RATES, point, run, tried

SOLVED = {2e-3: 0.995}


def solving(kind: str, **fields: Any) -> Point:
    return point(kind, SOLVED, **fields)


def test_copying_tells_where_the_same_kinds_solve() -> None:
    copies = {"causal_rn": True, "transformer": True, "ssm": False, "lstm": None}
    alike = {"causal_rn": True, "transformer": True, "ssm": False, "delta_net": True}

    def judge(**solves: dict[str, bool | None]) -> bool | None:
        return verdicts.copying_tells({32: copies}, {"recall": 93.0, "suffix": 127.0, "hops": 1e3}, solves)

    assert judge(recall=alike) is True
    assert judge(recall=alike | {"ssm": True}) is False
    assert judge(recall=alike | {"causal_rn": False}) is False
    assert judge(recall=alike | {"causal_rn": None}) is None
    assert judge(recall=alike, suffix={"ssm": True}) is None, "no yardstick there"
    assert judge(recall=alike, hops=alike) is None, "nobody copied as much as that asks for"
    assert judge() is None and verdicts.copying_tells({}, {"recall": 93.0}, {"recall": alike}) is None


def test_all_solve_where_each_of_the_kinds_does() -> None:
    learnt = [solving(kind, width=64) for kind in ("causal_rn", "ssm")]

    def judge(*points: Point, kinds: tuple[str, ...] = ("causal_rn", "ssm")) -> bool | None:
        return verdicts.all_solve(points, kinds, width=64)

    assert judge(*learnt) is True and judge(*learnt, tried("lstm", 0.5, width=64)) is True
    assert judge(*learnt, tried("lstm", 0.5, width=64), kinds=("ssm", "lstm")) is False
    assert judge(*learnt, kinds=("ssm", "lstm")) is None, "no row"
    assert judge(solving("causal_rn", width=8), learnt[1]) is None, "another width"
    assert judge(*learnt, kinds=()) is None and judge() is None


def test_strings_are_as_long_as_what_a_task_asks_to_keep() -> None:
    lengths = (64, 16, 32)
    assert [verdicts.length_for(bits, lengths) for bits in (11, 75, 76, 93, 300, 302)] == [16, 16, 32, 32, 64, None]


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (0.8, 0.5, True),
        (0.5, 0.8, False),
        (0.51, 0.5, None),
        (None, 0.5, None),
    ],
)
def test_more_at_equal_bytes(ours: float | None, theirs: float, verdict: bool | None) -> None:
    """At equal bytes the pool is twice as wide as the cache."""
    points = [three_seeds("transformer", theirs, width=8)]
    points += [three_seeds("causal_rn", ours, width=16)] if ours is not None else []
    assert verdicts.more_at_equal_bytes(points) is verdict


def three_seeds(kind: str, score: float, **fields: Any) -> Point:
    """Five rates, and two more seeds at the best."""
    first = [each for own in tried(kind, score, **fields).tried.values() for each in own]
    (found,) = points_of([*first, *(run(kind, score, seed=seed, **fields) for seed in (1, 2))])
    return found


def test_a_difference_at_equal_bytes_takes_three_seeds_of_both() -> None:
    ours, yardstick = ({"kind": kind, "width": width} for kind, width in (("causal_rn", 16), ("transformer", 8)))
    pairs = [(one, other) for one in (tried, three_seeds) for other in (tried, three_seeds)]
    found = [verdicts.more_at_equal_bytes([a(score=0.8, **ours), b(score=0.5, **yardstick)]) for a, b in pairs]
    assert found == [None, None, None, True]


def test_equal_bytes_are_open_with_few_rates_or_without_an_equal_and_no_is_final() -> None:
    few = [point("causal_rn", {2e-3: 0.8}, width=16), tried("transformer", 0.5, width=8)]
    assert verdicts.more_at_equal_bytes(few) is None
    assert verdicts.more_at_equal_bytes([tried("causal_rn", 0.8, width=8), tried("transformer", 0.5, width=8)]) is None
    solved = [solving("causal_rn", width=16), solving("transformer", width=8)]
    assert verdicts.more_at_equal_bytes(solved) is None, "both solve it: a tie"
    behind = [three_seeds("causal_rn", 0.4, width=32), three_seeds("transformer", 0.9, width=16)]
    assert verdicts.more_at_equal_bytes([*solved, *behind]) is False


def statics(**scores: float) -> list[Point]:
    """The four static models, at 0.3 unless a score is given."""
    return [
        tried("causal_rn", scores.get(f"{norm}_{convolution}", 0.3), norm=norm, short_conv=convolution)
        for norm in ("none", "approx")
        for convolution in (0, 3)
    ]


def test_static_relations_stay_below_unless_one_comes_as_far() -> None:
    def judge(points: list[Point]) -> bool | None:
        return verdicts.static_stays_below(points, width=8, blocks=2)

    exact = solving("causal_rn")
    assert judge([exact, *statics()]) is True
    assert judge([exact, *statics(approx_3=0.98)]) is False
    assert judge([exact, *statics()[:3]]) is None, "one is missing"
    assert judge([exact, *statics()[:3], point("causal_rn", {2e-3: 0.3}, norm="approx", short_conv=3)]) is None
    with_convolution = [solving("causal_rn", short_conv=3), *statics()[1::2]]
    assert verdicts.static_stays_below(with_convolution, width=8, blocks=2, convolutions=(3,)) is True
    assert judge(with_convolution) is None, "those without are missing"
    others = [*with_convolution, point("linear_rn", {2e-3: 0.3})]
    assert verdicts.static_stays_below(others, width=8, blocks=2, convolutions=(3,)) is True, "it has no convolution"
    assert judge(statics()) is None and judge([tried("causal_rn", 0.6), *statics()]) is None
    assert judge([exact, *statics(), solving("linear_rn")]) is False, "the running sum is static too"
    assert judge([exact, *statics()[:3], tried("causal_rn", math.nan, norm="approx", short_conv=3)]) is None


def lookups(where: str, **scores: float) -> list[Point]:
    task, shape = NgramLookupConfig(where=where, answer_length=1), {"width": 64, "blocks": 4, "short_conv": 3}
    return [
        (solving if score > 0.98 else tried)(kind, *([score] if score <= 0.98 else []), task=task, **shape)
        for kind, score in scores.items()
    ]


def test_the_place_of_the_key_decides() -> None:
    before = lookups("prefix", transformer=0.995, lstm=0.995)
    after = lookups("suffix", transformer=0.995, lstm=0.2)
    assert verdicts.key_place_decides(before, after) is True
    assert verdicts.key_place_decides(before, lookups("suffix", transformer=0.995, lstm=0.995)) is False
    assert verdicts.key_place_decides(lookups("prefix", transformer=0.995, lstm=0.2), after) is False
    assert verdicts.key_place_decides(before, lookups("suffix", transformer=0.5, lstm=0.2)) is None
    assert verdicts.key_place_decides(before, []) is None and verdicts.key_place_decides([], after) is None
    assert verdicts.key_place_decides(before, after[:1]) is None, "no fixed state was asked after the string"


CURVES = {"least squares": [1.0, 0.5, 0.0], "averaging": [1.0, 3.0, 0.8], "3 nearest neighbours": [1.0, 0.9, 0.6]}


def test_the_nearest_curve() -> None:
    assert verdicts.nearest_curve([1.0, 0.55, 0.05], CURVES) == "least squares"
    assert verdicts.nearest_curve([1.0, 1.0, 0.79], CURVES) == "averaging", "errors above 1 count as 1"
    assert verdicts.nearest_curve([1.0, 0.7, 0.3], CURVES) is None, "half-way between two"
    assert verdicts.nearest_curve([1.0, math.nan, 0.0], CURVES) is None
    assert verdicts.nearest_curve([], CURVES) is None
    assert verdicts.nearest_curve([1.0, 0.5, 0.0], {"least squares": [1.0, 0.5, 0.0]}) is None


def test_fitting_needs_a_transformer_that_fits() -> None:
    def learner(*errors: float, rates: tuple[float, ...] = RATES, seeds: int = 3, before: float = 0.5) -> Point:
        fields = {
            "task": RegressionConfig(dims=2, points=3),
            "more": {f"error_after_{i}": error for i, error in enumerate(errors)},
        }
        runs = [run("causal_rn", 0.5 - 0.05 * (rate != 2e-3), rate=rate, before=before, **fields) for rate in rates]
        (found,) = points_of([*runs, *(run("causal_rn", 0.5, seed=seed, **fields) for seed in range(1, seeds))])
        return found

    fits, retrieves = learner(1.0, 0.52, 0.02), learner(1.0, 0.9, 0.61)
    assert verdicts.fits_in_context(fits, fits, CURVES) is True
    assert verdicts.fits_in_context(retrieves, fits, CURVES) is False
    assert verdicts.fits_in_context(learner(1.0, 0.9, 0.61, rates=(2e-3,)), fits, CURVES) is None, "one rate"
    assert verdicts.fits_in_context(learner(1.0, 0.9, 0.61, seeds=2), fits, CURVES) is None, "two seeds"
    assert verdicts.fits_in_context(learner(1.0, 0.9, 0.61, before=0.2), fits, CURVES) is None, "still rising"
    assert verdicts.fits_in_context(fits, retrieves, CURVES) is None
    assert verdicts.fits_in_context(learner(1.0, 0.7, 0.3), fits, CURVES) is None
    assert verdicts.fits_in_context(None, fits, CURVES) is None and verdicts.fits_in_context(fits, None, CURVES) is None


def hops(blocks: int, reached: int, rates: tuple[float, ...] = RATES, **more: Any) -> Point:
    """A model that answers so many hops of four."""
    task = HopsConfig(string_length=16, hops=4)
    right = {f"accuracy_{k}_hops": 1.0 if k <= reached else 0.4 for k in range(5)}
    score = sum(right.values()) / len(right)
    scores = {rate: score - 0.05 * (rate != 2e-3) for rate in rates}
    return point("causal_rn", scores, task=task, blocks=blocks, width=8, more=right | more)


def test_hops_reached_and_what_doubling_wants() -> None:
    assert [verdicts.hops_reached(hops(4, reached)) for reached in range(5)] == [0, 1, 2, 3, 4]
    assert [verdicts.doubling(blocks, 16) for blocks in (1, 2, 3, 4, 5)] == [0, 1, 3, 7, 15]
    for k in range(1, 17):  # floor(log2 k) + 2 blocks are enough, and one fewer is not
        needed = math.floor(math.log2(k)) + 2
        assert verdicts.doubling(needed, 99) >= k > verdicts.doubling(needed - 1, 99)


def test_depth_doubles_hops() -> None:
    few = (2e-3,)
    assert verdicts.depth_doubles_hops([hops(2, 1), hops(3, 3), hops(4, 4, few)]) is True
    assert verdicts.depth_doubles_hops([hops(3, 3), hops(4, 3)]) is False
    assert verdicts.depth_doubles_hops([hops(3, 3), hops(4, 3, few)]) is None, "one rate"
    assert verdicts.depth_doubles_hops([hops(2, 1), hops(6, 4)]) is None, "depths that cannot tell"
    assert verdicts.depth_doubles_hops([]) is None


def lengths(scheme: str, *letters: float, window: int | None = None, trained: float = 0.97) -> list[dict[str, Any]]:
    """Rows of one seed each: letters right in strings of 64, and of 32, the longest of their training."""
    same = {"kind": "causal_rn", "positions": scheme, "first_window": window, "trained_up_to": 32}
    found = ({"tested_at": n, "letters_right": value} for long in letters for n, value in ((32, trained), (64, long)))
    return [same | each for each in found]


def test_random_positions_are_read_as_they_were_trained() -> None:
    placed = lengths("random", 0.1, 0.1, 0.1)
    drawn = [row | {"drawn_letters_right": 0.95} for row in placed]
    assert verdicts.by_scheme(drawn, "causal_rn", 64) == {("random", 0): [0.95] * 3}
    assert verdicts.reads_unseen_lengths(drawn, "causal_rn", length=64) is True
    assert verdicts.reads_unseen_lengths(placed, "causal_rn", length=64) is False


def test_unseen_lengths() -> None:
    def judge(rows: list[dict[str, Any]]) -> bool | None:
        return verdicts.reads_unseen_lengths(rows, "causal_rn", length=64)

    low, high = lengths("learned", 0.1, 0.1, 0.2), lengths("none", 0.95, 0.92, 0.2, window=4)
    assert judge([*low, *high]) is True and judge(low) is False
    assert judge([*low, *lengths("random", 0.7, 0.7, 0.7)]) is None, "between the two"
    assert judge([*low, *lengths("random", 0.1, 0.2, 0.9)]) is None, "one seed of three copies"
    assert judge([*low, *lengths("random", 0.1, 0.1, 0.1, trained=0.6)]) is None, "does not copy what it was trained on"
    assert judge([*low, *high[:4]]) is None and judge(low[:4]) is None, "two seeds"
    assert judge([row for row in low if row["tested_at"] == 64]) is None, "nothing is known of trained lengths"
    assert judge([*low, *lengths("none", math.nan, 0.1, 0.1)]) is None and judge([]) is None
    assert judge([replace_kind(row) for row in low]) is None


def replace_kind(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "kind": "transformer"}


def pair(ours: float, yardstick: float, rates: tuple[float, ...] = RATES) -> list[Point]:
    """A CausalRN and a Transformer that come to these scores, whatever the rate."""
    scores = {"causal_rn": ours, "transformer": yardstick}
    return [point(kind, dict.fromkeys(rates, score)) for kind, score in scores.items()]


def test_text_as_well() -> None:
    def judge(ours: float, yardstick: float, rates: tuple[float, ...] = RATES) -> bool | None:
        bits = {"causal_rn": ours, "transformer": yardstick}
        points = [point(kind, dict.fromkeys(rates, 0.4), more={"bits_per_byte": value}) for kind, value in bits.items()]
        return verdicts.text_as_well(points, packed=2.4)

    assert judge(2.1, 2.2) is True and judge(2.21, 2.2) is True and judge(2.3, 2.2) is False
    assert judge(2.3, 2.5) is None and judge(math.nan, 2.2) is None
    assert judge(2.3, 2.2, RATES[:2]) is None, "the best of two rates is at an edge"
    assert verdicts.text_as_well([], packed=2.4) is None


def test_what_copies_at_a_length_and_what_solves_at_a_width() -> None:
    wide = tried("ssm", 0.5, width=16)
    found = verdicts.solved_by([solving("transformer"), tried("ssm", 0.5), wide], 8)
    assert found == {"transformer": True, "ssm": False}
    task = replace(RecallConfig(pairs=4, length=16, vocab=32), filler="random")
    assert verdicts.solved_by([point("lstm", {1e-3: 0.4}, task=task)], 8) == {"lstm": None}


def test_digits_as_well() -> None:
    def judge(*scores: float) -> bool | None:
        return verdicts.digits_as_well(pair(*scores), ridge=0.93)

    assert judge(0.95, 0.96) is True and judge(0.9, 0.96) is False
    assert judge(0.95, 0.9) is None and judge(math.nan, 0.96) is None
    assert verdicts.digits_as_well(pair(0.9, 0.96, RATES[:2]), ridge=0.93) is None, "an edge"


def test_reviews_as_well() -> None:
    def judge(*scores: float) -> bool | None:
        return verdicts.reviews_as_well(pair(*scores), counted=0.6)

    assert judge(0.66, 0.67) is True and judge(0.6, 0.67) is False
    assert judge(0.6, 0.59) is None and judge(math.nan, 0.7) is None
    assert verdicts.reviews_as_well(pair(0.6, 0.67, RATES[:2]), 0.6) is None, "an edge"
    assert verdicts.reviews_as_well(pair(0.66, 0.67), 0.8) is None, "counting is better"
    assert verdicts.reviews_as_well(pair(0.66, 0.67), math.nan) is None, "nobody has counted"


def test_of_several_widths_the_widest_of_each_kind_are_compared() -> None:
    def wide(kind: str, width: int, bits: float) -> Point:
        return tried(kind, 0.4, width=width, more={"bits_per_byte": bits})

    ours, narrow, yardstick = wide("causal_rn", 64, 2.4), wide("transformer", 32, 2.45), wide("transformer", 64, 2.3)
    for points in ([ours, narrow, yardstick], [ours, yardstick, narrow]):
        assert verdicts.text_as_well(points, 2.69) is False, "2.4 bits are more than 2.3"
