"""Tiny configurations, for all tests that train: a task that a small model learns within a second."""

import dataclasses
from pathlib import Path
from typing import Any

from torch import Tensor

from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig, TextConfig
from crn_lib.training import RunResult, TrainConfig, train

TASK = CopyingConfig(string_length=4, vocab=5)
SHORTER = CopyingConfig(string_length=3, vocab=5)
SHAPE = {field.name for field in dataclasses.fields(ModelConfig)}


def tiny(kind: str = "causal_rn", *, task: CopyingConfig = TASK, **fields: Any) -> TrainConfig:
    """Strings of 4 letters out of 5, width 16, two blocks, 30 steps; `fields` are the model's or the run's."""
    shape = {"vocab_size": task.vocab + 3, "width": 16, "blocks": 2, "max_length": task.context}
    shape |= {name: fields.pop(name) for name in SHAPE & set(fields)}
    run: dict[str, Any] = {
        "steps": 30,
        "batch": 8,
        "learning_rate": 1e-2,
        "warmup": 10,
        "evaluate_every": 10,
        "evaluation_strings": 20,
        "checkpoint_every": 10,
    }
    return TrainConfig(**({"model": ModelConfig(kind=kind, **shape), "task": task} | run | fields))


def quick(seed: int = 0, kind: str = "lstm", **fields: Any) -> TrainConfig:
    """A run of a fraction of a second: 3 letters, width 8, one block, 6 steps."""
    run: dict[str, Any] = {"steps": 6, "batch": 4, "evaluate_every": 2, "evaluation_strings": 8, "checkpoint_every": 2}
    return tiny(kind, **({"task": SHORTER, "width": 8, "blocks": 1, "seed": seed} | run | fields))


def of_bytes(path: Path, seed: int = 0) -> TrainConfig:
    """As quick, on the bytes of a file, which need not be there."""
    task = TextConfig(source="bytes", path=str(path), window=8)
    model = ModelConfig(kind="lstm", vocab_size=task.vocab_size, max_length=task.context, width=8, blocks=1)
    return dataclasses.replace(quick(seed), task=task, model=model)


def run(config: TrainConfig, **options: Any) -> RunResult:
    return train(config, device="cpu", progress=False, **options)


def weights(result: RunResult) -> dict[str, Tensor]:
    return dict(result.model.state_dict())


def timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """A history without its seconds, the only things that no two runs share."""
    return [{name: value for name, value in row.items() if name not in ("seconds", "cpu_seconds")} for row in history]
