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
    timeout: Annotated[
        int | None,
        typer.Option(min=1, help="Seconds one cell may take; 900 where not given, in the profile paper no limit."),
    ] = None,
) -> None:
    """Run lessons headless, and say how each went."""
    from crn_lib.course.parameters import PROFILES, one_of
    from crn_lib.paths import workbook_folder
    from crn_lib.workbook.pictures import add_pictures_to
    from crn_lib.workbook.runner import CELL_TIMEOUT, LessonError, find_lessons, parameters_of, run_lesson

    one_of("profile", profile, PROFILES)
    stored = workbook_folder() / "notebooks"
    chosen = find_lessons(stored, lessons or [])
    given = _split_parameters(parameter or [])
    known = {path: parameters_of(path) for path in chosen}
    for name in given:
        if not any(name in names for names in known.values()):
            everything = sorted({name for names in known.values() for name in names})
            raise ConfigError(f"no lesson chosen has a parameter {name!r}; they have {', '.join(everything)}")
    if out.resolve() == stored.resolve():
        raise ConfigError(f"--out {out} is the folder of the stored lessons, which executed copies would replace")
    check_folder(out)
    if profile == "paper":
        timeout = timeout or 0
        typer.echo(
            "profile paper trains at the paper's own shape, which is meant for a GPU: on a processor one cell can take "
            "an hour or more" + ("" if timeout else ", and has no limit; --timeout sets one"),
            err=True,
        )
    limit = CELL_TIMEOUT if timeout is None else timeout or None
    table: list[tuple[str, str, str, str]] = []
    failures = []
    without_pictures = ""
    code = 0
    started = time.perf_counter()
    for number, lesson in enumerate(chosen, start=1):
        typer.echo(f"[{number}/{len(chosen)}] {lesson.stem}", err=True)
        values = {"profile": profile, **given}
        own = {name: _value(values[name], default) for name, default in known[lesson].items() if name in values}
        begun = time.perf_counter()
        copy = out / lesson.name
        result = "FAILED"
        try:
            run_lesson(lesson, copy, own, timeout=limit)
            result = "ok"
        except (LessonError, OSError) as error:
            failures.append(str(error))
        except KeyboardInterrupt:
            result, code = "interrupted", 130
        except SystemExit as stopped:
            result, code = "interrupted", int(stopped.code or 0)
        if not code:
            without_pictures = add_pictures_to(copy) or without_pictures
        table.append((lesson.stem, f"{time.perf_counter() - begun:.1f}", result, str(copy)))
        if code:
            break
    print_table(("lesson", "seconds", "result", "executed copy"), table)
    typer.echo(f"{len(table)} of {len(chosen)} lessons in {time.perf_counter() - started:.0f} s, profile {profile}")
    if without_pictures:
        typer.echo(f"the copies show figures in JupyterLab only: {without_pictures}")
    for failure in failures:
        typer.echo(f"error: {failure}", err=True)
    if code or failures:
        raise typer.Exit(code or 1)


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


def _split_parameters(given: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name.isidentifier():
            raise ConfigError(f"a parameter is written -p NAME VALUE, as in -p string_length 8; got {item!r}")
        parameters[name] = value
    return parameters


def _value(text: str, default: Any) -> Any:
    """What the text means for a parameter with this default: text where that is text, else a number, true or false."""
    if isinstance(default, str):
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)
