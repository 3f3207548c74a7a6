"""Lesson 04: its circuits, what its widget draws for every place of the norm."""

import html
import math
from functools import cache

import ipywidgets
import plotly.graph_objects as go
import pytest
import torch

from crn_lib.analysis import ScalingCurve, fit_power, keyed_letters
from crn_lib.course import bind
from crn_lib.course.figures import BoundFigure
from crn_lib.ops import relation
from crn_lib.ops.normalise import layer_norm
from crn_lib.viz import (
    NORM_PLACES,
    PAIR_FORMULAS,
    Answers,
    NormPlace,
    describe,
    draw_answer,
    draw_multiples,
    draw_norm_circuit,
    draw_norm_costs,
    draw_norm_place,
    draw_pair_scale,
    draw_rank_growth,
    show_seconds,
)
from tests.course.messages import IN_PLACE, messages
from tests.viz.snake import snake

LETTERS = "abcdefgh"
COUNTS = (1, 2, 4, 8, 16)
RANKS = {"exact": list(COUNTS), "approx": [1] * len(COUNTS), "none": [1] * len(COUNTS)}
LENGTHS = (64, 128, 256, 512)
DISTANCES = (0.0, 0.1, 0.5, 1.0)


def measured(power: float) -> ScalingCurve:
    seconds = tuple(1e-7 * n**power for n in LENGTHS)
    return ScalingCurve("form", LENGTHS, seconds, fit_power(LENGTHS, seconds))


COSTS = {"exact": measured(2.0), "approx": measured(1.0), "none": measured(1.1)}


@cache
def answers(norm: str, post_norm: bool, distance: float) -> Answers:
    """What the questions to a dictionary of eight letters read."""
    book = keyed_letters(len(LETTERS), 64, torch.Generator().manual_seed(3))
    asked = book.questions(distance)
    out = relation(asked[None], book.senders[None], norm=norm, causal=False, rescale=False)[0]
    out = layer_norm(out) if post_norm else out
    return Answers(out[:, : len(LETTERS)].tolist(), book.letters.tolist(), after=post_norm)


def draw_place(norm: str, post_norm: bool, asked: str, distance: float) -> go.Figure:
    found = answers(norm, post_norm, distance)
    question = found.asked.index(LETTERS.index(asked))
    return draw_norm_place(NormPlace(norm, post_norm, found, question, LETTERS, RANKS, COUNTS, COSTS, length=256))


def widget() -> BoundFigure:
    return bind(
        draw_place,
        norm=ipywidgets.SelectionSlider(options=NORM_PLACES, value="exact"),
        post_norm=ipywidgets.Checkbox(value=False),
        asked=ipywidgets.SelectionSlider(options=LETTERS),
        distance=ipywidgets.SelectionSlider(options=DISTANCES),
    )


def words_of(figure: go.Figure) -> list[str]:
    """Everything written in a circuit, without markup."""
    text = next(trace for trace in figure.data if trace.mode == "text").text
    return [word.replace("<b>", "").replace("</b>", "") for word in text]


@pytest.mark.slow
def test_every_setting_is_drawn_and_looks_different() -> None:
    bound = widget()
    seen = set()
    for norm, post, asked, distance in snake(NORM_PLACES, (False, True), "acfh", DISTANCES):
        for name, value in (("norm", norm), ("post_norm", post), ("asked", asked), ("distance", distance)):
            bound.controls[name].value = value
        found = answers(norm, post, distance)
        (bars,) = (trace for trace in bound.figure.data if trace.type == "bar")
        assert list(bars.y) == found.rows[found.asked.index(LETTERS.index(asked))]
        assert bars.marker.pattern.shape[LETTERS.index(asked)] == "/" and bars.marker.pattern.shape.count("/") == 1
        title = bound.figure.layout.title.text
        assert PAIR_FORMULAS[norm] in title and ("post-norm" in title) == post
        assert describe(bound.figure) in html.unescape(bound.caption.value) and bound.error.value == ""
        seen.add((title, tuple(bars.y), describe(bound.figure)))
    assert len(seen) == 3 * 2 * 4 * len(DISTANCES)


