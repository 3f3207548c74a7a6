"""Which settings of bound controls are recorded for pages, and when."""

import math

import ipywidgets
import plotly.graph_objects as go
import pytest

from crn_lib.course import bind
from crn_lib.course.frontend import ALIVE_MIME
from crn_lib.course.recorded import MOST, choices_of, plan
from crn_lib.workbook.stored_lessons import recorded_controls


def test_all_settings_are_planned_where_there_are_few() -> None:
    assert plan({"a": [1, 2, 3], "b": [True, False]}, {"a": 0, "b": 1}) == {"a": [0, 1, 2], "b": [0, 1]}


@pytest.mark.parametrize("chosen", [0, 1, 37, 98, 99])
def test_of_many_settings_a_spread_is_planned_with_both_ends_and_what_is_chosen(chosen: int) -> None:
    found = plan({"a": range(100), "b": range(7), "c": [None]}, {"a": chosen, "b": 3, "c": 0})
    assert 150 < math.prod(len(own) for own in found.values()) <= MOST
    assert found["a"] == sorted(set(found["a"])) and chosen in found["a"] and 3 in found["b"]
    assert found["a"][0] == 0 and found["a"][-1] == 99
    assert max(after - before for before, after in zip(found["a"], found["a"][1:], strict=False)) <= 12


def test_what_a_control_offers() -> None:
    assert choices_of(ipywidgets.IntSlider(value=2, min=2, max=6, step=2)) == [("2", 2), ("4", 4), ("6", 6)]
    assert choices_of(ipywidgets.SelectionSlider(options=[("one", 1.0), ("two", 2.0)])) == [("one", 1.0), ("two", 2.0)]
    assert choices_of(ipywidgets.Dropdown(options=[16, 32])) == [("16", 16), ("32", 32)]
    assert choices_of(ipywidgets.Text(value="abc")) == [("abc", "abc")]


def test_controls_are_recorded_while_a_lesson_is_stored_and_not_else() -> None:
    drawn = []

    def draw(k: int) -> go.Figure:
        drawn.append(k)
        return go.Figure()

    bound = bind(draw, k=ipywidgets.IntSlider(value=2, min=1, max=3))
    assert ALIVE_MIME not in bound._repr_mimebundle_() and drawn == [2]
    with recorded_controls():
        bundle = bound._repr_mimebundle_()
    assert (
        bundle[ALIVE_MIME]["module"] == "sampled" and drawn == [2, 1, 2, 3] and "static edition" in bundle["text/plain"]
    )
    assert ALIVE_MIME not in bound._repr_mimebundle_()
