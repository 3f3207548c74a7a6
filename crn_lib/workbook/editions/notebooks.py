"""From a stored lesson to its notebook in each edition."""

import ast
import textwrap
from typing import Any

import nbformat

from crn_lib.workbook.editions.lesson import STUB, Lesson, StoredExercise

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FOLDED = (
    "*Code further down, which the lesson goes on with, answers this exercise too. It is folded here: answer first.*"
)


def student_notebook(lesson: Lesson, *, hints: bool = False) -> Any:
    """Without solutions and, unless asked for, without hints; the cells of exercises as they wait to be filled in."""
    cells = _cells_of(lesson)
    for stored in lesson.exercises:
        _clear(cells[stored.stub])
        _replace(cells, stored, _hint_and_rest(stored, hints, folded=_fold_answers(cells, stored)))
    return _assembled(lesson, cells)


def instructor_notebook(lesson: Lesson) -> Any:
    """With every solution in the place of its stub, and hint and remark open beside it."""
    cells = _cells_of(lesson)
    for stored in lesson.exercises:
        cell = cells[stored.stub]
        cell.source = f'{stored.solution}\n\n\ncourse.check("{stored.exercise.key}", {stored.function})'
        _clear(cell)
        notes = [f"**The hint students can open.** {stored.hint}"]
        notes += [f"**About this solution.** {stored.remark}"] if stored.remark else []
        _replace(cells, stored, "\n\n".join([*notes, stored.rest]).strip())
    return _assembled(lesson, cells)


def nbgrader_notebook(lesson: Lesson, *, hints: bool = False) -> Any:
    """nbgrader's source: every exercise a solution cell, and behind it a locked test cell worth its points."""
    cells = _cells_of(lesson)
    for stored in lesson.exercises:
        cell = cells[stored.stub]
        cell.source = source_with_solution(cell.source, stored)
        cell.metadata = nbformat.from_dict({"nbgrader": _metadata(stored.grade_id, solution=True)})
        _clear(cell)
        _replace(cells, stored, _hint_and_rest(stored, hints, folded=_fold_answers(cells, stored)))
    for stored in reversed(lesson.exercises):  # from the end: an insertion moves what follows
        cells.insert(stored.stub + 1, check_cell(stored))
    return _assembled(lesson, cells)


def exercises_only(lesson: Lesson) -> Any:
    """nbgrader's source with the cards and cells of the exercises, and nothing else: what grading needs to know."""
    notebook = nbgrader_notebook(lesson)
    keep = {f"{stored.grade_id}{end}" for stored in lesson.exercises for end in ("", "-check")}
    graded = [n for n, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") in keep]
    cards = [n - 1 for n in graded if notebook.cells[n - 1].cell_type == "markdown"]
    notebook.cells = [notebook.cells[n] for n in sorted({*graded, *cards})]
    return notebook


def check_cell(stored: StoredExercise) -> Any:
    """The locked cell that nbgrader takes an exercise's points from."""
    name = f"{stored.grade_id}-check"
    source = f'course.check("{stored.exercise.key}", {stored.function}, graded=True)'
    cell = nbformat.v4.new_code_cell(source, id=name)
    cell.metadata["nbgrader"] = nbformat.from_dict(_metadata(name, points=stored.points))
    return cell


def source_with_solution(stub: str, stored: StoredExercise) -> str:
    """The stub's own head and docstring, and the solution's body between nbgrader's marks.

    Raises:
        ValueError: the solution is no single function with the stub's arguments.
    """
    head, mark, _ = stub.partition(f"    {STUB}\n")
    *imports, function = ast.parse(stored.solution).body
    if not isinstance(function, ast.FunctionDef):
        raise ValueError(f"exercise {stored.exercise.key}: its solution does not end in a function")
    (asked,) = (node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef))
    whole = all(isinstance(node, ast.Import | ast.ImportFrom) for node in imports)
    if not mark or not whole or [a.arg for a in function.args.args] != [a.arg for a in asked.args.args]:
        raise ValueError(f"exercise {stored.exercise.key}: its solution is not the stub's function, filled in")
    lines = stored.solution.splitlines()
    needed = [ast.unparse(node) for node in imports if ast.unparse(node) != "import torch"]  # which the lesson has
    body = textwrap.dedent("\n".join(lines[function.body[0].lineno - 1 : function.end_lineno]))
    return head + textwrap.indent("\n".join([BEGIN, *needed, body, END]), "    ")


def _metadata(grade_id: str, *, solution: bool = False, points: int | None = None) -> dict[str, Any]:
    worth = {} if points is None else {"points": points}
    kind = {"grade": points is not None, "locked": points is not None, "solution": solution, "task": False}
    return {"schema_version": 3, "grade_id": grade_id, "cell_type": "code", **kind, **worth}


def _cells_of(lesson: Lesson) -> list[Any]:
    return [nbformat.from_dict(cell) for cell in nbformat.from_dict(lesson.notebook).cells]


def _clear(cell: Any) -> None:
    cell.outputs, cell.execution_count = [], None


def _hint_and_rest(stored: StoredExercise, hints: bool, *, folded: bool) -> str:
    hint = f"<details><summary><b>Hint</b></summary>\n\n{stored.hint}\n\n</details>" if hints else ""
    return "\n\n".join(filter(None, [hint, FOLDED if folded else "", stored.rest]))


def _fold_answers(cells: list[Any], stored: StoredExercise) -> bool:
    """Hide the code of cells that answer an exercise, tagged `answers:` and its key; whether there are any."""
    answers = [cell for cell in cells if f"answers:{stored.exercise.key}" in cell.metadata.get("tags", [])]
    for cell in answers:
        cell.metadata["jupyter"] = nbformat.from_dict({"source_hidden": True})
    return bool(answers)


def _replace(cells: list[Any], stored: StoredExercise, text: str) -> None:
    cells[stored.folds].source = text


def _assembled(lesson: Lesson, cells: list[Any]) -> Any:
    """A notebook of these cells, without those that have become empty."""
    kept = [cell for cell in cells if cell.source.strip()]
    return nbformat.v4.new_notebook(cells=kept, metadata=nbformat.from_dict(lesson.notebook.metadata))
