"""The headless runner and the stored-notebook tools, on small notebooks that go wrong in known ways."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from crn_lib.workbook.runner import LessonError, find_lessons, parameters_of, run_lesson
from crn_lib.workbook.stored_lessons import clean, problems, refresh
from tests.workbooks import write_lesson

WIDGET = "import ipywidgets as w\nslider = w.IntSlider()\nslider"


def notebook(path: Path, *sources: str) -> Path:
    return write_lesson(path, "profile = 'laptop'", *sources)


@pytest.mark.notebooks
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", r"cell \[2\]: ZeroDivisionError"),
        ("import ipywidgets as w\nwith w.Output():\n    1 / 0", "inside a widget: ZeroDivisionError"),
        ("from ipywidgets import interact\n@interact(x=(0, 3))\ndef f(x):\n    1 / 0", "inside a widget: Zero"),
        ("import os\nos._exit(9)", "died"),
    ],
)
def test_an_error_is_found_wherever_it_hides(source: str, message: str, tmp_path: Path) -> None:
    path = notebook(tmp_path / "00_wrong.ipynb", source)
    with pytest.raises(LessonError, match=message):
        run_lesson(path, tmp_path / "out" / "copy.ipynb", {}, progress=False)
    assert (tmp_path / "out" / "copy.ipynb").exists(), "the copy is there to be looked at"


@pytest.mark.notebooks
def test_a_long_cell_is_announced_and_one_that_takes_too_long_ends_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("crn_lib.workbook.long_cells.ANNOUNCE_AFTER", 0.3)
    path = notebook(tmp_path / "00_long.ipynb", "1", "import time\ntime.sleep(600)")
    with pytest.raises(LessonError, match=r"00_long, cell \[3\]: .*2 seconds.*--timeout") as failed:
        run_lesson(path, tmp_path / "copy.ipynb", {}, timeout=2, progress=False)
    assert "\n" not in str(failed.value)
    said = [line for line in capsys.readouterr().err.splitlines() if "running since" in line]
    assert len(said) >= 2, "and again when it has taken twice as long"
    assert all(re.search(r"00_long, cell \[3\]: running since \d\d:\d\d:\d\d, .*after 2 s", line) for line in said)
    assert nbformat.read(tmp_path / "copy.ipynb", 4).cells[1].execution_count == 2


@pytest.mark.notebooks
def test_a_lesson_is_written_once_and_not_twice_for_each_of_its_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr("papermill.engines.write_ipynb", lambda notebook, path: written.append(path))
    path = notebook(tmp_path / "00_long.ipynb", *map(str, range(6)))
    run_lesson(path, tmp_path / "copy.ipynb", {}, progress=False)
    assert 1 <= len(written) <= 2, "when it begins, and when it ends"
    executed = [cell.execution_count for cell in nbformat.read(tmp_path / "copy.ipynb", 4).cells]
    assert executed == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_copy_never_replaces_the_lesson_by_whatever_name(link: Callable[[Path, Path], None], tmp_path: Path) -> None:
    path = notebook(tmp_path / "00_stored.ipynb")
    before = path.read_bytes()
    link(tmp_path / "copy.ipynb", path)
    with pytest.raises(ValueError, match="would replace the lesson"):
        run_lesson(path, tmp_path / "copy.ipynb", {})
    assert path.read_bytes() == before


def test_parameters_are_read_as_python_reads_them(tmp_path: Path) -> None:
    source = (
        "# what\ntext = 'a=b # c'  # a text\nseed: int = 0\nlast = none = None\nrest = len('abc')\nshape = (\n 1,\n)"
    )
    path = write_lesson(tmp_path / "00_all.ipynb", source, metadata={"kernelspec": {"name": "r", "display_name": "R"}})
    expected = {"text": "a=b # c", "seed": 0, "last": None, "none": None, "rest": "len('abc')", "shape": (1,)}
    assert parameters_of(path) == expected


def test_what_is_no_lesson_is_named(tmp_path: Path) -> None:
    (tmp_path / "00_merged.ipynb").write_text("<<<<<<< HEAD\n{}\n")
    with pytest.raises(ValueError, match=r"00_merged\.ipynb is no lesson"):
        parameters_of(tmp_path / "00_merged.ipynb")


@pytest.mark.notebooks
def test_the_executed_copy_carries_no_widget_state(tmp_path: Path) -> None:
    path = notebook(tmp_path / "00_widget.ipynb", WIDGET)
    ran = run_lesson(path, tmp_path / "copy.ipynb", {"profile": "smoke"}, progress=False)
    executed = nbformat.read(ran.copy, 4)
    assert "widgets" not in executed.metadata and executed.cells[-1].outputs == [], "nothing that needs its kernel"
    assert ran.seconds > 0 and ran.lesson == "00_widget"


@pytest.mark.notebooks
def test_refreshing_stores_light_outputs_in_order_and_the_same_again(tmp_path: Path) -> None:
    source = "import sys\nprint('kept')\nprint('dropped', file=sys.stderr)"
    path = notebook(tmp_path / "00_fresh.ipynb", WIDGET, source, "'value'")
    refresh(path)
    assert list(problems(path)) == []
    cells = nbformat.read(path, 4).cells
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4]
    assert cells[1].outputs == [] and [o.text for o in cells[2].outputs] == ["kept\n"]
    first = path.read_text()
    refresh(path)
    assert path.read_text() == first


@pytest.mark.notebooks
@pytest.mark.parametrize("source", ["1 / 0", "import ipywidgets as w\nwith w.Output():\n    1 / 0"])
def test_a_failing_refresh_leaves_the_stored_lesson_as_it_was(source: str, tmp_path: Path) -> None:
    path = notebook(tmp_path / "00_fails.ipynb", source)
    before = path.read_text()
    with pytest.raises(LessonError, match="ZeroDivisionError"):
        refresh(path)
    assert path.read_text() == before


def test_every_kind_of_dirt_is_named(tmp_path: Path) -> None:
    path = notebook(tmp_path / "00_dirty.ipynb", "1", "2", "3", "4")
    dirty = nbformat.read(path, 4)
    dirty.metadata["widgets"] = {}
    dirty.metadata["language_info"] = {"name": "python"}
    dirty.cells[0].metadata["tags"] = []
    dirty.cells[1].metadata["tags"] = ["nbval-check-output"]
    dirty.cells[2].metadata["execution"] = {"iopub.execute_input": "2026-11-24"}
    view = {"application/vnd.jupyter.widget-view+json": {}}
    dirty.cells[2].outputs = [nbformat.v4.new_output("display_data", data=view)]
    dirty.cells[3].outputs = [nbformat.v4.new_output("error", ename="E", evalue="v", traceback=[])]
    figure = {"application/vnd.plotly.v1+json": {}}
    dirty.cells[4].outputs = [nbformat.v4.new_output("display_data", data=figure)]
    nbformat.write(dirty, path)
    found = "\n".join(problems(path))
    for part in (
        "widget state",
        "`language_info`",
        "`parameters`",
        "not 1 to n",
        "timestamps",
        "no stored output",
        "widget view",
        "E: v",
        "JPEG",
    ):
        assert part in found


def test_cleaning_numbers_the_cells_and_drops_what_differs(tmp_path: Path) -> None:
    messy = nbformat.read(notebook(tmp_path / "00_messy.ipynb", "1"), 4)
    messy.metadata["papermill"] = {"duration": 3.4}
    messy.cells[1].execution_count = 17
    messy.cells[1].outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=17)]
    clean(messy)
    assert set(messy.metadata) == {"kernelspec", "language_info"}
    assert messy.cells[1].execution_count == messy.cells[1].outputs[0].execution_count == 2


def test_lessons_are_found_by_number_and_by_name_in_order(tmp_path: Path) -> None:
    for name in ("06_last", "00_first", "notes"):
        notebook(tmp_path / f"{name}.ipynb")
    assert [path.stem for path in find_lessons(tmp_path)] == ["00_first", "06_last"]
    assert [path.stem for path in find_lessons(tmp_path, ["06", "00_first.ipynb"])] == ["06_last", "00_first"]
    with pytest.raises(ValueError, match=r"'03'.*00_first, 06_last"):
        find_lessons(tmp_path, ["03"])
    with pytest.raises(ValueError, match="there are no lessons in"):
        find_lessons(tmp_path / "elsewhere")