@pytest.mark.parametrize("name", ["asked", "distance", "post_norm", "norm"])
def test_every_value_of_one_control_can_be_chosen(name: str) -> None:
    bound = widget()
    values = {"asked": LETTERS, "distance": DISTANCES, "post_norm": (True, False), "norm": NORM_PLACES}[name]
    drawn = set()
    for value in values:
        bound.controls[name].value = value
        drawn.add(describe(bound.figure))
        assert bound.error.value == ""
    assert len(drawn) == len(values)


def test_another_letter_is_one_message_to_the_browser() -> None:
    bound = widget()
    asked = bound.controls["asked"]
    for letter in "bcd":
        assert messages(bound.figure, lambda letter=letter: asked.set_trait("value", letter)) == IN_PLACE


def test_a_letter_that_nobody_holds_is_an_error_the_reader_sees() -> None:
    asked = ipywidgets.SelectionSlider(options=LETTERS + "z")
    bound = bind(lambda asked: draw_place("exact", False, asked, 0.0), asked=asked)
    with pytest.raises(ValueError, match="substring not found"):
        asked.value = "z"
    assert "Cannot draw this" in bound.error.value
    asked.value = "b"
    assert bound.error.value == ""


def test_the_exact_norm_reads_what_was_asked_and_the_others_do_not() -> None:
    for post in (False, True):
        exact = answers("exact", post, 0.0)
        assert exact.right == len(LETTERS)
        assert (
            "asked c: read c, right; 8 of 8 right"
            in draw_answer(exact, exact.asked.index(2), LETTERS).layout.title.text
        )
        assert max(answers(norm, post, 0.0).right for norm in ("approx", "none")) < len(LETTERS) // 2
    wrong = Answers([[0.2, 0.9], [0.1, 0.3]], asked=[0, 1])
    assert "read b, wrong; 1 of 2 right" in draw_answer(wrong, 0, "ab").layout.title.text


def test_the_axis_of_the_answers_stays_still_while_the_letter_moves() -> None:
    found = answers("approx", False, 0.0)
    assert len({draw_answer(found, number, LETTERS).layout.yaxis.range for number in range(len(LETTERS))}) == 1
    assert draw_answer(answers("approx", True, 0.0), 0, LETTERS).layout.yaxis.range[0] < 0


@pytest.mark.parametrize("norm", NORM_PLACES)
@pytest.mark.parametrize("post", [False, True])
def test_a_circuit_has_its_norms_where_they_stand(norm: str, post: bool) -> None:
    figure = draw_norm_circuit(norm, post_norm=post)
    words = words_of(figure)
    assert words.count("LN") == {"exact": 1, "approx": 2, "none": 0}[norm] + post
    assert words.count("exp") == 1 and "+" in words and "every pair (<i>i</i>, <i>j</i>)" in words
    dashed = [shape for shape in figure.layout.shapes if shape.line.dash == "dash"]
    assert sum(shape.type == "circle" for shape in dashed) == 1, "the sum is made for every pair"
    assert len(dashed) == 3 + (norm == "exact"), "+, exp and half of the mean; only exact has a norm among them"
    assert ("LayerNorm" in describe(figure)) == post


@pytest.mark.parametrize("norm", ["approx", "none"])
def test_a_factored_circuit_does_nothing_for_a_pair(norm: str) -> None:
    figure = draw_norm_circuit(norm, factored=True)
    words = words_of(figure)
    assert words.count("exp") == 2 and "×" in words and "+" not in words
    assert not [shape for shape in figure.layout.shapes if shape.line.dash != "solid"]
    assert "nothing is done for every pair" in describe(figure)


