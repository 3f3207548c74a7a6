"""What the tests of tasks of real data share."""

from typing import Any

import torch

from crn_lib.models import ModelConfig
from crn_lib.tasks import TaskConfig, teacher_forced
from crn_lib.tasks.registry import input_width
from crn_lib.training import RunResult, TrainConfig
from tests.tiny import run


def config_of(task: TaskConfig, kind: str = "causal_rn", width: int = 8, **fields: Any) -> TrainConfig:
    """Two steps of a small model that fits the task; `fields` are the run's."""
    model = ModelConfig(
        kind=kind,
        vocab_size=task.vocab_size,
        input_width=input_width(task),
        width=width,
        blocks=2,
        max_length=task.context,
    )
    plan = {"steps": 2, "batch": 4, "evaluate_every": 1, "evaluation_strings": 8} | fields
    return TrainConfig(model=model, task=task, **plan)


def check_splits_are_used(result: RunResult, task: Any) -> None:
    """The history is of validation, and the result at the end of the test part."""
    scores = {
        split: teacher_forced(result.model, task, result.config.evaluation_strings, torch.Generator(), split)
        for split in ("validation", "test")
    }
    last = result.history[-1]
    assert {name: last[name] for name in scores["validation"]} == scores["validation"]
    assert result.teacher_forced == scores["test"] != scores["validation"]


def trained(task: TaskConfig, kind: str, **fields: Any) -> RunResult:
    return run(config_of(task, kind, **fields))
