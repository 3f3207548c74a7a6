"""Ablations: variants of the CausalRN, what their seeds came to, and whether a part of it is indispensable (lesson 07)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from crn_lib.experiments.rows import Row, newest_rows
from crn_lib.experiments.run import read_histories
from crn_lib.experiments.sweep import load_sweep
from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig

GOAL = 0.99
"""Strings right, teacher-forced, from which on a run has learnt to copy."""

GRID_NORMS = ("exact", "approx", "none")
GRID_POST_NORMS = (True, False)
GRID_ACTIVATIONS = ("exp", "relu", "squared_relu", "gelu", "elu", "softplus")
GRID_LENGTHS = (16, 32)

ACTIVATION_NAMES = {
    "exp": "exp",
    "relu": "ReLU",
    "squared_relu": "squared ReLU",
    "gelu": "GELU",
    "elu": "ELU",
    "softplus": "softplus",
    "identity": "identity",
}


@dataclass(frozen=True, order=True)
class Variant:
    """What an ablation changes. Fields as in `ModelConfig`; `heads` above 1 normalises each part by itself."""

    norm: str
    post_norm: bool
    activation: str
    heads: int = 1

    @classmethod
    def of(cls, row: Row) -> "Variant":
        """The variant that a row's run trained."""
        model = row["model"]
        return cls(model["norm"], model["post_norm"], model["activation"], model["heads"])

    @property
    def place(self) -> str:
        """Its norms in words, as in `exact + post-norm`."""
        parts = f" in {self.heads} parts" if self.heads > 1 else ""
        return f"{self.norm}{parts}{' + post-norm' if self.post_norm else ''}"

    def __str__(self) -> str:
        return f"{self.place} · {ACTIVATION_NAMES[self.activation]}"


GRID = tuple(
    Variant(norm, post_norm, activation)
    for norm in GRID_NORMS
    for post_norm in GRID_POST_NORMS
    for activation in GRID_ACTIVATIONS
)
"""The paper's ablations, with two activations more: every norm, with and without post-norm, with every activation."""


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest over seeds."""

    median: float
    low: float
    high: float

    def words(self, show: Callable[[float], str]) -> str:
        """As in `95% (90% to 99%)`; one number where all are the same."""
        low, high = show(self.low), show(self.high)
        return show(self.median) if low == high else f"{show(self.median)} ({low} to {high})"


@dataclass(frozen=True)
class Cell:
    """One variant at one string length: the runs that ended, one a seed.

    A run whose loss stopped being finite has ended without learning to copy. A run that failed for another reason (its
    process was killed) says nothing about the variant, and is not here.
    """

    variant: Variant
    string_length: int
    runs: tuple[Row, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the runs, ascending."""
        return tuple(run["seed"] for run in self.runs)

    @property
    def steps(self) -> list[float]:
        """Steps to the goal of each run that reached it."""
        found = (steps_to_goal(run["history"]) for run in self.runs)
        return [steps for steps in found if steps is not None]

    @property
    def solved(self) -> int:
        """Runs that reached the goal."""
        return len(self.steps)

    @property
    def diverged(self) -> int:
        """Runs whose loss stopped being finite."""
        return sum(run["stopped"] == "diverged" for run in self.runs)

    @property
    def always(self) -> bool:
        """Whether there are runs and all of them reached the goal."""
        return 0 < self.solved == len(self.runs)

    def spread(self, metric: str) -> Spread | None:
        """Of a number that finished runs have, such as `character_accuracy`; `None` where no run has it."""
        return spread([run[metric] for run in self.runs if metric in run])

    def spread_of_steps(self) -> Spread | None:
        """Of the steps to the goal, over the runs that reached it."""
        return spread(self.steps)

    def words(self) -> str:
        """What came of it, as in `exact + post-norm · exp: 3 of 3`."""
        return f"{self.variant}: {self.solved} of {len(self.runs)}"


def spread(values: Sequence[float]) -> Spread | None:
    """Of some values; `None` of none."""
    return Spread(median(values), min(values), max(values)) if values else None


def steps_to_goal(history: Iterable[dict[str, float]], goal: float = GOAL) -> float | None:
    """The step of the first evaluation at which at least this part of the strings is right; `None` where none is."""
    return next((row["step"] for row in history if row["string_accuracy"] >= goal), None)


def read_runs(path: Path) -> list[Row]:
    """The newest row of every run of a file, with its evaluations as `history`; none where there is no file.

    Raises:
        ValueError: a row whose history is not in the file that the row names.
    """
    # Rows first: a history is written before its row, so that every row found has one, also while a sweep runs.
    rows = newest_rows(path)
    histories = read_histories(path.with_name(f"{path.stem}.history.jsonl"))
    if missing := sorted(rows.keys() - histories.keys()):
        raise ValueError(f"{path}: the histories of {', '.join(missing)} are missing beside it")
    return [{**row, "history": histories[key]} for key, row in rows.items()]