def test_every_box_of_a_circuit_is_reached_by_a_wire_and_left_by_one() -> None:
    for arguments in ({"norm": "exact", "post_norm": True}, {"norm": "approx", "factored": True}, {"norm": "none"}):
        figure = draw_norm_circuit(**arguments)
        wires = next(trace for trace in figure.data if trace.mode == "lines")
        points = {(x, y) for x, y in zip(wires.x, wires.y, strict=True) if x is not None}
        boxes = [shape for shape in figure.layout.shapes if shape.type == "rect" and shape.line.dash != "dot"]
        inner = {box.x0 for box in boxes} & {box.x1 for box in boxes}  # where the halves of the mean meet
        for box in boxes:
            assert {(x, (box.y0 + box.y1) / 2) for x in (box.x0, box.x1) if x not in inner} <= points


def test_circuits_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="norm must be one of exact, approx, none; got 'layer'"):
        draw_norm_circuit("layer")
    with pytest.raises(ValueError, match="norm='exact' does not factorise"):
        draw_norm_circuit("exact", factored=True)


def test_the_chosen_norm_is_strong_and_marked() -> None:
    for norm in NORM_PLACES:
        growth = draw_rank_growth(RANKS, COUNTS, chosen=norm, senders=8)
        costs = draw_norm_costs(COSTS, chosen=norm, length=256)
        for figure, value in ((growth, RANKS[norm][3]), (costs, COSTS[norm].values[2])):
            lines = {trace.name: trace.line.width for trace in figure.data if trace.mode == "lines+markers"}
            assert [name for name, wide in lines.items() if wide == 3] == [norm] and set(lines) == set(NORM_PLACES)
            (ring,) = (trace for trace in figure.data if trace.mode == "markers+text")
            assert list(ring.y) == [value]
        assert show_seconds(COSTS[norm].values[2]) in costs.layout.title.text
    ends = [trace for trace in draw_rank_growth(RANKS, COUNTS, chosen="exact", senders=8).data if trace.mode == "text"]
    assert sorted(ends[0].text) == ["approx and none", "exact"]


def test_names_and_times_of_steep_lines_stand_where_no_line_is_and_ticks_stand_apart() -> None:
    for norm, where in (("exact", "top left"), ("approx", "bottom right"), ("none", "bottom right")):
        figure = draw_norm_costs(COSTS, chosen=norm, length=256)
        (names,) = (trace for trace in figure.data if trace.mode == "text")
        (ring,) = (trace for trace in figure.data if trace.mode == "markers+text")
        assert names.textposition == "middle right" and ring.textposition == where
        assert figure.layout.xaxis.range[1] > math.log10(LENGTHS[-1]) + 0.2, "room for the names"
        assert figure.layout.xaxis.tickangle == 0 and figure.layout.xaxis.ticktext == ("4", "64")


def test_the_scales_of_pairs_that_were_asked_for_stand_apart() -> None:
    figure = draw_pair_scale([-0.9, 0.1, 0.2], [3.0, 0.7, 0.6], [True, False, False], curve={-0.5: 1.0, 1.0: 0.5})
    asked, other = (trace for trace in figure.data if trace.mode == "markers")
    assert (list(asked.x), list(asked.y), list(other.x)) == ([-0.9], [3.0], [0.1, 0.2])
    assert asked.marker.symbol != other.marker.symbol and "0.60 to 0.70" in describe(figure)


def test_several_places_stand_side_by_side() -> None:
    panels = draw_multiples(
        lambda norm: draw_answer(answers(norm, False, 0.0), 0, LETTERS), {norm: {"norm": norm} for norm in NORM_PLACES}
    )
    assert sum(trace.type == "bar" for trace in panels.data) == 3
    circuits = draw_multiples(draw_norm_circuit, {norm: {"norm": norm} for norm in NORM_PLACES})
    assert {shape.xref for shape in circuits.layout.shapes} == {"x", "x2", "x3"}
