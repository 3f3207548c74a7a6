"""`crn run`, `crn refresh`, `crn check`: the lessons executed, stored with what they show, and looked over."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crn_lib.commands.output import check_file, check_folder, print_table
from crn_lib.config import ConfigError, require
from crn_lib.units import counted

if TYPE_CHECKING:
    from crn_lib.workbook.outcomes import Outcome

Lessons = Annotated[list[str] | None, typer.Argument(help="Lessons by number or name; all where none is given.")]


def run(
    lessons: Lessons = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME VALUE", help="A lesson parameter.")
    ] = None,
    profile: Annotated[str, typer.Option(help="smoke, laptop or paper.")] = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="Where the executed copies go: out where not given, in CRN_HOME if that is set.")
    ] = None,
    timeout: Annotated[
        int | None,
        typer.Option(min=1, help="Seconds one cell may take; 900 where not given, in the profile paper no limit."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Lessons at once, each in a process of its own.")] = 1,
    junit: Annotated[Path | None, typer.Option(help="File of a report as JUnit's XML, a test case a lesson.")] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only lessons that differ from --base, as git sees.")
    ] = False,
    base: Annotated[
        str | None, typer.Option(help="Branch or commit for --changed: origin/main, else main, where not given.")
    ] = None,
) -> None:
    """Run lessons headless, and say how each went.

    Exit codes: 0, all ran; 1, one failed or could not be stored; 2, bad input; 130, Ctrl-C; 143, SIGTERM.
    """
    from crn_lib.course.parameters import PROFILES, one_of
    from crn_lib.paths import output, workbook_folder
    from crn_lib.workbook.outcomes import Outcome, write_junit
    from crn_lib.workbook.runner import find_lessons, parameters_of

    one_of("profile", profile, PROFILES)
    root = workbook_folder()
    stored = root / "notebooks"
    chosen = find_lessons(stored, lessons or [])
    given = _split_parameters(parameter or [])
    known = {path: parameters_of(path) for path in chosen}
    for name in given:
        if not any(name in names for names in known.values()):
            everything = sorted({name for names in known.values() for name in names})
            raise ConfigError(f"no lesson chosen has a parameter {name!r}; they have {', '.join(everything)}")
    out = out or output("out")
    if out.resolve() == stored.resolve():
        raise ConfigError(f"--out {out} is the folder of the stored lessons, which executed copies would replace")
    require(changed or base is None, f"--base {base} belongs to --changed")
    if changed:
        from crn_lib.workbook.changed import changed_lessons

        chosen, against = changed_lessons(chosen, root, base)
        typer.echo(f"{len(chosen)} of {len(known)} lessons can differ from {against}", err=True)
    check_folder(out)
    if junit is not None:
        check_file(junit)
    if profile == "paper":
        limit = "" if timeout else ", and has no limit; --timeout sets one"
        typer.echo(
            "profile paper trains at the paper's own shape, which is meant for a GPU: on a processor one cell can take "
            f"an hour or more{limit}",
            err=True,
        )
    table: list[Outcome] = []
    started = time.perf_counter()
    values = {path: {name: v for name, v in given.items() if name in known[path]} for path in chosen}
    if jobs > 1:
        code, pictures = _run_side_by_side(chosen, values, profile, out, timeout, jobs, table), ""
    else:
        typed = {p: {name: _value(v, known[p][name]) for name, v in own.items()} for p, own in values.items()}
        for path in chosen:
            if "profile" in known[path]:
                typed[path].setdefault("profile", profile)
        code, pictures = _run_in_turn(chosen, typed, out, timeout or (0 if profile == "paper" else None), table)
    ran = {outcome.lesson: outcome for outcome in table}
    table = [ran[path.stem] for path in chosen if path.stem in ran]
    seconds = time.perf_counter() - started
    lines = [(o.lesson, f"{o.seconds:.1f}", o.result, str(out / f"{o.lesson}.ipynb")) for o in table]
    print_table(("lesson", "seconds", "result", "executed copy"), lines)
    typer.echo(f"{len(table)} of {counted(len(chosen), 'lesson')} in {seconds:.0f} s, profile {profile}")
    if pictures:
        typer.echo(f"the copies show figures in JupyterLab only: {pictures}")
    failures = [outcome.error for outcome in table if outcome.result == "FAILED"]
    for failure in failures:
        typer.echo(f"error: {failure}", err=True)
    if junit is not None:
        write_junit([ran.get(path.stem, Outcome(path.stem)) for path in chosen], junit)
    if code or failures:
        raise typer.Exit(code or 1)


def _run_in_turn(
    chosen: list[Path], values: dict[Path, dict[str, Any]], out: Path, timeout: int | None, table: "list[Outcome]"
) -> tuple[int, str]:
    """Run them one after another, and put how each ended into the table.

    The pictures of one are drawn while the next one runs.

    Args:
        timeout: 0 for none, `None` for the usual one.

    Returns:
        0, or the exit code of the interrupt that ended them; and why copies have no pictures, if so.
    """
    from crn_lib.workbook.outcomes import Outcome
    from crn_lib.workbook.pictures import add_pictures_to
    from crn_lib.workbook.runner import CELL_TIMEOUT, LessonError, run_lesson

    limit = CELL_TIMEOUT if timeout is None else timeout or None
    code, drawn = 0, []
    with ThreadPoolExecutor(max_workers=1) as draughtsman:
        for number, lesson in enumerate(chosen, start=1):
            typer.echo(f"[{number}/{len(chosen)}] {lesson.stem}", err=True)
            begun = time.perf_counter()
            copy = out.absolute() / lesson.name  # the next lesson runs in the lessons' folder, while this one is drawn
            result, error = "FAILED", ""
            try:
                run_lesson(lesson, copy, values[lesson], timeout=limit)
                result = "ok"
            except (LessonError, OSError) as failure:
                error = str(failure)
            except KeyboardInterrupt:
                result, code = "interrupted", 130
            except SystemExit as stopped:
                result, code = "interrupted", int(stopped.code or 0)
            table.append(Outcome(lesson.stem, time.perf_counter() - begun, result, error))
            if code:
                break
            drawn.append(draughtsman.submit(add_pictures_to, copy))
    return code, next(filter(None, (each.result() for each in drawn)), "")


def _run_side_by_side(
    chosen: list[Path],
    values: dict[Path, dict[str, str]],
    profile: str,
    out: Path,
    timeout: int | None,
    jobs: int,
    table: "list[Outcome]",
) -> int:
    from crn_lib.workbook.side_by_side import run_side_by_side

    shared = ["--profile", profile, "--out", str(out), *(["--timeout", str(timeout)] if timeout else [])]
    told = {
        path.stem: [*shared, *(word for item in values[path].items() for word in ("-p", "=".join(item)))]
        for path in chosen
    }

    def began(lesson: str) -> None:
        typer.echo(f"[{list(told).index(lesson) + 1}/{len(told)}] {lesson}", err=True)

    def ended(outcome: "Outcome") -> None:
        table.append(outcome)
        typer.echo(f"{outcome.lesson}: {outcome.result}, {outcome.seconds:.1f} s", err=True)

    return run_side_by_side(told, jobs, began, ended)


def refresh(lessons: Lessons = None) -> None:
    """Execute lessons with their defaults, store what they show, and write the claims table anew."""
    from tqdm import tqdm

    from crn_lib.paths import clone_folder
    from crn_lib.workbook import collect_claims
    from crn_lib.workbook.runner import find_lessons
    from crn_lib.workbook.stored_lessons import refresh as refresh_lesson

    root = clone_folder()
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
