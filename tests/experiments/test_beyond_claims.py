"""The statements of lesson 10: open without rows, and decided by the rows they name."""

from dataclasses import replace
from typing import Any

import pytest

from crn_lib.experiments.beyond import PANELS, Point
from crn_lib.experiments.beyond_claims import STATEMENTS, Evidence, Statement
from crn_lib.experiments.review_baselines import COUNTED
from crn_lib.tasks import ImagesConfig, MemorisationConfig, RecallConfig, RegressionConfig, SentencesConfig, TextConfig
from tests.experiments.test_beyond import RATES, point, tried
from tests.experiments.test_beyond_verdicts import CURVES, hops, lengths, lookups, solving, statics

REVIEWS = {"majority": 0.5, COUNTED: 0.64}
RECALL = RecallConfig(pairs=4, length=16, vocab=32)


def evidence(**points: list[Point]) -> Evidence:
    copies = {"transformer": True, "lstm": False}
    return Evidence({name: [] for name in PANELS} | points, {32: copies, 64: copies}, CURVES, 2.5, 0.9, [], REVIEWS)


def statement(start: str) -> Statement:
    (found,) = [each for each in STATEMENTS if each.words.startswith(start)]
    return found


@pytest.mark.parametrize("each", STATEMENTS, ids=lambda each: each.words[:30])
def test_without_rows_everything_is_open_and_rests_on_nothing(each: Statement) -> None:
    assert each.verdict(evidence()) is None and each.rests_on(evidence()) == []
    assert each.in_short(evidence(), {}) == ("no row yet", "no seed yet", "no row yet")


def wide(kind: str, score: float, task: Any, rates: tuple[float, ...] = RATES, **more: Any) -> Point:
    return point(kind, dict.fromkeys(rates, score), task=task, width=64, blocks=4, more=more)


def test_each_statement_is_judged_by_its_own_rows() -> None:
    copying = evidence(
        few=[solving("transformer", width=64), solving("lstm", width=64)],
        recall=[solving(kind, width=64, short_conv=3) for kind in ("transformer", "lstm")],
        suffix=lookups("suffix", transformer=0.995, lstm=0.995),
    )
    assert statement("What copying").verdict(copying) is False, "the LSTM does not copy"
    assert len(statement("What copying").rests_on(copying)) == 4, "four pairs tell nothing"

    by_heart = statement("Where nothing is to be retrieved")
    asked = {"recall": [solving(kind, width=64, short_conv=3) for kind in ("transformer", "ssm")]}
    known = [point(kind, {2e-3: 0.995}, task=MemorisationConfig(), width=64) for kind in ("transformer", "ssm")]
    assert by_heart.verdict(evidence(**asked, by_heart=known)) is True
    assert by_heart.verdict(evidence(**asked, by_heart=known[:1])) is None
    assert by_heart.rests_on(evidence(**asked, by_heart=known)) == known

    four_pairs, sixteen_pairs = (
        statement("No static relation recalls 4 pairs"),
        statement("Static relations of width 64"),
    )
    refuted = evidence(few=[solving("causal_rn", width=64), *statics(none_3=0.995)])
    assert four_pairs.verdict(refuted) is None and len(four_pairs.rests_on(refuted)) == 4, "width 8"
    shape = {"width": 64, "short_conv": 3}
    held = evidence(
        recall=[
            solving("causal_rn", **shape),
            *(tried("causal_rn", 0.3, norm=norm, **shape) for norm in ("none", "approx")),
        ]
    )
    assert sixteen_pairs.verdict(held) is True and four_pairs.verdict(held) is None
    assert len(sixteen_pairs.rests_on(held)) == 2
    waiting = [tried("causal_rn", RECALL.chance, norm=norm, **shape) for norm in ("none", "approx")]
    undecided = evidence(recall=[solving("causal_rn", **shape), *waiting])
    assert sixteen_pairs.verdict(undecided) is None, "whoever is still guessing may be waiting for a jump"

    task = RegressionConfig(dims=5, points=3)
    errors = {f"error_after_{i}": value for i, value in enumerate((1.0, 0.5, 0.0))}
    both = evidence(regression=[wide(kind, 0.9, task, **errors) for kind in ("causal_rn", "transformer")])
    assert statement("A CausalRN without").verdict(both) is True

    doubled = evidence(hops=[hops(3, 3), hops(4, 4)])
    assert statement("Depth").verdict(doubled) is True and len(statement("Depth").rests_on(doubled)) == 2

    bits = {"causal_rn": 2.4, "transformer": 2.3}
    text = evidence(text=[wide(kind, 0.4, TextConfig(), bits_per_byte=value) for kind, value in bits.items()])
    assert statement("On the sonnets").verdict(text) is False

    digits = evidence(patches=[wide(kind, 0.95, ImagesConfig()) for kind in ("causal_rn", "transformer")])
    assert statement("A CausalRN reads").verdict(digits) is True

    few = evidence(patches=[wide(kind, 0.95, ImagesConfig(), RATES[:4]) for kind in ("causal_rn", "transformer")])
    assert statement("A CausalRN reads").verdict(few) is None, "four rates each"

    reviews = SentencesConfig(path="reviews.tar.gz")
    here = {"device": "cpu", "dtype": "float32"}
    liked = evidence(sentences=[wide("causal_rn", 0.6, reviews, **here), wide("transformer", 0.65, reviews, **here)])
    assert statement("A CausalRN tells").verdict(liked) is False
    counted = replace(liked, reviews={COUNTED: 0.7})
    assert statement("A CausalRN tells").verdict(counted) is None, "counting reads them better than the Transformer"
    ours = statement("A CausalRN tells").in_short(liked, {"causal_rn": "CausalRN", "transformer": "Transformer"}).ours
    assert ours.endswith("; majority 50.0%, 3- to 5-grams counted 64.0%")


