"""How much of a string models with a state of fixed size carry, over several state sizes (lesson 01).

`crn sweep crn_lib.experiments.state_size:grid --rows figures/data/state_size.jsonl` fills in the rows still missing.
A sweep as a Python function; most are YAML files in `sweeps/`.
"""

from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig

FIXED_STATE_KINDS = ("lstm", "linear_rn", "linear_transformer", "ssm")
WIDTHS = (8, 16, 32, 64)
STRING_LENGTHS = (16, 32)
SEEDS = (0, 1, 2)


def state_size_config(kind: str, width: int, string_length: int, seed: int) -> TrainConfig:
    """One run: two blocks, the same budget of strings for every kind and width."""
    task = CopyingConfig(string_length=string_length)
    model = ModelConfig(kind=kind, width=width, blocks=2, max_length=task.context)
    return TrainConfig(
        model=model, task=task, steps=600, learning_rate=4e-3, evaluate_every=100, stop_at=0.995, seed=seed
    )


def grid() -> list[TrainConfig]:
    """Every run, the first seed of all of them before the second."""
    return [
        state_size_config(kind, width, length, seed)
        for seed in SEEDS
        for length in STRING_LENGTHS
        for kind in FIXED_STATE_KINDS
        for width in WIDTHS
    ]
