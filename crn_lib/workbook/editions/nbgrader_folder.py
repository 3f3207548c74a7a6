"""The folder that nbgrader 0.9 takes for a course: its source notebooks, its configuration, a header."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat

from crn_lib.workbook.editions.lesson import Lesson

CONFIGURATION = '''\
"""nbgrader's configuration of this course; run nbgrader in this folder. Written by `crn course build`."""

import os
import sys

from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, GetGrades, LimitOutput, SaveAutoGrades
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor

from crn_lib.workbook.grading.preprocessors import OnlyExercises, RunExercises

# nbgrader calls `alembic` by its name, which without an activated environment is not on the path.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "causal_rn"
c.IncludeHeaderFooter.header = "source/header.ipynb"
c.ClearSolutions.code_stub = {"python": "raise course.NotAttempted"}
c.OverwriteCells.add_missing_cells = True

# Only the exercises are executed, and what they need: each in a process of its own, with a limit of time and memory.
c.Autograde.autograde_preprocessors = [
    RunExercises,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.RunExercises.seconds = 20
c.RunExercises.megabytes = 2048
c.GenerateFeedback.preprocessors = [OnlyExercises, GetGrades, CSSHTMLHeaderPreprocessor]
c.HTMLExporter.exclude_input_prompt = True
'''

HEADER = """\
*Write each answer where the cell says `raise course.NotAttempted`, and keep the function's name. The cell below an
answer checks it: run it as often as you like. It counts for the points on the exercise's card, one for each filled
circle of its difficulty. Cells that you add are looked at too, but training is not run again when this is graded.*
"""


def write_course(folder: Path, lessons: Sequence[Lesson], notebook: Callable[[Lesson], Any]) -> None:
    """Write the course folder, each lesson an assignment of one notebook."""
    header = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(HEADER, id="course-header")])
    write_notebook(folder / "source" / "header.ipynb", header)
    for lesson in lessons:
        write_notebook(folder / "source" / lesson.path.stem / lesson.path.name, notebook(lesson))
    (folder / "nbgrader_config.py").write_text(CONFIGURATION, encoding="utf-8")


def write_notebook(path: Path, notebook: Any) -> None:
    """Write a notebook, the same bytes for the same cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
