"""Lesson 02: what its widget draws for every setting, its other drawings."""

import itertools
from collections.abc import Iterator
from typing import Any

import ipywidgets
import plotly.graph_objects as go
import pytest
import torch

from crn_lib import ops
from crn_lib.course import bind
from crn_lib.course.figures import BoundFigure
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.viz import describe, draw_close_pairs, draw_multiples, draw_pair, draw_seed_accuracies
from crn_lib.viz.pair import _narrow
from tests.course.messages import IN_PLACE, messages
from tests.viz.snake import snake

INPUTS = [2.0, 5.0, 1.0]
NAMES = ["first", "second"]
X = torch.tensor(INPUTS)[:, None]
A = X * torch.tensor([1.0, 0.5]) + torch.tensor([0.0, -3.0])
B = X * torch.tensor([-1.0, 0.25])


def values_of(activation: str) -> torch.Tensor:
    return ACTIVATION_FUNCTIONS[activation](A[:, None] + B[None, :])


def means_of(activation: str, causal: bool) -> torch.Tensor:
    values = values_of(activation)
    rows = [values[i, : i + 1 if causal else None].mean(dim=0) for i in range(len(INPUTS))]
    return torch.stack(rows)


def draw(receiver: int, sender: int, activation: str, column: str, causal: bool) -> go.Figure:
    return draw_pair(
        INPUTS,
        A.tolist(),
        B.tolist(),
        values_of(activation).tolist(),
        means_of(activation, causal).tolist(),
        receiver=receiver,
        sender=sender,
        channel=NAMES.index(column),
        names=NAMES,
        activation=activation,
        causal=causal,
        unit="floors",
    )


def controls() -> dict[str, ipywidgets.Widget]:
    return {
        "receiver": ipywidgets.IntSlider(min=0, max=2),
        "sender": ipywidgets.IntSlider(min=0, max=2),
        "activation": ipywidgets.SelectionSlider(options=ops.ACTIVATIONS),
        "column": ipywidgets.SelectionSlider(options=NAMES),
        "causal": ipywidgets.SelectionSlider(options=[("past", True), ("all", False)]),
    }


def settings() -> Iterator[dict[str, Any]]:
    for i, j, name, column, causal in snake(range(3), range(3), ops.ACTIVATIONS, NAMES, (True, False)):
        yield {"receiver": i, "sender": j, "activation": name, "column": column, "causal": causal}


def shown(figure: go.Figure) -> tuple[go.Heatmap, go.Heatmap]:
    table, pair = (trace for trace in figure.data if trace.type == "heatmap")
    return table, pair


def state_of(bound: BoundFigure) -> tuple[Any, ...]:
    """What a reader sees: the numbers, the words above them and the frames around the chosen cells."""
    table, pair = shown(bound.figure)
    frames = tuple((s.x0, s.x1, s.y0, s.y1) for s in bound.figure.layout.shapes)
    return str(table.text), str(pair.text), bound.figure.layout.title.text, frames


@pytest.mark.slow
def test_every_setting_is_drawn_rightly_and_looks_different() -> None:
    own = controls()
    bound = bind(draw, **own)
    seen = set()
    for number, setting in enumerate(settings()):
        for name, value in setting.items():
            own[name].value = value
        i, j, activation, causal = (setting[k] for k in ("receiver", "sender", "activation", "causal"))
        k = NAMES.index(setting["column"])
        table, pair = shown(bound.figure)
        values = values_of(activation)
        future = torch.ones(3, 3, dtype=torch.bool).triu(1) & causal
        wanted = torch.where(future, 0.0, values[:, :, k])
        assert torch.allclose(torch.tensor(table.z), wanted, atol=1e-6)
        assert [[text == "·" for text in row] for row in table.text] == future.tolist()
        bent = torch.zeros(2) if future[i, j] else values[i, j]
        rows = torch.stack([A[i], B[j], A[i] + B[j], bent, means_of(activation, causal)[i]])
        assert torch.allclose(torch.tensor(pair.z), rows, atol=1e-6)
        assert ("counts as 0" in bound.figure.layout.title.text) == bool(future[i, j])
        assert describe(bound.figure) in bound.caption.value.replace("&amp;", "&") and bound.error.value == ""
        seen.add(state_of(bound))
        count = number + 1
    assert len(seen) == count == 3 * 3 * len(ops.ACTIVATIONS) * 2 * 2


