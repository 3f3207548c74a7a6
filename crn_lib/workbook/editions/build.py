"""All editions of the lessons, in one folder."""

from pathlib import Path

from crn_lib.workbook.editions.guides import guide, syllabus
from crn_lib.workbook.editions.lesson import Lesson, read_lesson
from crn_lib.workbook.editions.nbgrader_folder import write_course, write_notebook
from crn_lib.workbook.editions.notebooks import instructor_notebook, nbgrader_notebook, student_notebook
from crn_lib.workbook.runner import find_lessons


def build_editions(notebooks: Path, folder: Path, *, hints: bool = False) -> list[Lesson]:
    """Write `student/`, `instructor/`, `nbgrader/` and `syllabus.md` into a folder, from the stored lessons.

    Raises:
        ValueError: a lesson is not written as CONTRIBUTING says, or has no guide.
    """
    lessons = [read_lesson(path) for path in find_lessons(notebooks)]
    for lesson in lessons:
        write_notebook(folder / "student" / lesson.path.name, student_notebook(lesson, hints=hints))
        write_notebook(folder / "instructor" / lesson.path.name, instructor_notebook(lesson))
        page = folder / "instructor" / "guides" / f"{lesson.path.stem}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(guide(lesson), encoding="utf-8")
    write_course(folder / "nbgrader", lessons, lambda lesson: nbgrader_notebook(lesson, hints=hints))
    (folder / "syllabus.md").write_text(syllabus(lessons), encoding="utf-8")
    return lessons
