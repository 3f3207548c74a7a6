"""Models trained on strings of 4 to 32 letters, tested on up to 96 (beyond the paper).

`crn measure length_generalisation SWEEP` tests the models that `crn sweep SWEEP` left, at all lengths that they have
places for, and adds a row for every model and length to `figures/data/SWEEP.jsonl` that is not there yet. Sweeps are
`length_generalisation`, six models with room for 64 letters, and `unseen_lengths`, ways to tell places apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from crn_lib.errors import RunFailed
from crn_lib.experiments.beyond import best_rate, rates_alike
from crn_lib.models import SequenceModel
from crn_lib.provenance import circumstances
from crn_lib.sweeps import fill
from crn_lib.sweeps.fill import Measurement
from crn_lib.sweeps.jobs import Job
from crn_lib.sweeps.rows import Row, key_of
from crn_lib.tasks import CopyingConfig, CopyingTask, free_running, teacher_forced
from crn_lib.tasks.registry import task_name
from crn_lib.training import load_model
from crn_lib.training.loop import CHECKPOINT_NAME

LENGTHS = (4, 8, 16, 24, 32, 33, 34, 36, 40, 48, 64, 80, 96)
"""Letters; training ends at 32."""

STRINGS = 256
ROWS = "length_generalisation.jsonl"


def measure(model: SequenceModel, string_length: int, seed: int) -> dict[str, Any]:
    """All four accuracies on fresh strings of exactly this length, and those of `letters_and_ends`."""
    task = CopyingTask(CopyingConfig(string_length=string_length))
    generator = torch.Generator().manual_seed(1000 * string_length + seed)
    forced = teacher_forced(model, task, STRINGS, generator)
    free = free_running(model, task, STRINGS, generator)
    apart = letters_and_ends(model, task, STRINGS, generator)
    return {**forced, **{f"free_running_{name}": value for name, value in free.items()}, **apart}


@torch.no_grad()
def letters_and_ends(
    model: SequenceModel, task: CopyingTask, strings: int, generator: torch.Generator
) -> dict[str, Any]:
    """Shares that a model predicts right, teacher-forced, letters one by one and EOS apart.

    The task's own accuracy counts a string as 0 if its EOS is not where it should be. A model that still finds letters
    beyond the lengths it knows, but no end, would look as if it found nothing.

    Returns:
        `letters_right`, of all letters; `letters_by_place`, of the first letters of the strings, of the second, and so
        on; `ends_right`, of the EOS. All three are of tokens in the first places. Of a model with random positions also
        `drawn_letters_right` and so on, of the same strings in places drawn as in training.
    """
    tokens, targets = task.sample(strings, generator)
    places: dict[str, Tensor | None] = {"": None}
    batch, length = tokens.shape
    if (drawn := model.draw_positions(batch, length, generator)) is not None:
        places["drawn_"] = drawn
    found: dict[str, Any] = {}
    for name, positions in places.items():
        right = (model(tokens, positions).argmax(dim=-1) == targets).double()
        letters = right[:, -task.config.string_length - 1 : -1]
        found[f"{name}letters_right"] = letters.mean().item()
        found[f"{name}letters_by_place"] = letters.mean(dim=0).tolist()
        found[f"{name}ends_right"] = right[:, -1].mean().item()
    return found


def letters_right(row: Mapping[str, Any]) -> float:
    """Of a tested model, given those before; with positions drawn as in training where the model draws them."""
    return float(row["drawn_letters_right" if "drawn_letters_right" in row else "letters_right"])


def at_best_rate(rows: Iterable[Row]) -> list[Row]:
    """Those rows of every kind and way to tell places apart that are of its best learning rate.

    Chosen as `beyond.best_rate` chooses, by the median over seeds of the letters right in the longest strings of the
    training: what a model does beyond them chooses nothing.

    Args:
        rows: as `fill_rows` stores them.
    """
    schemes: dict[tuple[Any, ...], dict[float, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        schemes[row["kind"], row["positions"], row["first_window"]][row["learning_rate"]].append(row)
    found = []
    for rates in schemes.values():
        scores = {rate: _trained_letters(own) for rate, own in rates.items()}
        found += rates[best_rate(rates_alike(scores), scores)]
    return found


def _trained_letters(rows: Iterable[Row]) -> list[float]:
    """The letters right in the longest strings of the training, one number a seed."""
    return [letters_right(row) for row in rows if row["tested_at"] == row["trained_up_to"]]


def lengths_for(job: Job, lengths: Sequence[int] = LENGTHS) -> list[int]:
    """Those of the lengths that a run's model has places for."""
    room = job.config.model.max_length
    return [length for length in lengths if CopyingConfig(string_length=length).context <= room]


def fill_rows(
    jobs: Sequence[Job], rows: dict[str, Row], path: str | Path, lengths: Sequence[int] = LENGTHS
) -> list[Row]:
    """Test every trained model of the jobs at every length it has places for, adding each row to the file at once.

    Args:
        jobs: runs, whose checkpoints are in their folders.
        rows: the stored rows of those that are trained, by key.

    Raises:
        ConfigError: a run is on another task than copying.
        RunFailed: a trained model is no longer on this machine; all others have been tested by then.
    """
    for job in jobs:
        fill.require_copying(job.sweep, [task_name(job.config.task)])
    trained = [job for job in jobs if job.key in rows and not rows[job.key]["error"]]
    here = [job for job in trained if (job.folder / CHECKPOINT_NAME).exists()]
    measurements = [
        Measurement([row_key(job, length) for length in lengths_for(job, lengths)], partial(tested, job, lengths))
        for job in here
    ]
    done = fill.fill_rows(path, measurements, what="model")
    wanted = [(job, row_key(job, length)) for job in trained for length in lengths_for(job, lengths)]
    if lost := {job.key: job for job, key in wanted if key not in done}:
        models = ", ".join(f"{job.config.model.kind} (key {key})" for key, job in lost.items())
        raise RunFailed(
            f"not tested, because their checkpoints are not on this machine: {models}. "
            "Remove their rows from the sweep's file, and `crn sweep` trains them again."
        )
    return [done[key] for _, key in wanted]


def tested(job: Job, lengths: Sequence[int], missing: set[str]) -> Iterator[Row]:
    """The rows of the model that a run left, at those lengths whose keys are missing."""
    model = load_model(job.folder / CHECKPOINT_NAME)
    for length in lengths:
        if row_key(job, length) in missing:
            yield {
                "key": row_key(job, length),
                "trained": job.key,
                "kind": job.config.model.kind,
                "positions": job.config.model.positions,
                "first_window": job.config.model.first_window,
                "trained_up_to": job.config.copying.string_length,
                "tested_at": length,
                "strings": STRINGS,
                "seed": job.config.seed,
                "learning_rate": job.config.learning_rate,
                **circumstances("cpu", "float32"),
                **measure(model, length, job.config.seed),
            }


def row_key(job: Job, length: int) -> str:
    """Of the row that tests this run's model at this length."""
    return key_of(f"{job.key} tested at {length}")
