"""Sweeps: grids of frozen configurations, written as YAML."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crn_lib.config import ConfigError, from_mapping, from_named, read_yaml, require, require_names, shown
from crn_lib.models import ModelConfig
from crn_lib.paths import data_file
from crn_lib.tasks.registry import input_width, task_configs
from crn_lib.training import TrainConfig

OWN_SWEEPS = Path(__file__).parent / "own"
"""The workbook's own sweeps: their name is enough to run them."""


@dataclass(frozen=True)
class Sweep:
    """Runs that belong together, and the file that holds their rows.

    Attributes:
        name: of the sweep and of its files.
        configs: one run each, in the order they are done.
        rows: the JSONL file; histories lie beside it, in `<name>.history.jsonl`.
        about: what it is for, in a sentence.
    """

    name: str
    configs: tuple[TrainConfig, ...]
    rows: Path
    about: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", Path(self.rows))

    @property
    def histories(self) -> Path:
        """The JSONL file of histories: one line a run, its key and a row an evaluation."""
        return self.rows.with_name(f"{self.rows.stem}.history.jsonl")


def own_sweeps() -> list[str]:
    """Names of the workbook's own sweeps."""
    return sorted(path.stem for path in OWN_SWEEPS.glob("*.yaml"))


def load_sweep(source: str | Path, rows: str | Path | None = None) -> Sweep:
    """A sweep from its name or from a YAML file.

    A YAML file has these fields (`sweeps/own/*.yaml` are examples):

        about: what it is for
        base: the fields of a TrainConfig that all runs share
        grids:
          - model.kind: [causal_rn, transformer]   # every combination of the lists, the last one changing fastest
            seed: [0, 1, 2]
            learning_rate: 2e-3                    # a single value is a list of one

    `task.name` chooses the task, copying where it is not given. What the task needs of `model` is filled in, as
    `configure` says.

    Args:
        rows: where the rows go; `figures/data/runs/<name>.jsonl` where it is not given.

    Raises:
        ConfigError: no such sweep, a field that is unknown or out of range; the message names it.
    """
    text = str(source)
    if text in own_sweeps():
        return _from_yaml(OWN_SWEEPS / f"{text}.yaml", rows)
    if Path(text).suffix in (".yaml", ".yml"):
        return _from_yaml(Path(text), rows)
    raise ConfigError(f"a sweep is one of {', '.join(own_sweeps())}, or a .yaml file; got {text!r}")


def expand(base: Mapping[str, Any], grids: Iterable[Mapping[str, Any]]) -> list[TrainConfig]:
    """Every configuration of the grids, each once, in order; all of one seed before any of the next.

    Raises:
        ConfigError: a field that is unknown or out of range.
    """
    configs: dict[TrainConfig, None] = {}
    for grid in grids:
        require(isinstance(grid, Mapping), f"a grid must be a mapping of fields to values; got {shown(grid)}")
        choices = [value if isinstance(value, list) else [value] for value in grid.values()]
        require(all(choices), f"every list of a grid must hold a value; got {shown(dict(grid))}")
        for values in itertools.product(*choices):
            configs[configure(base, dict(zip(grid, values, strict=True)))] = None
    return sorted(configs, key=lambda config: config.seed)


def configure(base: Mapping[str, Any], chosen: Mapping[str, Any]) -> TrainConfig:
    """The configuration of a mapping of fields, with others over them that are named as in a grid: `model.width`.

    `task.name` chooses the task. Where they are not given, `model.max_length` is what it needs; `model.vocab_size` is
    its number of token ids, at least the paper's 29; of a task of vectors, `model.input_width` and `model.vocab_size`
    are exactly its own.

    Raises:
        ConfigError: a field that is unknown or out of range.
    """
    require_names(base, "base")
    require_names(chosen, "a grid")
    fields = {name: dict(value) if isinstance(value, Mapping) else value for name, value in base.items()}
    for name, value in chosen.items():
        part, separator, field = name.partition(".")
        if separator:
            inner = fields.setdefault(part, {})
            require(
                isinstance(inner, dict), f"{part} is not made of fields, so {name} cannot be set; it is {shown(inner)}"
            )
            inner[field] = value
        else:
            fields[name] = value
    task = from_named(task_configs(), fields.get("task", {}), "task")
    model = fields.setdefault("model", {})
    if isinstance(model, dict):
        model.setdefault("max_length", task.context)
        reads = input_width(task)
        if reads is None:
            model.setdefault("vocab_size", max(task.vocab_size, ModelConfig.vocab_size))
        else:
            model.setdefault("vocab_size", task.vocab_size)
            model.setdefault("input_width", reads)
    return from_mapping(TrainConfig, {**fields, "task": task})


def _from_yaml(path: Path, rows: str | Path | None) -> Sweep:
    try:
        fields = read_yaml(path)
    except FileNotFoundError:
        raise ConfigError(f"there is no sweep file {path}") from None
    require(isinstance(fields, dict), f"{path} must hold the fields about, base and grids; got {shown(fields)}")
    require_names(fields, str(path))
    unknown = sorted(set(fields) - {"about", "base", "grids"})
    require(not unknown, f"{path} has the field {', '.join(unknown)}; a sweep has about, base and grids")
    base, grids = fields.get("base") or {}, fields.get("grids")
    require(isinstance(base, dict), f"base in {path} must be a mapping of a TrainConfig's fields; got {shown(base)}")
    require(isinstance(grids, list) and bool(grids), f"grids in {path} must be a list of mappings; got {shown(grids)}")
    try:
        configs = tuple(expand(base, grids))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return Sweep(path.stem, configs, Path(rows or default_rows(path.stem)), str(fields.get("about") or ""))


def default_rows(name: str) -> Path:
    """`figures/data/runs/<name>.jsonl`."""
    return data_file(f"runs/{name}.jsonl")
