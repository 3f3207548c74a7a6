"""When in training a copier begins to retrieve: the measures of every block beside the loss (lesson 08).

`crn measure retrieval_onset` adds the rows that `figures/data/retrieval_course.jsonl` still lacks.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from crn_lib.analysis import capture_pairs, copy_sources
from crn_lib.analysis.retrieval import look, named_edit, score_edited
from crn_lib.experiments.retrieval import fresh_problems
from crn_lib.models import ModelConfig
from crn_lib.provenance import circumstances
from crn_lib.sweeps import fill
from crn_lib.sweeps.fill import Measurement
from crn_lib.sweeps.rows import Row, config_key
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.training import TrainConfig, train

STRINGS = 64
"""Fresh strings at every stop; the same ones at all."""

ROWS = "retrieval_course.jsonl"

FOUND = {"causal_rn": "opposed_is_source", "transformer": "attended_is_source"}
"""What a block of each kind looks up by: the most anti-aligned sender, or the one with the largest weight."""

HALF = 0.5


def course_config(kind: str, string_length: int, seed: int, steps: int) -> TrainConfig:
    """One run, evaluated every 10 steps."""
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
    stopped. The loss is the mean since the last evaluation.

    Yields:
        `step`, `loss`, `letters` and `string_accuracy` teacher-forced on the fresh strings, the same letters without
        the source in all blocks (`letters_without_source`), and `looks`, one mapping a block.
    """
    task = CopyingTask(config.copying)
    tokens, targets = fresh_problems(task, STRINGS)
    where = copy_sources(task.config.string_length)
    with tempfile.TemporaryDirectory() as folder:
        for step in stops:
            result = train(replace(config, steps=step), device="cpu", folder=Path(folder), resume=True, progress=False)
            model = result.model
            scores = score_edited(model, task, tokens, targets, {})
            edit = named_edit("drop_source", where.sources, torch.Generator().manual_seed(0))
            without = score_edited(model, task, tokens, targets, dict.fromkeys(range(config.model.blocks), edit))
            yield {
                "step": step,
                "loss": result.history[-1]["loss"],
                "letters": scores["letters"],
                "string_accuracy": scores["string_accuracy"],
                "letters_without_source": without["letters"],
                "looks": [look(pairs, where.sources) for pairs in capture_pairs(model, tokens, where.rows)],
            }


def course_row(config: TrainConfig) -> Row:
    """The whole time course of one run as a row."""
    stops = range(config.evaluate_every, config.steps + 1, config.evaluate_every)
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
        "course": list(time_course(config, stops)),
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


def found_in_block(course: Sequence[Mapping[str, Any]], kind: str, block: int) -> list[float]:
    """At every stop the share of positions at which this block's lookup finds the source."""
    return [stop["looks"][block][FOUND[kind]] for stop in course]
