"""Ablations: variants of the CausalRN, what their seeds came to, and whether a part is indispensable (lesson 07)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from crn_lib.experiments.comparison import Side
from crn_lib.experiments.verdicts import Share, Verdict, all_of
from crn_lib.models import ModelConfig
from crn_lib.sweeps.rows import Row, seedless
from crn_lib.sweeps.stored_runs import Run, Spread
from crn_lib.sweeps.sweep import load_sweep
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig
from crn_lib.units import counted_between

GRID_NORMS = ("exact", "approx", "none")
GRID_POST_NORMS = (True, False)
GRID_ACTIVATIONS = ("exp", "relu", "squared_relu", "gelu", "elu", "softplus")
AUTHORS_ACTIVATIONS = ("exp", "relu", "gelu", "elu")
"""The activations of the authors' own ablation; the others of the grid are ours."""

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

LONG_GRID = tuple(v for v in GRID if v.post_norm and (v.norm == "exact" or v.activation == "exp"))
"""What the sweep `long_ablations` asks about at 64 and 128 letters: one change at a time, each at rates of its own."""


@dataclass(frozen=True)
class Cell:
    """One variant at one string length: the runs that ended, one a seed.

    A run whose loss stopped being finite has ended without learning to copy. A run that failed for another reason (its
    process was killed) says nothing about the variant, and is not here.
    """

    variant: Variant
    string_length: int
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the runs, ascending."""
        return tuple(run.row["seed"] for run in self.runs)

    @property
    def steps(self) -> list[float]:
        """Steps to `SOLVED` strings of each run that came there."""
        return [point["step"] for run in self.runs if (point := run.first()) is not None]

    @property
    def solved(self) -> int:
        """Runs that learnt to copy: `SOLVED` strings right, teacher-forced, at an evaluation."""
        return len(self.steps)

    @property
    def diverged(self) -> int:
        """Runs whose loss stopped being finite."""
        return sum(run.row["stopped"] == "diverged" for run in self.runs)

    @property
    def always(self) -> bool:
        """Whether there are runs and all of them learnt to copy."""
        return 0 < self.solved == len(self.runs)

    def spread(self, metric: str) -> Spread | None:
        """Of a final number such as `character_accuracy`; `None` where all runs diverged."""
        finals = [run.row[metric] for run in self.runs if metric in run.row]
        return Spread.of(finals) if finals else None

    def words(self) -> str:
        """What came of it, as in `exact + post-norm · exp: 3 of 3`."""
        return f"{self.variant}: {self.solved} of {len(self.runs)}"


def ablation_cells(runs: Iterable[Run]) -> dict[tuple[Variant, int], Cell]:
    """Runs by variant and string length.

    Raises:
        ValueError: runs of one cell that differ in more than their seed, or two of one seed.
    """
    cells = {}
    for (variant, length), own in _by_variant_and_length(runs).items():
        if len({seedless(run.row) for run in own}) > 1 or len({run.row["seed"] for run in own}) < len(own):
            raise ValueError(
                f"the {len(own)} runs of {variant} at {length} letters must differ in their seed and in nothing else"
            )
        cells[variant, length] = Cell(variant, length, tuple(sorted(own, key=lambda run: int(run.row["seed"]))))
    return cells


def at_best_rates(runs: Iterable[Run]) -> list[Run]:
    """Of runs at several learning rates those at the best one of their variant and length, as `Side.best` has it."""
    return [run for own in _by_variant_and_length(runs).values() for run in Side.of(own).best.runs]


def _by_variant_and_length(runs: Iterable[Run]) -> dict[tuple[Variant, int], list[Run]]:
    groups: dict[tuple[Variant, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((Variant.of(run.row), run.string_length), []).append(run)
    return groups


@dataclass(frozen=True)
class Finding:
    """Whether a part of the network is indispensable for copying strings of one length, as far as the runs say.

    Attributes:
        part: what it is about, in words.
        string_length: letters.
        having, lacking: the cells of the variants with the part, and of those without it.
        missing: variants asked about without the part that have no run.
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
    def unfinished(self) -> int:
        """Runs without the part that were stopped while they were still rising."""
        return sum(Share.of(cell.runs).unfinished for cell in self.lacking)

    @property
    def verdict(self) -> Verdict:
        """What the outcome says to "indispensable"; borne out by runs that were still rising, it is open."""
        if self.outcome in ("refuted", "mixed"):
            return False
        return True if self.outcome == "borne out" and not self.unfinished else None

    def short(self) -> str:
        """The outcome and its runs in one line."""
        if not self.having and not self.lacking:
            return f"{self.string_length} letters: no run yet"
        without, with_it = (
            f"{sum(cell.solved for cell in side)} of {sum(len(cell.runs) for cell in side)}"
            for side in (self.lacking, self.having)
        )
        rising = f" ({self.unfinished} were still rising)" if self.unfinished else ""
        text = f"{self.string_length} letters: {without} runs without {self.part} copy{rising}, {with_it} with it"
        best = max(
            self.lacking, key=lambda cell: (cell.solved / len(cell.runs), -min(cell.steps, default=0)), default=None
        )
        if not best or not best.solved:
            return text
        return f"{text}; the best without it, {best.variant}: {Share.of(best.runs).words()} seeds"

    @property
    def seeds(self) -> str:
        """How many runs a variant has, as in `1 to 3 seeds`."""
        counts = [len(cell.runs) for cell in (*self.having, *self.lacking)]
        if not counts:
            return "no run yet"
        return f"{counted_between(min(counts), max(counts), 'seed')} a variant"

    def words(self) -> str:
        """The outcome with its numbers, in a few sentences."""

        if not self.having and not self.lacking:
            return f"{self.string_length} letters: {self.outcome}, no run yet."

        def count(cells: Sequence[Cell]) -> str:
            if not cells:
                return "no variant has a run"
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
    cells: dict[tuple[Variant, int], Cell],
    part: str,
    has_it: Callable[[Variant], bool],
    string_length: int,
    activations: Sequence[str] = GRID_ACTIVATIONS,
    variants: Sequence[Variant] = GRID,
) -> Finding:
    """Compare the variants that have a part with those that lack it, at one length.

    Args:
        cells: as `ablation_cells` gives them.
        part: its name, in words.
        has_it: whether a variant has the part.
        activations: which of them count; `AUTHORS_ACTIVATIONS` for what the paper says.
        variants: those that were asked about: `GRID`, or `LONG_GRID` at 64 and 128 letters.
    """
    there = [
        (variant, cells.get((variant, string_length))) for variant in variants if variant.activation in activations
    ]
    return Finding(
        part,
        string_length,
        having=tuple(cell for variant, cell in there if cell and has_it(variant)),
        lacking=tuple(cell for variant, cell in there if cell and not has_it(variant)),
        missing=sum(cell is None and not has_it(variant) for variant, cell in there),
    )


def over_lengths(findings: Sequence[Finding], discriminating: Iterable[int]) -> Verdict:
    """What findings at several lengths say to "indispensable for copying as a Transformer does".

    A refutation counts only at a length that discriminates: where a model with a fixed-size state copies as well,
    copying is not yet the Transformer's. Failing at such a length does count, for it is the easier one.

    Args:
        findings: of one part, one a length.
        discriminating: the lengths at which copying tells a Transformer from every fixed-size state that was run.
    """
    counts = set(discriminating)
    return all_of(
        None if finding.verdict is False and finding.string_length not in counts else finding.verdict
        for finding in findings
    )


def ablation_config(variant: Variant, string_length: int, *, seed: int, steps: int | None = None) -> TrainConfig:
    """The run of the sweep `ablations` for a variant and a seed; with other steps at most, where they are given.

    At a length that the sweep does not have, the budget is that of its nearest length.
    """
    runs = load_sweep("ablations").configs
    nearest = min(runs, key=lambda run: abs(run.copying.string_length - string_length))
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
    return replace(nearest, task=task, model=model, steps=steps or nearest.steps, seed=seed)
