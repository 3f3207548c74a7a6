"""The editions of the stored lessons: nothing of a solution for students, all of it for instructors."""

import ast
import copy
import itertools
import json
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

import crn_lib.workbook.editions.build
from crn_lib.commands.course import build
from crn_lib.config import ConfigError
from crn_lib.course import check
from crn_lib.course.exercises import EXERCISES
from crn_lib.paths import workbook_folder
from crn_lib.workbook.editions.build import build_editions
from crn_lib.workbook.editions.guides import MEMORY, MISTAKES, PATHS, guide
from crn_lib.workbook.editions.lesson import STUB, Lesson, StoredExercise, read_lesson
from crn_lib.workbook.editions.notebooks import FOLDED, instructor_notebook, nbgrader_notebook, student_notebook
from crn_lib.workbook.runner import find_lessons
from tests.course.exercise_answers import WRONG

LESSONS = [read_lesson(path) for path in find_lessons(workbook_folder() / "notebooks")]
STORED = [(lesson, stored) for lesson in LESSONS for stored in lesson.exercises]
GUIDE_PARTS = ("Prepare", "Ninety minutes", "The prediction", "Common mistakes", "Discussion", "On a projector")

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
each_exercise = pytest.mark.parametrize(("lesson", "stored"), STORED, ids=lambda x: getattr(x, "grade_id", ""))


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course") / "made"
    build_editions(workbook_folder() / "notebooks", folder)
    return folder


