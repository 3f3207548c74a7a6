"""What came of a training run."""

from dataclasses import dataclass, field
from typing import Any

from crn_lib.config import to_mapping
from crn_lib.errors import RunFailed
from crn_lib.models import SequenceModel
from crn_lib.provenance import circumstances
from crn_lib.tasks import build_task
from crn_lib.training.config import TrainConfig


@dataclass
class RunResult:
    """What came of a run, and where it ran.

    Attributes:
        history: a row an evaluation: step, mean loss since the last one, accuracies, seconds.
        seconds, cpu_seconds: on the clock, and of this process's processor time, which other work on the machine
            hardly changes.
        stopped: why it ended: `steps`, `target`, `interrupted` or `diverged`.
        teacher_forced, free_running: final metrics on fresh problems, of real data on its test split, which nothing
            looked at before; empty if interrupted, the latter also where the task has no free-running evaluation.
        held_out: how many problems of real data's test part that was; `None` where problems are drawn.
        peak_bytes: this process's peak memory, `None` where this machine cannot tell.
        processes: how many trained it together, under `torchrun`.
    """

    config: TrainConfig
    model: SequenceModel
    history: list[dict[str, float]]
    steps: int
    seconds: float
    cpu_seconds: float
    stopped: str
    device: str
    backend: str
    peak_bytes: int | None
    processes: int = 1
    teacher_forced: dict[str, float] = field(default_factory=dict)
    free_running: dict[str, float] = field(default_factory=dict)
    held_out: int | None = None

    def row(self) -> dict[str, Any]:
        """The result as plain values, for a JSON file: the whole configuration, the outcome, the circumstances."""
        return {
            **config_fields(self.config),
            **circumstances(self.device, self.config.precision),
            "backend": self.backend,
            "processes": self.processes,
            "steps": self.steps,
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "peak_bytes": self.peak_bytes,
            "stopped": self.stopped,
            **self.teacher_forced,
            **{f"free_running_{name}": value for name, value in self.free_running.items()},
            "history": self.history,
        }


class TrainingDiverged(RunFailed):
    """The loss, or the gradient's norm, became NaN or infinite. `result` holds what had been computed until then."""

    def __init__(self, message: str, result: RunResult) -> None:
        super().__init__(message)
        self.result = result


def config_fields(config: TrainConfig) -> dict[str, Any]:
    """What a row says of the configuration: all of it, in three parts, and the seed; and by what the task is judged."""
    plain = to_mapping(config)
    parts = {"model": plain.pop("model"), "task": plain.pop("task"), "training": plain, "seed": config.seed}
    return {**parts, "main_metric": build_task(config.task).main_metric}
