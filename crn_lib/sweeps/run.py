"""Run a sweep: skip what is stored, store each row as it comes, go on from checkpoints."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from crn_lib.config import require, require_whole
from crn_lib.device import Device, known_device, pick_device
from crn_lib.paths import checkpoint_folder
from crn_lib.sweeps.executors import Executor, InlineExecutor
from crn_lib.sweeps.jobs import NO_DATA, PROGRESS_NAME, Job
from crn_lib.sweeps.rows import Row, append_row, config_key, lock_rows, run_rows
from crn_lib.sweeps.sweep import Sweep
from crn_lib.training.checkpoints import own_folder


@dataclass
class SweepState:
    """How far a sweep is.

    Attributes:
        jobs: every run of the sweep, in order.
        rows: rows stored so far, by key.
        waiting: jobs that this call will do, or has done: those without a row, and failed ones that are tried again.
        without_data: of runs that this call could not begin, since their data are missing or damaged, a row each by
            key. They are not stored.
        stored_now: how many rows this call has stored, those of runs done again among them.
    """

    jobs: list[Job]
    rows: dict[str, Row]
    waiting: list[Job]
    without_data: dict[str, Row] = field(default_factory=dict)
    stored_now: int = 0

    @property
    def done(self) -> list[Row]:
        """The stored rows of this sweep's runs, in the sweep's order."""
        return [self.rows[job.key] for job in self.jobs if job.key in self.rows]

    @property
    def outcomes(self) -> dict[str, Row]:
        """What came of runs, by key: the rows that are stored, and those of runs without their data."""
        return {**self.rows, **self.without_data}

    @property
    def failed(self) -> list[Row]:
        """Those of them that hold an error."""
        return [row for row in self.done if row["error"]]


def sweep_state(sweep: Sweep, *, device: Device = "auto", checkpoints: str | Path | None = None) -> SweepState:
    """What is done and what is not, without running anything.

    Args:
        checkpoints: folder of the runs' own folders; `runs/sweeps/<name>` in the workbook where it is not given.
    """
    folder = _folder(sweep, checkpoints)
    jobs = []
    for config in sweep.configs:
        key = config_key(config)
        jobs.append(Job(key, sweep.name, config, folder / key, str(device)))
    rows = run_rows(sweep.rows)
    return SweepState(jobs, rows, [job for job in jobs if job.key not in rows])


def run_sweep(
    sweep: Sweep,
    *,
    executor: Executor | None = None,
    device: Device = "auto",
    limit: int | None = None,
    retry_failed: bool = False,
    checkpoints: str | Path | None = None,
    on_row: Callable[[SweepState], None] | None = None,
) -> SweepState:
    """Do every run that has no row yet. Killed at any moment, the next call goes on where this one ended.

    Args:
        executor: `InlineExecutor()` where it is not given.
        device: as `train` takes it.
        limit: at most so many runs in this call.
        retry_failed: runs whose row holds an error are done again; their new row counts.
        checkpoints: as for `sweep_state`. What a run leaves there can be loaded with `load_model`, or removed.
        on_row: called before the first run and after each, with how far the sweep is.

    Raises:
        ConfigError: a device that is not here, or a limit below 0: wrong for every run, and said before the first.
        CheckpointError: the folder of the runs cannot be written.
        RowsBusy: another process is adding rows to the same file.
        RunBusy: another process does the runs of a sweep in the same folder.
        KeyboardInterrupt: interrupted; what was done is stored.
    """
    require(isinstance(sweep, Sweep), f"sweep must be a Sweep, as load_sweep makes it; got a {type(sweep).__name__}")
    if limit is not None:
        require_whole("limit", limit, least=0)
    # The machines of a Ray cluster have devices of their own.
    (known_device if getattr(executor, "address", "") else pick_device)(device)
    with lock_rows(sweep.rows), own_folder(_folder(sweep, checkpoints)):
        state = sweep_state(sweep, device=device, checkpoints=checkpoints)
        if retry_failed:
            failed = {row["key"] for row in state.failed}
            state.waiting = [job for job in state.jobs if job.key not in state.rows or job.key in failed]
        state.waiting = state.waiting[:limit]
        for job in state.waiting:  # of a sweep that was killed: they are not running
            with suppress(OSError):
                (job.folder / PROGRESS_NAME).unlink(missing_ok=True)
        if on_row is not None:
            on_row(state)
        for job, row in (executor or InlineExecutor()).run(state.waiting):
            if row.get(NO_DATA):  # not stored, so that the run is done once they are there
                state.without_data[job.key] = row
            else:
                _store(sweep, row)
                state.rows[job.key] = row
                state.stored_now += 1
            if on_row is not None:
                on_row(state)
        return state


def _folder(sweep: Sweep, checkpoints: str | Path | None) -> Path:
    return Path(checkpoints) if checkpoints else checkpoint_folder() / sweep.name


def _store(sweep: Sweep, row: Row) -> None:
    """Write the history, then the row: a row that is there has its history."""
    history = row.pop("history", [])
    row["history_file"] = sweep.histories.name
    append_row(sweep.histories, {"key": row["key"], "history": history})
    append_row(sweep.rows, row)
