"""The exercises of all lessons. A new one is an `Exercise` in its lesson's file; a new lesson is a file here."""

import importlib
from pathlib import Path

from crn_lib.course.checks import Exercise

EXERCISES: dict[str, Exercise] = {
    exercise.key: exercise
    for path in sorted(Path(__file__).parent.glob("lesson_*.py"))
    for exercise in importlib.import_module(f"{__name__}.{path.stem}").EXERCISES
}
