"""What the runs of a sweep say together: curves over seeds, and steps until a length is copied."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from crn_lib.config import from_mapping
from crn_lib.experiments.jobs import History
from crn_lib.experiments.rows import Row, newest_rows, seedless
from crn_lib.experiments.run import read_histories
from crn_lib.models import ModelConfig, build_model

LENGTH_SWEEPS = ("lengths", "beyond_256")
"""Sweeps whose runs belong to one picture of copying by length."""

SOLVED = 0.99
"""Share of whole strings, teacher-forced, from which on a length counts as copied."""


@dataclass(frozen=True)
class Run:
    """A stored row and its history."""

    row: Row
    history: History

    @property
    def kind(self) -> str:
        """The model's kind."""
        return str(self.row["model"]["kind"])

    @property
    def string_length(self) -> int:
        """Letters in the longest string it was trained on."""
        return int(self.row["task"]["string_length"])

    def first(self, accuracy: float = SOLVED, metric: str = "string_accuracy") -> dict[str, float] | None:
        """The first evaluation that reached this accuracy; `None` if none did."""
        return next((point for point in self.history if point[metric] >= accuracy), None)


def read_runs(path: Path, *, diverged: bool = False) -> list[Run]:
    """The newest row of every run in a file that did not fail, with its history.

    Args:
        diverged: also those whose loss stopped being finite; they have a history, and no final accuracies.
    """

    def ended(row: Row) -> bool:
        return not row["error"] or (diverged and row.get("stopped") == "diverged")

    rows = [row for row in newest_rows(path).values() if ended(row)]
    histories = {name: read_histories(path.with_name(name)) for name in {row["history"] for row in rows}}
    return [Run(row, histories[row["history"]][row["key"]]) for row in rows]


def by_kind_and_length(runs: Iterable[Run]) -> dict[tuple[str, int], list[Run]]:
    """Runs that differ in their seed only, in the order of length, then kind."""
    groups: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.kind, run.string_length].append(run)
    return dict(sorted(groups.items(), key=lambda item: (item[0][1], item[0][0])))


@dataclass(frozen=True)
class Spread:
    """Median and range of a number over seeds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))

    def show(self, form: str = ",.0f") -> str:
        """As `350 (300 to 400)`, or one number where there is no range."""
        words = [format(value, form) for value in (self.median, self.low, self.high)]
        return words[0] if words[1] == words[2] else f"{words[0]} ({words[1]} to {words[2]})"


def curve_over_seeds(runs: Sequence[Run], metric: str) -> list[dict[str, float]]:
    """At every step at which a run was evaluated, median and range over all of them.

    A run that stopped because it reached its target counts from there on with its last value.

    Returns:
        Mappings with `step`, `median`, `low` and `high`.
    """
    steps = sorted({int(point["step"]) for run in runs for point in run.history})
    curve = []
    for step in steps:
        values = [_value_at(run.history, step, metric) for run in runs]
        spread = Spread.of([value for value in values if value is not None])
        curve.append({"step": step, "median": spread.median, "low": spread.low, "high": spread.high})
    return curve


def _value_at(history: History, step: int, metric: str) -> float | None:
    so_far = [point for point in history if point["step"] <= step]
    return so_far[-1][metric] if so_far else None


def length_points(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One mapping a kind and length: how many seeds copied it, after how many steps and processor seconds.

    Returns:
        Mappings with `kind`, `string_length`, `seeds`, `solved` (of them), `steps` and `seconds` (`Spread` over the
        seeds that solved it, `None` if none did), `budget` (steps at most), the `Spread`s of the final accuracies by
        the names they have in rows, and `width`.
    """
    names = [f"{way}{unit}_accuracy" for way in ("", "free_running_") for unit in ("character", "string")]
    points = []
    for (kind, string_length), own in by_kind_and_length(runs).items():
        reached = [point for run in own if (point := run.first()) is not None]
        points.append(
            {
                "kind": kind,
                "string_length": string_length,
                "width": own[0].row["model"]["width"],
                "seeds": len(own),
                "solved": len(reached),
                "steps": Spread.of([point["step"] for point in reached]) if reached else None,
                "seconds": Spread.of([point["cpu_seconds"] for point in reached]) if reached else None,
                "budget": max(run.row["training"]["steps"] for run in own),
                **{name: Spread.of([run.row[name] for run in own]) for name in names},
            }
        )
    return points


def state_points(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One mapping a kind and length: bytes held when the string has ended, and letters right, free-running.

    Returns:
        Mappings with `kind`, `string_length`, `width`, `seeds`, `state_bytes` and `accuracy` (a `Spread`).
    """
    points = []
    for (kind, string_length), own in by_kind_and_length(runs).items():
        config = from_mapping(ModelConfig, own[0].row["model"])
        points.append(
            {
                "kind": kind,
                "string_length": string_length,
                "width": config.width,
                "seeds": len(own),
                "state_bytes": build_model(config).state_bytes(string_length + 2),
                "accuracy": Spread.of([run.row["free_running_character_accuracy"] for run in own]),
            }
        )
    return points


def best_learning_rates(runs: Iterable[Run]) -> dict[tuple[str, int], float]:
    """For every kind and width the rate to train with: the fewest steps to 99% of strings, else the most letters.

    Of equals the one that comes first.

    Returns:
        Learning rates by `(kind, width)`.
    """
    best: dict[tuple[str, int], tuple[float, float, float]] = {}
    for run in runs:
        solved = run.first()
        key = run.kind, int(run.row["model"]["width"])
        steps = solved["step"] if solved else float("inf")
        result = (-steps, run.row["character_accuracy"], run.row["training"]["learning_rate"])
        if key not in best or result[:2] > best[key][:2]:
            best[key] = result
    return {key: rate for key, (_, _, rate) in best.items()}


def budget_in_words(runs: Sequence[Run]) -> str:
    """What all runs of a figure share: shape, seeds, device, threads."""
    rows = [run.row for run in runs]
    shapes = sorted({(row["model"]["blocks"], row["model"]["width"]) for row in rows})
    shape = " and ".join(f"{blocks} blocks of width {width}" for blocks, width in shapes)
    # Runs that differ in nothing but their seed, and how many of them there are.
    alike = Counter(seedless(row) for row in rows)
    fewest, most = min(alike.values(), default=0), max(alike.values(), default=0)
    seeds = _count(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    devices = " and ".join(sorted({f"{row['device']}, {row['dtype']}" for row in rows}))
    return f"{shape}; {seeds}; {devices}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
