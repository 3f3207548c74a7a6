"""Stored runs on other tasks than copying, as points: a model on a task, at the best of the rates it was given.

`PANELS` names the tasks of lesson 10, and `read_points` reads what there is of their rows. What the points say to the
lesson's questions is decided in `beyond_verdicts.py`.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from crn_lib.config import from_mapping
from crn_lib.experiments.comparison import model_of, task_of
from crn_lib.experiments.memory import predicted_bytes
from crn_lib.experiments.verdicts import Share, Verdict
from crn_lib.models import ModelConfig
from crn_lib.paths import data_file
from crn_lib.sweeps.rows import plain_config
from crn_lib.sweeps.stored_runs import Run, Spread, read_runs
from crn_lib.tasks import TASKS
from crn_lib.tasks.registry import task_name
from crn_lib.training import TrainConfig
from crn_lib.units import counted

RATES = 5
"""Learning rates, of which the best is not at an edge, that a model needs before it is said to fail, or not to be as
good as another."""

ALIKE = 0.01
"""Scores this close to the best count as equal when the best rate is chosen: then see `best_rate`."""

BEGUN = 0.02
"""So far above guessing a model has begun to learn a task."""

EQUAL = 1.05
"""Bytes that differ by less than this factor count as equal: models hold a few counters beside their rows."""


class Panel(NamedTuple):
    """A task of the lesson: whose rows, its name and that of its main metric, and which runs of the sweep it has.

    `short_conv` is the convolution before each block with which kinds are compared on it; 0 is none.
    """

    sweep: str
    title: str
    score: str
    blocks: int
    fields: Mapping[str, Any]
    short_conv: int = 0


PANELS = {
    "few": Panel("recall", "Recall of 4 pairs", "queries right", 2, {"pairs": 4, "vocab": 16}),
    "symbols": Panel("recall", "Recall of 4 pairs, 128 symbols", "queries right", 2, {"pairs": 4, "vocab": 128}, 3),
    "recall": Panel("recall", "Recall of 16 pairs", "queries right", 2, {"pairs": 16}, short_conv=3),
    "suffix": Panel(
        "ngram", "Look-up, asked after the string", "answers right", 4, {"where": "suffix", "answer_length": 1}, 3
    ),
    "prefix": Panel(
        "ngram", "Look-up, asked before the string", "answers right", 4, {"where": "prefix", "answer_length": 1}, 3
    ),
    "fuzzy": Panel("fuzzy_recall", "Recall of keys of several tokens", "tokens right", 2, {}, 3),
    "by_heart": Panel("memorisation", "One dictionary learnt by heart", "values right", 2, {}),
    "regression": Panel("regression", "Regression in context", "variance explained", 4, {"dims": 5}),
    "hops": Panel("hops", "0 to 4 hops", "letters right", 4, {}),
    "patches": Panel("images", "Digits, 16 patches", "images right", 4, {"layout": "patches"}),
    "pixels": Panel("images", "Digits, 64 pixels", "images right", 4, {"layout": "pixels"}),
    "permuted": Panel("images", "Digits, 64 pixels in random order", "images right", 4, {"layout": "permuted"}),
    "text": Panel("text", "Next byte of the sonnets", "bytes right", 4, {}),
    "sentences": Panel("sentences", "Film reviews, liked or not", "reviews right", 4, {}),
}
"""By the names that the lesson calls them; `blocks` is the depth at which kinds are compared."""

FOUR = ("few", "recall", "suffix", "patches")
"""Panels that one figure shows together."""


def rates_alike(scores: Mapping[float, Sequence[float]], guessing: float = -math.inf) -> list[float]:
    """The rates whose median score is the highest, or within `ALIKE` of it; all of them where none has a score.

    Args:
        scores: by rate, one a seed, the higher the better. A rate at which one is not finite is never the best.
        guessing: up to this score a model guesses, and no rate is better than another.
    """
    medians = {
        rate: max(Spread.of(own).median, guessing) if own and all(map(math.isfinite, own)) else -math.inf
        for rate, own in scores.items()
    }
    highest = max(medians.values())
    return [rate for rate, median in medians.items() if median >= highest - ALIKE]


def best_rate(alike: Iterable[float], scores: Mapping[float, Sequence[float]]) -> float:
    """Of rates that are alike one with the most seeds, so that no lucky one stands for three; then the one farthest
    from the edges of all that were tried; of two such the smaller.

    Args:
        scores: by rate, one a seed.
    """
    order = sorted(scores)
    middle = (len(order) - 1) / 2
    return min(alike, key=lambda rate: (-len(scores[rate]), abs(order.index(rate) - middle), rate))


@dataclass(frozen=True)
class Point:
    """One model on one task: its runs by learning rate, ascending.

    Attributes:
        config: of its runs, whose learning rates, seeds and numbers of steps are not to be read here.
    """

    config: TrainConfig
    tried: Mapping[float, tuple[Run, ...]]

    @property
    def model(self) -> ModelConfig:
        """Its kind and shape."""
        return self.config.model

    @cached_property
    def alike(self) -> list[float]:
        """The best rates (`rates_alike`).

        Of real data the last score on the validation part chooses: the test part has no say in what is tested on it. Of
        text it is the bits per byte. Rates at which a model guesses are alike, whatever luck they had in it.
        """
        task = self.config.task
        loss = TASKS[task_name(task)].task.loss_metric
        return rates_alike(self._scores, -math.inf if loss else task.chance + BEGUN)

    @cached_property
    def rate(self) -> float:
        """The one that stands for the model (`best_rate`)."""
        return best_rate(self.alike, self._scores)

    @cached_property
    def _scores(self) -> dict[float, list[float]]:
        return {rate: [_to_choose_by(run) for run in runs] for rate, runs in self.tried.items()}

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those at the best rate, one a seed."""
        return self.tried[self.rate]

    @property
    def at_edge(self) -> bool:
        """Whether none of the best rates lies between others that were tried."""
        return set(self.alike) <= {min(self.tried), max(self.tried)}

    @property
    def had_its_chance(self) -> bool:
        """Whether it was given `RATES` rates, the best of them not at an edge."""
        return len(self.tried) >= RATES and not self.at_edge

    @property
    def score(self) -> Spread:
        """The task's main metric at the end, over seeds; NaN where a run ended without one."""
        return self.metric(self.runs[0].main_metric)

    def metric(self, name: str) -> Spread:
        """Any metric at the end, over the seeds at the best rate; NaN where a run has none of that name."""
        return _spread(self.runs, name)

    def by_rate(self, name: str, form: str) -> str:
        """The same at every rate, in words."""
        return ", ".join(f"{rate:g}: {_spread(runs, name).show(form)}" for rate, runs in self.tried.items())

    @cached_property
    def share(self) -> Share:
        """How many of the runs at the best rate reached 99% of the main metric."""
        return Share.of(self.runs)

    @property
    def solves(self) -> Verdict:
        """Whether it solves the task in more than half of its seeds at the best rate.

        Just half of them decide nothing. No only after `RATES` rates, the best not at an edge, if no run at any of them
        was stopped while it was still rising, and if it has begun: models stay at guessing for thousands of steps
        before they jump, and a best rate of equals is none.
        """
        if self.share.works:
            return True
        rising = any(Share.of(runs).unfinished for runs in self.tried.values())
        halved = 2 * self.share.copied == self.share.runs
        ended = not rising and not halved and math.isfinite(self.score.median)
        begun = self.score.median > self.config.task.chance + BEGUN
        return False if self.had_its_chance and ended and begun else None

    @property
    def rates_that_solve(self) -> str:
        """As in `2 of 6`: the rates at which more than half of the seeds solve the task, of all that were tried."""
        return f"{sum(Share.of(runs).works for runs in self.tried.values())} of {len(self.tried)}"

    @cached_property
    def state_bytes(self) -> int:
        """Bytes held for one sequence when it has been read, in float32."""
        return predicted_bytes(self.model, self.config.task.context)

    @property
    def plain(self) -> bool:
        """Whether the model is its kind's own, without another norm or a wider inside."""
        model = self.model
        same = ("vocab_size", "width", "blocks", "max_length", "input_width", "short_conv")
        shape = {name: getattr(model, name) for name in same}
        return model == ModelConfig(kind=model.kind, **shape)

    def words(self, metric: str | None = None, form: str = ".1%") -> str:
        """As in `97.1% (96.8% to 97.4%), 2 seeds, 3,000 steps, rate 0.002, an edge of 3`; steps are the most taken.

        Args:
            metric: what is said in front, in this form; the main one if none is named.
        """
        score = self.metric(metric) if metric else self.score
        seeds = counted(len(self.runs), "seed")
        edge = (
            f"{', an edge' if self.at_edge else ''} of {len(self.tried)}" if len(self.tried) > 1 else ", the only one"
        )
        steps = max(run.row["steps"] for run in self.runs)
        return f"{score.show(form)}, {seeds}, {steps:,} steps, rate {self.rate:g}{edge}"


