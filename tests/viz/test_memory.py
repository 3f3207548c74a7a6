"""Lesson 05: what its two widgets draw for every setting."""

import ipywidgets
import plotly.graph_objects as go
import pytest

from crn_lib.course import bind
from crn_lib.experiments.memory import decode, marked_lengths
from crn_lib.models import BLOCKS, KINDS, ModelConfig
from crn_lib.units import round_ticks
from crn_lib.viz import KIND_NAMES, describe, draw_memory, draw_multiples, draw_singular_values
from crn_lib.viz.theme import KIND_SYMBOLS
from tests.course.messages import IN_PLACE, messages
from tests.viz.snake import snake

LENGTHS = marked_lengths(40)
TOLERANCES = [10.0**-k for k in range(1, 10)]
SPECTRA = {
    width: {"exact": [9.0 * 10 ** (-i / width) for i in range(40)], "approximate": [5.0] + [1e-17] * 39}
    for width in (3, 8)
}


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    shapes = [ModelConfig(kind=kind, width=4, blocks=2, max_length=40) for kind in BLOCKS]
    return [row for shape in shapes for row in decode(shape, LENGTHS)]


def ring_of(figure: go.Figure) -> go.Scatter:
    (ring,) = [trace for trace in figure.data if trace.name == "your choice"]
    return ring


@pytest.mark.slow
def test_every_setting_of_the_memory_widget_is_drawn_and_looks_different(rows) -> None:
    controls = {
        "kind": ipywidgets.Dropdown(options=[(KIND_NAMES[kind], kind) for kind in BLOCKS]),
        "length": ipywidgets.SelectionSlider(options=LENGTHS),
        "axes": ipywidgets.Dropdown(options=["logarithmic", "linear"]),
    }
    bound = bind(lambda kind, length, axes: draw_memory(rows, kind, length, axes=axes), **controls)
    seen, held = set(), {(row["kind"], row["length"]): row for row in rows}
    for kind, length, axes in snake(tuple(BLOCKS), LENGTHS, ("logarithmic", "linear")):
        controls["kind"].value, controls["length"].value, controls["axes"].value = kind, length, axes
        ring, layout = ring_of(bound.figure), bound.figure.layout
        assert list(ring.x) == [length] and list(ring.y) == [held[kind, length]["used"]]
        assert layout.xaxis.type == layout.yaxis.type == {"logarithmic": "log", "linear": "linear"}[axes]
        assert f"{held[kind, length]['used']:,} bytes, as predicted" in layout.title.text
        assert describe(bound.figure) in bound.caption.value and bound.error.value == ""
        bold = {trace.legendgroup for trace in bound.figure.data if trace.opacity == 1.0}
        assert bold == {kind}
        seen.add((layout.title.text, axes))
    assert len(seen) == 2 * len(BLOCKS) * len(LENGTHS)


def test_every_setting_of_the_rank_widget_is_drawn_and_counts_what_is_above_the_tolerance() -> None:
    controls = {
        "width": ipywidgets.Dropdown(options=list(SPECTRA)),
        "tolerance": ipywidgets.SelectionSlider(options=TOLERANCES),
    }
    bound = bind(lambda width, tolerance: draw_singular_values(SPECTRA[width], tolerance), **controls)
    seen = set()
    for width, tolerance in snake(tuple(SPECTRA), TOLERANCES):
        controls["width"].value, controls["tolerance"].value = width, tolerance
        rank = sum(value > tolerance * 9.0 for value in SPECTRA[width]["exact"])
        assert f"exact {rank} of 40, approximate 1 of 40" in bound.figure.layout.title.text
        rings = [trace for trace in bound.figure.data if trace.mode == "markers+text"]
        assert [list(ring.x) for ring in rings] == [[rank], [1]]
        assert bound.figure.layout.shapes[0].y0 == tolerance and bound.error.value == ""
        seen.add((width, bound.figure.layout.title.text, tuple(rings[0].y)))
    assert len(seen) == len(SPECTRA) * len(TOLERANCES)


@pytest.mark.parametrize("which", ["memory", "rank"])
def test_another_setting_is_one_message_to_the_browser(which, rows) -> None:
    if which == "memory":
        control = ipywidgets.SelectionSlider(options=LENGTHS)
        bound = bind(lambda length: draw_memory(rows, "causal_rn", length), length=control)
    else:
        control = ipywidgets.SelectionSlider(options=TOLERANCES)
        bound = bind(lambda tolerance: draw_singular_values(SPECTRA[8], tolerance), tolerance=control)
    for chosen in control.options[1:4]:
        assert messages(bound.figure, lambda chosen=chosen: control.set_trait("value", chosen)) == IN_PLACE


