"""Every lesson has the shape of a lesson: short cells, believable minutes, and every section runs by itself."""

import math
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crn_lib.paths import workbook_folder
from crn_lib.workbook.runner import find_lessons
from tests.notebooks.reading import exercise_minutes, is_folded, reading_minutes
from tests.notebooks.sections import missing_names

LESSONS = find_lessons(workbook_folder() / "notebooks")
MOST_LINES, MOST_WORDS, MOST_READING, MOST_EXERCISES = 25, 30, 60, 30
HEADER = re.compile(r"^\*\*Minutes\*\* (\d+) reading, (\d+) exercises", re.MULTILINE)

lessons = pytest.mark.parametrize("lesson", LESSONS, ids=[path.stem for path in LESSONS])


def cells_of(lesson: Path) -> list[Any]:
    return list(nbformat.read(lesson, as_version=4).cells)


@lessons
def test_a_cell_that_is_read_has_at_most_25_lines(lesson: Path) -> None:
    code = [cell for cell in cells_of(lesson) if cell.cell_type == "code" and not is_folded(cell)]
    assert [cell.id for cell in code if len(cell.source.splitlines()) > MOST_LINES] == []


@lessons
def test_no_marker_is_in_sight_and_no_answer_of_a_quiz(lesson: Path) -> None:
    cells = cells_of(lesson)
    assert not any("NBVAL" in cell.source for cell in cells)
    quizzes = [cell for cell in cells if "course.quiz(" in cell.source and cell.cell_type == "code"]
    assert quizzes and all(is_folded(cell) for cell in quizzes)
    for cell in quizzes:
        (shown,) = (output.data["text/plain"] for output in cell.outputs)
        assert "Right." not in shown


@lessons
def test_its_minutes_are_those_that_its_text_code_and_cards_add_up_to(lesson: Path) -> None:
    cells = cells_of(lesson)
    header = HEADER.search(cells[0].source)
    assert header, "**Minutes** 40 reading, 20 exercises"
    assert [*map(int, header.groups())] == [5 * math.ceil(reading_minutes(cells) / 5), exercise_minutes(cells)]
    assert int(header[1]) <= MOST_READING and int(header[2]) <= MOST_EXERCISES


@lessons
def test_the_sentences_of_its_first_screen_are_short(lesson: Path) -> None:
    assert [s for s in sentences(cells_of(lesson)[0].source) if len(s.split()) > MOST_WORDS] == []


def sentences(text: str) -> list[str]:
    """Of a Markdown cell; an item of a list and a fact between dots are sentences of their own."""
    text = re.sub(r"\]\([^)]*\)|[*`\[]", "", text)
    return [part for part in re.split(r"(?<=[.!?])\s+|\n\n+|\n- |\n\d\. |\s·\s", text) if part.strip()]


@lessons
def test_every_section_runs_after_the_set_up_alone(lesson: Path) -> None:
    assert missing_names(cells_of(lesson)) == {}


def cell(kind: str, source: str, **metadata: Any) -> Any:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata=metadata)


def test_what_a_section_leans_on_is_found_however_it_is_read() -> None:
    first, second = cell("markdown", "## First"), cell("markdown", "Text.\n\n## Second\n\nMore.")
    set_up, made = cell("code", "import math\nseed = 0"), cell("code", "x = [math.pi, seed]\ndef f(y):\n    return y")

    def missing(source: str) -> set[str]:
        return missing_names([set_up, first, made, second, cell("code", source)]).get("Second", set())

    assert missing("x = [1]\nprint(x, math.e, [y for y in x])") == set()
    assert missing("def g(z, *, k=seed):\n    return h(z)\ndef h(z):\n    return z") == set()
    assert missing("for i, n in enumerate([1]):\n    total = i + n\ntotal += 1") == set()
    assert missing("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)") == set()
    assert missing("table = {}\ntable[seed] = 1\nwith open(seed) as file:\n    a, *b = file") == set()
    for needs_x in ("print(x)", "x = x + [1]", "x += [1]", "x[0] = 1", "g = lambda: x", "[x for _ in range(3)]"):
        assert missing(needs_x) == {"x"}, needs_x
    assert missing("def g():\n    return f(x)\ng()") == {"f", "x"}
    assert missing("print(later)\nlater = 1") == {"later"}


def test_words_lines_and_widgets_are_counted_and_what_is_folded_is_not() -> None:
    words = cell("markdown", "word " * 200 + "<details>" + "word " * 99 + "</details> $$x$$")
    code = cell("code", "\n\n".join(["x = 1"] * 15))
    widget = cell("code", "course.bind(draw)")
    card = cell("markdown", "### Exercise 00.x: do\n\nDifficulty ●○○ · 7 minutes\n\n1. " + "word " * 200)
    stub = cell("code", "def f():\n    raise course.NotAttempted")
    folded = cell("code", "x = 1\n" * 90, jupyter={"source_hidden": True})
    assert reading_minutes([words, code, card, stub, folded]) == pytest.approx(2)
    assert reading_minutes([widget]) == pytest.approx(3 + 1 / 15)
    assert exercise_minutes([words, card, card]) == 14


def test_a_long_sentence_is_found_in_a_list_and_a_line_of_facts() -> None:
    text = "# Title\n\nShort. " + "w " * 31 + ".\n\n- " + "w " * 31 + "\n- short\n\n**Minutes** 5 · " + "w " * 31
    assert [len(s.split()) > MOST_WORDS for s in sentences(text)] == [False, False, True, True, False, False, True]
