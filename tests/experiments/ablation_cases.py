"""Made-up runs of ablations, for tests of what is computed and drawn from runs."""

from collections.abc import Callable, Iterable

from crn_lib.experiments.ablations import GRID, Variant
from crn_lib.sweeps import Run

STEPS = 600


def made_up_run(
    variant: Variant, length: int, seed: int, solved_at: int | None, *, letters: float = 0.4, diverged: bool = False
) -> Run:
    """A run that copies from a step on, or ends after `STEPS` with these letters right, or diverges half-way."""
    ended = solved_at or (STEPS // 2 if diverged else STEPS)
    steps = range(50, ended + 1, 50)
    history = [
        {
            "step": step,
            "character_accuracy": 1.0 if step == solved_at else letters * step / ended,
            "string_accuracy": 1.0 if step == solved_at else 0.0,
        }
        for step in steps
    ]
    finals = {
        "character_accuracy": 1.0 if solved_at else letters,
        "string_accuracy": 1.0 if solved_at else 0.0,
        "free_running_string_accuracy": 0.98 if solved_at else 0.0,
    }
    row = {
        "model": {
            "kind": "causal_rn",
            "norm": variant.norm,
            "post_norm": variant.post_norm,
            "activation": variant.activation,
            "heads": variant.heads,
            "width": 64,
            "blocks": 4,
            "max_length": 2 * length + 2,
        },
        "task": {"string_length": length},
        "training": {"seed": seed, "steps": STEPS},
        "seed": seed,
        "device": "cpu",
        "dtype": "float32",
        "stopped": "diverged" if diverged else "target" if solved_at else "steps",
        "error": "TrainingDiverged: loss is nan" if diverged else None,
        **({} if diverged else finals),
    }
    return Run(row, history)


def made_up_grid(
    solves: Callable[[Variant, int], int | None], *, lengths: Iterable[int] = (16, 32), seeds: int = 2
) -> list[Run]:
    """A run for every variant, length and seed; `solves(variant, seed)` is the step from which on it copies."""
    return [
        made_up_run(variant, length, seed, solves(variant, seed))
        for variant in GRID
        for length in lengths
        for seed in range(seeds)
    ]
