"""What the tests answer to every exercise: one right answer and named wrong ones. A new lesson is a file here."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LESSONS = [
    importlib.import_module(f"{__name__}.{path.stem}") for path in sorted(Path(__file__).parent.glob("lesson_*.py"))
]
RIGHT: dict[str, Callable[..., Any]] = {key: answer for lesson in _LESSONS for key, answer in lesson.RIGHT.items()}
WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    key: answers for lesson in _LESSONS for key, answers in lesson.WRONG.items()
}
