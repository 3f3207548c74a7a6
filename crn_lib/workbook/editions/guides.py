"""Guide pages for instructors, and the syllabus: prose from `guides/`, with what lessons and tests know filled in."""

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crn_lib.workbook.editions.lesson import Lesson
from crn_lib.workbook.generated import markdown_table

PROSE = Path(__file__).parent / "guides"
MISTAKES = Path(__file__).parent / "mistakes.json"
MEMORY = Path(__file__).parent / "memory.json"

PATHS = {
    "One lecture": ("00", "01", "04", "08"),
    "A week": ("00", "01", "02", "03", "04", "05", "06", "07"),
    "A term": (),  # every lesson
}


def guide(lesson: Lesson) -> str:
    """The guide page of a lesson, in Markdown.

    Raises:
        ValueError: nobody has written its prose.
    """
    path = PROSE / f"{lesson.number}.md"
    if not path.exists():
        raise ValueError(f"{lesson.path.name} has no guide: write {path}")
    minutes = f"**Minutes** {lesson.minutes} reading, {lesson.exercise_minutes} exercises"
    facts = (minutes, f"**Memory** {_memory(lesson)}", f"**Builds on** {', '.join(lesson.needs) or 'nothing'}")
    head = [
        f"# {lesson.title}: guide",
        f"**Students can afterwards**\n\n{lesson.goals}",
        " · ".join(facts),
        markdown_table(
            ("exercise", "what to write", "points", "minutes"),
            [(s.exercise.key, s.exercise.title, str(s.points), str(s.exercise.minutes)) for s in lesson.exercises],
        ),
        f"Solutions are open in [the instructor's notebook](../{lesson.path.name}).",
    ]
    prose = _fill(path, predictions=_predictions(lesson), mistakes=_mistakes(lesson))
    return "\n\n".join([*head, prose])


def syllabus(lessons: Sequence[Lesson]) -> str:
    """The syllabus, in Markdown: paths, prerequisites, minutes and memory."""
    rows = [
        (
            f"[{lesson.title}](student/{lesson.path.name})",
            str(lesson.minutes),
            str(lesson.exercise_minutes),
            _memory(lesson),
            ", ".join(lesson.needs),
        )
        for lesson in lessons
    ]
    headings = ("lesson", "minutes of reading", "of exercises", "memory", "builds on")
    arrows = [f"  L{need} --> L{lesson.number}" for lesson in lessons for need in lesson.needs]
    names = [f'  L{lesson.number}["{lesson.title}"]' for lesson in lessons]
    graph = "\n".join(["```mermaid", "graph LR", *names, *arrows, "```"])
    memory = (
        f"Memory is what all processes of the lesson held at their most, executed once on {_measured()['machine']}."
    )
    return _fill(
        PROSE / "syllabus.md", lessons=markdown_table(headings, rows), memory=memory, graph=graph, paths=_paths(lessons)
    )


def _paths(lessons: Sequence[Lesson]) -> str:
    rows = []
    for name, numbers in PATHS.items():
        chosen = [lesson for lesson in lessons if not numbers or lesson.number in numbers]
        reading, exercises = sum(x.minutes for x in chosen), sum(x.exercise_minutes for x in chosen)
        listed = ", ".join(lesson.number for lesson in chosen)
        if name == "One lecture":
            rows.append((name, f"parts of {listed}", "90 in all", "none"))
        else:
            rows.append((name, listed, f"{reading}", f"{exercises}"))
    return markdown_table(("path", "lessons", "minutes of reading", "of exercises"), rows)


def _predictions(lesson: Lesson) -> str:
    """Each question as it was asked, and what the stored lesson answers."""
    lines = []
    for output in _outputs(lesson):
        shown = output.get("data", {})
        answer = re.match(r"your guess: .*?; [^:;]+: (.*)", str(shown.get("text/plain", "")))
        if answer:
            question = re.search(r"<b>(.*?)</b>", str(shown["text/html"]))
            assert question is not None, "a card has a title"
            lines.append(f"- *{html.unescape(question[1])}* The stored run: **{answer[1].strip()}**.")
    return "\n".join(lines)


def _outputs(lesson: Lesson) -> list[Any]:
    return [output for cell in lesson.notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def _mistakes(lesson: Lesson) -> str:
    stored = json.loads(MISTAKES.read_text(encoding="utf-8"))
    parts = []
    for exercise in (stored_exercise.exercise for stored_exercise in lesson.exercises):
        rows = [(name, f"`{message.replace('`', chr(39))}`") for name, message in stored.get(exercise.key, {}).items()]
        parts.append(f"**{exercise.key}**\n\n" + markdown_table(("a wrong answer", "what its author sees"), rows))
    return "\n\n".join(parts)


def _measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(MEMORY.read_text(encoding="utf-8"))
    return found


def _memory(lesson: Lesson) -> str:
    known = _measured()["mebibytes"].get(lesson.number)
    return "not measured" if known is None else f"{known:,} MiB"


def _fill(path: Path, **parts: str) -> str:
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text
