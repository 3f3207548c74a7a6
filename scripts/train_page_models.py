"""Train the three small models that a page runs by itself: crn_lib/course/frontend/models/*.safetensors.

    .venv/bin/python scripts/train_page_models.py            # some fifteen minutes on two cores
    .venv/bin/python scripts/train_page_models.py linear_rn  # one of them

All have one shape, so that what they remember can be compared: a CausalRN's pool is half a Transformer's cache. Each
file holds the weights, and in its header the model's configuration and the row that a sweep would store of the run.
"""

import json
import sys

from crn_lib.course.frontend import FOLDER, SHIPPED, model_bytes
from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig, train

TASK = CopyingConfig(string_length=32, shortest=1)
WIDTH, BLOCKS = 48, 2
LEARNING_RATES = {"causal_rn": 3e-3, "transformer": 4e-3, "linear_rn": 4e-3}


def main(kinds: list[str]) -> None:
    for kind in kinds:
        model = ModelConfig(kind=kind, width=WIDTH, blocks=BLOCKS, max_length=TASK.context)
        config = TrainConfig(
            model=model,
            task=TASK,
            steps=8000,
            batch=64,
            learning_rate=LEARNING_RATES[kind],
            schedule="cosine",
            evaluate_every=500,
            seed=0,
        )
        result = train(config, device="cpu")
        row = result.row()
        del row["history"]
        (FOLDER / "models" / f"{kind}.safetensors").write_bytes(model_bytes(result.model, row=json.dumps(row)))
        print(kind, row["free_running_character_accuracy"], row["free_running_string_accuracy"])


if __name__ == "__main__":
    main(sys.argv[1:] or list(SHIPPED))
