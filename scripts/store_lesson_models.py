"""Train the small models that lesson 10 plays with: figures/data/models/*.safetensors, weights and configuration alone.

    .venv/bin/python scripts/store_lesson_models.py

They are those of the sweep `regression` on one coordinate, trained for a quarter of its steps, some two minutes each on
an idle machine. Ctrl-C keeps what was done, and the next call goes on from there.
"""

import sys
from dataclasses import replace

from crn_lib.paths import checkpoint_folder, data_file
from crn_lib.sweeps import config_key, load_sweep
from crn_lib.training import train
from crn_lib.training.checkpoints import Checkpoint
from crn_lib.training.loop import CHECKPOINT_NAME

STEPS = 2500
KINDS = ("causal_rn", "transformer")


def main() -> None:
    folder = data_file("models")
    folder.mkdir(exist_ok=True)
    for config in load_sweep("regression").configs:
        stored = folder / f"line_{config.model.kind}.safetensors"
        if config.model.input_width != 1 or config.model.kind not in KINDS or stored.exists():
            continue
        config = replace(config, steps=STEPS, checkpoint_every=500)
        run = checkpoint_folder() / "lesson_10" / config_key(config)
        result = train(config, device="cpu", folder=run, resume=True, progress=False)
        if result.stopped == "interrupted":
            sys.exit(f"{config.model.kind}: {result.steps} of {config.steps} steps; call this again")
        whole = Checkpoint.load(run / CHECKPOINT_NAME)
        weights = {name: tensor for name, tensor in whole.tensors.items() if name.startswith("model.")}
        header = {"config": whole.header["config"], "explained": result.teacher_forced["explained"]}
        Checkpoint(weights, header).save(stored)
        print(config.model.kind, header["explained"], flush=True)


if __name__ == "__main__":
    main()
