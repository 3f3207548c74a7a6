"""Lesson 11: what its widget draws for every setting, its other figures."""

import itertools
import math

import ipywidgets
import plotly.graph_objects as go
import pytest

from crn_lib.course import bind
from crn_lib.viz import (
    describe,
    draw_broken_tensors,
    draw_error_map,
    draw_exponent_bound,
    draw_form_errors,
    draw_multiples,
    draw_stalled_sums,
    show_error,
)
from crn_lib.viz.formats import LOWEST, OVERFLOW, OVERFLOWN
from tests.course.messages import IN_PLACE, messages

MAGNITUDES = (0, 4, 8, 16, 32)
NAMES = ("float16", "float32")
ENDS = {"float16": 8, "float32": 32}


def errors(number_format: str) -> dict[str, list[float]]:
    """The factored form overflows from the format's end on; log space grows; the library is exact at 0."""
    end, base = ENDS[number_format], 1e-3 if number_format == "float16" else 1e-7
    return {
        "every pair": [base] * 5,
        "factored": [base if m < end else math.inf for m in MAGNITUDES],
        "log space": [base * (1 + m) for m in MAGNITUDES],
        "library": [0.0, *[base / 2] * 4],
    }


def draw(number_format: str, magnitude: float) -> go.Figure:
    return draw_form_errors(
        errors(number_format), MAGNITUDES, magnitude, number_format=number_format, what="opposite input"
    )


def rings(figure: go.Figure) -> list[tuple[float, float]]:
    """Where the marked magnitude's errors are drawn, one a form."""
    return [
        place
        for trace in figure.data
        if trace.marker.symbol == "circle-open"
        for place in zip(trace.x, trace.y, strict=True)
    ]


def test_every_setting_is_drawn_and_looks_different() -> None:
    controls = {
        "number_format": ipywidgets.Dropdown(options=NAMES),
        "magnitude": ipywidgets.SelectionSlider(options=MAGNITUDES),
    }
    bound = bind(draw, **controls)
    seen = set()
    for name, magnitude in itertools.product(NAMES, MAGNITUDES):
        controls["number_format"].value, controls["magnitude"].value = name, magnitude
        for ring, values in zip(rings(bound.figure), errors(name).values(), strict=True):
            error = values[MAGNITUDES.index(magnitude)]
            assert ring[0] == magnitude
            assert (ring[1] > OVERFLOW - 0.5) == math.isinf(error)
            if 0 < error < math.inf:
                assert ring[1] == pytest.approx(math.log10(error))
        assert describe(bound.figure) in bound.caption.value and bound.error.value == ""
        seen.add((bound.figure.layout.title.text, tuple(rings(bound.figure))))
    assert len(seen) == len(NAMES) * len(MAGNITUDES)


def test_an_overflow_is_told_in_the_title_and_no_two_marks_of_it_lie_on_each_other() -> None:
    title = draw("float16", 8).layout.title.text
    assert "float16, magnitude 8" in title and "factored overflow" in title and "every pair 0.10%" in title
    lost = {form: [math.inf] for form in errors("float16")}
    figure = draw_form_errors(lost, (5,), 5, number_format="float16", what="same input")
    heights = {height for _, height in rings(figure)}
    low, high = figure.layout.yaxis.range
    assert len(heights) == 4 and low < min(heights) < max(heights) < high


def test_errors_beyond_the_axis_are_drawn_at_its_ends() -> None:
    found = {"library": [0.0, 1e-30, 1e30]}
    figure = draw_form_errors(found, (0, 1, 2), 1, number_format="float32", what="input")
    assert figure.data[0].y[0] == figure.data[0].y[1] == LOWEST
    assert 0 < figure.data[0].y[2] < OVERFLOW - 0.45, "below the row of overflows"


def test_the_axes_stay_still() -> None:
    figures = [draw(name, magnitude) for name in NAMES for magnitude in MAGNITUDES]
    assert len({(f.layout.xaxis.range, f.layout.yaxis.range, f.layout.height) for f in figures}) == 1


