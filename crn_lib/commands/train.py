"""`crn train`: one model from the command line."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from crn_lib.commands.output import check_folder, print_table
from crn_lib.config import ConfigError, from_mapping, read_yaml


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
    check_folder(out)
    result = run_training(chosen, device=device, folder=out, resume=resume)
    if not is_first_process():
        return
    replace_text(out / "result.json", json.dumps(result.row(), indent=1) + "\n")
    scores = [(name.replace("_", " "), f"{value:.1%}") for name, value in result.teacher_forced.items()]
    scores += [
        (f"free-running {name.replace('_', ' ')}", f"{value:.1%}") for name, value in result.free_running.items()
    ]
    print_table(
        ("measured on fresh strings", ""), [*scores, ("steps", str(result.steps)), ("seconds", f"{result.seconds:.1f}")]
    )
    typer.echo(f"stopped: {result.stopped}; {result.device}, backend {result.backend}; kept in {out}")


def _read_yaml(path: Path) -> dict[str, Any]:
    fields = read_yaml(path)
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} must hold a mapping of fields; got {type(fields).__name__}")
    return fields
