"""The command `crn`: run the lessons, train a model, look at the machine."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from crn_lib.config import ConfigError, from_mapping, read_yaml
from crn_lib.errors import RunFailed
from crn_lib.sweep_command import sweep

app = typer.Typer(
    help="The CausalRN workbook: run its lessons, train its models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command()(sweep)


def main() -> None:
    """Entry point: an error is one line for a person, exit code 2 for bad input and 1 for a run that failed."""
    try:
        code = app(_join_parameters(sys.argv[1:]) or ["--help"], standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except TyperException as error:  # an unknown command or option, a value of the wrong kind
        words = error.format_message() if hasattr(error, "format_message") else error
        typer.echo(f"error: {words}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        sys.exit(130)
    except (RunFailed, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except ValueError as error:  # ConfigError and ParameterError too
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


@app.command()
def run(
    lessons: Annotated[
        list[str] | None, typer.Argument(help="Lessons by number or name; all where none is given.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME VALUE", help="A lesson parameter.")
    ] = None,
    profile: Annotated[str, typer.Option(help="smoke, laptop or paper.")] = "laptop",
    out: Annotated[Path, typer.Option(help="Where the executed copies go.")] = Path("out"),
) -> None:
    """Run lessons headless, and say how each went."""
    from crn_lib.course.parameters import PROFILES, one_of
    from crn_lib.course.runner import LessonError, find_lessons, parameters_of, run_lesson
    from crn_lib.paths import workbook_folder

    one_of("profile", profile, PROFILES)
    chosen = find_lessons(workbook_folder() / "notebooks", lessons or [])
    given = _parse_parameters(parameter or [])
    known = {path: parameters_of(path) for path in chosen}
    for name in given:
        if not any(name in names for names in known.values()):
            everything = sorted({name for names in known.values() for name in names})
            raise ConfigError(f"no lesson chosen has a parameter {name!r}; they have {', '.join(everything)}")
    _check_folder(out)
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
    _print_table(("lesson", "seconds", "result", "executed copy"), table)
    typer.echo(f"{len(table)} of {len(chosen)} lessons in {time.perf_counter() - started:.0f} s, profile {profile}")
    for failure in failures:
        typer.echo(f"error: {failure}", err=True)
    if failures:
        raise typer.Exit(1)


@app.command()
def train(
    config: Annotated[Path | None, typer.Option(help="A YAML file with a TrainConfig's fields.")] = None,
    kind: Annotated[str | None, typer.Option(help="Model kind; causal_rn where nothing says otherwise.")] = None,
    width: Annotated[int | None, typer.Option(help="Width of the model.")] = None,
    blocks: Annotated[int | None, typer.Option(help="Blocks of the model.")] = None,
    string_length: Annotated[int | None, typer.Option(help="Letters in a string.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps.")] = None,
    batch: Annotated[int | None, typer.Option(help="Strings a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="AdamW's learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and strings.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint and result.json.")] = Path("runs/train"),
    resume: Annotated[bool, typer.Option(help="Go on from the folder's checkpoint.")] = False,
) -> None:
    """Train one model on copying; Ctrl-C saves, `--resume` goes on.

    On several processes, each with its share of every batch:

    torchrun --standalone --nproc-per-node 2 -m crn_lib.cli train ...
    """
    from crn_lib.files import replace_text
    from crn_lib.training import TrainConfig
    from crn_lib.training import train as run_training
    from crn_lib.training.distributed import is_first_process

    fields: dict[str, Any] = _read_yaml(config) if config else {}
    for part in ("model", "task"):
        if not isinstance(fields.setdefault(part, {}), dict):
            raise ConfigError(f"{part} must be a mapping of fields; got {fields[part]!r}")
    model, task = fields.pop("model"), fields.pop("task")
    for where, name, value in (
        (model, "kind", kind),
        (model, "width", width),
        (model, "blocks", blocks),
        (task, "string_length", string_length),
        (fields, "steps", steps),
        (fields, "batch", batch),
        (fields, "learning_rate", learning_rate),
        (fields, "seed", seed),
    ):
        if value is not None:
            where[name] = value
    if "max_length" not in model:
        model["max_length"] = 2 * (int(task.get("string_length", 16)) + 1)
    chosen = from_mapping(TrainConfig, {**fields, "model": model, "task": task})
    _check_folder(out)
    result = run_training(chosen, device=device, folder=out, resume=resume)
    if not is_first_process():
        return
    replace_text(out / "result.json", json.dumps(result.row(), indent=1) + "\n")
    scores = [(name.replace("_", " "), f"{value:.1%}") for name, value in result.teacher_forced.items()]
    scores += [
        (f"free-running {name.replace('_', ' ')}", f"{value:.1%}") for name, value in result.free_running.items()
    ]
    _print_table(
        ("measured on fresh strings", ""), [*scores, ("steps", str(result.steps)), ("seconds", f"{result.seconds:.1f}")]
    )
    typer.echo(f"stopped: {result.stopped}; {result.device}, backend {result.backend}; kept in {out}")


@app.command()
def bench(
    only: Annotated[str, typer.Option(help="Only cases whose name holds this text.")] = "",
    longest: Annotated[int, typer.Option(help="Only cases up to this length, in tokens.")] = 100_000,
    out: Annotated[
        Path | None,
        typer.Option(help="File of the rows: figures/data/bench.jsonl, or out/bench.jsonl for a part of the cases."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Folder of the figure: figures/, or beside the rows where these go elsewhere.")
    ] = None,
    profile: Annotated[bool, typer.Option(help="Instead, show where the time of a training step goes.")] = False,
) -> None:
    """Time the operator, the models and decoding against named baselines, in one run."""
    from crn_lib import bench as benches
    from crn_lib.viz import draw_bench

    if profile:
        step = benches.profile_step()
        parts = step.table()
        _print_table(parts[0], parts[1:])
        typer.echo(f"{step.undisturbed:.1f} ms a step without the profiler")
        return
    chosen = [case for case in benches.CASES if only in case.name and case.length <= longest]
    if not chosen:
        names = "; ".join(sorted({case.name for case in benches.CASES}))
        raise ConfigError(f"no case of length up to {longest} has {only!r} in its name; there are {names}")
    complete = len(chosen) == len(benches.CASES)
    file, picture = benches.destination(out, figure, complete=complete)
    _check_folder(file.parent)
    _check_folder(picture.parent)
    rows, disagreements = benches.run_cases(chosen)
    if complete and rows:
        first_call = benches.first_call_seconds()
        rows = [{**row, "first_fused_call_seconds": first_call} for row in rows]
        typer.echo(f"first fused call of a fresh process, its kernels cached: {first_call:.2f} s")
    lines = benches.table(rows)
    _print_table(lines[0], lines[1:])
    for line in benches.not_run(rows):
        typer.echo(line)
    if disagreements:
        file, picture = benches.destination(out, figure, complete=False)
    if rows:
        limits = rows[0]
        benches.store(rows, file)
        typer.echo(
            f"limits: {limits['exponentials_per_second'] / 1e9:.2f} G exponentials/s in cache, "
            f"{limits['bytes_per_second'] / 1e9:.1f} GB/s of memory, {limits['threads']} threads; rows in {file}"
        )
    measured = {row["case"] for row in rows}
    drawn = [case for case in benches.PANEL_CASES if case in measured]
    if drawn:
        typer.echo(benches.store_figure(draw_bench(rows, drawn), picture))
    if out is None and (disagreements or not complete):
        typer.echo(
            f"not all of the {len(benches.CASES)} cases: the workbook's stored rows and figure stay as they were"
        )
    for disagreement in disagreements:
        typer.echo(f"error: {disagreement}", err=True)
    if disagreements:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say what this machine has for the workbook, what is missing, and how to get it."""
    from crn_lib.doctor import examine

    findings = examine()
    _print_table(("", "", ""), [(finding.state, finding.what, finding.detail) for finding in findings])
    missing = [finding for finding in findings if finding.state == "missing"]
    typer.echo(f"{len(missing)} missing" if missing else "everything the lessons need is here")
    if missing:
        raise typer.Exit(1)


def _join_parameters(arguments: list[str]) -> list[str]:
    """`-p NAME VALUE`, papermill's form, as the `-p NAME=VALUE` that Typer can repeat."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument in ("-p", "--parameter"):
            name = next(rest, None)
            if name is not None:
                value = None if "=" in name else next(rest, None)
                joined.append(name if value is None else f"{name}={value}")
    return joined


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


def _read_yaml(path: Path) -> dict[str, Any]:
    fields = read_yaml(path)
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} must hold a mapping of fields; got {type(fields).__name__}")
    return fields


def _check_folder(folder: Path) -> None:
    """Find out before a long run whether its results can be written.

    Raises:
        OSError: they cannot; the message names the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process of the same run may have been faster
    except OSError as error:
        raise OSError(f"cannot write into {folder} ({error.strerror}); choose another with --out") from None


def _print_table(headings: tuple[str, ...], rows: list[Any]) -> None:
    lines = [headings, *rows] if any(headings) else rows
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
