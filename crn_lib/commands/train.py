"""`crn train`: one model from the command line."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from crn_lib.commands.output import check_file, print_table
from crn_lib.config import ConfigError, parse_value, read_yaml


def train(
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="FIELD=VALUE", help="Any field of a TrainConfig, named as in a sweep's grid."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file of fields; those named here win.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the checkpoint and result.json; runs/train where not given.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the folder's checkpoint.")] = False,
) -> None:
    """Train one model, on copying or the task that task.name says; Ctrl-C saves, `--resume` goes on.

    crn train model.kind=transformer task.string_length=32 learning_rate=2e-3

    On several processes, each with its share of every batch:

    torchrun --standalone --nproc-per-node 2 -m crn_lib.cli train ...
    """
    from crn_lib.files import replace_text
    from crn_lib.paths import output
    from crn_lib.sweeps.sweep import configure
    from crn_lib.tasks import build_task
    from crn_lib.training import train as run_training
    from crn_lib.training.distributed import is_first_process

    chosen = configure(_read_fields(config) if config else {}, parse_fields(fields or []))
    out = out or output("runs/train")
    check_file(out / "result.json")
    result = run_training(chosen, device=device, folder=out, resume=resume)
    interrupted = typer.Exit(130 if result.stopped == "interrupted" else 0)
    if not is_first_process():
        raise interrupted
    main = build_task(chosen.task).main_metric
    scores = [
        (f"{how}{name.replace('_', ' ')}", f"{value:.1%}" if name == main or "accuracy" in name else f"{value:.4g}")
        for how, found in (("", result.teacher_forced), ("free-running ", result.free_running))
        for name, value in found.items()
    ]
    measured_on = "fresh problems" if result.held_out is None else f"{result.held_out} of the test part"
    heading = f"measured on {measured_on}" if scores else ""
    print_table((heading, ""), [*scores, ("steps", str(result.steps)), ("seconds", f"{result.seconds:.1f}")])
    # Now that it is shown: what follows fails where the disk is full.
    replace_text(out / "result.json", json.dumps(result.row(), indent=1) + "\n")
    typer.echo(f"stopped: {result.stopped}; {result.device}, backend {result.backend}; kept in {out}")
    raise interrupted


def parse_fields(given: list[str]) -> dict[str, Any]:
    """Fields written `name=value`, each value as YAML reads it; of a name given twice, the last.

    Raises:
        ConfigError: one without a name, a `=` or a value, or with a value that is not YAML.
    """
    fields = {}
    for item in given:
        name, _, value = item.partition("=")
        if not name or not value:
            raise ConfigError(f"a field is written NAME=VALUE, as in model.width=32; got {item!r}")
        fields[name] = parse_value(value)
    return fields


def _read_fields(path: Path) -> dict[str, Any]:
    fields = read_yaml(path)
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} must hold a mapping of fields; got {type(fields).__name__}")
    return fields
