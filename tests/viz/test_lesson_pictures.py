"""The one picture of a lesson: each shows the numbers it was given, and nothing from the future."""

from itertools import pairwise

import pytest
import torch

from crn_lib import tasks, viz
from crn_lib.units import counted
from crn_lib.viz.multiples import draw_multiples
from crn_lib.viz.theme import TEMPLATE, new_figure


def test_the_mechanism_shows_every_block_and_a_sign_between_two() -> None:
    steps = {"a": [[1.0, -1.0]], "b": [[2.0, 0.0], [0.5, -0.04]], "mean": [[2.25, -1.0]]}
    figure = viz.draw_mechanism(steps, ["+", "→"], title="A sentence")
    assert [[list(row) for row in trace.text] for trace in figure.data] == [
        [["<b>1</b>", "<b>−1</b>"]],
        [["<b>2</b>", "<b>0</b>"], ["<b>0.5</b>", "<b>0</b>"]],
        [["<b>2.2</b>", "<b>−1</b>"]],
    ]
    edges = [(min(trace.x), max(trace.x)) for trace in figure.data]
    assert all(right < left for (_, right), (left, _) in pairwise(edges))
    words = [annotation.text for annotation in figure.layout.annotations]
    assert words == ["<b>a</b>", "<b>+</b>", "<b>b</b>", "<b>→</b>", "<b>mean</b>"]
    with pytest.raises(ValueError, match="there is no step"):
        viz.draw_mechanism({}, [], title="")


def test_a_factor_table_hides_the_future_and_names_its_factors() -> None:
    values = [[x * y for y in (1.0, 3.0, 2.0)] for x in (1.0, 2.0, 5.0)]
    figure = viz.draw_factor_table(values, [1, 3, 2], [1, 2, 5], names=("exp(b)", "exp(a)"), title="A product")
    table, above, left = (trace.text for trace in figure.data)
    assert [row.count("·") for row in table] == [2, 1, 0] and list(table[2])[1:] == ["<b>15</b>", "<b>10</b>"]
    assert [*above[0]] == ["<b>1</b>", "<b>3</b>", "<b>2</b>"] and [row[0] for row in left] == [
        "<b>1</b>",
        "<b>2</b>",
        "<b>5</b>",
    ]
    assert "rows of the table: 1 / 2, 6 / 5, 15, 10" in viz.describe(figure)


def test_of_three_memories_two_grow_and_the_third_changes_colour() -> None:
    filled = []
    for read in (1, 2, 3):
        figure = viz.draw_three_memories("abc", [1.0, 1.5, 4.0], read)
        boxes = {place: [b for b in figure.layout.shapes if b.name == place] for place in ("keys", "senders", "sum")}
        assert [bool(box.fillcolor) for box in boxes["keys"]] == [j < read for j in range(3)]
        assert [bool(box.fillcolor) for box in boxes["senders"]] == [j < read for j in range(3)]
        filled.append(*[box.fillcolor for box in boxes["sum"]])
    assert len(set(filled)) == 3


def test_the_nearest_sender_is_drawn_largest() -> None:
    senders = {"far": (3.0, 0.0), "near": (0.5, 0.0)}
    figure = viz.draw_nearest_is_loudest((0.0, 0.0), senders, width=4)
    assert figure.data[1].text == ("<b>far</b>, scale 0.7", "<b>near</b>, scale 4.0")
    assert figure.data[1].marker.size[1] > figure.data[1].marker.size[0]


def test_an_arrow_leads_from_each_letter_to_where_it_stood() -> None:
    task = tasks.CopyingTask(tasks.CopyingConfig(string_length=5))
    tokens, targets = task.sample(1, torch.Generator().manual_seed(1))
    figure = viz.draw_task_layout(task, tokens[0].tolist(), targets[0].tolist())
    for arrow in figure.layout.annotations:
        assert targets[0, arrow.ax] == tokens[0, arrow.x]
    assert [arrow.x for arrow in figure.layout.annotations] == [1, 2, 3, 4, 5]


def test_a_title_that_all_panels_share_is_said_once_at_the_edge() -> None:
    same = {"numbers": 8, "bits_per_number": 32, "string_length": 64}
    grid = draw_multiples(viz.draw_state_against_length, dict.fromkeys("abcd", same), columns=2)
    titles = [grid.layout[f"yaxis{n}"].title.text for n in ("", 2, 3, 4)]
    assert titles == ["letters right, upper bound", None] * 2
    assert [grid.layout[f"xaxis{n}"].title.text for n in ("", 2, 3, 4)] == [None, None, *["letters in the string"] * 2]


def test_the_lengths_of_a_narrow_panel_have_room_side_by_side() -> None:
    axis = viz.draw_state_against_length(numbers=8, bits_per_number=32, string_length=64).layout.xaxis
    assert axis.tickangle == 0 and list(axis.tickvals) == [1, 4, 16, 64, 256]


def test_one_of_a_thing_has_no_s() -> None:
    title = viz.draw_state_against_length(numbers=1, bits_per_number=8, string_length=1).layout.title.text
    assert title.startswith("A state of 1 number, 8 bits, holds at most 1 letter<br>of a string of 1 letter at most ")
    assert [counted(n, "run") for n in (0, 1, 2, 1000)] == ["0 runs", "1 run", "2 runs", "1,000 runs"]
    assert viz.draw_workers({"a": 1.0}, 1).layout.title.text.count("1 run,") == 1


def test_every_figure_begins_with_the_house_template_alone() -> None:
    one = {"numbers": 8, "bits_per_number": 32, "string_length": 64}
    for figure in (viz.draw_state_against_length(**one), draw_multiples(viz.draw_state_against_length, {"a": one})):
        assert figure.layout.template.to_plotly_json() == TEMPLATE, "nothing of plotly's own"


def test_a_title_too_long_for_a_narrow_window_has_smaller_letters() -> None:
    titles = ["a" * 72, "a" * 80, "a" * 300, "a<br><sup>" + "b" * 100 + "<br>" + "b" * 100 + "</sup>"]
    sizes = [new_figure(title, description="").layout.title.font.size for title in titles]
    assert sizes == [15, 13.5, 12, 15]
