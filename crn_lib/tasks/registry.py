"""What a task is, and the tasks that `train` knows by name."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from crn_lib.config import ConfigError, require, require_whole

DEFAULT = "copying"
"""The task of a configuration that names none."""


@runtime_checkable
class TaskConfig(Protocol):
    """A frozen dataclass that says which problems are drawn; it checks itself. No field is called `name`.

    Attributes:
        vocab_size: token ids that a model of this task needs; classes, where it reads vectors; 1, where it gives a
            number.
        context: tokens in the longest sequence.
        chance: the task's main metric of one who knows the rules and guesses; each task says among what.

    A task whose sequences are vectors says with a third, `input_width`, how many numbers each has.

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


@runtime_checkable
class Task(Protocol):
    """Made from its configuration, it draws problems and scores predictions. Whether a model can run freely on it is
    the task's own.

    Attributes:
        main_metric: that of its metrics which the progress bar shows and `stop_at` compares.

    Example:
        >>> isinstance(CopyingTask(CopyingConfig()), Task), CopyingTask.main_metric
        (True, 'string_accuracy')
    """

    main_metric: str

    def __init__(self, config: Any) -> None: ...

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh tokens and targets, `(batch, length)` each; targets are `NOT_SCORED` where nothing is asked.

        Tokens may be vectors, `(batch, length, input_width)`. Targets may be numbers, NaN where nothing is asked: the
        loss is then the squared error (`loss.py`).
        """

    def metrics(self, predictions: Tensor, targets: Tensor) -> dict[str, float]:
        """Scores by name; both arguments are token ids or numbers, `(batch, length)`. The main metric is from 0 to 1
        and better the higher. What is predicted where nothing is asked must not count.
        """


@runtime_checkable
class HoldsOut(Protocol):
    """A task of real data: evaluations have problems that no training sees."""

    def held_out(self, strings: int, split: str) -> tuple[Tensor, Tensor]:
        """Problems of the `validation` or `test` split, the same at every call; all of them if they are fewer."""


@runtime_checkable
class ScoresLosses(Protocol):
    """A task with scores that need the probabilities, not only the most probable answer."""

    def loss_metrics(self, losses: Tensor) -> dict[str, float]:
        """Scores by name, from the losses at all scored places, `(scored,)`, cross entropies in nats."""


@runtime_checkable
class GroupedTask(Task, Protocol):
    """A task whose main metric is also of interest by groups of problems, such as numbers of hops."""

    def groups(self, tokens: Tensor) -> dict[str, Tensor]:
        """By a group's name, which places of `tokens` are in it: `(batch, length)`, or `(batch, 1)` for whole rows."""


class TaskKind(NamedTuple):
    """The two classes of a task."""

    config: type[TaskConfig]
    task: type[Task]


TASKS: dict[str, TaskKind] = {}
"""The tasks that can be trained, by name. The last line of a task's file enters it here."""


def build_task(config: TaskConfig) -> Task:
    """The task of a configuration.

    Raises:
        ConfigError: no task has a configuration of this class.

    Example:
        >>> type(build_task(CopyingConfig(string_length=3))).__name__
        'CopyingTask'
    """
    return TASKS[task_name(config)].task(config)


def check_draw(batch: int, generator: torch.Generator) -> None:
    """What every `sample` refuses: a batch that is none, and torch's own generator, whose draws nothing can repeat.

    Raises:
        ConfigError: a batch below 1, or no generator.
    """
    require_whole("batch", batch)
    found = type(generator).__name__
    require(isinstance(generator, torch.Generator), f"generator must be a torch.Generator; got a {found}")


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
