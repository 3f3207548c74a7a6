"""What a training run costs, from its configuration: counted work, and seconds by rates fitted to stored runs.

Three things are counted for a sequence, each for a forward and a backward pass:

- *elements*: one number of one pair that a receiver sees, `n (n + 1) / 2 * width` a block of the relation,
- *operations*: multiplications and additions of matrices, `6 * parameters * n` for linear maps (two forward, four
  backward) and `12 n**2 width` for the two products of attention, which computes all pairs,
- *entries*: numbers in the rows between blocks, `n * width` a block: norms, biases, residual connections.

A fourth, *steps*, stands for what an optimizer step costs whatever its batch. An evaluation is a forward pass, which is
taken to cost a third.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crn_lib.config import from_mapping, require
from crn_lib.experiments.verdicts import Verdict
from crn_lib.models import ModelConfig
from crn_lib.sweeps.rows import plain_config
from crn_lib.sweeps.stored_runs import Run
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig

FORWARD_SHARE = 1 / 3
"""Of a forward and a backward pass, what the forward pass alone is taken to cost."""

PAIR_TERMS = ("elements", "operations")
ALL_TERMS = ("elements", "operations", "entries")
STEP_TERMS = ("elements", "operations", "steps")
MATRICES = {"causal_rn": 3, "transformer": 12}
"""Parameters in the matrices of a block, in units of the width squared."""


@dataclass(frozen=True)
class Work:
    """Counted work.

    Attributes:
        elements: of the relation, over causal pairs.
        operations: multiplications and additions in matrix products.
        entries: numbers in the rows between blocks.
        steps: of the optimizer.
    """

    elements: float
    operations: float
    entries: float
    steps: int = 0

    def times(self, count: float) -> "Work":
        """The work of so many sequences, without a step."""
        return Work(self.elements * count, self.operations * count, self.entries * count)


def sequence_work(model: ModelConfig, tokens: int) -> Work:
    """Forward and backward over one sequence.

    Raises:
        ConfigError: a model other than the CausalRN (exact norm) and the Transformer.
    """
    require(
        model.kind in MATRICES and model.norm in (None, "exact"),
        f"work is counted for causal_rn with the exact norm and for transformer; got {model.kind} with {model.norm}",
    )
    require(
        model.first_window is None and not model.short_conv,
        f"work is counted without first_window and short_conv; got {model.first_window} and {model.short_conv}",
    )
    parameters = model.width * (model.blocks * MATRICES[model.kind] * model.inner_width + model.vocab_size)
    per_block = model.blocks * model.inner_width
    relation = model.kind == "causal_rn"
    return Work(
        elements=per_block * tokens * (tokens + 1) / 2 if relation else 0.0,
        operations=6.0 * parameters * tokens + (0.0 if relation else 12.0 * per_block * tokens**2),
        entries=float(per_block * tokens),
    )


def run_work(config: TrainConfig, steps: int | None = None) -> Work:
    """All steps of a run and the evaluations between them; the evaluation after the last step is not counted.

    Args:
        steps: those done, where the run ended early.
    """
    done = config.steps if steps is None else steps
    evaluations = math.ceil(done / config.evaluate_every)
    sequences = done * config.batch + FORWARD_SHARE * evaluations * config.evaluation_strings
    return replace(sequence_work(config.model, config.task.context).times(sequences), steps=done)


@dataclass(frozen=True)
class CostModel:
    """Seconds of one processor for counted work.

    Attributes:
        seconds_for: of one unit, by the name of what is counted; what is not named costs nothing.
    """

    seconds_for: Mapping[str, float]

    def seconds(self, work: Work) -> float:
        """Processor seconds."""
        total: float = sum(each * getattr(work, name) for name, each in self.seconds_for.items())
        return total

    @classmethod
    def fit(cls, work: Sequence[Work], seconds: Sequence[float], terms: Sequence[str] = ALL_TERMS) -> "CostModel":
        """The costs, none negative, with the least sum of `|predicted / measured - 1|`.

        Not of its square: a run that also had to compile its kernels would pull all others with it.

        Raises:
            ValueError: fewer runs than terms.
        """
        if len(work) < len(terms):
            raise ValueError(f"{len(terms)} rates need at least as many runs; got {len(work)}")
        counted = np.array([[getattr(each, name) for name in terms] for each in work])
        scale = counted.max(axis=0) + 1e-300
        shares = counted / scale / np.array(seconds)[:, None]
        weights = np.ones(len(work))
        for _ in range(60):  # reweighted least squares converge to the least absolute differences
            costs = _least_squares(shares * weights[:, None], weights)
            weights = 1 / np.sqrt(np.maximum(np.abs(shares @ costs - 1), 1e-4))
        return cls(dict(zip(terms, (costs / scale).tolist(), strict=True)))


def _least_squares(matrix: "np.ndarray[Any, Any]", target: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The best solution without a negative number in it: with so few columns, every choice of them is tried."""
    columns = matrix.shape[1]
    best, least = np.zeros(columns), float(np.square(target).sum())
    for size in range(1, columns + 1):
        for chosen in itertools.combinations(range(columns), size):
            part, *_ = np.linalg.lstsq(matrix[:, chosen], target, rcond=None)
            left = float(np.square(matrix[:, chosen] @ part - target).sum())
            if part.min() >= 0 and left < least:
                best, least = np.zeros(columns), left
                best[list(chosen)] = part
    return best


