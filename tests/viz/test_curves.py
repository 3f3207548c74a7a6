"""Lesson 06: a jump and a slope are told apart by what the curves did, and bytes stand beside the bound by bits."""

import itertools

import pytest

from crn_lib.viz import describe, draw_accuracy_against_state, draw_jump_or_slope, largest_gain

JUMP = [{"step": step, "character_accuracy": right} for step, right in ((20, 0.04), (40, 0.9), (60, 1.0))]
SLOPE = [{"step": step, "character_accuracy": right} for step, right in ((20, 0.1), (40, 0.25), (60, 0.4))]


def test_the_largest_gain_counts_from_nothing_to_the_first_evaluation_too() -> None:
    assert largest_gain(JUMP) == pytest.approx(0.86) and largest_gain(SLOPE) == pytest.approx(0.15)
    assert largest_gain(JUMP[1:]) == pytest.approx(0.9) and largest_gain([]) == 0


def test_the_title_says_jump_and_slope_only_where_the_curves_show_it() -> None:
    shown = draw_jump_or_slope({"causal_rn": JUMP, "linear_rn": SLOPE}, steps=60, string_length=12)
    assert shown.layout.title.text.startswith("The CausalRN jumps, the linear RN climbs")
    other = draw_jump_or_slope({"causal_rn": SLOPE, "linear_rn": JUMP}, steps=60, string_length=12)
    assert other.layout.title.text.startswith("Letters right while training")


def test_each_curve_is_named_at_the_right_from_the_highest_end_down_and_no_name_lies_on_another() -> None:
    histories = {"linear_rn": SLOPE, "causal_rn": JUMP, "transformer": JUMP}
    names = draw_jump_or_slope(histories, steps=60, string_length=12).layout.annotations
    assert [name.text.split("</span> ")[1] for name in names] == [
        "CausalRN, 100%",
        "Transformer, 100%",
        "linear RN, 40%",
    ]
    heights = [name.y for name in names]
    assert all(above - below > 0.07 for above, below in itertools.pairwise(heights))


def test_bytes_are_set_against_the_bytes_that_the_string_needs() -> None:
    points = [{"kind": "lstm", "state_bytes": 705, "character_accuracy": 0.1}]
    figure = draw_accuracy_against_state(points, string_length=12)  # 12 log2(26) bits are 7.05 bytes
    assert "room for the string 100 times over" in figure.layout.title.text
    bound, mark = figure.data
    assert (max(bound.x), max(bound.y)) == (pytest.approx(7.05, abs=0.01), pytest.approx(1))
    assert mark.text == "LSTM"
    assert "LSTM holds 705 bytes and copies 10%" in describe(figure)


@pytest.mark.parametrize("largest", [705, 5_900_000])
def test_the_axis_of_bytes_ends_behind_the_largest_state(largest: int) -> None:
    points = [{"kind": "lstm", "state_bytes": size, "character_accuracy": 0.1} for size in (705, largest)]
    first, last = draw_accuracy_against_state(points, string_length=12).layout.xaxis.range
    assert 10**first < 705 and largest * 1.2 < 10**last