def _spread(runs: Iterable[Run], name: str) -> Spread:
    found = [float(run.row.get(name, math.nan)) for run in runs]
    return Spread.of(found) if all(map(math.isfinite, found)) else Spread(math.nan, math.nan, math.nan)


def _to_choose_by(run: Run) -> float:
    """What may choose between rates, the higher the better; not finite where a run ended without a score."""
    task = TASKS[run.task].task
    metric, sign = (task.loss_metric, -1) if task.loss_metric else (run.main_metric, 1)
    final = float(run.row.get(metric, math.nan))
    validated = task.keeps_some_apart and math.isfinite(final)
    return sign * (float(run.history[-1][metric]) if validated else final)


def points_of(runs: Iterable[Run]) -> list[Point]:
    """Runs as points, one for each model on each task, in the order in which the rows are stored.

    Where a rate was given fewer steps and then more, the runs that had more count.
    """
    groups: dict[TrainConfig, dict[float, dict[int, list[Run]]]] = defaultdict(lambda: defaultdict(dict))
    for run in runs:
        config = from_mapping(TrainConfig, plain_config(run.row))
        model = replace(config, learning_rate=1.0, seed=0, steps=1, evaluate_every=1)
        groups[model][config.learning_rate].setdefault(config.steps, []).append(run)
    return [
        Point(config, {rate: tuple(by_steps[max(by_steps)]) for rate, by_steps in sorted(by_rate.items())})
        for config, by_rate in groups.items()
    ]


