"""Lesson 12: its sweep's table fills, resumes and starts anew; its figures say what they were given."""

import threading
from pathlib import Path

import ipywidgets
import plotly.graph_objects as go
import pytest

from crn_lib.course import SweepTable, bind
from crn_lib.course.reachable import Reachable
from crn_lib.course.widgets.sweep import EXECUTORS, _Every
from crn_lib.sweeps import InlineExecutor, RowsBusy, Sweep, read_rows
from crn_lib.sweeps.jobs import PROGRESS_NAME
from crn_lib.tasks import CopyingConfig
from crn_lib.viz import describe, draw_cost_check, draw_multiples, draw_workers
from tests.course.messages import IN_PLACE, messages
from tests.tiny import quick

TASK = CopyingConfig(string_length=3, vocab=5)


def tiny_sweep(folder: Path) -> Sweep:
    return Sweep("tiny", tuple(quick(seed, steps=4) for seed in range(3)), folder / "tiny.jsonl")


def states(widget: SweepTable) -> list[str]:
    """What the table says of each run."""
    return [line.split(", ")[1] for line in widget.card().plain.splitlines()]


def test_the_table_fills_goes_on_and_is_forgotten(tmp_path: Path) -> None:
    widget = SweepTable(tiny_sweep(tmp_path))
    assert states(widget) == ["waiting"] * 3 and widget.status.value == "not started"
    widget.limit.value = 2
    widget.button.click()
    assert states(widget) == ["done", "done", "waiting"] and widget.table.value.count("done") == 2
    assert widget.status.value.startswith("2 of 3 runs stored, 0 failed")
    before = read_rows(tmp_path / "tiny.jsonl")
    widget.button.click()
    assert states(widget) == ["done"] * 3 and read_rows(tmp_path / "tiny.jsonl")[:2] == before
    assert not widget.button.disabled and widget.card().title == "3 of 3 runs stored"
    widget.again.click()
    assert states(widget) == ["waiting"] * 3 and read_rows(tmp_path / "tiny.jsonl") == []
    assert not list(tmp_path.glob("*.runs/*/*")), "the next start trains, and does not load what is finished"


def test_its_controls_are_reachable() -> None:
    """A drop-down list whose arrow keys JupyterLab would take for itself."""
    assert any(isinstance(part, Reachable) for part in SweepTable(tiny_sweep(Path("nowhere"))).children)


def test_the_table_is_drawn_once_more_when_its_thread_has_ended() -> None:
    """That may write last, and what it read before the last row came."""
    drawn_by = []
    with _Every(1000, lambda: drawn_by.append(threading.current_thread())):
        pass
    assert drawn_by == [threading.main_thread()]


@pytest.mark.slow
def test_processes_give_the_rows_of_inline(tmp_path: Path) -> None:
    plain = []
    for name in EXECUTORS:
        widget = SweepTable(tiny_sweep(tmp_path / name))
        widget.executor.value = name
        widget.start()
        plain.append(widget.card().plain)
    assert plain[0] == plain[1] and plain[0].count("done") == 3


def test_a_run_in_flight_is_shown_from_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = SweepTable(tiny_sweep(tmp_path))
    shown = threading.Event()
    tables: list[str] = []

    class Held(InlineExecutor):
        def run(self, jobs):  # type: ignore[no-untyped-def]
            jobs[0].folder.mkdir(parents=True)
            progress = '{"step": 2, "character_accuracy": 0.25, "string_accuracy": 0.0, "seconds": 1.0}'
            (jobs[0].folder / PROGRESS_NAME).write_text(progress)
            assert shown.wait(10), "the table did not show the run while it was in flight"
            tables.append(widget.table.value)
            yield from super().run(jobs)

    monkeypatch.setitem(EXECUTORS, "inline", Held)
    widget.table.observe(lambda change: "running" in change["new"] and shown.set(), names="value")
    widget.start()
    assert "2 of 4" in tables[0] and "25.0%" in tables[0] and states(widget) == ["done"] * 3


def test_an_error_is_shown_and_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> InlineExecutor:
        raise RowsBusy("another process is <adding> rows")

    monkeypatch.setitem(EXECUTORS, "inline", busy)
    widget = SweepTable(tiny_sweep(tmp_path))
    with pytest.raises(RowsBusy):
        widget.start()
    assert 'role="alert"' in widget.status.value and "&lt;adding&gt;" in widget.status.value
    assert not widget.button.disabled


HOURS = {"a": 6.0, "b": 3.0, "c": 2.5}


def test_the_workers_figure_says_where_more_do_not_help() -> None:
    few, many = draw_workers(HOURS, 1), draw_workers(HOURS, 4)
    assert "1 worker: at least 11.5 hours, limited by the number of workers" in describe(few)
    assert "4 workers: at least 6 hours, limited by one run, a" in describe(many)
    assert "3 runs, 11.5 hours in all; more than 2 workers cannot help" in describe(many)
    least = next(trace for trace in many.data if trace.name == "at least")
    assert list(least.y[:4]) == [11.5, 6.0, 6.0, 6.0]
    ring = many.data[-1]
    assert (list(ring.x), list(ring.y)) == ([4], [6.0])
    with pytest.raises(ValueError, match="got 3 runs and 25 workers"):
        draw_workers(HOURS, 25)


def test_the_workers_figure_follows_its_controls_with_one_message_each() -> None:
    def draw(seeds: int, workers: int) -> go.Figure:
        return draw_workers({f"{name} {seed}": each for name, each in HOURS.items() for seed in range(seeds)}, workers)

    bound = bind(draw, seeds=ipywidgets.IntSlider(1, 1, 5), workers=ipywidgets.IntSlider(1, 1, 24))
    for workers in range(2, 25):
        sent = messages(bound.figure, lambda workers=workers: bound.controls["workers"].set_trait("value", workers))
        assert sent == IN_PLACE
        assert f"{workers} workers" in describe(bound.figure) and bound.error.value == ""
    bound.controls["seeds"].value = 3
    assert "9 runs, 34.5 hours in all; more than 6 workers cannot help" in describe(bound.figure)
    assert len(draw_multiples(draw_workers, {"x": {"hours": HOURS, "workers": 2}}).data) == 4


def test_the_check_of_the_cost_shows_every_run_and_the_spread() -> None:
    points = [("causal_rn", 16, 10.0, 5.0), ("transformer", 16, 10.0, 10.0), ("causal_rn", 64, 10.0, 12.0)]
    figure = draw_cost_check(points, title="Two rates")
    assert "3 runs: median 1.00, range 0.50 to 1.20" in describe(figure)
    assert [list(trace.y) for trace in figure.data] == [[0.5, 1.2], [1.0]]
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol
    with pytest.raises(ValueError, match="no run"):
        draw_cost_check([], title="")