def ablation_cells(rows: Iterable[Row]) -> dict[tuple[Variant, int], Cell]:
    """Rows of single runs, as `read_runs` gives them, by variant and string length.

    Raises:
        ValueError: runs of one cell that differ in more than their seed, or two of one seed.
    """
    groups: dict[tuple[Variant, int], list[Row]] = {}
    for row in rows:
        if not row["error"] or row.get("stopped") == "diverged":
            groups.setdefault((Variant.of(row), row["task"]["string_length"]), []).append(row)
    cells = {}
    for (variant, length), runs in groups.items():
        budgets = {repr({**_whole_config(run), "seed": None}) for run in runs}
        if len(budgets) > 1 or len({run["seed"] for run in runs}) < len(runs):
            raise ValueError(
                f"the {len(runs)} runs of {variant} at {length} letters must differ in their seed and in nothing else"
            )
        cells[variant, length] = Cell(variant, length, tuple(sorted(runs, key=lambda run: int(run["seed"]))))
    return cells


def _whole_config(row: Row) -> dict[str, Any]:
    return {"model": row["model"], "task": row["task"], **row["training"]}


@dataclass(frozen=True)
class Finding:
    """Whether a part of the network is indispensable for copying strings of one length, as far as the runs say.

    Attributes:
        part: what it is about, in words.
        string_length: letters.
        having, lacking: the cells of the variants with the part, and of those without it.
        missing: variants of the grid without the part that have no run.
    """

    part: str
    string_length: int
    having: tuple[Cell, ...]
    lacking: tuple[Cell, ...]
    missing: int

    @property
    def counterexamples(self) -> list[Cell]:
        """Variants without the part all of whose runs learnt to copy."""
        return [cell for cell in self.lacking if cell.always]

    @property
    def sometimes(self) -> list[Cell]:
        """Variants without the part of whose runs some learnt to copy and some did not."""
        return [cell for cell in self.lacking if cell.solved and not cell.always]

    @property
    def outcome(self) -> str:
        """`refuted`, `mixed`, `borne out` or `open`.

        "Indispensable" says that nothing without the part works. So a variant without it that copies in every seed
        refutes it. One that copies in some seeds contradicts it too, and is kept apart: the part may still be what
        makes success certain. It is borne out where no run without the part copies and some variant with it always
        does; without the latter, failures say nothing about the part.
        """
        if self.counterexamples:
            return "refuted"
        if self.sometimes:
            return "mixed"
        borne_out = bool(self.lacking) and not self.missing and any(cell.always for cell in self.having)
        return "borne out" if borne_out else "open"

    @property
    def seeds(self) -> str:
        """How many runs a variant has, as in `1 to 3 seeds`."""
        counts = [len(cell.runs) for cell in (*self.having, *self.lacking)]
        if not counts:
            return "no run"
        low, high = min(counts), max(counts)
        return f"{low if low == high else f'{low} to {high}'} seed{'s' if high > 1 else ''} a variant"

    def words(self) -> str:
        """The outcome with its numbers, in a few sentences."""

        def count(cells: Sequence[Cell]) -> str:
            always, runs = sum(cell.always for cell in cells), [cell.solved for cell in cells]
            of = sum(len(cell.runs) for cell in cells)
            return f"{always} of {len(cells)} variants copied in every seed ({sum(runs)} of {of} runs)"

        text = f"{self.string_length} letters: {self.outcome}. With {self.part}, {count(self.having)}; without it, "
        text += count(self.lacking)
        for when, cells in (("always", self.counterexamples), ("sometimes", self.sometimes)):
            if cells:
                text += f"; {when}: {', '.join(cell.words() for cell in cells)}"
        return f"{text}. {self.seeds}" + (f", {self.missing} variants without a run yet." if self.missing else ".")


def indispensable(
    cells: dict[tuple[Variant, int], Cell], part: str, has_it: Callable[[Variant], bool], string_length: int
) -> Finding:
    """Compare the variants of `GRID` that have a part with those that lack it, at one length.

    Args:
        cells: as `ablation_cells` gives them.
        part: its name, in words.
        has_it: whether a variant has the part.
    """
    there = [(variant, cells.get((variant, string_length))) for variant in GRID]
    return Finding(
        part,
        string_length,
        having=tuple(cell for variant, cell in there if cell and has_it(variant)),
        lacking=tuple(cell for variant, cell in there if cell and not has_it(variant)),
        missing=sum(cell is None and not has_it(variant) for variant, cell in there),
    )


def ablation_config(variant: Variant, string_length: int, *, steps: int, seed: int) -> TrainConfig:
    """The run of the sweep `ablations` for a variant and a seed, with these steps at most.

    At a length that the sweep does not have, the batch is that of its nearest length.
    """
    runs = load_sweep("ablations").configs
    nearest = min(runs, key=lambda run: abs(run.task.string_length - string_length))
    task = CopyingConfig(string_length=string_length)
    model = ModelConfig(
        kind="causal_rn",
        width=nearest.model.width,
        blocks=nearest.model.blocks,
        max_length=task.context,
        heads=variant.heads,
        norm=variant.norm,
        activation=variant.activation,
        post_norm=variant.post_norm,
    )
    return replace(nearest, task=task, model=model, steps=steps, seed=seed)
