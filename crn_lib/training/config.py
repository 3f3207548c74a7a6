"""What decides a training run's outcome: one frozen configuration."""

import math
from dataclasses import dataclass, field

import torch

from crn_lib.config import ConfigError, require, require_choice, require_number, require_whole, shown
from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig, TaskConfig
from crn_lib.tasks.registry import input_width, task_configs

SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Precision:
    """In which formats a run computes.

    Attributes:
        products: of matrix products; narrower than the weights, it means autocast.
        weights: of the weights, their gradients and Adam's averages.
        scaled: whether the loss is multiplied before the backward pass, so that small gradients do not become 0.
    """

    products: torch.dtype
    weights: torch.dtype = torch.float32
    scaled: bool = False


PRECISIONS = {
    "float32": Precision(torch.float32),
    "bfloat16": Precision(torch.bfloat16),
    "float16": Precision(torch.float16, scaled=True),
    "float16-unscaled": Precision(torch.float16),
    "bfloat16-weights": Precision(torch.bfloat16, weights=torch.bfloat16),
    "float16-weights": Precision(torch.float16, weights=torch.float16),
}
"""The first three are for use; the others leave out what makes the second and the third work, to see what it does."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's outcome on a given machine.

    Attributes:
        model, task: what is trained on what; their vocabulary and length must fit. `task` is a configuration of a task
            in `crn_lib.tasks.TASKS`; as a mapping it has the key `name` for any but copying.
        steps: optimizer steps.
        batch: strings a step.
        learning_rate: AdamW's, after `warmup` steps of linear increase.
        schedule: `constant`, or `cosine` down to 0 at `steps`.
        weight_decay, clip: AdamW's decay; the largest gradient norm.
        precision: `float32`, autocast to `bfloat16` or to `float16` with loss scaling, or another of `PRECISIONS`.
        evaluate_every: steps between evaluations.
        evaluation_strings: problems an evaluation: fresh ones, or of real data so many of those that are held out.
        stop_at: stop as soon as the task's main metric, teacher-forced, reaches this (of copying the string accuracy);
            `None` runs all steps.
        checkpoint_every: steps between checkpoints, where a folder is given.
        seed: of the initial weights, the training strings and the evaluation strings, three streams of their own.

    Raises:
        ConfigError: a value out of range, or a model that does not fit the task.
    """

    model: ModelConfig = field(default_factory=lambda: ModelConfig(max_length=34))
    task: TaskConfig = field(default_factory=CopyingConfig, metadata={"kinds": task_configs})
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
        require(type(self.model) is ModelConfig, f"model must be a ModelConfig or its fields; got {shown(self.model)}")
        tasks = task_configs()
        known = f"the configuration of a task ({', '.join(tasks)}) or its fields"
        require(type(self.task) in tasks.values(), f"task must be {known}; got {shown(self.task)}")
        for name in ("steps", "batch", "evaluate_every", "evaluation_strings", "checkpoint_every"):
            require_whole(name, getattr(self, name))
        require_whole("warmup", self.warmup, least=0)
        require_whole("seed", self.seed, least=0, most=10**18)  # torch's generators take three times as much
        require_number("learning_rate", self.learning_rate, 1e-9, 10)
        require_number("weight_decay", self.weight_decay, 0)
        require_number("clip", self.clip, 1e-9)
        if self.stop_at is not None:
            require_number("stop_at", self.stop_at, 0, 1)
        require_choice("schedule", self.schedule, SCHEDULES)
        require_choice("precision", self.precision, tuple(PRECISIONS))
        require(
            self.model.max_length >= self.task.context,
            f"max_length of the model must be at least {self.task.context} to hold the longest sequence of "
            f"{self.task}; got {self.model.max_length}",
        )
        require(
            self.model.positions != "random" or self.model.max_length > self.task.context,
            f"max_length of the model must be more than {self.task.context} for positions 'random', which are drawn "
            f"among more places than the longest sequence of {self.task} takes; got {self.model.max_length}",
        )
        wanted, found = input_width(self.task), self.model.input_width
        reads = "tokens" if wanted is None else f"vectors of {wanted}"
        require(wanted == found, f"input_width of the model must be {wanted}: {self.task} is of {reads}; got {found}")
        require(
            self.task.vocab_size > 1 or self.model.vocab_size == 1,
            f"vocab_size of the model must be 1 for the numbers of {self.task}; got {self.model.vocab_size}",
        )
        require(
            self.model.vocab_size >= self.task.vocab_size,
            f"vocab_size of the model must be at least {self.task.vocab_size} for all token ids of "
            f"{self.task}; got {self.model.vocab_size}",
        )

    @property
    def copying(self) -> CopyingConfig:
        """The task, for what is about copying only.

        Raises:
            ConfigError: it is another one.
        """
        if not isinstance(self.task, CopyingConfig):
            raise ConfigError(f"this is for runs of the copying task only; got {self.task}")
        return self.task

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of step `0 ... steps - 1`."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
