"""Training: `train(TrainConfig(...)) -> RunResult`."""

from crn_lib.training.checkpoints import CheckpointError, NotThisRun, RunBusy, load_model
from crn_lib.training.config import TrainConfig
from crn_lib.training.loop import train
from crn_lib.training.result import RunResult, TrainingDiverged

__all__ = [
    "CheckpointError",
    "NotThisRun",
    "RunBusy",
    "RunResult",
    "TrainConfig",
    "TrainingDiverged",
    "load_model",
    "train",
]