def test_the_sums_written_in_the_title_are_those_of_the_pair() -> None:
    assert draw(1, 0, "relu", "first", True).layout.title.text.endswith("relu(5 − 2) = relu(3) = 3")
    assert draw(0, 0, "identity", "second", True).layout.title.text.endswith(
        "identity(−2 + 0.50) = identity(−1.50) = −1.50"
    )


def test_the_frames_stand_around_the_chosen_pair() -> None:
    figure = draw(2, 1, "relu", "second", True)
    row, column, cell, lane = ((s.x0, s.x1, s.y0, s.y1) for s in figure.layout.shapes)
    assert row == (-0.5, 2.5, 1.5, 2.5) and column == (0.5, 1.5, -0.5, 2.5) and cell == (0.5, 1.5, 1.5, 2.5)
    assert (lane[0] + lane[1]) / 2 == pytest.approx(shown(figure)[1].x[1])
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert bars[0].marker.color[1] != bars[0].marker.color[2] and bars[1].marker.color[2] != bars[1].marker.color[1]


def test_another_receiver_is_one_message_to_the_browser() -> None:
    own = controls()
    bound = bind(draw, **own)
    for chosen in (1, 2, 0):
        assert messages(bound.figure, lambda chosen=chosen: own["receiver"].set_trait("value", chosen)) == IN_PLACE


def test_a_receiver_that_does_not_exist_is_an_error_the_reader_sees() -> None:
    own = controls() | {"receiver": ipywidgets.IntSlider(min=0, max=9)}
    bound = bind(draw, **own)
    with pytest.raises(IndexError):
        own["receiver"].value = 7
    assert "Cannot draw this" in bound.error.value
    own["receiver"].value = 1
    assert bound.error.value == ""


def test_the_axes_stay_still_and_name_every_position_and_column() -> None:
    figures = [draw(**setting) for setting in itertools.islice(settings(), 0, None, 17)]
    assert len({(f.layout.xaxis.range, f.layout.yaxis.range) for f in figures}) == 1
    assert list(figures[0].layout.xaxis.ticktext) == ["j = 0", "j = 1", "j = 2", *NAMES]
    assert list(figures[0].layout.yaxis.ticktext) == ["i = 0", "i = 1", "i = 2"]
    assert [_narrow(name) for name in ("i over j", "i+j − 6")] == ["i<br>over<br>j", "i+j<br>− 6"]


def test_panels_stand_one_below_the_other() -> None:
    one = {"sender": 1, "activation": "exp", "column": "first", "causal": True}
    panels = draw_multiples(draw, {str(i): {"receiver": i, **one} for i in (0, 2)}, columns=1)
    assert sum(trace.type == "heatmap" for trace in panels.data) == 4 and len(panels.layout.shapes) == 8
    assert "counts as 0" in describe(panels) and "exp(" in describe(panels)


def test_a_scene_shows_its_points_its_pairs_and_discs_that_touch_where_a_pair_is_close() -> None:
    scenes = [[[0.0, 0.0], [1.0, 0.0], [-2.0, 2.0]], [[0.0, 0.0], [2.0, 2.0], [-2.0, 2.0]]]
    figure = draw_close_pairs(
        scenes, [[(0, 1)], []], ["<b>one</b><br>pair", "none"], radius=1.3, edge=2.0, title="Close?"
    )
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert list(lines[0].x[:2]) == [0.0, 1.0] and not lines[1].x
    step = marks[1].x[0] - marks[0].x[0]
    assert step > 4 and list(marks[1].x) == [0.0 + step, 2.0 + step, -2.0 + step]
    discs = [shape for shape in figure.layout.shapes if shape.type == "circle"]
    assert len(discs) == 6 and all(d.x1 - d.x0 == pytest.approx(1.3) == d.y1 - d.y0 for d in discs)
    assert discs[0].x1 > discs[1].x0 and discs[2].x1 < discs[0].x0
    assert figure.layout.yaxis.scaleanchor == "x", "a distance looks the same in every direction"
    assert "scene 1: one, pair; scene 2: none" in describe(figure)


def test_accuracies_have_one_mark_a_seed_and_another_symbol_a_network() -> None:
    found = {"with": [0.9, 0.95], "without": [0.3, 0.25]}
    figure = draw_seed_accuracies(found, most_common=0.2, title="Counting")
    assert [list(trace.x) for trace in figure.data] == list(found.values())
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert figure.layout.shapes[0].x0 == 0.2
    assert "with: 90% to 95%; without: 25% to 30%; always the most common answer: 20%" in describe(figure)
