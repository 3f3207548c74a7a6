"""Stored runs: a row with its history, read from a sweep's files, and what runs say together over their seeds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from crn_lib.config import require, shown
from crn_lib.sweeps.jobs import History
from crn_lib.sweeps.rows import Row, newest_rows, read_rows, seedless
from crn_lib.tasks import TASKS
from crn_lib.tasks.registry import DEFAULT
from crn_lib.units import counted_between

RUN_FIELDS = ("key", "error", "model", "training")
"""What a row must say to be read as a run."""

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
        """Letters in the longest string it was trained on, of a run on copying."""
        return int(self.row["task"]["string_length"])

    @property
    def task(self) -> str:
        """The name of the task it was trained on: copying where the row names none."""
        return str(self.row.get("task", {}).get("name", DEFAULT))

    @property
    def main_metric(self) -> str:
        """The main metric of that task: older rows do not name it."""
        return str(self.row.get("main_metric") or TASKS[self.task].task.main_metric)

    def first(self, accuracy: float = SOLVED, metric: str | None = None) -> dict[str, float] | None:
        """The first evaluation at which a metric, the main one if none is named, reached this; `None` if none did."""
        metric = metric or self.main_metric
        return next((point for point in self.history if point[metric] >= accuracy), None)


def read_histories(path: str | Path) -> dict[str, History]:
    """Histories by key: of a row's file, the one it names beside it."""
    return {row["key"]: row["history"] for row in read_rows(path, needs=("key", "history"))}


def history_file(row: Row) -> str:
    """The name of the file, beside the row's own, that holds its history; until 0.1.0 the field was `history`."""
    name = row.get("history_file") or row.get("history")
    require(isinstance(name, str), f"the row {row['key']!r} names no file of its history; got {shown(name)}")
    return str(name)


def read_runs(path: str | Path, *, diverged: bool = False) -> list[Run]:
    """The newest row of every run in a file that did not fail, with its history.

    Args:
        diverged: also those whose loss stopped being finite; they have a history, and no final accuracies.
    """

    def ended(row: Row) -> bool:
        return not row["error"] or (diverged and row.get("stopped") == "diverged")

    rows = [row for row in newest_rows(path, needs=RUN_FIELDS).values() if ended(row)]
    histories = {name: read_histories(Path(path).with_name(name)) for name in {history_file(row) for row in rows}}
    for row in rows:
        held = row["key"] in histories[history_file(row)]
        require(held, f"{path}: {history_file(row)} holds no history of the run {row['key']!r}")
    return [Run(row, histories[history_file(row)][row["key"]]) for row in rows]


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


def budget_in_words(runs: Sequence[Run]) -> str:
    """What all runs of a figure share: shape, seeds, device, threads."""
    rows = [run.row for run in runs]
    shapes = sorted({(row["model"]["blocks"], row["model"]["width"]) for row in rows})
    shape = " and ".join(f"{blocks} blocks of width {width}" for blocks, width in shapes)
    # Runs that differ in nothing but their seed, and how many of them there are.
    alike = Counter(seedless(row) for row in rows)
    seeds = counted_between(min(alike.values(), default=0), max(alike.values(), default=0), "seed")
    devices = " and ".join(sorted({f"{row['device']}, {row['dtype']}" for row in rows}))
    return f"{shape}; {seeds}; {devices}"