def bodies(source: str) -> set[str]:
    """What the functions of a cell do, without their names, comments and layout."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {ast.unparse(node.body) for node in nodes}


def test_every_exercise_there_is_was_found_in_its_lesson() -> None:
    assert sorted(stored.exercise.key for _, stored in STORED) == sorted(EXERCISES)


@each_lesson
def test_no_solution_is_anywhere_in_the_student_edition(lesson: Lesson) -> None:
    notebook = student_notebook(lesson)
    everything = json.dumps(notebook, ensure_ascii=False)
    assert "<b>Solution</b>" not in everything and "<b>Hint</b>" not in everything
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for stored in lesson.exercises:
        assert json.dumps(stored.solution, ensure_ascii=False)[1:-1] not in everything
        function = stored.solution[stored.solution.index("def ") :]
        body = textwrap.dedent(function.split("\n", 1)[1])
        assert json.dumps(body, ensure_ascii=False)[1:-1] not in everything
        assert not bodies(stored.solution) & bodies(code)
        assert not stored.remark or stored.remark not in everything


def test_a_solution_left_anywhere_would_be_found() -> None:
    lesson = LESSONS[0]
    solution = lesson.exercises[0].solution
    assert bodies(solution) & bodies(f"x = 1\n\n\n{solution}")
    assert json.dumps(solution)[1:-1] in json.dumps(instructor_notebook(lesson))


@each_lesson
def test_students_have_every_card_and_stub_and_all_else_as_stored(lesson: Lesson) -> None:
    cells, before = student_notebook(lesson).cells, nbformat.read(lesson.path, as_version=4).cells
    sources = {cell.source: cell for cell in cells}
    for stored in lesson.exercises:
        stub = sources[before[stored.stub].source]
        assert STUB in stub.source and stub.outputs == [] and stub.execution_count is None
        assert before[stored.stub - 1].source in sources
    touched = {n for stored in lesson.exercises for n in (stored.stub, stored.folds)}
    answers = {n for n, cell in enumerate(before) if answered(cell)}
    kept = [cell for n, cell in enumerate(before) if n not in touched | answers]
    assert [cell for cell in cells if cell in kept] == kept
    assert lesson.notebook.cells == before, "the lesson itself was changed"
    for cell in map(before.__getitem__, answers):
        assert sources[cell.source].metadata["jupyter"]["source_hidden"], "the code that answers an exercise is folded"
        assert answered(cell) <= {stored.exercise.key for stored in lesson.exercises}
    said = [cell for cell in cells if FOLDED in cell.source]
    assert len(said) == len({key for n in answers for key in answered(before[n])})


def answered(cell: Any) -> set[str]:
    """The exercises that a cell of the lesson answers, by their keys."""
    tags = cell.metadata.get("tags", [])
    return {tag.removeprefix("answers:") for tag in tags if tag.startswith("answers:")}


def test_some_lesson_goes_on_with_an_answer() -> None:
    assert any(answered(cell) for lesson in LESSONS for cell in lesson.notebook.cells)


def test_hints_stay_where_they_are_asked_for() -> None:
    shown = "\n".join(cell.source for cell in student_notebook(LESSONS[0], hints=True).cells)
    assert shown.count("<b>Hint</b>") == len(LESSONS[0].exercises) and "<b>Solution</b>" not in shown


@pytest.mark.slow
@each_exercise
def test_a_solution_passes_its_check_as_instructors_and_nbgrader_have_it(
    lesson: Lesson, stored: StoredExercise, capsys: pytest.CaptureFixture[str]
) -> None:
    source = instructor_notebook(lesson).cells[stored.stub].source
    exec("from crn_lib import course\n" + source, {"__name__": "lesson"})
    assert f"{stored.exercise.key}: all" in capsys.readouterr().out
    cells = [cell for cell in nbgrader_notebook(lesson).cells if "nbgrader" in cell.metadata]
    pair = [cell for cell in cells if cell.metadata.nbgrader.grade_id.startswith(stored.grade_id)]
    exec(
        "import torch\nfrom crn_lib import course\n" + "\n\n".join(cell.source for cell in pair), {"__name__": "lesson"}
    )
    assert f"{stored.exercise.key}: all" in capsys.readouterr().out


@each_lesson
def test_nbgrader_gets_a_solution_and_a_locked_test_cell_for_each_exercise(lesson: Lesson) -> None:
    cells = [cell for cell in nbgrader_notebook(lesson).cells if "nbgrader" in cell.metadata]
    assert len(cells) == 2 * len(lesson.exercises)
    for stored, answer, test in zip(lesson.exercises, cells[::2], cells[1::2], strict=True):
        assert answer.metadata.nbgrader.solution and not answer.metadata.nbgrader.grade
        assert answer.source.count("### BEGIN SOLUTION") == answer.source.count("### END SOLUTION") == 1
        assert "course.check" not in answer.source and STUB not in answer.source
        locked = test.metadata.nbgrader
        assert locked.grade and locked.locked and locked.points == stored.exercise.difficulty
        assert test.source == f'course.check("{stored.exercise.key}", {stored.function}, graded=True)'


@pytest.mark.needs("nbgrader")
@each_lesson
def test_nbgrader_itself_takes_the_metadata(lesson: Lesson) -> None:
    from nbgrader.nbgraderformat import MetadataValidator, ValidationError

    notebook = nbgrader_notebook(lesson)
    MetadataValidator().validate_nb(notebook)
    assert notebook.cells[lesson.exercises[0].stub].metadata.nbgrader.pop("grade_id")
    with pytest.raises(ValidationError):
        MetadataValidator().validate_nb(notebook)


def test_an_answer_that_is_the_stub_fails_where_it_is_graded() -> None:
    def stub(*_: object) -> None:
        from crn_lib.course import NotAttempted

        raise NotAttempted

    check("00.prompt", stub)
    with pytest.raises(AssertionError, match="not attempted"):
        check("00.prompt", stub, graded=True)


def test_a_rebuild_is_the_same_byte_for_byte(editions: Path, tmp_path: Path) -> None:
    build_editions(workbook_folder() / "notebooks", tmp_path / "again")
    files = {path.relative_to(editions): path for path in editions.rglob("*") if path.is_file()}
    again = {path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file()}
    assert again == set(files) and len(files) > 4 * len(LESSONS)
    assert all((tmp_path / "again" / name).read_bytes() == path.read_bytes() for name, path in files.items())


@each_lesson
def test_a_guide_has_every_part_and_its_plan_fills_the_time(lesson: Lesson, editions: Path) -> None:
    page = (editions / "instructor" / "guides" / f"{lesson.path.stem}.md").read_text()
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(GUIDE_PARTS)
    assert not re.search(r"\{\w+\}", page), "a part was not filled in"
    spans = [(int(a), int(b)) for a, b in re.findall(r"^- \*\*(\d+)–(\d+)\*\*", page, re.MULTILINE)]
    assert spans[0][0] == 0 and spans[-1][1] == 90
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    plan = page.split("## Ninety minutes")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\d\d\.\w+)`", plan)) <= {stored.exercise.key for stored in lesson.exercises}
    for stored in lesson.exercises:
        assert all(f"| {name.replace('|', chr(92) + '|')} |" in page for name in WRONG[stored.exercise.key])


@each_lesson
def test_a_guide_asks_each_question_as_students_see_it_with_the_stored_answer(lesson: Lesson) -> None:
    asked = guide(lesson).split("## The prediction")[1].split("\n## ")[0]
    questions = re.findall(r"^- \*(.+)\* The stored run: \*\*(.+)\*\*\.$", asked, re.MULTILINE)
    revealed = [
        re.split(r"; [^:;]+: ", str(output.data["text/plain"]))[-1].strip()
        for cell in lesson.notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "your guess: " in str(output.get("data", {}).get("text/plain", ""))
    ]
    assert [answer for _, answer in questions] == revealed and revealed
    assert not any("`" in question for question, _ in questions), "a name of the lesson's code in place of its value"


def test_a_guide_finds_an_answer_whatever_it_is_called() -> None:
    """`reveal(..., called=...)` takes any words."""
    lesson = next(lesson for lesson in LESSONS if lesson.path.stem.startswith("10"))
    again = replace(lesson, notebook=copy.deepcopy(lesson.notebook))
    for cell in again.notebook.cells:
        for output in cell.get("outputs", []):
            if "text/plain" in output.get("data", {}):
                output.data["text/plain"] = str(output.data["text/plain"]).replace("; measured: ", "; Argued here: ")
    assert guide(again) == guide(lesson)


def test_a_path_takes_no_lesson_without_what_it_builds_on() -> None:
    for name, numbers in PATHS.items():
        if name != "One lecture":  # which shows parts
            assert all(set(lesson.needs) <= set(numbers) for lesson in LESSONS if lesson.number in numbers), name


def test_the_memory_of_every_lesson_was_measured() -> None:
    assert set(json.loads(MEMORY.read_text(encoding="utf-8"))["mebibytes"]) == {lesson.number for lesson in LESSONS}


def test_the_message_of_every_named_wrong_answer_is_stored() -> None:
    stored = json.loads(MISTAKES.read_text(encoding="utf-8"))
    names = {key: list(answers) for key, answers in stored.items()}
    assert names == {key: list(WRONG[key]) for key in sorted(WRONG)}, "stale: run scripts/write_mistakes.py"


def test_the_syllabus_names_every_lesson_and_what_it_builds_on(editions: Path) -> None:
    page = (editions / "syllabus.md").read_text()
    assert not re.search(r"\{\w+\}", page)
    for lesson in LESSONS:
        assert f"](student/{lesson.path.name})" in page
        assert all(f"L{need} --> L{lesson.number}" in page for need in lesson.needs)
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (editions / link).is_file()


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(crn_lib.workbook.editions.build, "syllabus", no_room)
    with pytest.raises(OSError, match="no space"):
        build(tmp_path / "course")
    assert list(tmp_path.iterdir()) == []
