"""Lesson 03: what its widget draws for every setting, the fit behind it."""

import itertools
import math

import ipywidgets
import plotly.graph_objects as go
import pytest

from crn_lib.analysis import ScalingCurve, fit_power
from crn_lib.course import bind
from crn_lib.viz import (
    KIND_NAMES,
    describe,
    draw_multiples,
    draw_scaling,
    show_bytes,
    show_count,
    show_seconds,
)
from crn_lib.viz.above import NARROW
from crn_lib.viz.theme import KIND_COLOURS, KIND_SYMBOLS
from tests.course.messages import IN_PLACE, messages

PAIRS, SUMS = (1, 2, 4, 8, 16, 32), tuple(2**k for k in range(11))
MARKED = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
WIDTHS = (8, 16)


def measured(name: str, lengths: tuple[int, ...], seconds: list[float]) -> ScalingCurve:
    return ScalingCurve(name, lengths, tuple(seconds), fit_power(lengths, seconds))


def curves(what: str, width: int) -> list[ScalingCurve]:
    if what == "time":
        pairs = [1e-5 + 1e-7 * width * n**2 for n in PAIRS]
        sums = [3e-5 + 1e-7 * width * n for n in SUMS]
        return [measured("every pair", PAIRS, pairs), measured("prefix sum", SUMS, sums)]
    counts = [tuple(float(width * n**power) for n in MARKED) for power in (2, 1)]
    names = ("every pair", "prefix sum")
    return [ScalingCurve(name, tuple(MARKED), c) for name, c in zip(names, counts, strict=True)]


def draw_cost(what: str, width: int, length: int) -> go.Figure:
    return draw_scaling(curves(what, width), length, what=what, unit="seconds" if what == "time" else "")


def ring_of(figure: go.Figure, which: int) -> go.Scatter:
    return [trace for trace in figure.data if trace.mode == "markers+text"][which]


def test_every_setting_is_drawn_and_looks_different() -> None:
    controls = {
        "what": ipywidgets.Dropdown(options=["time", "operations"]),
        "width": ipywidgets.Dropdown(options=WIDTHS),
        "length": ipywidgets.SelectionSlider(options=MARKED),
    }
    bound = bind(draw_cost, **controls)
    seen = set()
    for what, width, length in itertools.product(("time", "operations"), WIDTHS, MARKED):
        controls["what"].value, controls["width"].value, controls["length"].value = what, width, length
        for number, curve in enumerate(curves(what, width)):
            ring = ring_of(bound.figure, number)
            assert list(ring.x) == [length] and list(ring.y) == [pytest.approx(curve.at(length)[0])]
        assert describe(bound.figure) in bound.caption.value and bound.error.value == ""
        seen.add((bound.figure.layout.title.text, ring_of(bound.figure, 0).y[0], ring_of(bound.figure, 1).y[0]))
    assert len(seen) == 2 * len(WIDTHS) * len(MARKED)


def test_another_length_is_one_message_to_the_browser() -> None:
    length = ipywidgets.SelectionSlider(options=MARKED)
    bound = bind(lambda length: draw_cost("time", 8, length), length=length)
    for chosen in MARKED[1:6]:
        assert messages(bound.figure, lambda chosen=chosen: length.set_trait("value", chosen)) == IN_PLACE


def test_a_length_that_nothing_is_known_about_is_an_error_the_reader_sees() -> None:
    length = ipywidgets.SelectionSlider(options=[*MARKED, 4096])
    bound = bind(lambda length: draw_cost("operations", 8, length), length=length)
    with pytest.raises(ValueError, match="known from 2 to 1024 tokens; got 4096"):
        length.value = 4096
    assert "known from 2 to 1024" in bound.error.value
    length.value = 64
    assert bound.error.value == ""


def test_the_title_says_where_each_number_comes_from() -> None:
    cases = {16: "measured", 24: "interpolated", 512: "fitted line"}
    for length, source in cases.items():
        title = draw_cost("time", 8, length).layout.title.text
        assert f"({source})" in title.split(", prefix sum")[0]
    assert "counted" in draw_cost("operations", 8, 64).layout.title.text
    assert "fitted slopes" not in draw_cost("operations", 8, 64).layout.title.text


def test_measured_points_and_the_fitted_line_are_drawn_apart() -> None:
    figure = draw_cost("time", 8, 64)
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    *lines, entry = [trace for trace in figure.data if trace.mode == "lines"]
    assert (entry.name, entry.line.dash, entry.showlegend, entry.x) == ("fitted lines", "dash", None, (None,))
    assert [tuple(trace.x) for trace in marks] == [PAIRS, SUMS]
    assert all(trace.line.dash == "dash" for trace in lines)
    assert lines[0].x[0] == PAIRS[-4] and lines[0].x[1] == SUMS[-1]
    assert {trace.marker.symbol for trace in marks} == {"circle", "square"}


