"""Figures over lengths: every mark is a number of the data, and what is missing looks missing."""

import pytest

from crn_lib.sweeps.stored_runs import Spread
from crn_lib.viz import describe
from crn_lib.viz.lengths import draw_accuracy_by_state, draw_copying_curves, draw_steps_to_solve

CURVE = [
    {"step": 50, "median": 0.2, "low": 0.1, "high": 0.4},
    {"step": 100, "median": 0.9, "low": 0.8, "high": 1.0},
]
OTHER = [{"step": 50, "median": 0.04, "low": 0.04, "high": 0.04}]


def point(kind, length, steps, seeds=3):
    spread = Spread.of(steps) if steps else None
    seconds = Spread.of([n / 10 for n in steps]) if steps else None
    return {
        "kind": kind, "string_length": length, "width": 64, "seeds": seeds, "solved": len(steps), "steps": spread,
        "seconds": seconds, "budget": 1000,
        "each_steps": sorted(steps), "each_seconds": [n / 10 for n in sorted(steps)],
    }  # fmt: skip


POINTS = [
    point("causal_rn", 16, [150, 200, 150]),
    point("causal_rn", 32, [300, 350]),
    point("lstm", 16, []),
    point("lstm", 32, []),
]


def test_a_panel_a_length_a_line_a_model_a_band_its_range():
    figure = draw_copying_curves({("causal_rn", 16): CURVE, ("causal_rn", 32): CURVE, ("lstm", 16): OTHER})
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [(trace.name, trace.xaxis) for trace in lines] == [("CausalRN", "x"), ("CausalRN", "x2"), ("LSTM", "x")]
    assert list(lines[0].x) == [50, 100] and list(lines[0].y) == [0.2, 0.9]
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert list(band.x) == [50, 100, 100, 50] and list(band.y) == [0.4, 1.0, 0.8, 0.1]
    assert [trace.showlegend for trace in lines] == [True, False, True], "each model once in the legend"
    assert [note.text for note in figure.layout.annotations] == ["16 letters", "32 letters"]
    assert "CausalRN at 32 letters: 90% after 100 steps." in describe(figure)


def test_the_legend_stands_in_an_empty_cell_if_there_is_one():
    five = draw_copying_curves({("causal_rn", length): CURVE for length in (16, 32, 64, 128, 256)})
    cell, other = five.get_subplot(2, 3), five.get_subplot(2, 2)
    assert (five.layout.legend.x, five.layout.legend.y) == (cell.xaxis.domain[0], cell.yaxis.domain[1])
    assert [side.visible for side in (*cell, *other)] == [False, False, None, None]
    assert draw_copying_curves({("causal_rn", 16): CURVE}).layout.legend.x is None


@pytest.mark.parametrize(("unit", "scale"), [("steps", 1), ("seconds", 10)])
def test_marks_are_medians_with_their_ranges_and_the_unsolved_stand_apart(unit, scale):
    figure = draw_steps_to_solve(POINTS, unit=unit)
    solved = next(trace for trace in figure.data if trace.name == "CausalRN")
    assert list(solved.y) == [150 / scale, 325 / scale]
    ends = figure.data[list(figure.data).index(solved) + 1]
    assert list(ends.y) == [n and n / scale for n in (150, 150, 200, None, 300, 350, None)], "every seed has its mark"
    assert list(solved.x) == [16, 32], "the only kind that solved a length stands at it"
    never = next(trace for trace in figure.data if trace.name == "LSTM")
    assert never.marker.symbol.endswith("-open") and never.showlegend
    assert min(never.y) > 350 / scale
    assert "not in<br>budget" in figure.layout.yaxis.ticktext
    assert "LSTM, 32 letters: 0 of 3 seeds in 1,000 steps." in describe(figure)


def test_kinds_that_solved_one_length_stand_beside_each_other_around_it():
    figure = draw_steps_to_solve([*POINTS, point("transformer", 32, [400])])
    ours, theirs = (next(t for t in figure.data if t.name == name) for name in ("CausalRN", "Transformer"))
    assert ours.x[0] == 16 and ours.x[1] < 32 < theirs.x[0] and ours.x[1] * theirs.x[0] == pytest.approx(32 * 32)


def test_the_title_says_beyond_which_length_no_fixed_memory_copied():
    short = point("linear_transformer", 16, [150]), point("linear_transformer", 32, [])
    assert draw_steps_to_solve([*POINTS, *short]).layout.title.text.startswith(
        "Of the fixed memories run here none copied more than 16"
    )
    assert draw_steps_to_solve(POINTS).layout.title.text.startswith("Of the fixed memories run here none copied")
    assert draw_steps_to_solve(POINTS[:2]).layout.title.text.startswith("How soon 99%")


def test_no_line_joins_models_of_another_width_and_the_kind_is_named_once():
    figure = draw_steps_to_solve([*POINTS[:2], point("causal_rn", 128, [400]) | {"width": 128}])
    narrow, _, wide, *_ = figure.data
    assert (len(narrow.x), len(wide.x)) == (2, 1) and (narrow.showlegend, wide.showlegend) == (True, False)


def test_steps_are_drawn_where_nothing_was_solved():
    figure = draw_steps_to_solve(POINTS[2:])
    assert [trace.name for trace in figure.data] == ["LSTM"]


def test_bytes_against_letters_right_with_the_length_beside_each_mark():
    points = [
        {"kind": "lstm", "string_length": n, "width": 64, "seeds": 3, "state_bytes": 2056, "accuracy": Spread(*spread)}
        for n, spread in ((16, (0.3, 0.2, 0.5)), (32, (0.1, 0.1, 0.1)))
    ]
    (marks,) = draw_accuracy_by_state(points).data
    assert marks.x[0] < 2056 < marks.x[1] and marks.x[0] * marks.x[1] == pytest.approx(2056**2), "beside each other"
    assert list(marks.y) == [0.3, 0.1] and list(marks.text) == ["16", "32"]
    assert list(marks.error_y.array) == pytest.approx([0.2, 0]) and list(marks.error_y.arrayminus) == pytest.approx(
        [0.1, 0]
    )


def test_marks_on_top_of_each_other_share_the_label_of_the_first():
    points = [
        {
            "kind": "lstm",
            "string_length": n,
            "width": 64,
            "seeds": 1,
            "state_bytes": 2000 + n,
            "accuracy": Spread(x, x, x),
        }
        for n, x in ((16, 1.0), (32, 0.999), (64, 0.2))
    ]
    (marks,) = draw_accuracy_by_state(points).data
    assert list(marks.text) == ["16, 32", "", "64"] and len(marks.x) == 3


@pytest.mark.parametrize("draw", [draw_copying_curves, draw_steps_to_solve, draw_accuracy_by_state])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw({})
