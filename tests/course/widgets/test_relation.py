"""Lesson 08: what its widget draws, drops and copies, on the copier made by hand; and the figures of its rows."""

import html
from types import SimpleNamespace

import pytest
import torch

from crn_lib.analysis import Moved, cancellation_copier, copy_sources, copy_without
from crn_lib.course import RelationWidget, relation_map
from crn_lib.course.widgets import relation as relation_widget
from crn_lib.course.widgets.relation import EVERY_PAIR, RELATION_MAPS, other_text
from crn_lib.experiments.retrieval_onset import crossing
from crn_lib.models import ModelConfig, build_model
from crn_lib.paths import data_file
from crn_lib.sweeps import read_rows
from crn_lib.tasks import CopyingConfig, CopyingTask, trace_copy
from crn_lib.viz import (
    RelationMap,
    describe,
    draw_multiples,
    draw_relation_map,
    draw_relation_view,
    draw_retrieval_course,
)
from tests.course.messages import IN_PLACE, messages

LENGTH = 6
TEXT = "cancel"
TASK = CopyingTask(CopyingConfig(string_length=LENGTH))


@pytest.fixture
def widget() -> RelationWidget:
    return RelationWidget(cancellation_copier(TASK.config), TASK, TEXT)


def click(widget: RelationWidget, letter: int, sender: int) -> None:
    """What the browser sends when a pair is clicked: the number of its point."""
    widget._clicked(None, SimpleNamespace(point_inds=[letter * (2 * LENGTH + 2) + sender]), None)


def test_the_map_shows_the_pairs_of_the_copy_and_the_ring_on_every_source(widget: RelationWidget) -> None:
    pairs = widget.copy.pairs[0]
    grid, ring, crosses, said, points = widget.figure.data[:5]
    for row, values in enumerate(grid.z):
        seen = LENGTH + 2 + row
        shown = torch.tensor(list(values[:seen]), dtype=torch.float32)
        torch.testing.assert_close(shown, pairs.correlation[0, 0, row, :seen])
        assert all(value is None for value in values[seen:])
    assert list(ring.x) == copy_sources(LENGTH).sources.tolist()
    assert len(crosses.x) == 0 and len(points.x) == (LENGTH + 1) * (2 * LENGTH + 2)
    assert [text.strip() for text in said.text] == [f"<b>{letter}</b>" for letter in [*TEXT, "&gt;"]]
    assert "6 of 6 letters; 7 of 7 tokens right" in widget.figure.layout.title.text
    assert "writes n, hears position 3 (n)<br>correlation of the pair -1.0" in points.hovertext[2 * 14 + 3]
    assert points.hovertext[2 * 14 + 3].endswith(", source, ring")


def test_a_click_drops_a_pair_the_copy_is_made_anew_and_a_second_click_brings_it_back(widget: RelationWidget) -> None:
    before = widget.copy.written
    click(widget, 2, 3)
    assert widget.dropped == {(0, 2): 3}
    assert widget.copy.written[2] != "n" and widget.copy.written[:2] == "ca"
    assert widget.figure.data[0].z[2][3] is None
    assert (list(widget.figure.data[2].x), list(widget.figure.data[2].y)) == ([3], [2])
    assert "✗" in widget.figure.data[3].text[2]
    assert "Dropped: position 3 for token 3" in html.unescape(widget.caption.value)
    click(widget, 2, 3)
    assert widget.dropped == {} and widget.copy.written == before
    assert len(widget.figure.data[2].x) == 0


def test_a_letter_has_one_dropped_pair_and_what_is_not_heard_cannot_be_dropped(widget: RelationWidget) -> None:
    click(widget, 2, 3)
    click(widget, 2, 5)
    assert widget.dropped == {(0, 2): 5} and widget.copy.written == TEXT + ">"
    click(widget, 0, LENGTH + 2)
    assert widget.dropped == {(0, 2): 5}


