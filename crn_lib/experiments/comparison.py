"""CausalRN against Transformer, length by length: each at its own best learning rate, as far as the stored rows say.

`SWEEPS` names the two tests. In `paper_shape` both models have the paper's own shape, budget and rate. In
`fair_lengths` both are small, see as many strings at every length, and have rates of their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from statistics import median
from typing import Any

from crn_lib.config import from_mapping
from crn_lib.experiments.verdicts import Share, Verdict, all_of, copies_as_well
from crn_lib.models import ModelConfig, build_model
from crn_lib.sweeps.rows import Row
from crn_lib.sweeps.stored_runs import Run, Spread
from crn_lib.tasks import TASKS
from crn_lib.tasks.registry import DEFAULT

SWEEPS = {"paper_shape": "the paper's own shape", "fair_lengths": "small models, each at its own best rate"}
OURS, YARDSTICK = "causal_rn", "transformer"


def device_of(row: Row) -> str:
    """The device of a row in words: the processor's name where the row has one and it is no CPU."""
    return str(row["device"] if row["device"] == "cpu" else row.get("processor") or row["device"])


def parameters_of(row: Row) -> int:
    """How many numbers the row's model learns."""
    return _parameters(from_mapping(ModelConfig, row["model"]))


@cache
def _parameters(config: ModelConfig) -> int:
    return sum(parameter.numel() for parameter in build_model(config).parameters())


ALWAYS_SAID = {"recall": ("pairs", "vocab"), "ngram_lookup": ("where",), "images": ("layout",)}
"""Fields of tasks that `task_of` says in words of its own, also where they are at their defaults."""

SAID_BY_THE_SHAPE = ("kind", "width", "blocks")
OF_THE_TASK = ("vocab_size", "max_length", "input_width")
"""Fields of models that follow from the task."""


def task_of(row: Row) -> str:
    """Another task than copying, and which of its kinds: `recall, 4 pairs of 16` or `ngram lookup, suffix`, and every
    other field that is not at its default, as in `regression, dims 1`.
    """
    name = row["task"]["name"]
    always = ALWAYS_SAID.get(name, ())
    values = [(_usual(row) | row["task"])[field] for field in always]
    which = [f"{values[0]} pairs of {values[1]}"] if name == "recall" else values
    return ", ".join([name.replace("_", " "), *which, *task_differences(row, always)])


def task_differences(row: Row, said: Sequence[str]) -> list[str]:
    """Those fields of a row's task that are not at their defaults, but for those that are said already."""
    named = row["task"].get("source") != "bytes"  # else any file will do, and its name is all that is known of it
    return _differences(row["task"], _usual(row), (*said, "path") if named else said)


def _usual(row: Row) -> dict[str, Any]:
    """The defaults of a row's task."""
    config = TASKS[row["task"].get("name", DEFAULT)].config
    return {field.name: field.default for field in fields(config)}  # type: ignore[arg-type]


def model_of(row: Row, names: Mapping[str, str]) -> str:
    """The kind by its name, and every field that sets the model apart from others of its kind, shape and task."""
    model = row["model"]
    usual = vars(ModelConfig(kind=model["kind"]))
    return ", ".join([names[model["kind"]], *_differences(model, usual, (*SAID_BY_THE_SHAPE, *OF_THE_TASK))])


def _differences(values: Mapping[str, Any], usual: Mapping[str, Any], said: Sequence[str]) -> list[str]:
    """As in `short conv 3` or, of a file, its name alone: where it lies changes nothing. Older rows lack fields."""
    return [
        Path(values[name]).name if name == "path" else f"{name.replace('_', ' ')} {values[name]}"
        for name, default in usual.items()
        if name not in said and name in values and values[name] != default
    ]


def shape_of(row: Row) -> str:
    """As in `4 × 64, batch 32`: blocks, width, strings a step."""
    return f"{row['model']['blocks']} × {row['model']['width']}, batch {row['training']['batch']}"


@dataclass(frozen=True)
class AtRate:
    """The runs of one model at one length and learning rate, one a seed."""

    rate: float
    runs: tuple[Run, ...]

    @cached_property
    def share(self) -> Share:
        """How many of them copied."""
        return Share.of(self.runs)

    @cached_property
    def steps(self) -> Spread | None:
        """Steps of those that copied."""
        solved = [point["step"] for run in self.runs if (point := run.first()) is not None]
        return Spread.of(solved) if solved else None

    @property
    def strings(self) -> Spread | None:
        """Strings seen until then."""
        batch = self.runs[0].row["training"]["batch"]
        return self.steps and Spread(*(batch * value for value in vars(self.steps).values()))

    @property
    def order(self) -> tuple[float, int, float, float]:
        """Larger is better: the share that copied, then how many did, so that no lucky one stands for three; then fewer
        steps, then letters right at the end."""
        letters = median(run.row.get("character_accuracy", 0.0) for run in self.runs)  # none where a run diverged
        return self.share.least, self.share.copied, -(self.steps.median if self.steps else float("inf")), letters