def test_what_was_not_measured_is_an_error_the_reader_sees(rows) -> None:
    length = ipywidgets.SelectionSlider(options=[*LENGTHS, 5000])
    bound = bind(lambda length: draw_memory(rows, "ssm", length), length=length)
    with pytest.raises(ValueError, match="no row of ssm at 5000 tokens"):
        length.value = 5000
    assert "no row of ssm" in bound.error.value
    length.value = LENGTHS[0]
    assert bound.error.value == ""


@pytest.mark.parametrize("wrong", [("causal_rn", None), (None, 4), ("gru", 4)])
def test_half_a_choice_and_no_rows_are_refused(wrong, rows) -> None:
    with pytest.raises(ValueError, match="no row"):
        draw_memory(rows, *wrong)
    with pytest.raises(ValueError, match="no row of any kind"):
        draw_memory([])


def test_lines_are_predictions_and_marks_are_measurements(rows) -> None:
    wrong = [{**row, "used": row["used"] + 8} if row["kind"] == "lstm" else row for row in rows]
    figure = draw_memory(wrong)
    for kind in BLOCKS:
        line, marks = [trace for trace in figure.data if trace.legendgroup == kind]
        own = {row["length"]: row for row in wrong if row["kind"] == kind}
        assert list(line.y) == [own[n]["predicted"] for n in line.x] and line.mode == "lines"
        assert list(marks.y) == [own[n]["used"] for n in marks.x] and marks.marker.symbol == KIND_SYMBOLS[kind]
        assert list(marks.x) == [1, 2, 4, 8, 16, 32]
    assert "some marks differ" in figure.layout.title.text
    assert "no byte of difference" in draw_memory(rows).layout.title.text
    assert "+8 bytes from the predicted" in draw_memory(wrong, "lstm", 4).layout.title.text


def test_the_growing_kinds_are_found_from_the_rows_and_named(rows) -> None:
    title = draw_memory([row for row in rows if row["kind"] in KINDS]).layout.title.text
    assert "Growing with every token: CausalRN, Transformer<br>" in title and "2 blocks of width 4" in title
    assert "Growing with every token: none" in draw_memory([r for r in rows if r["kind"] == "ssm"]).layout.title.text
    words = describe(draw_memory(rows))
    assert all(f"{KIND_NAMES[kind]}: " in words for kind in BLOCKS)


def test_the_steps_of_what_is_allocated_jump_where_the_pool_doubles(rows) -> None:
    figure = draw_memory(rows, "transformer", 17)
    (steps,) = [trace for trace in figure.data if trace.name == "allocated"]
    at = dict(zip(steps.x, steps.y, strict=True))
    assert at[1] == at[16] < at[17] == at[32] < at[33] and steps.line.shape == "hv"
    assert "more are allocated and still empty" in figure.layout.title.text


def test_several_settings_stand_side_by_side(rows) -> None:
    panels = draw_multiples(
        lambda kind: draw_memory(rows, kind, 17), {kind: {"kind": kind} for kind in ("ssm", "causal_rn")}
    )
    assert sum(trace.name == "your choice" for trace in panels.data) == 2 and panels.layout.yaxis2.type == "log"


def test_linear_axes_have_round_ticks_and_no_number_of_a_ring_lies_on_an_axis(rows) -> None:
    for most, ticks in (
        (1.05e6, [0, 250e3, 500e3, 750e3, 1e6]),
        (40_000, [0, 1e4, 2e4, 3e4, 4e4]),
        (9, [0, 2, 4, 6, 8]),
    ):
        assert round_ticks(most) == ticks
    for axes in ("linear", "logarithmic"):
        assert ring_of(draw_memory(rows, "linear_rn", LENGTHS[-1], axes=axes)).textposition == "top center"
        assert ring_of(draw_memory(rows, "transformer", LENGTHS[-1], axes=axes)).textposition == "bottom center"
        assert ring_of(draw_memory(rows, "linear_rn", 1, axes=axes)).textposition == "top right"


def test_no_tolerance_goes_through_the_legend_of_the_rank() -> None:
    legend = draw_singular_values(SPECTRA[8], 1e-9).layout.legend
    assert legend.y == 1 and legend.yanchor == "bottom"
