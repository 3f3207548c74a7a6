"""What a task is, and the tasks that `train` knows by name."""

from abc import ABC, abstractmethod
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from crn_lib.config import ConfigError, require, require_choice, require_whole
from crn_lib.tasks.scores import accuracies

DEFAULT = "copying"
"""The task of a configuration that names none."""

SPLITS = ("validation", "test")
"""The parts of real data that no training sees."""


@runtime_checkable
class TaskConfig(Protocol):
    """A frozen dataclass that says which problems are drawn; it checks itself. No field is called `name`.

    Attributes:
        vocab_size: token ids that a model of this task needs; classes, where it reads vectors; 1, where it gives a
            number.
        context: tokens in the longest sequence.
        chance: the task's main metric of one who knows the rules and guesses; each task says among what.

    A task whose sequences are vectors says with a fourth, `input_width`, how many numbers each has. Where a bound is
    known, a float `bits` says what a state must hold at least to be always right.

    Example:
        >>> isinstance(CopyingConfig(), TaskConfig), isinstance(ClosePairsConfig(), TaskConfig)
        (True, False)
    """

    @property
    def vocab_size(self) -> int: ...

    @property
    def context(self) -> int: ...

    @property
    def chance(self) -> float: ...


C = TypeVar("C", bound=TaskConfig)


class Task(ABC, Generic[C]):
    """Made from its configuration, it draws problems and scores predictions. Whether a model can run freely on it is
    the task's own.

    Attributes:
        main_metric: that of its metrics which the progress bar shows and `stop_at` compares.
        loss_metric: that of its `loss_metrics` by which runs are compared, so that it chooses a learning rate too, the
            fewer the better; `None` where the main metric does.
        keeps_some_apart: whether its problems are of real data, some of which no training sees: `held_out` has them.

    Example:
        >>> isinstance(CopyingTask(CopyingConfig()), Task), CopyingTask.main_metric
        (True, 'string_accuracy')
    """

    main_metric = "accuracy"
    loss_metric: str | None = None
    keeps_some_apart = False

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh tokens and targets, `(batch, length)` each; targets are `NOT_SCORED` where nothing is asked.

        Tokens may be vectors, `(batch, length, input_width)`. Targets may be numbers, NaN where nothing is asked: the
        loss is then the squared error (`loss.py`).
        """

    def held_out(self, strings: int, split: str) -> tuple[Tensor, Tensor] | None:
        """Of real data problems of the `validation` or `test` split that no training sees, the same at every call:
        drawn once from all over the split, since files are often in the order of their classes. All of them if they
        are fewer. `None` where problems are drawn. `check_held_out` is its first line.

        Raises:
            ConfigError: strings below 1, or another split.
        """
        check_held_out(strings, split)
        return None

    def metrics(self, predictions: Tensor, targets: Tensor) -> dict[str, float]:
        """Scores by name, `accuracy`, the share of scored places that are right, unless a task has others.

        Both arguments are token ids or numbers, `(batch, length)`. The main metric is from 0 to 1 and better the
        higher. What is predicted where nothing is asked must not count.

        Raises:
            ValueError: shapes that differ, or nothing to score.
        """
        return {"accuracy": accuracies(predictions, targets)[0]}

    def groups(self, tokens: Tensor) -> dict[str, Tensor]:
        """The groups of problems by which the main metric is of interest too, such as numbers of hops: which places of
        `tokens` are in each, `(batch, length)`, or `(batch, 1)` for whole rows.
        """
        return {}


@runtime_checkable
class ScoresLosses(Protocol):
    """A task with scores that need the probabilities, not only the most probable answer. No other pays for them."""

    def loss_metrics(self, losses: Tensor) -> dict[str, float]:
        """Scores by name, from the losses at all scored places, `(scored,)`, cross entropies in nats."""


class TaskKind(NamedTuple):
    """The two classes of a task."""

    config: type[TaskConfig]
    task: type[Task[Any]]


TASKS: dict[str, TaskKind] = {}
"""The tasks that can be trained, by name. The last line of a task's file enters it here."""


def build_task(config: TaskConfig) -> Task[Any]:
    """The task of a configuration.

    Raises:
        ConfigError: no task has a configuration of this class.

    Example:
        >>> type(build_task(CopyingConfig(string_length=3))).__name__
        'CopyingTask'
    """
    return TASKS[task_name(config)].task(config)


def drawn_once(there: int, wanted: int, seed: int) -> Tensor:
    """So many of the numbers below `there`, ascending, the same at every call; all of them if they are fewer."""
    order = torch.randperm(there, generator=torch.Generator().manual_seed(seed))
    return order[:wanted].sort().values


def check_draw(batch: int, generator: torch.Generator) -> None:
    """What every `sample` refuses: a batch that is none, and torch's own generator, whose draws nothing can repeat.

    Raises:
        ConfigError: a batch below 1, or no generator.
    """
    require_whole("batch", batch)
    found = type(generator).__name__
    require(isinstance(generator, torch.Generator), f"generator must be a torch.Generator; got a {found}")


def check_held_out(strings: int, split: str) -> None:
    """What every `held_out` refuses: fewer problems than one, and a part that training sees or that is none.

    Raises:
        ConfigError: either.
    """
    require_whole("strings", strings)
    require_choice("split", split, SPLITS)


def input_width(config: TaskConfig) -> int | None:
    """Numbers in each vector that a model of this task reads; `None` where it reads tokens."""
    width: int | None = getattr(config, "input_width", None)
    return width


def task_name(config: TaskConfig) -> str:
    """The name of a configuration's task in `TASKS`.

    Raises:
        ConfigError: it has none there.
    """
    for name, kind in TASKS.items():
        if type(config) is kind.config:
            return name
    known = ", ".join(f"{name} ({kind.config.__name__})" for name, kind in TASKS.items())
    raise ConfigError(f"TASKS has no task of a {type(config).__name__}; it has {known}")


def task_configs() -> dict[str, type[TaskConfig]]:
    """The configuration class of every task by name, the default's first: what the field `task` of a run may hold."""
    names = sorted(TASKS, key=lambda name: (name != DEFAULT, name))
    return {name: TASKS[name].config for name in names}
