"""One run of a sweep: from its checkpoint if there is one, to a row, whatever happens."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crn_lib.config import require_number
from crn_lib.data import DataError
from crn_lib.files import replace_text
from crn_lib.provenance import circumstances
from crn_lib.sweeps.rows import Row
from crn_lib.training import NotThisRun, RunBusy, TrainConfig, TrainingDiverged, train
from crn_lib.training.loop import CHECKPOINT_NAME
from crn_lib.training.result import config_fields

PROGRESS_NAME = "progress.json"
NO_DATA = "no_data"
"""The field of a row whose run could not begin, since the files of its data are missing or damaged."""
History = list[dict[str, float]]


@dataclass(frozen=True)
class Job:
    """One configuration to train, and where its checkpoint lies.

    Attributes:
        key: hash of the configuration.
        sweep: name of the sweep it belongs to.
        folder: of its checkpoint and its progress.
        device: as `train` takes it.
    """

    key: str
    sweep: str
    config: TrainConfig
    folder: Path
    device: str = "auto"

    def progress(self) -> dict[str, float] | None:
        """The newest evaluation of the run in flight, `None` before the first."""
        try:
            progress: dict[str, float] = json.loads((self.folder / PROGRESS_NAME).read_text(encoding="utf-8"))
            for name in ("step", "seconds"):
                require_number(name, progress[name], 0)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return progress


def run_job(job: Job, on_evaluation: Callable[[History], None] | None = None) -> Row:
    """Train, and say what came of it as a row with the history in it. An error is a row too, with `error` set.

    Where the data are not there, that says nothing of the run: its row has `NO_DATA` set and is not for a file.

    Raises:
        KeyboardInterrupt: it was interrupted; the checkpoint is saved.
    """
    history: History = []

    def note(rows: History) -> None:
        history[:] = rows
        with suppress(OSError):  # a full disk: nobody sees how far the run is, and it goes on
            replace_text(job.folder / PROGRESS_NAME, json.dumps(rows[-1]))
        if on_evaluation is not None:
            on_evaluation(rows)

    busy = False
    try:
        result = _train(job, note)
    except TrainingDiverged as error:
        return {**_identity(job), **error.result.row(), "error": f"{type(error).__name__}: {error}"}
    except DataError as error:
        return {**failed_row(job, f"{type(error).__name__}: {error}"), NO_DATA: True, "history": history}
    except Exception as error:  # one run's failure, of whatever kind, must not cost the others
        busy = isinstance(error, RunBusy)
        return {**failed_row(job, f"{type(error).__name__}: {error}"), "history": history}
    finally:
        if not busy:  # else it is the other process's progress
            with suppress(OSError):  # where a file stands in the folder's place, there is none
                (job.folder / PROGRESS_NAME).unlink(missing_ok=True)
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    return {**_identity(job), **result.row(), "error": None}


def _train(job: Job, note: Callable[[History], None]) -> Any:
    def go(resume: bool) -> Any:
        return train(
            job.config, device=job.device, folder=job.folder, resume=resume, progress=False, on_evaluation=note
        )

    try:
        return go(resume=True)
    except NotThisRun:  # what lies there can only be done again
        (job.folder / CHECKPOINT_NAME).unlink(missing_ok=True)
        return go(resume=False)


def _identity(job: Job) -> Row:
    return {"key": job.key, "sweep": job.sweep}


def failed_row(job: Job, error: str, *, threads: int | None = None) -> Row:
    """The row of a run that left nothing but its error.

    Args:
        threads: of the process it ran in, where that was not this one.
    """
    row = {**_identity(job), **config_fields(job.config), **circumstances(job.device, job.config.precision)}
    return {**row, "threads": row["threads"] if threads is None else threads, "error": error}