@dataclass(frozen=True)
class Side:
    """One model at one length: what it came to at every rate tried, ascending."""

    tried: tuple[AtRate, ...]

    @classmethod
    def of(cls, runs: Iterable[Run]) -> "Side":
        """Of runs that differ in rate and seed."""
        by_rate: dict[float, list[Run]] = defaultdict(list)
        for run in runs:
            by_rate[run.row["training"]["learning_rate"]].append(run)
        return cls(tuple(AtRate(rate, tuple(own)) for rate, own in sorted(by_rate.items())))

    @cached_property
    def best(self) -> AtRate:
        """The one that is first by `AtRate.order`, and of equals the one farthest from the edges."""
        middle = (len(self.tried) - 1) / 2
        return max(
            enumerate(self.tried), key=lambda numbered: (*numbered[1].order, -abs(numbered[0] - middle), -numbered[0])
        )[1]

    @property
    def at_edge(self) -> bool:
        """Whether the best rate is the smallest or the largest of several, so that one beyond might be better."""
        return len(self.tried) > 1 and self.best in (self.tried[0], self.tried[-1])

    def words(self) -> str:
        """As in `3 of 3 (44% to 100%) at rate 0.002, an edge of 4, after 650 (550 to 750) steps, 10,400 strings`."""
        if not self.tried:
            return "no row yet"
        rate = f"at rate {self.best.rate:g}"
        if len(self.tried) > 1:
            rate += f"{', an edge' if self.at_edge else ''} of {len(self.tried)}"
        steps, strings = self.best.steps, self.best.strings
        after = f", after {steps.show()} steps, {strings.median:,.0f} strings" if steps and strings else ""
        return f"{self.best.share.words()} {rate}{after}"


@dataclass(frozen=True)
class Comparison:
    """Both models at one length, in one sweep."""

    sweep: str
    string_length: int
    ours: Side
    yardstick: Side

    @property
    def verdict(self) -> Verdict:
        """Whether the CausalRN copies as well; open where a side has no row or the Transformer does not copy."""
        if not self.ours.tried or not self.yardstick.tried:
            return None
        return copies_as_well(self.ours.best.share, self.yardstick.best.share)

    @property
    def comparable(self) -> bool:
        """Whether some seed was run at the same rates by both sides: then neither had more chances than the other."""
        rates: dict[int, tuple[set[float], set[float]]] = {}
        for number, side in enumerate((self.ours, self.yardstick)):
            for at in side.tried:
                for run in at.runs:
                    rates.setdefault(run.row["seed"], (set(), set()))[number].add(at.rate)
        return any(ours == yardsticks for ours, yardsticks in rates.values())

    @property
    def ahead(self) -> bool:
        """Whether the verdict is open because only the CausalRN copies: no agreement, and nothing against it."""
        sides = (self.ours, self.yardstick)
        return all(side.tried for side in sides) and [side.best.share.works for side in sides] == [True, False]

    def words(self) -> str:
        """One line: the verdict, and what it stands on."""
        word = {True: "as well", False: "not as well", None: "open, the CausalRN ahead" if self.ahead else "open"}
        return (
            f"{self.string_length} letters: {word[self.verdict]}; CausalRN {self.ours.words()}; "
            f"Transformer {self.yardstick.words()}"
        )


def compare(runs: Sequence[Run], lengths: Iterable[int]) -> list[Comparison]:
    """The comparisons at these lengths, of the runs of one sweep; a side without a run has no rates.

    Raises:
        ValueError: runs of more than one sweep.
    """
    sweeps = {run.row["sweep"] for run in runs}
    if len(sweeps) > 1:
        raise ValueError(f"a comparison is of one sweep; got {', '.join(sorted(sweeps))}")

    def side(kind: str, length: int) -> Side:
        return Side.of(run for run in runs if (run.kind, run.string_length) == (kind, length))

    name = next(iter(sweeps), "")
    return [Comparison(name, length, side(OURS, length), side(YARDSTICK, length)) for length in lengths]


def at_all_lengths(comparisons: Iterable[Comparison]) -> Verdict:
    """Whether the CausalRN copies as well at every one of them."""
    return all_of(comparison.verdict for comparison in comparisons)


def in_short(comparisons: Sequence[Comparison]) -> str:
    """All of them in one sentence a verdict, with seeds, rates and steps."""
    return "; ".join(comparison.words() for comparison in comparisons)


def circumstances_of(comparisons: Iterable[Comparison]) -> tuple[str, str]:
    """What the best runs of both sides share, in words: shapes and parameters; devices."""
    rows: dict[str, list[Row]] = {OURS: [], YARDSTICK: []}
    for comparison in comparisons:
        for kind, side in ((OURS, comparison.ours), (YARDSTICK, comparison.yardstick)):
            rows[kind] += [run.row for run in side.best.runs] if side.tried else []
    both = rows[OURS] + rows[YARDSTICK]
    shapes = sorted({(row["model"]["blocks"], row["model"]["width"]) for row in both})
    counts = [Spread.of([parameters_of(row) for row in own]) for own in rows.values() if own]
    parameters = " against ".join(f"{n.low:,}" if n.low == n.high else f"{n.low:,} to {n.high:,}" for n in counts)
    words = " and ".join(f"{blocks} blocks of width {width}" for blocks, width in shapes)
    devices = " and ".join(sorted({f"{device_of(row)}, {row['dtype']}" for row in both}))
    return f"{words}; parameters {parameters}", devices
