"""What decides a training run's outcome: one frozen configuration."""

import math
from dataclasses import dataclass, field

import torch

from crn_lib.config import require, require_choice, require_number, require_whole
from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig

SCHEDULES = ("constant", "cosine")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's outcome on a given machine.

    Attributes:
        model, task: what is trained on what; their vocabulary and length must fit.
        steps: optimizer steps.
        batch: strings a step.
        learning_rate: AdamW's, after `warmup` steps of linear increase.
        schedule: `constant`, or `cosine` down to 0 at `steps`.
        weight_decay, clip: AdamW's decay; the largest gradient norm.
        precision: `float32`, or autocast to `bfloat16` or `float16` (the last with loss scaling).
        evaluate_every: steps between evaluations.
        evaluation_strings: fresh strings an evaluation.
        stop_at: stop as soon as this teacher-forced string accuracy is reached; `None` runs all steps.
        checkpoint_every: steps between checkpoints, where a folder is given.
        seed: of the initial weights, the training strings and the evaluation strings, three streams of their own.

    Raises:
        ConfigError: a value out of range, or a model that does not fit the task.
    """

    model: ModelConfig = field(default_factory=lambda: ModelConfig(max_length=34))
    task: CopyingConfig = field(default_factory=CopyingConfig)
    steps: int = 300
    batch: int = 64
    learning_rate: float = 2e-3
    warmup: int = 50
    schedule: str = "constant"
    weight_decay: float = 0.0
    clip: float = 1.0
    precision: str = "float32"
    evaluate_every: int = 25
    evaluation_strings: int = 256
    stop_at: float | None = None
    checkpoint_every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in (("model", ModelConfig), ("task", CopyingConfig)):
            value = getattr(self, name)
            require(isinstance(value, kind), f"{name} must be a {kind.__name__} or its fields; got {value!r}")
        for name in ("steps", "batch", "evaluate_every", "evaluation_strings", "checkpoint_every"):
            require_whole(name, getattr(self, name))
        require_whole("warmup", self.warmup, least=0)
        require_whole("seed", self.seed, least=0)
        require_number("learning_rate", self.learning_rate, 1e-9, 10)
        require_number("weight_decay", self.weight_decay, 0)
        require_number("clip", self.clip, 1e-9)
        if self.stop_at is not None:
            require_number("stop_at", self.stop_at, 0, 1)
        require_choice("schedule", self.schedule, SCHEDULES)
        require_choice("precision", self.precision, tuple(PRECISIONS))
        require(
            self.model.max_length >= self.task.context,
            f"max_length of the model must be at least {self.task.context} to hold a string of "
            f"{self.task.string_length} letters twice; got {self.model.max_length}",
        )
        require(
            self.model.vocab_size >= self.task.vocab_size,
            f"vocab_size of the model must be at least {self.task.vocab_size} for an alphabet of "
            f"{self.task.vocab}; got {self.model.vocab_size}",
        )

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of step `0 ... steps - 1`."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