@dataclass(frozen=True)
class TimedRun:
    """A stored run with its counted work and measured processor seconds."""

    sweep: str
    config: TrainConfig
    work: Work
    seconds: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Letters, width, blocks: what the work of a string depends on, but for the kind."""
        return self.config.copying.string_length, self.config.model.width, self.config.model.blocks


def timed_runs(runs: Iterable[Run]) -> list[TimedRun]:
    """The runs that the model is about: exact CausalRN with exp, or Transformer, one thread, one length of string."""
    timed = []
    for run in runs:
        row = run.row
        model, task = row["model"], row["task"]
        fits = (model["kind"], model["norm"], model["activation"]) in (
            ("causal_rn", "exact", "exp"),
            ("transformer", None, None),
        ) and run.task == "copying"
        if fits and (row["device"], row["dtype"], row["threads"], task["shortest"]) == ("cpu", "float32", 1, None):
            config = from_mapping(TrainConfig, plain_config(row))
            timed.append(TimedRun(row["sweep"], config, run_work(config, row["steps"]), row["cpu_seconds"]))
    return timed


def predict_unseen(runs: Sequence[TimedRun], terms: Sequence[str] = ALL_TERMS) -> list[float]:
    """Processor seconds of every run, by rates fitted to the runs of all other shapes.

    Raises:
        ValueError: too few runs of other shapes.
    """
    models = {}
    for shape in {run.shape for run in runs}:
        others = [run for run in runs if run.shape != shape]
        models[shape] = CostModel.fit([run.work for run in others], [run.seconds for run in others], terms)
    return [models[run.shape].seconds(run.work) for run in runs]


PAPER_LENGTHS = (16, 32, 64, 128, 256)


def paper_grid(lengths: Iterable[int] = PAPER_LENGTHS, seeds: int = 1) -> list[TrainConfig]:
    """CausalRN and Transformer in the paper's shape: 12 blocks, width 192, batch 320, all 2,000 steps."""
    return [
        TrainConfig(
            model=ModelConfig(kind=kind, width=192, blocks=12, max_length=task.context),
            task=task,
            steps=2000,
            batch=320,
            learning_rate=5e-4,
            evaluate_every=100,
            seed=seed,
        )
        for seed in range(seeds)
        for task in (CopyingConfig(string_length=length) for length in lengths)
        for kind in MATRICES
    ]


def linear_time(linear: Sequence[float], pairs: Sequence[float], limit: float = 1.5) -> Verdict:
    """Whether some forms take linear time, from the slopes of log time against log length.

    Open where the clock cannot tell the two kinds of growth apart: where a form that visits every pair, whose slope is
    2 on paper, stays under the limit too; and without a slope, or with NaN.
    """
    if not linear or not pairs or not all(map(math.isfinite, [*linear, *pairs])) or min(pairs) <= limit:
        return None
    return max(linear) < limit


def both_in_one(slopes: Mapping[str, float], grows: Mapping[str, bool], limit: float = 1.5) -> Verdict:
    """Whether some form has linear time and a memory that grows; open where none is slower, so the clock cannot tell.

    Args:
        slopes: of log time against log length, by form.
        grows: whether its memory grows with the length.
    """
    if not slopes or not all(map(math.isfinite, slopes.values())) or max(slopes.values()) <= limit:
        return None
    return any(slope < limit and grows[form] for form, slope in slopes.items())


def least_time(times: Sequence[float], workers: int) -> float:
    """What no division of runs among workers can beat: the mean load, and the longest single run."""
    return max(sum(times) / workers, max(times))


def useful_workers(times: Sequence[float]) -> int:
    """The fewest workers at which the longest run is the limit: more cannot help."""
    return math.ceil(sum(times) / max(times) - 1e-9)


@dataclass(frozen=True)
class Peak:
    """What a device can do at most, as its maker states it.

    Attributes:
        exponentials: a second.
        operations: float32 multiplications and additions a second, without tensor cores.
    """

    name: str
    exponentials: float
    operations: float

    def seconds(self, work: Work) -> float:
        """No run can take less: two exponentials an element (forward, and again backward), and the matrices."""
        return 2 * work.elements / self.exponentials + work.operations / self.operations


H100 = Peak("NVIDIA H100 SXM", exponentials=132 * 16 * 1.98e9, operations=67e12)
"""132 multiprocessors of 16 special functions a cycle at 1.98 GHz; 67 TFLOPS in float32."""
