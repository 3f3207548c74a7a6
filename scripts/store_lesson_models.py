"""Train the small models that lesson 10 plays with: figures/data/models/*.safetensors, weights and configuration alone.

    .venv/bin/python scripts/store_lesson_models.py

Two are of the sweep `regression` on one coordinate, trained for a quarter of its steps, some two minutes each on an
idle machine. The third is a run of the sweep `text`, whole: its checkpoint is taken where that sweep has been run here,
and else it takes four minutes. Ctrl-C keeps what was done, and the next call goes on from there.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crn_lib.paths import checkpoint_folder, data_file
from crn_lib.sweeps import config_key, load_sweep
from crn_lib.training import TrainConfig, train
from crn_lib.training.checkpoints import Checkpoint
from crn_lib.training.loop import CHECKPOINT_NAME

LINE_STEPS = 2500
LINE_KINDS = ("causal_rn", "transformer")
WRITER_RATE = 2e-3


def lesson_models() -> Iterator[tuple[str, TrainConfig, Path, str]]:
    """Of each model its name, how it is trained and in which folder, and the metric that its file holds."""
    for config in load_sweep("regression").configs:
        if config.model.input_width == 1 and config.model.kind in LINE_KINDS:
            config = replace(config, steps=LINE_STEPS, checkpoint_every=500)
            folder = checkpoint_folder() / "lesson_10" / config_key(config)
            yield f"line_{config.model.kind}", config, folder, "explained"
    for config in load_sweep("text").configs:
        plain = config.model.kind == "causal_rn" and config.model.expansion == 1
        if plain and config.learning_rate == WRITER_RATE:
            yield "sonnets_causal_rn", config, checkpoint_folder() / "text" / config_key(config), "bits_per_byte"


def main() -> None:
    store = data_file("models")
    store.mkdir(exist_ok=True)
    for name, config, folder, metric in lesson_models():
        stored = store / f"{name}.safetensors"
        if stored.exists():
            continue
        result = train(config, device="cpu", folder=folder, resume=True, progress=False)
        if result.stopped == "interrupted":
            sys.exit(f"{name}: {result.steps} of {config.steps} steps; call this again")
        whole = Checkpoint.load(folder / CHECKPOINT_NAME)
        weights = {part: tensor for part, tensor in whole.tensors.items() if part.startswith("model.")}
        header = {"config": whole.header["config"], metric: result.teacher_forced[metric]}
        Checkpoint(weights, header).save(stored)
        print(name, header[metric], flush=True)


if __name__ == "__main__":
    main()
