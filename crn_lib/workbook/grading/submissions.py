"""A class's folder, `NAME/NN_lesson.ipynb`: whose work is there, of which lessons."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crn_lib.config import require
from crn_lib.workbook.editions.lesson import Lesson


@dataclass(frozen=True)
class Submission:
    """One student's work on one lesson.

    Attributes:
        student: the folder's name.
        student_id: the same without what a path or a pattern would take for something else.
        path: the notebook; `None` where nothing was handed in.
    """

    student: str
    student_id: str
    lesson: Lesson
    path: Path | None


def find_submissions(folder: Path, lessons: Sequence[Lesson]) -> list[Submission]:
    """All work in a folder, by student and lesson; of each lesson that anybody has worked on, one for everybody.

    Raises:
        ConfigError: there is none, one student has two folders or two files of a lesson, or a lesson is none of ours.
    """
    require(folder.is_dir(), f"{folder} is no folder of submissions")
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    ids: dict[str, Path] = {}
    known = {lesson.number: lesson for lesson in lessons}
    files: dict[tuple[Path, str], Path] = {}
    for student in students:
        name = _identity(student.name)
        require(name not in ids, f"one student twice: {ids.get(name, student).name!r} and {student.name!r}")
        ids[name] = student
        for file in sorted(student.glob("*.ipynb")):
            number = file.name[:2]
            there = ", ".join(lesson.path.stem for lesson in lessons)
            require(number in known and file.name[2] == "_", f"{student.name}/{file.name}: no such lesson; {there}")
            other = files.setdefault((student, number), file)
            require(other == file, f"{student.name} has lesson {number} twice: {other.name} and {file.name}")
    require(bool(files), f"there are no submissions in {folder}: they are looked for as NAME/NN_lesson.ipynb")
    numbers = sorted({number for _, number in files})
    return [
        Submission(student.name, _id_of(student.name), known[number], files.get((student, number)))
        for student in students
        for number in numbers
    ]


def _identity(name: str) -> str:
    """The same for names that differ only in how a system writes letters and blanks."""
    return " ".join(unicodedata.normalize("NFKC", _id_of(name)).casefold().split())


def _id_of(name: str) -> str:
    return re.sub(r"[\[\]*?+]", "_", name).strip()
