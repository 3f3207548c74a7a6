"""Stored lessons: execute them, keep their outputs light (`crn refresh`), and check that they are (`crn check`).

A stored lesson has execution counts 1 to n, no widget state, no timestamps, no progress bars, and beside each figure a
picture with a description.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from crn_lib.course.figures import PLOTLY_MIME
from crn_lib.course.recorded import RECORDS
from crn_lib.files import replace_text
from crn_lib.workbook.pictures import add_pictures, without_description
from crn_lib.workbook.runner import WIDGET_VIEW, run_lesson, without_views

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CHECKED = "nbval-check-output"
"""The tag of a cell whose output nbval compares with the stored one."""

# What a kernel of this Python says of itself, but for its version: nbconvert writes `.py` for it.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def refresh(path: Path) -> None:
    """Execute a lesson with its defaults and store the result, whole or not at all.

    Raises:
        LessonError: a cell failed, or an error was swallowed by an output widget; the stored file is as it was.
    """
    with tempfile.TemporaryDirectory() as folder, recorded_controls():
        ran = run_lesson(path, Path(folder) / path.name, {})
        notebook = nbformat.read(ran.copy, as_version=4)
    clean(notebook)
    add_pictures(notebook)
    replace_text(path, nbformat.writes(notebook) + "\n")


@contextmanager
def recorded_controls() -> Iterator[None]:
    """Kernels started meanwhile record the figures of their bound controls (`crn_lib.course.recorded`)."""
    os.environ[RECORDS] = "1"
    try:
        yield
    finally:
        del os.environ[RECORDS]


def clean(notebook: Any) -> None:
    """Drop what differs from run to run or means nothing without a kernel; number the code cells 1 to n."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
    for count, cell in enumerate(_code_cells(notebook), start=1):
        cell.execution_count = count
        cell.metadata.pop("execution", None)
        kept = [output for output in without_views(cell.outputs) if _worth_keeping(output)]
        for output in kept:
            if "execution_count" in output:
                output.execution_count = count
            output.get("metadata", {}).pop("execution", None)
        cell.outputs = kept


def problems(path: Path) -> Iterator[str]:
    """What keeps a stored lesson from being light, ordered and checked; nothing where all is well."""
    notebook = nbformat.read(path, as_version=4)
    cells = _code_cells(notebook)
    if "widgets" in notebook.metadata:
        yield "holds widget state"
    if notebook.metadata.get("language_info", LANGUAGE) != LANGUAGE:
        yield "its `language_info` is not what `crn refresh` writes"
    tagged = sum("parameters" in cell.metadata.get("tags", []) for cell in cells)
    if tagged != 1:
        yield f"has {tagged} cells tagged `parameters`, and needs one"
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "execution counts are not 1 to n in order"
    for number, cell in enumerate(cells, start=1):
        if "execution" in cell.metadata or "papermill" in cell.metadata:
            yield f"cell [{number}] holds timestamps"
        checked = CHECKED in cell.metadata.get("tags", [])
        if checked and not cell.outputs:
            yield f"cell [{number}] is marked for checking and has no stored output"
        if checked and any(PLOTLY_MIME in output.get("data", {}) for output in cell.outputs):
            yield f"cell [{number}] is marked for checking and has a figure, whose picture no kernel gives"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell [{number}] holds an error: {output.ename}: {output.evalue}"
            if not _worth_keeping(output):
                yield f"cell [{number}] holds a widget view or a progress bar"
    yield from without_description(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=['\"][^'\"])", cell.source):
            yield f"an image in the text has no description: {cell.source[:40]!r}"


def _code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _worth_keeping(output: Any) -> bool:
    if output.output_type == "stream":
        return bool(output.name == "stdout")  # stderr carries progress bars and their remains
    return WIDGET_VIEW not in output.get("data", {})
