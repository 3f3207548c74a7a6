"""What the tests of sweeps share: runs that take a fraction of a second."""

from pathlib import Path

from crn_lib.models import ModelConfig
from crn_lib.sweeps import Sweep
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig

TASK = CopyingConfig(string_length=3, vocab=5)


def quick(seed: int = 0, kind: str = "lstm", **fields: float) -> TrainConfig:
    model = ModelConfig(kind=kind, vocab_size=8, width=8, blocks=1, max_length=TASK.context)
    plain = {"steps": 6, "batch": 4, "evaluate_every": 2, "evaluation_strings": 8, "checkpoint_every": 2} | fields
    return TrainConfig(model=model, task=TASK, seed=seed, **plain)  # type: ignore[arg-type]


def sweep(folder: Path, *configs: TrainConfig) -> Sweep:
    return Sweep("quick", configs or tuple(quick(seed) for seed in range(3)), folder / "rows" / "quick.jsonl")


def timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """A history without its seconds, the only things that no two runs share."""
    return [{name: value for name, value in row.items() if "seconds" not in name} for row in history]
