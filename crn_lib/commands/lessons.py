"""`crn run`, `crn refresh`, `crn check`: the lessons executed, stored with what they show, and looked over."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from crn_lib.commands.output import check_folder, print_table
from crn_lib.config import ConfigError

Lessons = Annotated[list[str] | None, typer.Argument(help="Lessons by number or name; all where none is given.")]


def run(
    lessons: Lessons = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME VALUE", help="A lesson parameter.")
    ] = None,
    profile: Annotated[str, typer.Option(help="smoke, laptop or paper.")] = "laptop",
    out: Annotated[Path, typer.Option(help="Where the executed copies go.")] = Path("out"),
) -> None:
    """Run lessons headless, and say how each went."""
    from crn_lib.course.parameters import PROFILES, one_of
    from crn_lib.paths import workbook_folder
    from crn_lib.workbook.runner import LessonError, find_lessons, parameters_of, run_lesson

    one_of("profile", profile, PROFILES)
    chosen = find_lessons(workbook_folder() / "notebooks", lessons or [])
    given = _parse_parameters(parameter or [])
    known = {path: parameters_of(path) for path in chosen}
    for name in given:
        if not any(name in names for names in known.values()):
            everything = sorted({name for names in known.values() for name in names})
            raise ConfigError(f"no lesson chosen has a parameter {name!r}; they have {', '.join(everything)}")
    check_folder(out)
    table: list[tuple[str, str, str, str]] = []
    failures = []
    started = time.perf_counter()
    try:
        for number, lesson in enumerate(chosen, start=1):
            typer.echo(f"[{number}/{len(chosen)}] {lesson.stem}", err=True)
            own = {name: value for name, value in {"profile": profile, **given}.items() if name in known[lesson]}
            begun = time.perf_counter()
            copy = out / lesson.name
            try:
                run_lesson(lesson, copy, own)
                result = "ok"
            except LessonError as error:
                failures.append(str(error))
                result = "FAILED"
            table.append((lesson.stem, f"{time.perf_counter() - begun:.1f}", result, str(copy)))
    except KeyboardInterrupt:
        failures.append("interrupted; the lessons above are done")
    print_table(("lesson", "seconds", "result", "executed copy"), table)
    typer.echo(f"{len(table)} of {len(chosen)} lessons in {time.perf_counter() - started:.0f} s, profile {profile}")
    for failure in failures:
        typer.echo(f"error: {failure}", err=True)
    if failures:
        raise typer.Exit(1)


def refresh(lessons: Lessons = None) -> None:
    """Execute lessons with their defaults, store what they show, and write the claims table anew."""
    from tqdm import tqdm

    from crn_lib.paths import workbook_folder
    from crn_lib.workbook import collect_claims
    from crn_lib.workbook.runner import find_lessons
    from crn_lib.workbook.stored_lessons import refresh as refresh_lesson

    root = workbook_folder()
    for lesson in tqdm(find_lessons(root / "notebooks", lessons or []), desc="refreshing", unit="lesson"):
        refresh_lesson(lesson)
    collect_claims.update(root)


def check(lessons: Lessons = None) -> None:
    """Say what is wrong with the stored lessons; nothing is executed."""
    from crn_lib.paths import workbook_folder
    from crn_lib.workbook.runner import find_lessons
    from crn_lib.workbook.stored_lessons import problems

    stored = find_lessons(workbook_folder() / "notebooks", lessons or [])
    found = [f"{lesson.name}: {problem}" for lesson in stored for problem in problems(lesson)]
    typer.echo("\n".join(found) if found else f"{len(stored)} stored lessons are clean")
    if found:
        raise typer.Exit(1)


def _parse_parameters(given: list[str]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name.isidentifier():
            raise ConfigError(f"a parameter is written -p NAME VALUE, as in -p string_length 8; got {item!r}")
        parameters[name] = _parse_value(value)
    return parameters


def _parse_value(text: str) -> Any:
    """A whole number, a number, true or false, else the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)
