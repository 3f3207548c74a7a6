"""Run lessons headless with papermill, without hiding the errors that papermill hides."""

import ast
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.engines import NBClientEngine, papermill_engines

from crn_lib.errors import RunFailed
from crn_lib.files import replace_text
from crn_lib.workbook.find import find_lessons as find_lessons
from crn_lib.workbook.kernel import LessonKernel
from crn_lib.workbook.long_cells import LongCells

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
OWN_MIME = "application/vnd.crn-"
CELL_TIMEOUT = 900
"""Seconds one cell may take; a lesson's whole default run is far below it."""


class LessonError(RunFailed):
    """A lesson that failed; the message names the lesson, the cell and its error."""


@dataclass(frozen=True)
class LessonRun:
    """One executed lesson: how long it took, and where the executed copy is."""

    lesson: str
    seconds: float
    copy: Path


class SavedAtTheEnd(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's own engine writes the whole notebook twice for each cell, which takes seconds where there are many
    figures. This one writes it once, however the lesson ends."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = path


papermill_engines.register(SavedAtTheEnd.__name__, SavedAtTheEnd)


def parameters_of(lesson: Path) -> dict[str, Any]:
    """The names a lesson takes as parameters, with their defaults; one that is no plain value, as it is written.

    Raises:
        ValueError: the file is no notebook, or its cell of parameters is no Python.
    """
    try:
        cells = nbformat.read(lesson, as_version=4).cells
        sources = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        statements = [statement for source in sources for statement in ast.parse(source).body]
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"{lesson} is no lesson: {str(error).splitlines()[0][:200]}") from None
    defaults = {}
    for statement in statements:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    defaults[target.id] = _value_of(statement.value)
    return defaults


def _value_of(written: ast.expr) -> Any:
    try:
        return ast.literal_eval(written)
    except ValueError:
        return ast.unparse(written)


def _as_written(path: Path) -> str:
    """The path for papermill, which would replace names in braces by parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def run_lesson(
    lesson: Path,
    copy: Path,
    parameters: Mapping[str, Any],
    *,
    timeout: int | None = CELL_TIMEOUT,
    progress: bool = True,
) -> LessonRun:
    """Execute a lesson in a kernel of this Python, and leave the executed copy, light enough to keep.

    Args:
        lesson: the notebook.
        copy: where the executed copy goes; also when the lesson fails, so that it can be opened.
        parameters: names to values; every name must be one of the lesson's.
        timeout: seconds one cell may take; `None` for no limit. A cell that takes long is announced on stderr.

    Raises:
        ValueError: a parameter the lesson does not have, or the copy would replace the lesson.
        LessonError: a cell failed or took too long, or an error was swallowed by an output widget.
        KeyboardInterrupt: Ctrl-C; `SystemExit` for SIGTERM. The copy is there, and no process is left.
    """
    known = parameters_of(lesson)
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValueError(f"{lesson.stem} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    if copy.exists() and copy.samefile(lesson):
        raise ValueError(f"the executed copy would replace the lesson {lesson}: choose another folder with --out")
    started = time.perf_counter()
    kernel = LessonKernel()
    draft = kernel.folder / lesson.name
    try:
        with kernel.ended_by_signals():
            _execute(lesson, draft, parameters, kernel, timeout, progress)
    finally:
        hidden = _keep(draft, copy)
        kernel.close()
    if hidden:
        raise LessonError(f"{lesson.stem}, inside a widget: {'; '.join(hidden)}")
    return LessonRun(lesson.stem, time.perf_counter() - started, copy)


def _execute(
    lesson: Path,
    draft: Path,
    parameters: Mapping[str, Any],
    kernel: LessonKernel,
    timeout: int | None,
    progress: bool,
) -> None:
    cells = LongCells(lesson.stem, timeout)

    def begins(**_: Any) -> None:
        kernel.cell_begins()
        cells.begin()

    def ends(**_: Any) -> None:
        cells.end()
        kernel.cell_ends()

    try:
        papermill.execute_notebook(
            _as_written(lesson),
            _as_written(draft),
            parameters=dict(parameters),
            kernel_name="python3",
            language="python",
            cwd=str(lesson.parent),
            progress_bar=progress,
            engine_name=SavedAtTheEnd.__name__,
            log_output=False,
            execution_timeout=timeout,
            start_timeout=120,
            iopub_timeout=120,  # a busy machine may take its time to deliver what a cell printed
            kernel_manager_class=kernel.manager(),
            on_cell_execute=begins,
            on_cell_executed=ends,
        )
    except papermill.PapermillExecutionError as error:
        raise LessonError(f"{lesson.stem}, cell [{error.exec_count}]: {error.ename}: {error.evalue}") from None
    except TimeoutError as error:
        first = str(error).splitlines()[0]
        raise LessonError(f"{lesson.stem}, cell [{cells.number}]: {first} `crn run --timeout` allows more") from None
    except RuntimeError as error:  # a kernel that died
        raise LessonError(f"{lesson.stem}, cell [{cells.number}]: {error}") from None
    finally:
        cells.end()


def _keep(draft: Path, copy: Path) -> list[str]:
    """Store what was executed without the widgets' state (5 MB for each interactive figure) and their views, which are
    nothing without it; return the errors that were inside."""
    if not draft.exists():
        return []
    notebook = nbformat.read(draft, as_version=4)
    state = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = without_views(cell.outputs)
    replace_text(copy, nbformat.writes(notebook) + "\n")
    return [
        f"{output['ename']}: {output['evalue']}"
        for model in state.values()
        if model["model_name"] == "OutputModel"
        for output in model["state"].get("outputs", [])
        if output["output_type"] == "error"
    ]


def without_views(outputs: list[Any]) -> list[Any]:
    """Outputs without widgets, which mean nothing once their kernel has ended, but for those that compute in a page."""
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if data.pop(WIDGET_VIEW, None) is None or any(mime.startswith(OWN_MIME) for mime in data):
            kept.append(output)
    return kept