def test_the_axes_stay_still_while_the_length_moves() -> None:
    ranges = {(f.layout.xaxis.range, f.layout.yaxis.range) for f in (draw_cost("time", 8, n) for n in MARKED)}
    assert len(ranges) == 1


def test_powers_of_ten_are_written_in_one_way_and_the_longest_number_has_room() -> None:
    many = [ScalingCurve("pairs", (2, 65536), (8.0, 2.75e11)), ScalingCurve("sums", (2, 65536), (8.0, 4.19e6))]
    figure = draw_scaling(many, 65536, what="additions", unit="")
    assert all(word.startswith("10<sup>") for word in figure.layout.yaxis.ticktext)
    for last, word in ((1e3, "1,000 s"), (1e6, "10<sup>5</sup> s")):
        slow = ScalingCurve("pairs", (1, 2), (1e-5, last))
        words = draw_scaling([slow], 2, what="time").layout.yaxis.ticktext
        assert word in words and len({"<sup>" in each for each in words}) == 1
    low, high = figure.layout.xaxis.range
    beyond = (high - math.log10(65536)) / (high - low) * (NARROW - figure.layout.margin.l - figure.layout.margin.r)
    assert beyond + figure.layout.margin.r > len("4.19 million") * 13 * 0.6 / 2


def test_one_curve_alone_has_no_ratio_and_bytes_have_their_unit() -> None:
    held = [float(4 * n) for n in SUMS]
    figure = draw_scaling([measured("pool", SUMS, held)], 1024, what="memory", unit="bytes")
    assert "ratio" not in figure.layout.title.text and "4.1 kB" in figure.layout.title.text
    assert all(text.endswith("B") for text in figure.layout.yaxis.ticktext)


def test_kinds_keep_their_looks_and_close_rings_have_their_numbers_apart() -> None:
    factors = {"causal_rn": 7.8e-4, "transformer": 8.3e-4, "linear_rn": 4.1e-4}
    kinds = [measured(KIND_NAMES[kind], SUMS, [factor] * len(SUMS)) for kind, factor in factors.items()]
    figure = draw_scaling(kinds, 1024, what="time", says="Steps of three kinds")
    marks = [trace.marker for trace in figure.data if trace.mode == "markers"]
    assert [mark.symbol for mark in marks] == [KIND_SYMBOLS[kind] for kind in factors]
    assert [mark.color for mark in marks] == [KIND_COLOURS[kind] for kind in factors]
    assert [ring_of(figure, k).textposition for k in range(3)] == ["bottom center", "top center", "bottom center"]
    low, high = figure.layout.yaxis.range
    assert any(low < math.log10(tick) < high for tick in figure.layout.yaxis.tickvals), "less than a power of ten"
    assert figure.layout.title.text.startswith("Steps of three kinds<br>") and "780 µs" in figure.layout.title.text


def test_several_settings_stand_side_by_side() -> None:
    settings = {str(n): {"what": "time", "width": 8, "length": n} for n in (4, 64)}
    panels = draw_multiples(draw_cost, settings)
    assert sum(trace.mode == "markers+text" for trace in panels.data) == 4
    assert panels.layout.xaxis2.type == "log" and len(panels.layout.shapes) == 2


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0, 1.5])
def test_a_power_law_is_found_again(slope: float) -> None:
    fit = fit_power(PAIRS, [3e-6 * n**slope for n in PAIRS])
    assert fit.slope == pytest.approx(slope, abs=1e-9) and fit.factor == pytest.approx(3e-6)
    assert (fit.first, fit.last) == (4, 32) and fit.at(1024) == pytest.approx(3e-6 * 1024**slope)


@pytest.mark.parametrize("arguments", [((1, 2), (1.0, 2.0)), ((1, 2, 3, 4), (1.0, 2.0))])
def test_too_few_points_are_refused(arguments: tuple[tuple[int, ...], tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match="a fit of 4 points"):
        fit_power(*arguments)


def test_between_two_lengths_a_power_law_is_interpolated_exactly() -> None:
    curve = measured("square", PAIRS, [float(n**2) for n in PAIRS])
    assert curve.at(12) == (pytest.approx(144.0), "interpolated")
    assert math.isclose(curve.at(64)[0], 4096.0)


def test_numbers_are_shown_with_three_digits_and_the_right_unit() -> None:
    assert [show_seconds(x) for x in (2e-9, 1.234e-5, 0.00099999, 0.05, 1.0, 2930.0)] == [
        "2 ns",
        "12.3 µs",
        "1 ms",
        "50 ms",
        "1 s",
        "2,930 s",
    ]
    assert [show_bytes(x) for x in (7, 1500, 2.5e9)] == ["7 B", "1.5 kB", "2.5 GB"]
    assert [show_count(x) for x in (0, 65536, 8.4e6, 1e9)] == ["0", "65,536", "8.4 million", "1 billion"]
