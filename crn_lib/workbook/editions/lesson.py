"""A stored lesson taken apart: what its first cell says, and where its exercises, hints and solutions are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from crn_lib.course.checks import Exercise
from crn_lib.course.exercises import EXERCISES

STUB = "raise course.NotAttempted"
_FOLD = re.compile(r"<details><summary><b>(Hint|Solution)</b></summary>\n\n(.*?)\n\n</details>\s*", re.DOTALL)
_CODE = re.compile(r"\A```python\n(.*?)\n```\s*", re.DOTALL)


@dataclass(frozen=True)
class StoredExercise:
    """An exercise as its lesson stores it: a card, a stub with its check, and a cell of two folds.

    Attributes:
        exercise: what the registry knows of it.
        function: the name that the reader is to define.
        stub, folds: numbers of the cells; the card is the cell before the stub.
        hint: Markdown.
        solution: Python.
        remark: Markdown that follows the solution inside its fold; may be empty.
        rest: Markdown of the cell that is no fold; may be empty.
    """

    exercise: Exercise
    function: str
    stub: int
    folds: int
    hint: str
    solution: str
    remark: str
    rest: str

    @property
    def grade_id(self) -> str:
        """Its key as nbgrader takes it: letters, digits, `-` and `_`."""
        return self.exercise.key.replace(".", "-")

    @property
    def points(self) -> int:
        """What it is worth: its difficulty."""
        return self.exercise.difficulty


@dataclass(frozen=True)
class Lesson:
    """A stored lesson. `notebook` is its own copy, free to be changed.

    Attributes:
        path: the stored file.
        title: of the first cell, with the number.
        goals: what the reader can do afterwards, as a Markdown list.
        minutes: for reading.
        needs: the numbers of the lessons that it builds on.
        exercises: in the lesson's order.
    """

    path: Path
    notebook: Any
    title: str
    goals: str
    minutes: int
    needs: tuple[str, ...]
    exercises: tuple[StoredExercise, ...]

    @property
    def number(self) -> str:
        """Two digits."""
        return self.path.stem[:2]

    @property
    def exercise_minutes(self) -> int:
        """What its cards add up to, those of investigations too, which nothing checks."""
        text = "\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        return sum(int(minutes) for minutes in re.findall(r"^Difficulty [●○]+ · (\d+) minutes", text, re.MULTILINE))


def read_lesson(path: Path) -> Lesson:
    """Take a stored lesson apart.

    Raises:
        ValueError: its first cell or an exercise is not written as CONTRIBUTING says; the message names it.
    """
    notebook = nbformat.read(path, as_version=4)
    opening = notebook.cells[0].source
    title = re.search(r"^# (.+)$", opening, re.MULTILINE)
    facts = re.search(r"\*\*After this lesson you can\*\*\s+(.+?)\n\n\*\*Minutes\*\* (\d+)(.*)", opening, re.DOTALL)
    if title is None or facts is None:
        raise ValueError(f"{path.name}: its first cell has no title, or not what the reader can do after it")
    needs = tuple(dict.fromkeys(re.findall(r"\]\((\d\d)_\w+\.ipynb\)", facts[3].split("**From the paper**")[0])))
    exercises = tuple(_exercises(path, notebook.cells))
    return Lesson(path, notebook, title[1], facts[1], int(facts[2]), needs, exercises)


def _exercises(path: Path, cells: list[Any]) -> list[StoredExercise]:
    found = []
    for number, cell in enumerate(cells):
        check = re.search(r'^course\.check\("([\w.]+)", (\w+)\)$', cell.source, re.MULTILINE)
        if cell.cell_type != "code" or check is None or STUB not in cell.source:
            continue
        key, function = check.groups()
        later = range(number + 1, len(cells))
        folds = next((n for n in later if "<b>Solution</b>" in cells[n].source), None)
        parts = dict(_FOLD.findall(cells[folds].source)) if folds is not None else {}
        code = _CODE.match(parts.get("Solution", ""))
        if folds is None or code is None or "Hint" not in parts or key not in EXERCISES:
            raise ValueError(f"{path.name}: exercise {key} has no card, or not a folded hint and solution after it")
        remark, rest = _CODE.sub("", parts["Solution"]).strip(), _FOLD.sub("", cells[folds].source).strip()
        found.append(
            StoredExercise(EXERCISES[key], function, number, folds, parts["Hint"].strip(), code[1], remark, rest)
        )
    return found