def test_hovering_looks_at_a_letter_and_its_bars_are_its_pairs(widget: RelationWidget) -> None:
    widget._hovered(None, SimpleNamespace(point_inds=[4 * 14 + 1]), None)
    assert widget.controls["letter"].value == 5
    bars = widget.figure.data[EVERY_PAIR + 1]
    assert list(bars.y[: LENGTH + 6]) == list(widget.figure.data[0].z[4][: LENGTH + 6])
    assert bars.marker.pattern.shape[5] == "/" and bars.marker.pattern.shape.count("/") == 1
    assert widget.figure.layout.shapes[0].y0 == 3.5


def test_the_browser_reaches_both_callbacks(widget: RelationWidget) -> None:
    points = widget.figure.data[EVERY_PAIR]
    assert points._click_callbacks == [widget._clicked] and points._hover_callbacks == [widget._hovered]
    widget.controls["string"].value = "zzz"
    assert widget.figure.data[EVERY_PAIR] is points, "redrawn in place, or the clicks would be lost"


def test_buttons_drop_one_ring_all_rings_and_none(widget: RelationWidget) -> None:
    widget.controls["letter"].value = 4
    widget.drop_opposed.click()
    assert widget.dropped == {(0, 3): 4}
    widget.drop_all.click()
    assert widget.dropped == {(0, letter): letter + 1 for letter in range(LENGTH + 1)}
    assert sum(a == b for a, b in zip(widget.copy.written, TEXT, strict=False)) <= 2
    widget.restore.click()
    assert widget.dropped == {} and widget.copy.written == TEXT + ">"


def test_moved_receivers_write_the_letter_further_and_the_rings_move_with_them(widget: RelationWidget) -> None:
    widget.controls["shift"].value = 2
    assert widget.copy.written == "ncelel>"
    assert widget.figure.layout.title.text.startswith("Block 0, moved by 2 (4 of 4 letters follow)")
    assert list(widget.figure.data[1].x)[:4] == [source + 2 for source in copy_sources(LENGTH).sources.tolist()[:4]]
    widget.controls["shift"].value = -1
    assert widget.copy.written == "ccance>"
    widget.controls["other"].value = True
    assert widget.copy.written == "ccance>", "its receivers know nothing of the string"
    widget.controls["shift"].value = 0
    widget.controls["other"].value = False
    assert widget.copy.written == TEXT + ">" and widget.figure.layout.title.text.startswith("Block 0: ")


