"""The exercises of all lessons. A new one is an `Exercise` in its lesson's file; a new lesson is a file here."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crn_lib.course.cards import Card
from crn_lib.course.checks import Exercise, NotAttempted
from crn_lib.course.failures import CheckFailed, Interrupted, own_lines
from crn_lib.course.watched import in_one_line, watched

EXERCISES: dict[str, Exercise] = {
    exercise.key: exercise
    for path in sorted(Path(__file__).parent.glob("lesson_*.py"))
    for exercise in importlib.import_module(f"{__name__}.{path.stem}").EXERCISES
}


def check(key: str, attempt: Callable[..., Any], *, graded: bool = False) -> None:
    """Check an answer to an exercise.

    Where the stub still raises `NotAttempted`, says "not attempted" and lets the lesson go on; where the answer is
    `graded`, that is a failure too.

    Raises:
        CheckFailed: a requirement is not met.
        Interrupted: it was stopped by hand.
        KeyError: there is no such exercise; the message names those there are.
    """
    if key not in EXERCISES:
        raise KeyError(f"there is no exercise {key!r}; there are {', '.join(sorted(EXERCISES))}")
    exercise = EXERCISES[key]
    try:
        exercise.examine(watched(exercise, attempt))
    except NotAttempted:
        if graded:
            raise CheckFailed("not attempted: the stub is as it was") from None
        Card(f"Exercise {key}: not attempted yet", "", f"{key}: not attempted").show()
        return
    except CheckFailed:
        raise
    except Exception as error:
        hint = "; is there a `return`?" if "NoneType" in str(error) else ""
        message = f"what it returned cannot be checked: {in_one_line(error)}{hint}"
        raise CheckFailed(message, own_lines(error.__traceback__)) from None
    except KeyboardInterrupt:
        raise Interrupted from None
    count = len(exercise.requirements)
    title = f"Exercise {key}: all {count} requirements met"
    Card(title, "", f"{key}: all {count} requirements met", "right").show()
