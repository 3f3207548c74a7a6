"""From whatever a student handed in to a notebook that nbgrader can grade: each answer in its cell, our own checks.

Copied and deleted cells, another name for the function, an edited check, an older lesson: the answer is looked for, and
the checks are never the student's. What could not be found is said in a remark.
"""

import ast
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from crn_lib.workbook.editions.lesson import Lesson, StoredExercise
from crn_lib.workbook.editions.notebooks import exercises_only
from crn_lib.workbook.grading.code import Code

LARGEST = 300 * 2**20
"""Bytes of a file that is read: the outputs of a lesson saved by mistake are far below."""
NOT_THERE = "# There is no cell for this exercise in what was handed in."


class Unreadable(ValueError):
    """A file that is no notebook; the message says why."""


def read_code(path: Path) -> tuple[list[Code], list[Any]]:
    """The code cells of a notebook, and their metadata; nothing else of it is looked at.

    Raises:
        Unreadable: it is none.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise Unreadable(f"the file has {size / 2**20:,.0f} MB; {LARGEST / 2**20:,.0f} are read at most")
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
        metadata = [cell["metadata"] if isinstance(cell.get("metadata"), dict) else {} for cell in cells]
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}") from None
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("the file is no notebook: it is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("the file is no notebook: it is not text") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"the file is no notebook: it is no JSON at line {error.lineno}") from None
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unreadable("the file is no notebook: it has no cells as a notebook has") from None
    return [Code(source) for source in sources], metadata


def mend(path: Path | None, lesson: Lesson, keys: Sequence[str]) -> tuple[Any, list[str]]:
    """The notebook to be graded, and remarks for the teacher.

    Args:
        path: what was handed in; `None` for nothing.
        keys: all exercises of all lessons, to say which lesson a wrong one is.
    """
    notebook = exercises_only(lesson)
    solutions = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    try:
        if path is None:
            raise Unreadable("nothing was handed in")
        codes, metadata = read_code(path)
    except Unreadable as error:
        remarks, codes, metadata = [str(error)], [], []
    else:
        remarks = list(_wrong_lesson(codes, lesson, keys))
    whole = bool(remarks)  # what is said of the whole file goes for each exercise
    own = [cell.source for cell in lesson.notebook.cells if cell.cell_type == "code"]
    for stored in lesson.exercises:
        answer, used, remark = _answer(stored, codes, metadata, own)
        solutions[stored.grade_id].source = answer
        solutions[stored.grade_id].metadata["crn_place"] = used
        if remark and not whole:
            remarks.append(f"{stored.exercise.key}: {remark}")
    if remarks:
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell("**Remarks.** " + "; ".join(remarks), id="remarks"))
    for number, code in enumerate(codes):
        cell = nbformat.v4.new_code_cell(code.source, id=f"handed-in-{number}")
        cell.metadata["crn_handed_in"] = number
        notebook.cells.append(cell)
    return notebook, remarks


def _wrong_lesson(codes: list[Code], lesson: Lesson, keys: Sequence[str]) -> Iterator[str]:
    asked = {stored.exercise.key for stored in lesson.exercises}
    found = {key for code in codes for key in code.checks() if key in keys}
    if found and not found & asked:
        others = sorted({key[:2] for key in found})
        yield f"this is no lesson {lesson.number}: its exercises are those of lesson {' and '.join(others)}"


def _answer(
    stored: StoredExercise, codes: list[Code], metadata: list[Any], own: list[str]
) -> tuple[str, int | None, str]:
    """The source of the answer, which cell it is from, and a remark."""
    key, name = stored.exercise.key, stored.function
    marked = [data.get("nbgrader") if isinstance(data.get("nbgrader"), dict) else {} for data in metadata]
    checked = [n for n, code in enumerate(codes) if key in code.checks() and not marked[n].get("grade")]
    cells = [n for n in range(len(codes)) if marked[n].get("solution") and marked[n].get("grade_id") == stored.grade_id]
    cells = sorted({*cells, *checked})
    if not cells:
        written = [n for n, code in enumerate(codes) if code.source not in own and not marked[n].get("grade")]
        cells = [n for n in written if name in codes[n].binds or f"def {name}(" in codes[n].source]
    if not cells:
        return NOT_THERE, None, "there is no cell for it"
    place = ([n for n in cells if "NotAttempted" not in codes[n].source] or cells)[-1]
    remark = f"{len(cells)} cells answer it; the last one written counts" if len(cells) > 1 else ""
    code = codes[place]
    called = code.checks().get(key)
    defined = [node.name for node in code.tree if isinstance(node, ast.FunctionDef)]
    source = code.without_checks() if code.tree else code.source
    if called is not None and not isinstance(called, ast.Name):
        return f"{source}\n\n{name} = {ast.unparse(called)}", place, remark
    given = called.id if isinstance(called, ast.Name) else name
    if given not in code.binds:
        elsewhere = [n for n, other in enumerate(codes) if given in other.binds and other.source not in own]
        if elsewhere:
            return f"{codes[elsewhere[-1]].without_checks()}\n\n{source}".strip() + _as(name, given), place, remark
        if len(defined) != 1:
            return (f'{source}\n\nraise NameError("no {given} is defined")' if code.tree else source), place, remark
        given = defined[0]
    if given != name:
        remark = remark or f"the function is named {given}"
    return source + _as(name, given), place, remark


def _as(name: str, given: str) -> str:
    return "" if name == given else f"\n\n{name} = {given}"
