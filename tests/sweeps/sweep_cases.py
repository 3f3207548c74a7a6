"""What the tests of sweeps share: a sweep of runs that take a fraction of a second."""

from pathlib import Path

from crn_lib.sweeps import Sweep
from crn_lib.training import TrainConfig
from tests.tiny import quick


def sweep(folder: Path, *configs: TrainConfig) -> Sweep:
    return Sweep("quick", configs or tuple(quick(seed) for seed in range(3)), folder / "rows" / "quick.jsonl")