def test_a_magnitude_that_was_not_measured_is_an_error_the_reader_sees() -> None:
    magnitude = ipywidgets.SelectionSlider(options=[*MAGNITUDES, 99])
    bound = bind(lambda magnitude: draw("float16", magnitude), magnitude=magnitude)
    with pytest.raises(ValueError, match="magnitude must be one of 0, 4, 8, 16, 32; got 99"):
        magnitude.value = 99
    assert "must be one of 0, 4" in bound.error.value
    magnitude.value = 16
    assert bound.error.value == ""


def test_another_magnitude_is_one_message_to_the_browser() -> None:
    magnitude = ipywidgets.SelectionSlider(options=MAGNITUDES)
    bound = bind(lambda magnitude: draw("float16", magnitude), magnitude=magnitude)
    for chosen in MAGNITUDES[1:]:
        assert messages(bound.figure, lambda chosen=chosen: magnitude.set_trait("value", chosen)) == IN_PLACE


def test_several_settings_stand_side_by_side() -> None:
    panels = draw_multiples(draw, {name: {"number_format": name, "magnitude": 8} for name in NAMES})
    assert len(rings(panels)) == 8 and "float32" in describe(panels)


def test_errors_are_shown_in_words() -> None:
    assert [show_error(x) for x in (math.inf, math.nan, 0.0, 4.8e-7, 0.0123, 0.284, 8.0)] == [
        "overflow",
        "overflow",
        "exact",
        "4.8e-07",
        "1.23%",
        "28%",
        "800%",
    ]


def test_a_stopped_sum_is_flat_and_told_in_words() -> None:
    stopped = [math.log(min(n, 62)) for n in range(1, 201)]
    figure = draw_stalled_sums({"bfloat16": stopped}, length=200)
    true, drawn = figure.data
    assert true.y[-1] == pytest.approx(math.log(200)) and drawn.y[-1] == pytest.approx(math.log(62))
    assert list(drawn.x) == list(true.x) and drawn.x[0] == 1 and drawn.x[-1] == 200
    assert "bfloat16 ends at 4.13" in describe(figure)


def test_the_bound_is_drawn_where_it_is() -> None:
    figure = draw_exponent_bound({"float16": 11.09}, [2, 124, 1025], {"paper": 192})
    one, two = figure.data
    assert list(one.y) == [1.0, pytest.approx(math.sqrt(123)), 32.0] and list(two.y) == [2 * y for y in one.y]
    assert {shape.y0 for shape in figure.layout.shapes} >= {11.09} and {s.x0 for s in figure.layout.shapes} >= {192}


def test_the_tensors_of_a_step_are_stacked_from_the_first_made_to_the_last_and_the_first_broken_is_named() -> None:
    fine = {"ordinary": 1.0, "zero": 0.0, "infinite": 0.0, "NaN": 0.0}
    tensors = {"logits": fine, "v": fine | {"ordinary": 0.1, "zero": 0.9}, "weights": fine | {"ordinary": 0, "NaN": 1}}
    figure = draw_broken_tensors({"float16": tensors, "bfloat16": {"logits": fine}})
    assert [bar.name for bar in figure.data[:4]] == ["ordinary", "zero", "infinite", "NaN"]
    assert list(figure.data[1].x) == [0.0, 0.9, 0.0] and figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.title.text.startswith("float16: v breaks first<br>")
    assert "float16, v: 10.0% ordinary, 90.0% zero" in describe(figure)


def test_an_error_is_the_darker_the_larger_and_an_overflow_is_crossed() -> None:
    figure = draw_error_map({"factored": [1e-3, math.inf], "library": [0.0, 1e-3]}, [0, 80])
    colours, crosses = figure.data
    assert [list(row) for row in colours.z] == [[-3.0, OVERFLOWN], [LOWEST, -3.0]]
    assert (list(crosses.x), list(crosses.y)) == ([1], [0])
    assert "factored overflows from 80 on, error before it at most 0.10%; library never overflows" in describe(figure)


def test_the_legend_of_the_exponent_bound_is_off_the_names_of_the_widths() -> None:
    legend = draw_exponent_bound({"float16": 11.09}, [2, 100, 16384], {"192, the paper's": 192}).layout.legend
    assert legend.y == 1 and legend.yanchor == "bottom"