def read_points(runs: str | Path | None = None) -> dict[str, list[Point]]:
    """What stored runs there are of every panel: all its models and depths; nothing where there is no row yet.

    A run whose loss stopped being finite is there too: its rate was tried.

    Args:
        runs: the folder of their rows; where it is not given, one's own rows of a sweep or else the workbook's.
    """

    def rows_of(sweep: str) -> Path:
        name = f"{sweep}.jsonl"
        return data_file(f"runs/{name}") if runs is None else Path(runs) / name

    found = {
        sweep: points_of(read_runs(rows_of(sweep), diverged=True))
        for sweep in {panel.sweep for panel in PANELS.values()}
    }
    return {
        name: [
            point
            for point in found[panel.sweep]
            if all(getattr(point.config.task, field) == value for field, value in panel.fields.items())
        ]
        for name, panel in PANELS.items()
    }


def comparable(name: str, points: Iterable[Point]) -> list[Point]:
    """Of a panel's points those that kinds are compared at: plain models of the panel's depth and convolution."""
    shape = (PANELS[name].blocks, PANELS[name].short_conv)
    return [point for point in points if point.plain and (point.model.blocks, point.model.short_conv) == shape]


def best_at(points: Iterable[Point], limit: float) -> list[Point]:
    """The best point of every kind that holds at most so many bytes, the highest score first."""
    best: dict[str, Point] = {}
    for point in points:
        kind, score = point.model.kind, point.score.median
        fits = point.state_bytes <= EQUAL * limit and math.isfinite(score)
        if fits and (kind not in best or score > best[kind].score.median):
            best[kind] = point
    return sorted(best.values(), key=lambda point: -point.score.median)


def find(points: Iterable[Point], kind: str, **fields: Any) -> Point | None:
    """The plain point of a kind, whose model has these fields; `None` where there is none."""
    wanted = {"kind": kind, **fields}
    return next(
        (p for p in points if p.plain and all(getattr(p.model, name) == value for name, value in wanted.items())), None
    )


def errors_by_examples(point: Point) -> list[float]:
    """In-context regression: squared error over the variance after 0, 1, 2 ... examples, the median over seeds."""
    return [point.metric(f"error_after_{i}").median for i in range(point.config.task.context // 2)]


def hops_by_number(point: Point) -> list[float]:
    """k-hop induction: the share right of strings with 0, 1, 2 ... hops, the median over seeds."""
    hops: int = point.config.task.hops  # type: ignore[attr-defined]
    return [point.metric(f"accuracy_{k}_hops").median for k in range(hops + 1)]


def in_short(points: Sequence[Point], names: Mapping[str, str], metric: str | None = None, form: str = ".1%") -> str:
    """All of them in one line, kinds by these names, each with its task, and its blocks where they differ.

    It is `no row yet` where there is none.

    Args:
        metric, form: as for `Point.words`.
    """
    deep = len({point.model.blocks for point in points}) > 1
    named = (
        f"{task_of(point.runs[0].row)}, {model_of(point.runs[0].row, names)}, width {point.model.width}"
        f"{f', {point.model.blocks} blocks' if deep else ''}: {point.words(metric, form)}"
        for point in points
    )
    return "; ".join(named) or "no row yet"


def circumstances_of(points: Iterable[Point]) -> tuple[str, str]:
    """Over what, and on what: how many rates and seeds at the best of them the points have, and their devices."""
    own = list(points)
    if not own:
        return "no seed yet", "no row yet"
    counts = [
        f"{min(found)}" if min(found) == max(found) else f"{min(found)} to {max(found)}"
        for found in ([len(p.tried) for p in own], [len(p.runs) for p in own])
    ]
    rows = [run.row for p in own for run in p.runs]
    devices = " and ".join(sorted({f"{row['device']}, {row['dtype']}" for row in rows}))
    return f"learning rates tried: {counts[0]}; seeds at the best: {counts[1]}", devices