def test_the_box_makes_another_string_the_donor(widget: RelationWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(relation_widget, "copy_without", lambda *all_: given.append(all_[-1]) or copy_without(*all_))
    widget.controls["shift"].value = 1
    widget.controls["other"].value = True
    widget.controls["shift"].value = 0
    widget.controls["other"].value = False
    assert given == [Moved(1, TEXT), Moved(1, other_text(TEXT, TASK)), Moved(0, other_text(TEXT, TASK)), None]


def test_another_string_has_no_letter_in_common_and_its_receivers_are_the_ones_used() -> None:
    assert other_text("azm", TASK) == "nmz"
    shape = ModelConfig(kind="causal_rn", width=16, blocks=2, max_length=TASK.config.context)
    model = build_model(shape, generator=torch.Generator().manual_seed(4))
    own, another = (
        copy_without(model, TASK, TEXT, {}, Moved(0, donor)).pairs[1] for donor in (TEXT, other_text(TEXT, TASK))
    )
    assert torch.equal(own.senders[:, :, : LENGTH + 2], another.senders[:, :, : LENGTH + 2])
    assert (own.receivers[:, :, :-1] != another.receivers[:, :, :-1]).any(-1).all()


@pytest.mark.parametrize("name", RELATION_MAPS)
def test_every_map_is_another_figure(widget: RelationWidget, name: str) -> None:
    widget.controls["shown"].value = name
    grid = widget.figure.data[0]
    source = [grid.z[row][row + 1] for row in range(LENGTH)]
    beside = [grid.z[row][row + 2] for row in range(LENGTH)]
    better = min if name == "correlation" else max
    assert all(better(a, b) == a for a, b in zip(source, beside, strict=True))
    assert grid.zmin == (-1 if name == "correlation" else 0) and (grid.zmax == 1 or name == "scale")


def test_a_short_string_is_filled_up_and_a_bad_one_is_told(widget: RelationWidget) -> None:
    widget.controls["string"].value = "ab"
    assert widget.copy.text == "abzyxw"
    with pytest.raises(ValueError, match="only the letters a to z"):
        widget.controls["string"].value = "A!"
    assert "only the letters a to z can be copied" in html.unescape(widget.error.value)
    widget.controls["string"].value = "abc"
    assert widget.error.value == ""


def test_the_copy_without_edits_is_the_copy_that_the_model_makes_from_its_state() -> None:
    shape = ModelConfig(kind="causal_rn", width=16, blocks=2, max_length=TASK.config.context)
    model = build_model(shape, generator=torch.Generator().manual_seed(4))
    copied = copy_without(model, TASK, TEXT, {})
    assert copied.written == trace_copy(model, TASK, TEXT).written
    assert TASK.decode(copied.tokens) == f"<{TEXT}|{copied.written[:-1]}"
    assert [pairs.weight.shape for pairs in copied.pairs] == [(1, 1, LENGTH + 1, 2 * LENGTH + 2)] * 2
    widget = RelationWidget(model, TASK, TEXT)
    for block in (0, 1):
        widget.controls["block"].value = block
        assert widget.figure.layout.title.text.startswith(f"Block {block}")


def test_a_click_copies_once_and_is_one_message_and_a_look_copies_nothing(
    widget: RelationWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = []
    monkeypatch.setattr(relation_widget, "copy_without", lambda *given: copied.append(given) or copy_without(*given))
    for count, sender in enumerate((1, 2, 3), start=1):
        assert messages(widget.figure, lambda sender=sender: click(widget, 3, sender)) == IN_PLACE
        assert len(copied) == count
    for name, value in (("letter", 4), ("shown", "share")):
        assert messages(widget.figure, lambda name=name, value=value: widget.controls[name].set_trait("value", value))
    assert len(copied) == 3


def test_maps_stand_side_by_side_and_are_told_in_words() -> None:
    copied = copy_without(cancellation_copier(TASK.config), TASK, TEXT, {(0, 1): 2})
    shown = relation_map(copied, TASK, 0, "share", {(0, 1): 2})
    assert shown.found == LENGTH and shown.right < LENGTH + 1
    assert shown.dropped == [(1, 2)] and shown.senders[0] == "<" and shown.wanted[-1] == ">"
    figure = draw_multiples(draw_relation_map, {"one": {"shown": shown}, "two": {"shown": shown}})
    assert describe(figure).count("6 of 6 letters") == 2


def test_a_row_of_a_map_that_sees_nothing_below_zero_has_its_axis_at_zero() -> None:
    shown = RelationMap("share", ["<b", "c"], ["c", "EOS"], [[0.2, None], [0.5, 0.5]], [0, 1], [0, 0])
    figure = draw_relation_view(shown, 0)
    assert figure.layout.yaxis2.range[0] < 0.001 and figure.layout.yaxis2.range[1] > 0.2
    assert figure.layout.xaxis.ticktext[0] == "&lt;b"
    assert "not seen" in figure.data[EVERY_PAIR].hovertext[1]


def test_time_courses_are_drawn_for_every_seed_from_the_stored_rows() -> None:
    rows = read_rows(data_file("retrieval_course.jsonl"))
    for kind in ("causal_rn", "transformer"):
        for length in (16, 32):
            courses = [row["course"] for row in rows if row["kind"] == kind and row["string_length"] == length]
            assert len(courses) == 3
            figure = draw_retrieval_course(courses, kind)
            assert len(figure.data) == 4 * 3 and "None" not in describe(figure)
            for course, line in zip(courses, figure.data[1::4], strict=True):
                assert list(line.y) == [stop["letters"] for stop in course]


def test_where_a_value_first_reaches_a_level() -> None:
    stops = [{"step": 10}, {"step": 20}, {"step": 30}]
    assert crossing(stops, [0.1, 0.5, 0.4]) == 20
    assert crossing(stops, [0.1, 0.2, 0.3]) is None
