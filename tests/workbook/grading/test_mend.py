"""The answer is looked for in whatever was handed in, and found where it is; nothing else passes for one."""

import json
from pathlib import Path

import nbformat
import pytest

from crn_lib.workbook.editions.lesson import read_lesson
from crn_lib.workbook.editions.notebooks import nbgrader_notebook
from crn_lib.workbook.grading.mend import NOT_THERE, Unreadable, mend, read_code
from tests.workbook.grading.class_of_thirty import GREEDY, PROMPT, WELCOME, with_answers

KEYS = ["00.prompt", "00.greedy", "03.prefix"]


def answers(path: Path, *sources: str) -> dict[str, str]:
    """The solution cells of a notebook that was handed in with these code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    mended, _ = mend(path, WELCOME, KEYS)
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in mended.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00_welcome.ipynb"


def test_an_answer_is_its_cell_without_the_check(path: Path) -> None:
    found = answers(path, f'{PROMPT}\n\n\ncourse.check("00.prompt", prompt_ids)')
    assert found == {"00-prompt": PROMPT, "00-greedy": NOT_THERE}


def test_a_function_of_the_lesson_itself_is_no_answer(path: Path) -> None:
    """Lessons may define what an exercise asks for; who deleted the exercise has not written that."""
    notebook = nbformat.read(WELCOME.path, as_version=4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(PROMPT))
    nbformat.write(notebook, path)
    lesson = read_lesson(path)
    notebook.cells = [cell for cell in notebook.cells if "course.check" not in cell.source]
    nbformat.write(notebook, path)
    mended, remarks = mend(path, lesson, KEYS)
    assert remarks == ["00.prompt: there is no cell for it", "00.greedy: there is no cell for it"]
    assert [
        cell.source for cell in mended.cells if "nbgrader" in cell.metadata and cell.metadata.nbgrader.solution
    ] == [
        NOT_THERE,
        NOT_THERE,
    ]


def test_another_name_and_another_cell_are_found(path: Path) -> None:
    renamed = PROMPT.replace("prompt_ids", "mine")
    assert answers(path, renamed, 'course.check("00.prompt", mine)')["00-prompt"].endswith("prompt_ids = mine")
    assert answers(path, f'{renamed}\ncourse.check("00.prompt", prompt_ids)')["00-prompt"].endswith("= mine")
    given = answers(path, 'course.check("00.prompt", lambda text: [0, 1])')["00-prompt"]
    assert given.strip() == "prompt_ids = lambda text: [0, 1]"


def test_a_cell_that_defines_nothing_fails_by_name_and_takes_nothing_from_the_lesson(path: Path) -> None:
    answer = answers(path, 'x = 1\n\n\ncourse.check("00.prompt", prompt_ids)')["00-prompt"]
    with pytest.raises(NameError, match="no prompt_ids is defined"):
        exec(answer, {})


def test_of_several_cells_the_last_one_written_counts(path: Path) -> None:
    stub = next(cell.source for cell in with_answers(prompt="").cells if 'course.check("00.prompt"' in cell.source)
    checked = '\n\n\ncourse.check("00.prompt", prompt_ids)'
    found = answers(path, f"def prompt_ids(t):\n    return 1{checked}", PROMPT + checked, stub)
    assert found["00-prompt"] == PROMPT


def test_nbgraders_own_cells_are_known_by_their_name_whatever_their_check_says(path: Path) -> None:
    notebook = nbgrader_notebook(WELCOME)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = "pass"
    path.write_text(json.dumps(notebook))
    mended, remarks = mend(path, WELCOME, KEYS)
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in mended.cells if "nbgrader" in cell.metadata}
    assert not remarks and marked["00-greedy-check"].source == 'course.check("00.greedy", write, graded=True)'
    assert GREEDY.splitlines()[-1].strip() in marked["00-greedy"].source


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON at line 1"),
        ("[]", "no cells"),
        ('{"cells": 3}', "no cells"),
        ("[" * 100_000, "nested too deeply|no JSON"),
    ],
)
def test_what_is_no_notebook_is_said_in_a_line(path: Path, text: str, reason: str) -> None:
    path.write_text(text)
    with pytest.raises(Unreadable, match=reason):
        read_code(path)
