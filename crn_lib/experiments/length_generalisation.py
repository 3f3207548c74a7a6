"""Models trained on strings of 4 to 32 letters, tested on up to 64 (beyond the paper).

`crn measure length_generalisation` tests the models that `crn sweep length_generalisation` left, and
adds a row for every model and length to `figures/data/length_generalisation.jsonl` that is not there yet.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm.auto import tqdm

from crn_lib.errors import RunFailed
from crn_lib.models import SequenceModel
from crn_lib.provenance import circumstances
from crn_lib.sweeps.jobs import Job
from crn_lib.sweeps.rows import Row, append_row, newest_rows
from crn_lib.tasks import CopyingConfig, CopyingTask, free_running, teacher_forced
from crn_lib.tasks.copying import EOS, NOT_SCORED
from crn_lib.training import load_model
from crn_lib.training.loop import CHECKPOINT_NAME

LENGTHS = (4, 8, 16, 24, 32, 33, 34, 36, 40, 48, 64)
"""Letters; training ends at 32."""

STRINGS = 256
ROWS = "length_generalisation.jsonl"


def measure(model: SequenceModel, string_length: int, seed: int) -> dict[str, float]:
    """All four accuracies on fresh strings of exactly this length, and the share of letters right whatever EOS does."""
    task = CopyingTask(CopyingConfig(string_length=string_length))
    generator = torch.Generator().manual_seed(1000 * string_length + seed)
    forced = teacher_forced(model, task, STRINGS, generator)
    free = free_running(model, task, STRINGS, generator)
    letters = letters_right(model, task, STRINGS, generator)
    return {**forced, **{f"free_running_{name}": value for name, value in free.items()}, "letters_right": letters}


@torch.no_grad()
def letters_right(model: SequenceModel, task: CopyingTask, strings: int, generator: torch.Generator) -> float:
    """Share of the letters that a model predicts right, teacher-forced, one by one.

    The task's own accuracy counts a string as 0 if its EOS is not where it should be. A model that still finds letters
    beyond the lengths it knows, but no end, would look as if it found nothing.
    """
    tokens, targets = task.sample(strings, generator)
    right = model(tokens).argmax(dim=-1) == targets
    return float(right[(targets != NOT_SCORED) & (targets != EOS)].double().mean())


def fill_rows(jobs: Sequence[Job], rows: dict[str, Row], path: Path, lengths: Sequence[int] = LENGTHS) -> list[Row]:
    """Test every trained model of the jobs at every length, adding each row to the file at once.

    Args:
        jobs: runs, whose checkpoints are in their folders.
        rows: the stored rows of those that are trained, by key.

    Raises:
        RunFailed: a trained model is no longer on this machine; all others have been tested by then.
    """
    done = newest_rows(path)
    wanted = [(job, length) for job in jobs if job.key in rows and not rows[job.key]["error"] for length in lengths]
    missing = [(job, length) for job, length in wanted if _key(job, length) not in done]
    lost = {job.key: job for job, _ in missing if not (job.folder / CHECKPOINT_NAME).exists()}
    here = [(job, length) for job, length in missing if job.key not in lost]
    for job, length in tqdm(here, desc="testing", unit="length"):
        model = load_model(job.folder / CHECKPOINT_NAME)
        row: Row = {
            "key": _key(job, length),
            "trained": job.key,
            "kind": job.config.model.kind,
            "trained_up_to": job.config.task.string_length,
            "tested_at": length,
            "strings": STRINGS,
            "seed": job.config.seed,
            **circumstances("cpu", "float32"),
            **measure(model, length, job.config.seed),
        }
        append_row(path, row)
        done[_key(job, length)] = row
    if lost:
        models = ", ".join(f"{job.config.model.kind} (key {key})" for key, job in lost.items())
        raise RunFailed(
            f"not tested, because their checkpoints are not on this machine: {models}. "
            "Remove their rows from the sweep's file, and `crn sweep` trains them again."
        )
    return [done[_key(job, length)] for job, length in wanted]


def _key(job: Job, length: int) -> str:
    return hashlib.sha256(f"{job.key} tested at {length}".encode()).hexdigest()[:16]