def test_what_was_measured_of_stored_models_says_so() -> None:
    rows = [row | {"device": "cpu", "dtype": "float32"} for row in lengths("none", 0.95, 0.92, 0.94, window=4)]
    unseen, tested = statement("Some way"), Evidence(evidence().points, {}, CURVES, 2.5, 0.9, rows, REVIEWS)
    assert unseen.verdict(tested) is True
    assert unseen.in_short(tested, {}) == (
        "letters right at 64, given those before: positions none and a first window of 4: 94% (92% to 95%)",
        "seeds: 3",
        "cpu, float32",
    )


def test_a_statement_in_short_names_its_points() -> None:
    digits = evidence(patches=[wide("causal_rn", 0.95, ImagesConfig(), device="cpu", dtype="float32")])
    ours, spread, device = statement("A CausalRN reads").in_short(digits, {"causal_rn": "CausalRN"})
    assert "CausalRN" in ours and "95.0%" in ours and spread.startswith("learning rates tried: 5") and "cpu" in device
    assert ours.endswith("; ridge regression 90.0%")


def test_what_is_compared_in_bits_is_said_in_bits() -> None:
    """Beside the packer, and not the share of bytes that are right, which the verdict does not look at."""
    text = evidence(text=[wide("causal_rn", 0.4, TextConfig(), bits_per_byte=2.4, device="cpu", dtype="float32")])
    ours = statement("On the sonnets").in_short(text, {"causal_rn": "CausalRN"}).ours
    assert "width 64: 2.40, 1 seed" in ours and "%" not in ours and ours.endswith("; bz2 2.50")


def test_where_depths_differ_each_point_says_its_own() -> None:
    here = {"device": "cpu", "dtype": "float32"}
    deep = evidence(hops=[hops(blocks, 3, **here) for blocks in (2, 3, 4)])
    ours, *_ = statement("Depth buys").in_short(deep, {"causal_rn": "CausalRN"})
    assert [each.split(":")[0] for each in ours.split("; ")] == [
        f"hops, string length 16, CausalRN, width 8, {blocks} blocks" for blocks in (3, 4)
    ], "two blocks cannot tell"
