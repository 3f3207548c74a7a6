"""Lesson 08: its maps on the copier made by hand, what its widget carries to a page, and the figures of its rows."""

import plotly.graph_objects as go
import pytest
import torch

from crn_lib.analysis import cancellation_copier, copy_sources, copy_without
from crn_lib.analysis.edited_copy import EditedCopy
from crn_lib.course import RelationWidget, frontend, relation_map
from crn_lib.course.frontend import ALIVE_MIME
from crn_lib.course.widgets.relation import RELATION_MAPS
from crn_lib.experiments.retrieval_onset import crossing
from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.paths import data_file
from crn_lib.sweeps import read_rows
from crn_lib.tasks import CopyingConfig, CopyingTask, trace_copy
from crn_lib.viz import describe, draw_multiples, draw_relation_map, draw_retrieval_course

LENGTH = 6
TEXT = "cancel"
TASK = CopyingTask(CopyingConfig(string_length=LENGTH))


def drawn(dropped: dict[tuple[int, int], int], name: str = "correlation") -> tuple[EditedCopy, go.Figure]:
    """The map of the copier made by hand."""
    copied = copy_without(cancellation_copier(TASK.config), TASK, TEXT, dropped)
    return copied, draw_relation_map(relation_map(copied, TASK, 0, name, dropped))


def test_the_map_shows_the_pairs_of_the_copy_and_the_ring_on_every_source() -> None:
    copied, figure = drawn({})
    pairs = copied.pairs[0]
    grid, ring, crosses, said = figure.data
    for row, values in enumerate(grid.z):
        seen = LENGTH + 2 + row
        shown = torch.tensor(list(values[:seen]), dtype=torch.float32)
        torch.testing.assert_close(shown, pairs.correlation[0, 0, row, :seen])
        assert all(value is None for value in values[seen:])
    assert list(ring.x) == copy_sources(LENGTH).sources.tolist() and len(crosses.x) == 0
    assert [text.strip() for text in said.text] == [f"<b>{letter}</b>" for letter in [*TEXT, "&gt;"]]
    assert "6 of 6 letters; 7 of 7 tokens right" in figure.layout.title.text


def test_a_dropped_pair_is_an_empty_cell_with_a_cross_and_its_letter_is_wrong() -> None:
    copied, figure = drawn({(0, 2): 3})
    assert copied.written[2] != "n" and copied.written[:2] == "ca"
    assert figure.data[0].z[2][3] is None
    assert (list(figure.data[2].x), list(figure.data[2].y)) == ([3], [2])
    assert "✗" in figure.data[3].text[2]
    assert "Dropped: position 3 for token 3" in describe(figure)


@pytest.mark.parametrize("name", RELATION_MAPS)
def test_every_map_is_another_figure(name: str) -> None:
    grid = drawn({}, name)[1].data[0]
    source = [grid.z[row][row + 1] for row in range(LENGTH)]
    beside = [grid.z[row][row + 2] for row in range(LENGTH)]
    better = min if name == "correlation" else max
    assert all(better(a, b) == a for a, b in zip(source, beside, strict=True))
    assert grid.zmin == (-1 if name == "correlation" else 0) and (grid.zmax == 1 or name == "scale")


def test_the_copy_without_edits_is_the_copy_that_the_model_makes_from_its_state() -> None:
    model = _model()
    copied = copy_without(model, TASK, TEXT, {})
    assert copied.written == trace_copy(model, TASK, TEXT).written
    assert TASK.decode(copied.tokens) == f"<{TEXT}|{copied.written[:-1]}"
    assert [pairs.weight.shape for pairs in copied.pairs] == [(1, 1, LENGTH + 1, 2 * LENGTH + 2)] * 2


def test_the_widget_brings_its_model_to_jupyterlab_and_the_one_that_ships_to_a_page() -> None:
    model = _model()
    widget = RelationWidget(model, TASK, TEXT)
    own, ships = widget.models
    assert own["weights"] == frontend.model_bytes(model) and own["length"] == LENGTH and "6 letters" in own["name"]
    assert ships["weights"] == frontend.shipped_model("causal_rn") and ships["length"] is None
    bundle, _ = widget._repr_mimebundle_()
    assert bundle[ALIVE_MIME]["module"] == "relation_map"
    (page,) = bundle[ALIVE_MIME]["state"]["models"]
    assert page == ships | {"weights": {"carried": "causal_rn.safetensors"}} and "1 to 32" in page["name"]
    mixed = CopyingTask(CopyingConfig(string_length=LENGTH, shortest=4))
    assert RelationWidget(model, mixed, TEXT).models[0]["length"] is None
    with pytest.raises(ValueError, match="norm exact"):
        RelationWidget(build_model(ModelConfig(kind="linear_rn", width=16, blocks=1)), TASK, TEXT)


def _model() -> SequenceModel:
    shape = ModelConfig(kind="causal_rn", width=16, blocks=2, max_length=TASK.config.context)
    return build_model(shape, generator=torch.Generator().manual_seed(4))


def test_maps_stand_side_by_side_and_are_told_in_words() -> None:
    copied = copy_without(cancellation_copier(TASK.config), TASK, TEXT, {(0, 1): 2})
    shown = relation_map(copied, TASK, 0, "share", {(0, 1): 2})
    assert shown.found == LENGTH and shown.right < LENGTH + 1
    assert shown.dropped == [(1, 2)] and shown.senders[0] == "<" and shown.wanted[-1] == ">"
    figure = draw_multiples(draw_relation_map, {"one": {"shown": shown}, "two": {"shown": shown}})
    assert describe(figure).count("6 of 6 letters") == 2


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
