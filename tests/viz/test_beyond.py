"""Figures of tasks beyond copying: marks are the points' numbers, what is open or too large looks so."""

import math

import pytest

from crn_lib.experiments.beyond import points_of
from crn_lib.tasks import HopsConfig
from crn_lib.viz import describe, draw_errors_by_examples, draw_fitted_line, draw_hops_by_depth, draw_score_by_bytes
from tests.experiments.test_beyond import point, run, tried

SMALL, LARGE = tried("transformer", 0.6, width=8), tried("transformer", 0.9, width=32)
OURS = point("causal_rn", {2e-3: 0.8}, width=16)


def test_a_mark_for_each_model_open_where_it_may_still_rise_pale_where_it_holds_more() -> None:
    figure = draw_score_by_bytes("recall", [LARGE, OURS, SMALL], limit=SMALL.state_bytes)
    ours, theirs = (next(t for t in figure.data if t.name == name) for name in ("CausalRN", "Transformer"))
    assert list(theirs.x) == [SMALL.state_bytes, LARGE.state_bytes] and list(theirs.y) == [0.6, 0.9]
    assert list(theirs.text) == ["8", "32"] and list(theirs.marker.opacity) == [1.0, 0.25]
    assert ours.textposition != theirs.textposition, "at equal bytes their widths would stand on each other"
    assert list(ours.marker.symbol) == ["circle-open"] and list(theirs.marker.symbol) == ["square", "square"]
    assert figure.layout.title.text.startswith("Recall of 16 pairs, within 2.09 kB: CausalRN 80%, Transformer 60%")
    assert "Transformer of width 32: " in describe(figure) and "1 seed, 400 steps, rate 0.002 of 5" in describe(figure)


@pytest.mark.parametrize(("kind", "place", "lucky"), [("causal_rn", "bottom", 0.5), ("transformer", "top", 0.9)])
def test_no_range_strikes_through_a_width(kind: str, place: str, lucky: float) -> None:
    (narrow,) = points_of(run(kind, score, seed=seed) for seed, score in enumerate((0.7, 0.7, lucky)))
    figure = draw_score_by_bytes("recall", [narrow, point(kind, {2e-3: 0.7}, width=16)])
    (marks,) = (trace for trace in figure.data if trace.mode == "markers+text")
    assert list(marks.text) == ["8", "16"] and list(marks.textposition) == ["middle left", f"{place} center"]


def test_the_title_names_as_many_kinds_as_there_is_room_for() -> None:
    kinds = ("causal_rn", "transformer", "delta_net", "linear_transformer", "ssm")
    points = [tried(kind, 0.9 - 0.1 * place) for place, kind in enumerate(kinds)]
    first, _ = draw_score_by_bytes("recall", points, limit=1e6).layout.title.text.split("<br>")
    assert first == "Recall of 16 pairs, within 1 MB: CausalRN 90%, Transformer 80%, DeltaNet 70%, 2 more"
    assert "SSM (S6) 50%" in describe(draw_score_by_bytes("recall", points))


def test_the_limit_is_always_in_sight_and_what_holds_more_has_no_range() -> None:
    for limit in (1_000.0, 1e6):
        figure = draw_score_by_bytes("recall", [LARGE, OURS, SMALL], limit=limit)
        low, high = figure.layout.xaxis.range
        assert low < math.log10(limit) < high
        bars = [bar for trace in figure.data if trace.error_y.array for bar in trace.error_y.array]
        assert bars == ([None] * 3 if limit == 1_000 else [0.0] * 3)
    figure = draw_score_by_bytes("recall", [LARGE], limit=1_000)
    assert figure.layout.title.text.startswith("Recall of 16 pairs, within 1 kB: none holds so little")


def test_the_legend_shows_a_kind_and_no_mark_of_it() -> None:
    figure = draw_score_by_bytes("recall", [OURS, SMALL, LARGE], limit=SMALL.state_bytes)
    entries = {trace.name: trace.marker for trace in figure.data if trace.showlegend is not False and trace.name}
    assert {name: marker.symbol for name, marker in entries.items()} == {"CausalRN": "circle", "Transformer": "square"}
    assert all(marker.opacity is None for marker in entries.values())


def test_the_bound_and_guessing_are_drawn_and_a_task_without_rows_says_so() -> None:
    bits = OURS.config.task.bits  # type: ignore[attr-defined]
    rules = {
        tuple(trace.x): trace for trace in draw_score_by_bytes("recall", [OURS]).data if trace.mode == "lines+text"
    }
    assert (bits / 8, bits / 8) in rules and sum(set(trace.y) == {0.25} for trace in rules.values()) == 1
    assert "no row" in draw_score_by_bytes("recall", []).layout.title.text


def test_errors_of_models_and_estimators() -> None:
    figure = draw_errors_by_examples({"causal_rn": [1.0, 0.4]}, {"least squares": [1.0, 0.2]})
    assert [(trace.name, list(trace.y)) for trace in figure.data] == [
        ("least squares", [1.0, 0.2]),
        ("CausalRN", [1.0, 0.4]),
    ]
    assert "last number of examples, 1: CausalRN 0.40, least squares 0.20" in describe(figure)
    with pytest.raises(ValueError, match="no curve"):
        draw_errors_by_examples({}, {})


def test_hops_have_a_panel_for_each_depth() -> None:
    task = HopsConfig(string_length=8, hops=2)
    more = {f"accuracy_{k}_hops": value for k, value in enumerate((1.0, 0.9, 0.5))}
    made = [point(kind, {1e-3: 0.8}, task=task, blocks=b, more=more) for kind, b in (("lstm", 2), ("lstm", 4))]
    figure = draw_hops_by_depth(made)
    models = [trace for trace in figure.data if trace.name]
    assert [list(trace.y) for trace in models] == [[1.0, 0.9, 0.5]] * 2
    assert [trace.xaxis for trace in models] == ["x", "x2"]
    assert [trace.showlegend for trace in models] == [True, False]
    guessing = [list(trace.y) for trace in figure.data if not trace.name]
    assert guessing == [list(task.chances)] * 2 and task.chances[0] == 1, "what is right without looking back"
    uprights = [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1]
    assert uprights == [1.5, 7.5], "behind 1 hop with two blocks, behind 7 with four"
    with pytest.raises(ValueError, match="no run on hops"):
        draw_hops_by_depth([])


def test_a_line_in_context() -> None:
    grid = [-1.0, 0.0, 1.0]
    figure = draw_fitted_line([(0.5, 1.0)], grid, {"causal_rn": [0.0, 0.1, 0.2]}, {"averaging": [0.0, 0.0, 0.5]})
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["points"].x) == [0.5] and list(by_name["CausalRN"].y) == [0.0, 0.1, 0.2]
    assert "Examples: 1. Predicted at x = 1: CausalRN 0.20, averaging 0.50." in describe(figure)
    with pytest.raises(ValueError, match="no example"):
        draw_fitted_line([], grid, {}, {})


def test_a_score_that_is_no_number_is_no_mark_at_zero() -> None:
    figure = draw_score_by_bytes("recall", [point("lstm", {1e-3: math.nan})])
    trace, _ = [trace for trace in figure.data if trace.name == "LSTM"]  # its marks, and its entry in the legend
    assert math.isnan(trace.y[0]) and "no row" in figure.layout.title.text
