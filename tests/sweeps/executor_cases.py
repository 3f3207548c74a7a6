"""What the tests of executors share: jobs that end in a second, and a look at processes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from crn_lib.sweeps import Executor
from crn_lib.sweeps.jobs import Job
from crn_lib.sweeps.rows import Row, config_key
from crn_lib.training import TrainConfig
from crn_lib.training.checkpoints import Checkpoint
from crn_lib.training.loop import CHECKPOINT_NAME
from tests.tiny import tiny

REGULAR = 37
TIMES = ("seconds", "cpu_seconds", "peak_bytes", "commit")  # the commit changes where somebody commits meanwhile


def quick(**fields: Any) -> TrainConfig:
    """20 steps."""
    return tiny(**({"steps": 20} | fields))


def endless(**fields: Any) -> TrainConfig:
    """A run that lasts longer than any test, with a checkpoint every 37 steps."""
    return quick(**({"steps": 1_000_000, "evaluate_every": 5, "checkpoint_every": REGULAR} | fields))


def jobs_in(folder: Path, configs: Sequence[TrainConfig]) -> list[Job]:
    return [Job(config_key(one), "test", one, folder / config_key(one), "cpu") for one in configs]


def diverging_and_impossible(folder: Path) -> list[Job]:
    """Two good runs around one whose weights overflow and one on a device that is not here."""
    good, other = jobs_in(folder, [quick(), quick(seed=1)])
    (diverging,) = jobs_in(folder, [quick(learning_rate=10.0, warmup=0, clip=1e30, steps=200, weight_decay=1e38)])
    (elsewhere,) = jobs_in(folder, [quick(seed=2)])
    return [good, diverging, replace(elsewhere, device="tpu"), other]


def rows_of(executor: Executor, jobs: Sequence[Job]) -> list[Row]:
    """Every job's row, in the order of the jobs."""
    rows = {job.key: row for job, row in executor.run(jobs)}
    assert len(rows) == len(jobs)
    return [rows[job.key] for job in jobs]


def steps_saved(job: Job) -> int:
    return int(Checkpoint.load(job.folder / CHECKPOINT_NAME).header["step"])


def saved_when_interrupted(jobs: Sequence[Job]) -> bool:
    """Whether the checkpoints are of another moment than the regular ones (all of them by chance: one in 1,369)."""
    return any(steps_saved(job) % REGULAR for job in jobs)


def timeless(row: Row) -> Row:
    """A row without what no two runs share, in its history too."""
    kept = {name: value for name, value in row.items() if name not in TIMES}
    kept["history"] = [{n: v for n, v in each.items() if n not in TIMES} for each in row.get("history", [])]
    return kept


def is_alive(process: psutil.Process) -> bool:
    return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
