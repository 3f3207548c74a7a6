"""What `torchrun` starts in the tests: runs of several processes, and what each process saw, as JSON.

torchrun --nproc-per-node 2 -m tests.training.distributed_runs FOLDER
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist

from crn_lib.config import ConfigError
from crn_lib.models import KINDS
from crn_lib.tasks import CopyingConfig
from crn_lib.training import RunResult, TrainConfig, TrainingDiverged, train
from tests.tiny import tiny, weights

RAGGED = CopyingConfig(string_length=4, shortest=1, vocab=5)
CASES: dict[str, TrainConfig] = {
    "one length": tiny(evaluate_every=1),
    "ragged": tiny(evaluate_every=1, task=RAGGED),
    "stops": tiny(steps=400, batch=32, evaluation_strings=100, stop_at=0.9),
    "random places": tiny(steps=5, evaluate_every=1, positions="random", max_length=20),
    "float16": tiny(precision="float16"),
    **{kind: tiny(kind, steps=5, evaluate_every=1, task=RAGGED) for kind in KINDS},
}


def outcome(result: RunResult) -> dict:
    digest = torch.cat([tensor.flatten().double() for tensor in weights(result).values()])
    return {"row": result.row(), "weights": digest.tolist()}


def main(folder: Path) -> None:
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    seen = {}
    for name, config in CASES.items():
        calls: list[int] = []
        result = train(
            config, device="cpu", folder=folder / name, progress=False, on_evaluation=lambda _, c=calls: c.append(1)
        )
        seen[name] = outcome(result) | {"calls": len(calls)}
    # Ten steps, and the rest in another call, with two processes again.
    train(replace(CASES["ragged"], steps=10), device="cpu", folder=folder / "halves", progress=False)
    seen["halves"] = outcome(
        train(CASES["ragged"], device="cpu", folder=folder / "halves", resume=True, progress=False)
    )
    seen["refused"] = {}
    try:
        train(tiny(batch=7), device="cpu", progress=False)
    except ConfigError as error:
        seen["refused"]["batch"] = str(error)
    try:
        train(tiny(learning_rate=10.0, warmup=0, clip=1e30, weight_decay=1e38), device="cpu", progress=False)
    except TrainingDiverged as error:
        seen["refused"]["diverged"] = str(error)
    (folder / f"rank{rank}.json").write_text(json.dumps(seen))
    dist.destroy_process_group()


if __name__ == "__main__":
    assert os.environ["WORLD_SIZE"] == "2"
    main(Path(sys.argv[1]))
