"""Grade a class: nbgrader's release, autograde and feedback, and a table of grades."""

import csv
import html
import io
import os
import re
import sysconfig
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import torch
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from crn_lib.errors import RunFailed
from crn_lib.ops import relation
from crn_lib.workbook.editions.lesson import Lesson
from crn_lib.workbook.editions.nbgrader_folder import write_course, write_notebook
from crn_lib.workbook.editions.notebooks import exercises_only
from crn_lib.workbook.grading.mend import mend
from crn_lib.workbook.grading.sandbox import Limits, start_server
from crn_lib.workbook.grading.submissions import Submission

HEADINGS = ("student", "lesson", "points", "of", "exercises", "remarks")
WRAPPED = "<style>div.output_area pre { white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; }</style>\n"
SAID_ELSEWHERE = ("NotRun", "Missing")
"""Errors of checks whose reason stands beside them: in the answer's own error, in a remark."""


@dataclass(frozen=True)
class Grade:
    """A line of the table: the points of one submission, exercise by exercise, and remarks."""

    submission: Submission
    points: dict[str, float]
    remarks: tuple[str, ...]

    def row(self) -> tuple[str, ...]:
        """As `HEADINGS` says."""
        stored = self.submission.lesson.exercises
        parts = (f"{s.exercise.key} {self.points[s.exercise.key]:g}/{s.points}" for s in stored)
        total, most = sum(self.points.values()), sum(s.points for s in stored)
        lesson = self.submission.lesson.path.stem
        return self.submission.student, lesson, f"{total:g}", f"{most}", "; ".join(parts), "; ".join(self.remarks)


def grade_class(
    submissions: Sequence[Submission],
    lessons: Sequence[Lesson],
    folder: Path,
    limits: Limits,
    progress: Callable[[Sequence[Submission]], Iterator[Submission]] = iter,
) -> list[Grade]:
    """Grade all submissions into an empty folder: `grades.csv`, `feedback/NAME/NN_lesson.html`, and `nbgrader/`.

    Raises:
        RunFailed: nbgrader would not take a lesson.
    """
    warnings.filterwarnings("ignore", module="nbgrader")  # of SQLAlchemy, about nbgrader's own code
    # Kernels are compiled here, once: a submission's process keeps none, and would compile its own.
    relation(*torch.zeros(2, 1, 2, 8))
    start_server()  # before nbgrader changes the folder, to which PYTHONPATH may be relative
    course = folder / "nbgrader"
    used = {submission.lesson.number: submission.lesson for submission in submissions}
    write_course(course, list(used.values()), exercises_only)
    api = _nbgrader(course, limits)
    for lesson in used.values():
        made = api.generate_assignment(lesson.path.stem)
        if not made["success"]:
            raise RunFailed(f"nbgrader does not take {lesson.path.name}: {_last_line(made)}")
    keys = [stored.exercise.key for lesson in lessons for stored in lesson.exercises]
    remarks = [_autograde(api, course, submission, keys) for submission in progress(submissions)]
    for lesson in used.values():
        api.generate_feedback(lesson.path.stem)  # where it fails, a page is missing, and its remark says so
    pairs = zip(submissions, remarks, strict=True)
    grades = [_grade(api, course, submission, remark, folder / "feedback") for submission, remark in pairs]
    # With the mark by which spreadsheets know UTF-8; else an umlaut is two odd letters.
    (folder / "grades.csv").write_text(_table(grades), encoding="utf-8-sig", newline="")
    return grades


def _autograde(api: Any, course: Path, submission: Submission, keys: Sequence[str]) -> list[str]:
    """Have nbgrader grade one submission; remarks on what was odd."""
    notebook, remarks = mend(submission.path, submission.lesson, keys)
    write_notebook(_place(course, "submitted", submission) / submission.lesson.path.name, notebook)
    made = api.autograde(submission.lesson.path.stem, submission.student_id)
    return remarks if made["success"] else [*remarks, f"nbgrader stopped: {_last_line(made)}"]


def _grade(api: Any, course: Path, submission: Submission, remarks: list[str], feedback: Path) -> Grade:
    """What nbgrader found; its page of feedback copied."""
    page = _place(course, "feedback", submission) / f"{submission.lesson.path.stem}.html"
    if page.exists():
        target = feedback / submission.student / page.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_named(page.read_text(encoding="utf-8"), submission), encoding="utf-8")
    else:
        remarks = [*remarks, "nbgrader wrote no feedback"]
    graded = _place(course, "autograded", submission) / submission.lesson.path.name
    reasons = _reasons(graded) if submission.path else []
    return Grade(submission, _points(api, submission), (*remarks, *reasons))


def _named(page: str, submission: Submission) -> str:
    """nbgrader's page of feedback with the names of student, lesson and exercises, which it calls test cells.

    Long messages go on in the next line: a page that is printed has no scroll bar.
    """
    lesson = submission.lesson
    name = html.escape(f"{submission.student} · {lesson.title}")
    page = page.replace(f"<h4>{lesson.path.stem} (", f"<h4>{name} (")
    page = page.replace(f"<title>{lesson.path.stem}</title>", f"<title>{name}</title>")
    page = page.replace("</head>", f"{WRAPPED}</head>", 1)
    for stored in lesson.exercises:
        link = f'<a href="#{stored.grade_id}-check">'
        title = html.escape(f"{stored.exercise.key}: {stored.exercise.title}")
        page = page.replace(f"{link}Test cell</a>", f"{link}{title}</a>")
    return page


def _place(course: Path, step: str, submission: Submission) -> Path:
    return course / step / submission.student_id / submission.lesson.path.stem


def _reasons(graded: Path) -> list[str]:
    """Why points are missing, from what the cells of the exercises show; the same in every run."""
    cells = nbformat.read(graded, as_version=4).cells if graded.exists() else []
    found = []
    for cell in cells:
        exercise = cell.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("-check").replace("-", ".", 1)
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        found += [f"{exercise}: {error.ename}: {error.evalue}" for error in errors if error.ename not in SAID_ELSEWHERE]
    return [re.sub(r"0x[0-9a-f]+", "0x…", " ".join(reason.split()))[:300] for reason in found]


def _points(api: Any, submission: Submission) -> dict[str, float]:
    stem = submission.lesson.path.stem
    points = {}
    with Gradebook(api.coursedir.db_url) as book:
        for stored in submission.lesson.exercises:
            try:
                cell = book.find_grade(f"{stored.grade_id}-check", stem, stem, submission.student_id)
                points[stored.exercise.key] = float(cell.score or 0)
            except MissingEntry:
                points[stored.exercise.key] = 0.0
    return points


def _nbgrader(course: Path, limits: Limits) -> Any:
    """nbgrader for this folder, with what its `nbgrader_config.py` says."""
    # It calls `alembic` by name, which without an activated environment is not on the path.
    scripts = sysconfig.get_path("scripts")
    if scripts not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ["PATH"]])
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course.resolve())
    config.RunExercises.seconds = limits.seconds
    config.RunExercises.megabytes = limits.memory // 2**20
    return NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)


def _table(grades: Sequence[Grade]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADINGS, *(grade.row() for grade in grades)])
    return text.getvalue()


def _last_line(made: dict[str, Any]) -> str:
    return next(reversed([line for line in str(made.get("error") or "").splitlines() if line.strip()]), "no reason")
