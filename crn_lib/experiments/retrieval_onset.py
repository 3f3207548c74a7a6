"""When in training a copier begins to retrieve: the measures of every block beside the loss (lesson 08).

`crn measure retrieval_onset` adds the rows that `figures/data/retrieval_course.jsonl` still lacks.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from crn_lib.analysis import capture_pairs, copy_sources
from crn_lib.analysis.retrieval import look, named_edit, score_edited
from crn_lib.experiments.retrieval import fresh_problems
from crn_lib.models import ModelConfig, SequenceModel
from crn_lib.provenance import circumstances
from crn_lib.sweeps import fill
from crn_lib.sweeps.fill import Measurement
from crn_lib.sweeps.rows import Row, config_key
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.tasks.scores import NOT_SCORED
from crn_lib.training import TrainConfig, train

STRINGS = 64
"""Fresh strings at every stop; the same ones at all."""

ROWS = "retrieval_course.jsonl"

FOUND = {"causal_rn": "opposed_is_source", "transformer": "attended_is_source"}
"""What a block of each kind looks up by: the most anti-aligned sender, or the one with the largest weight."""

HALF = 0.5

FINE = {
    ("causal_rn", 16): (50, 120),
    ("transformer", 16): (50, 160),
    ("causal_rn", 32): (50, 160),
    ("transformer", 32): (120, 400),
}
"""By kind and letters, the steps between which the grid's models learn to copy: there every second one is a stop."""

UNDER_PLATEAU = 0.05
"""Nats under the loss of guessing at which the loss counts as having left its plateau."""


def course_config(kind: str, string_length: int, seed: int, steps: int) -> TrainConfig:
    """One run, with a stop every 10 steps at least."""
    task = CopyingConfig(string_length=string_length)
    model = ModelConfig(kind=kind, max_length=task.context)
    return TrainConfig(model=model, task=task, steps=steps, evaluate_every=10, evaluation_strings=64, seed=seed)


def grid() -> list[TrainConfig]:
    """Every run, the first seed of all of them before the second."""
    return [
        course_config(kind, length, seed, steps)
        for seed in (0, 1, 2)
        for length, steps in ((16, 200), (32, 400))
        for kind in ("causal_rn", "transformer")
    ]


def time_course(config: TrainConfig, stops: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Train, and look at every block at each stop.

    A stop is the end of a run of so many steps, and the next one resumes its checkpoint: bit for bit the run that never
    stopped.

    Raises:
        KeyboardInterrupt: it was interrupted.

    Yields:
        `step`; on the fresh strings, teacher-forced, `loss`, `letters` and `string_accuracy`, and the same letters
        without the source in all blocks (`letters_without_source`); and `found`, for each block the share of
        positions at which its lookup, by `FOUND`, points at the source.
    """
    task = CopyingTask(config.copying)
    tokens, targets = fresh_problems(task, STRINGS)
    where = copy_sources(task.config.string_length)
    with tempfile.TemporaryDirectory() as folder:
        for step in stops:
            result = train(replace(config, steps=step), device="cpu", folder=Path(folder), resume=True, progress=False)
            if result.stopped == "interrupted":  # it has made fewer steps than it would be said to have
                raise KeyboardInterrupt
            model = result.model
            scores = score_edited(model, task, tokens, targets, {})
            edit = named_edit("drop_source", where.sources, torch.Generator().manual_seed(0))
            without = score_edited(model, task, tokens, targets, dict.fromkeys(range(config.model.blocks), edit))
            yield {
                "step": step,
                "loss": loss_on(model, tokens, targets),
                "letters": scores["letters"],
                "string_accuracy": scores["string_accuracy"],
                "letters_without_source": without["letters"],
                "found": [
                    look(pairs, where.sources)[FOUND[config.model.kind]]
                    for pairs in capture_pairs(model, tokens, where.rows)
                ],
            }


@torch.no_grad()
def loss_on(model: SequenceModel, tokens: Tensor, targets: Tensor) -> float:
    """The mean loss of the scored tokens, in nats."""
    return cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED).item()


def stops_of(config: TrainConfig) -> list[int]:
    """Every 10th step, and every second one within `FINE`."""
    coarse = range(config.evaluate_every, config.steps + 1, config.evaluate_every)
    first, last = FINE.get((config.model.kind, config.copying.string_length), (1, 0))
    return sorted({*coarse, *range(first, min(last, config.steps) + 1, 2)})


def course_row(config: TrainConfig) -> Row:
    """The whole time course of one run as a row."""
    return {
        "key": config_key(config),
        "kind": config.model.kind,
        "string_length": config.copying.string_length,
        "seed": config.seed,
        "batch": config.batch,
        "learning_rate": config.learning_rate,
        "width": config.model.width,
        "blocks": config.model.blocks,
        "strings": STRINGS,
        **circumstances("cpu", config.precision),
        "course": list(time_course(config, stops_of(config))),
    }


def fill_rows(configs: Iterable[TrainConfig], path: str | Path) -> None:
    """Train what has no row yet, adding each row as soon as it is done."""

    def measure(config: TrainConfig, _: set[str]) -> Iterator[Row]:
        yield course_row(config)

    measurements = [Measurement([config_key(config)], partial(measure, config)) for config in configs]
    fill.fill_rows(path, measurements, what="run")


def crossing(course: Sequence[Mapping[str, Any]], values: Sequence[float], level: float = HALF) -> int | None:
    """The first stop of a time course at which a value is at least this; `None` if there is none."""
    return next((stop["step"] for stop, value in zip(course, values, strict=True) if value >= level), None)


def found_in_block(course: Sequence[Mapping[str, Any]], block: int) -> list[float]:
    """At every stop the share of positions at which this block's lookup finds the source."""
    return [stop["found"][block] for stop in course]


def plateau(string_length: int) -> float:
    """The loss, in nats, of a model that knows where EOS stands and guesses every letter."""
    return string_length * math.log(26) / (string_length + 1)


def leaves_plateau(course: Sequence[Mapping[str, Any]], string_length: int) -> int | None:
    """The first stop at which the loss is `UNDER_PLATEAU` below `plateau`; `None` if there is none."""
    return crossing(course, [-stop["loss"] for stop in course], UNDER_PLATEAU - plateau(string_length))
