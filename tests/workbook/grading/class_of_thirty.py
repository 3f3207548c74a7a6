"""A made-up class that hands in lesson 00: what each student did, and the points of its two exercises."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from crn_lib.paths import workbook_folder
from crn_lib.workbook.editions.lesson import STUB, Lesson, read_lesson
from crn_lib.workbook.editions.notebooks import instructor_notebook, nbgrader_notebook, student_notebook
from tests.course.exercise_answers import WRONG

WELCOME = read_lesson(next((workbook_folder() / "notebooks").glob("00_*.ipynb")))
ANOTHER = read_lesson(next((workbook_folder() / "notebooks").glob("03_*.ipynb")))
PROMPT, GREEDY = (stored.solution for stored in WELCOME.exercises)
ASKED = 'course.check("00.prompt", prompt_ids)'
LEFT_BEHIND = 86_397
"""Seconds that a student's forked children sleep: they are found by it, should any be left."""

Handed = tuple[Any, int, int]


def with_answers(prompt: str = PROMPT, greedy: str = GREEDY, lesson: Lesson = WELCOME) -> Any:
    """The student edition with these two cells in place of their stubs; `""` leaves a stub."""
    notebook = student_notebook(lesson)
    for key, name, source in (("00.prompt", "prompt_ids", prompt), ("00.greedy", "write", greedy)):
        cell = next(cell for cell in notebook.cells if f'course.check("{key}"' in cell.source and STUB in cell.source)
        if source:
            cell.source = source if "course.check(" in source else f'{source}\n\n\ncourse.check("{key}", {name})'
    return notebook


def named_wrong(number: int) -> Handed:
    """Two of the tests' named wrong answers: every one of lesson 00 is handed in by somebody."""
    prompts, writes = list(WRONG["00.prompt"]), list(WRONG["00.greedy"])
    one, other = prompts[number % len(prompts)], writes[number % len(writes)]
    take = "from tests.course.exercise_answers import WRONG\n\n"
    prompt = f'{take}prompt_ids = WRONG["00.prompt"][{one!r}]'
    return with_answers(prompt, f'{take}write = WRONG["00.greedy"][{other!r}]'), 0, 0


def inside(line: str, then: str = "") -> str:
    """The right prompt, whose function does something else first."""
    head, _, body = PROMPT.partition("\n")
    return f"{head}\n    {line}\n{body}{then}"


def without(number: int) -> Any:
    notebook = with_answers()
    place = next(n for n, cell in enumerate(notebook.cells) if ASKED in cell.source)
    del notebook.cells[place : place + number]
    return notebook


def copied() -> Any:
    """The stub is still there; the answer is in a copy below, and a wrong one above."""
    notebook = with_answers(prompt="")
    place = next(n for n, cell in enumerate(notebook.cells) if ASKED in cell.source)
    answers = [with_answers(prompt=p).cells[place].source for p in ("def prompt_ids(text):\n    return []", PROMPT)]
    notebook.cells.insert(place, nbformat.v4.new_code_cell(answers[0]))
    notebook.cells.insert(place + 2, nbformat.v4.new_code_cell(answers[1]))
    return notebook


def old() -> Any:
    """Lesson 00 as it may have been: other ids, no second exercise, one that is gone, another docstring."""
    notebook = with_answers()
    notebook.cells = [cell for cell in notebook.cells if "00.greedy" not in cell.source]
    gone = nbformat.v4.new_code_cell('def gone():\n    return 1\n\n\ncourse.check("00.gone", gone)')
    notebook.cells = [*notebook.cells[:4], gone, *notebook.cells[4:]]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"old-{number}"
    return notebook


def with_outputs(megabytes: int) -> Any:
    notebook = with_answers()
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="x" * (megabytes * 10**6))]
    return notebook


def with_a_helper() -> Any:
    """The answer uses a helper of its own cell, and the lesson's cells train and fail where they are executed."""
    notebook = with_answers("def prompt_ids(text):\n    return [0, *mine(text), 1]")
    notebook.cells.insert(
        2, nbformat.v4.new_code_cell("import string\n\nmine = lambda t: [3 + ORDER.index(c) for c in t]")
    )
    notebook.cells.insert(2, nbformat.v4.new_code_cell("ORDER = string.ascii_lowercase\nmodel = train_for_ever()"))
    notebook.cells.insert(2, nbformat.v4.new_code_cell("while True: pass"))
    return notebook


CHEAT = "course.check = lambda *a, **k: None\n\n\ndef prompt_ids(text):\n    return []"
CLASS: dict[str, Handed] = {
    **{f"Wrong {number:02}": named_wrong(number) for number in range(13)},
    "Ada Lovelace": (instructor_notebook(WELCOME), 1, 2),
    "Jürgen Groß": (with_answers(), 1, 2),
    "Zoë of nbgrader": (nbgrader_notebook(WELCOME), 1, 2),
    "Empty": (student_notebook(WELCOME), 0, 0),
    "Endless": (with_answers(inside("while True: pass")), 0, 2),
    "Exit": (with_answers(f"exit()\n\n\n{PROMPT}"), 0, 2),
    "Exit inside": (with_answers(inside("import os; os._exit(0)")), 0, 2),
    "Eight gigabytes": (with_answers(inside("x = bytearray(8 * 10**9)")), 0, 2),
    "Forks": (
        with_answers(f"import os\nimport time\n\nif os.fork() == 0:\n    time.sleep({LEFT_BEHIND})\n\n\n{PROMPT}"),
        1,
        2,
    ),
    "Deleted": (without(1), 0, 2),
    "Copied": (copied(), 1, 2),
    "Renamed": (with_answers(PROMPT.replace("prompt_ids", "mine") + '\n\n\ncourse.check("00.prompt", mine)'), 1, 2),
    "Check edited": (with_answers('def prompt_ids(text):\n    return []\n\n\ncourse.check("00.prompt", len)'), 0, 2),
    "Check disarmed": (with_answers(CHEAT), 0, 2),
    "Old lesson": (old(), 1, 0),
    "Fifty megabytes": (with_outputs(50), 1, 2),
    "Helped": (with_a_helper(), 1, 2),
    "[Odd] *name*?": (with_answers(greedy=""), 1, 0),
    "Wrong lesson": (instructor_notebook(ANOTHER), 0, 0),
}
"""Student to what was handed in, and the points it is worth. Beside them one file is broken, and one is not there."""

UNREADABLE: dict[str, Callable[[Path], object]] = {
    "Broken": lambda path: path.write_text(json.dumps(with_answers())[:-300], encoding="utf-8"),
    "No notebook": lambda path: path.write_bytes(b"\xff\xfe PNG"),
    "A list": lambda path: path.write_text("[1, 2]"),
}


def hand_in(folder: Path, *names: str) -> Path:
    """Write what students handed in, all of them or those named."""
    for name in names or (*CLASS, *UNREADABLE):
        path = folder / name / WELCOME.path.name
        path.parent.mkdir(parents=True)
        if name in CLASS:
            path.write_text(json.dumps(copy.deepcopy(CLASS[name][0])), encoding="utf-8")
        else:
            UNREADABLE[name](path)
    return folder
