"""What the tests answer to every exercise: right answers and named wrong ones. A new lesson is a file here."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LESSONS = [
    importlib.import_module(f"{__name__}.{path.stem}") for path in sorted(Path(__file__).parent.glob("lesson_*.py"))
]
RIGHT: dict[str, Callable[..., Any]] = {key: answer for lesson in _LESSONS for key, answer in lesson.RIGHT.items()}
ALSO_RIGHT: list[tuple[str, Callable[..., Any]]] = [
    (key, answer)
    for lesson in _LESSONS
    for key, answers in getattr(lesson, "ALSO_RIGHT", {}).items()
    for answer in answers
]
WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    key: answers for lesson in _LESSONS for key, answers in lesson.WRONG.items()
}
