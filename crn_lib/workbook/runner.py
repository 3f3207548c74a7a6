"""Run lessons headless with papermill, without hiding the errors that papermill hides."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from traitlets.config import Config

from crn_lib.errors import RunFailed
from crn_lib.files import replace_text

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
CELL_TIMEOUT = 900
"""Seconds one cell may take; a lesson's whole default run is far below it."""


# Sockets in the file system instead of open TCP ports, where the system has them; it also saves a warning a lesson.
KERNEL_OVER_FILES = Config({"KernelManager": {"transport": "ipc"}} if os.name == "posix" else {})


class LessonError(RunFailed):
    """A lesson that failed; the message names the lesson, the cell and its error."""


@dataclass(frozen=True)
class LessonRun:
    """One executed lesson: how long it took, and where the executed copy is."""

    lesson: str
    seconds: float
    copy: Path


def find_lessons(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """The notebooks of a folder, all of them or those named, in order.

    Args:
        names: file names with or without `.ipynb`, or the number they start with.

    Raises:
        ValueError: no such lesson; the message names those there are.
    """
    lessons = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return lessons
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        matches = [path for path in lessons if stem in (path.stem, path.stem[:2])]
        if not matches:
            raise ValueError(f"there is no lesson {name!r}; there are {', '.join(path.stem for path in lessons)}")
        chosen += matches
    return list(dict.fromkeys(chosen))


def parameters_of(lesson: Path) -> dict[str, Any]:
    """The names a lesson takes as parameters, with their defaults as written."""
    return {name: found["default"] for name, found in papermill.inspect_notebook(str(lesson)).items()}


def run_lesson(lesson: Path, copy: Path, parameters: Mapping[str, Any], *, progress: bool = True) -> LessonRun:
    """Execute a lesson and leave the executed copy, light enough to keep.

    Args:
        lesson: the notebook.
        copy: where the executed copy goes; also when the lesson fails, so that it can be opened.
        parameters: names to values; every name must be one of the lesson's.

    Raises:
        ValueError: a parameter the lesson does not have.
        LessonError: a cell failed, or an error was swallowed by an output widget.
    """
    known = parameters_of(lesson)
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValueError(f"{lesson.stem} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    copy.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    try:
        papermill.execute_notebook(
            str(lesson),
            str(copy),
            parameters=dict(parameters),
            kernel_name="python3",
            cwd=str(lesson.parent),
            progress_bar=progress,
            log_output=False,
            execution_timeout=CELL_TIMEOUT,
            start_timeout=120,
            config=KERNEL_OVER_FILES,
        )
    except papermill.PapermillExecutionError as error:
        _lighten(copy)
        raise LessonError(f"{lesson.stem}, cell [{error.exec_count}]: {error.ename}: {error.evalue}") from None
    except (TimeoutError, RuntimeError) as error:  # a cell that hangs, or a kernel that died
        raise LessonError(f"{lesson.stem}: {error}") from None
    hidden = _lighten(copy)
    if hidden:
        raise LessonError(f"{lesson.stem}, inside a widget: {'; '.join(hidden)}")
    return LessonRun(lesson.stem, time.perf_counter() - started, copy)


def _lighten(path: Path) -> list[str]:
    """Drop the widgets' state (5 MB for each interactive figure), and return the errors that were inside it."""
    if not path.exists():
        return []
    notebook = nbformat.read(path, as_version=4)
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    hidden = [
        f"{output['ename']}: {output['evalue']}"
        for model in state.values()
        if model["model_name"] == "OutputModel"
        for output in model["state"].get("outputs", [])
        if output["output_type"] == "error"
    ]
    notebook.metadata.pop("widgets", None)
    replace_text(path, nbformat.writes(notebook))
    return hidden
