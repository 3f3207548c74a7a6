"""Train the three small models that a page runs by itself: crn_lib/course/frontend/models/*.safetensors.

    .venv/bin/python scripts/train_page_models.py          # some ten minutes on two cores
    .venv/bin/python scripts/train_page_models.py linear_rn  # one of them

All have one shape, so that what they remember can be compared: a CausalRN's pool is half a Transformer's cache. Each
file holds the weights, and in its header the model's configuration and the row that a sweep would store of the run.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

from safetensors.torch import save_file

from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig, train

FOLDER = Path(str(files("crn_lib.course"))) / "frontend" / "models"
TASK = CopyingConfig(string_length=32, shortest=1)
WIDTH, BLOCKS = 48, 2
LEARNING_RATES = {"causal_rn": 3e-3, "transformer": 2e-3, "linear_rn": 4e-3}


def main(kinds: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        model = ModelConfig(kind=kind, width=WIDTH, blocks=BLOCKS, max_length=TASK.context)
        config = TrainConfig(
            model=model,
            task=TASK,
            steps=4000,
            batch=64,
            learning_rate=LEARNING_RATES[kind],
            schedule="cosine",
            evaluate_every=200,
            seed=0,
        )
        result = train(config, device="cpu", progress=False, on_evaluation=lambda history: print(kind, history[-1]))
        row = result.row()
        tensors = {name: tensor.contiguous() for name, tensor in result.model.state_dict().items()}
        save_file(tensors, FOLDER / f"{kind}.safetensors", {"row": json.dumps(row)})
        print(kind, json.dumps(row))


if __name__ == "__main__":
    main(sys.argv[1:] or list(LEARNING_RATES))
