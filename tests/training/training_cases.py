"""What the tests of training share: a task that a small model learns within a second."""

from typing import Any

from torch import Tensor

from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import RunResult, TrainConfig, train


def tiny(kind: str = "causal_rn", **fields: Any) -> TrainConfig:
    """Strings of 4 letters out of 5, width 16, two blocks."""
    model = ModelConfig(kind=kind, vocab_size=8, width=16, blocks=2, max_length=10)
    quick: dict[str, Any] = {
        "model": model,
        "task": CopyingConfig(string_length=4, vocab=5),
        "steps": 30,
        "batch": 8,
        "learning_rate": 1e-2,
        "warmup": 10,
        "evaluate_every": 10,
        "evaluation_strings": 20,
        "checkpoint_every": 10,
    }
    return TrainConfig(**(quick | fields))


def run(config: TrainConfig, **options: Any) -> RunResult:
    return train(config, device="cpu", progress=False, **options)


def weights(result: RunResult) -> dict[str, Tensor]:
    return dict(result.model.state_dict())


def timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """A history without its seconds, the only things that no two runs share."""
    return [{name: value for name, value in row.items() if name not in ("seconds", "cpu_seconds")} for row in history]
