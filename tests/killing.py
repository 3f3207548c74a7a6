"""Processes killed at random moments, and what they leave: run as a program, it prints the figures of a drill as JSON.

    OMP_NUM_THREADS=1 python -m tests.killing inline|processes|train FOLDER KILLS

Each process is forked from one that has imported everything, so that a kill costs a fraction of a second. Every second
one is killed right before a call that changes a file, every other one at a moment of the clock. When all is done in
spite of it, what is stored is compared with what an undisturbed process stored, and a new round begins.
"""

import contextlib
import dataclasses
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from crn_lib import cli, files
from crn_lib.sweeps import InlineExecutor, ProcessExecutor, Sweep, read_histories, read_rows, run_sweep
from crn_lib.sweeps import rows as rows_module
from crn_lib.training.checkpoints import Checkpoint
from crn_lib.training.loop import CHECKPOINT_NAME
from tests.sweeps.executor_cases import timeless
from tests.tiny import quick, run

CONFIGS = tuple(quick(seed, kind, steps=60) for kind in ("lstm", "linear_transformer") for seed in (0, 1))
FIELDS = ["model.kind=lstm", "model.width=8", "model.blocks=1", "task.string_length=3", "steps=300", "batch=4"]
FIELDS += ["evaluate_every=20", "evaluation_strings=8", "checkpoint_every=20"]


def sweep(folder: Path, where: str) -> None:
    one = Sweep("killed", CONFIGS, folder / "rows" / "killed.jsonl")
    executor = InlineExecutor() if where == "inline" else ProcessExecutor(2)
    run_sweep(one, executor=executor, device="cpu", checkpoints=folder / "runs")


def train(folder: Path) -> None:
    sys.argv = ["crn", "train", *FIELDS, "--device", "cpu", "--resume", "--out", str(folder / "out")]
    with contextlib.suppress(SystemExit):  # of the last line of `main`
        cli.main()


def forked(work: Callable[[], None]) -> int:
    """The number of a process that does this and ends."""
    child = os.fork()
    if child:
        return child
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        work()
    except BaseException as error:
        Path(f"/tmp/killing-{os.getpid()}").write_text(repr(error))
        os._exit(1)
    os._exit(0)


def suicidal(work: Callable[[], None], call: int) -> Callable[[], None]:
    """`work`, killed right before so many calls that change a file."""
    left = [call]

    def counted(real: Any) -> Any:
        def dying(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return dying

    def patched() -> None:
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "touch"), (Path, "write_bytes")):
            setattr(owner, name, counted(getattr(owner, name)))
        rows_module._end_last_line = counted(rows_module._end_last_line)
        assert files.os.fsync is os.fsync
        work()

    return patched


def stored(folder: Path) -> dict[str, Any]:
    """All that counts of what is in the folder; histories and rows without what no two runs share."""
    rows = {row["key"]: timeless(row) for row in read_rows(folder / "rows" / "killed.jsonl")}
    courses = {
        key: [timeless(point) for point in course]
        for key, course in read_histories(folder / "rows" / "killed.history.jsonl").items()
    }
    result = folder / "out" / "result.json"
    return {
        "rows": rows,
        "histories": courses,
        "result": timeless(json.loads(result.read_text())) if result.exists() else None,
        "tensors": {
            str(path.relative_to(folder)): {
                name: tensor.flatten().view(torch.uint8).tolist() if tensor.ndim else tensor.tolist()
                for name, tensor in Checkpoint.load(path).tensors.items()
            }
            for path in sorted(folder.rglob(CHECKPOINT_NAME))
        },
        "files": sorted(str(path.relative_to(folder)) for path in folder.rglob("*")),
    }


def drill(where: str, folder: Path, kills: int, seed: int = 0) -> dict[str, Any]:
    """Kill so many processes; raises `AssertionError` where one lost, doubled, changed or left something."""
    chance = random.Random(seed)
    for config in CONFIGS[::2]:  # what a first step imports takes longer than all others
        run(dataclasses.replace(config, steps=1))

    def work(place: Path) -> Callable[[], None]:
        return lambda: train(place) if where == "train" else sweep(place, where)

    began = time.perf_counter()
    undisturbed = work if where == "train" else lambda place: lambda: sweep(place, "inline")
    assert os.waitpid(forked(undisturbed(folder / "whole")), 0)[1] == 0
    # Processes take some seconds to begin.
    whole_takes = time.perf_counter() - began + (6 if where == "processes" else 0)
    whole = stored(folder / "whole")
    killed = finished = rounds = at_calls = resumed = 0
    here, known = folder / "killed", set[str]()
    while killed < kills or rounds == 0:
        at_call = chance.random() < 0.5 and where != "processes"
        job = suicidal(work(here), chance.randint(1, 60)) if at_call else work(here)
        child = forked(job)
        if not at_call and killed < kills:
            time.sleep(chance.uniform(0, whole_takes))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        rows = read_rows(here / "rows" / "killed.jsonl")
        keys = [row["key"] for row in rows]
        assert len(set(keys)) == len(keys), "a row is there twice"
        assert known <= set(keys), "a row is lost"
        assert all(timeless(row) == whole["rows"][row["key"]] for row in rows), "a row is another"
        resumed += bool(set(keys) - known) and bool(known)
        known = set(keys)
        if os.WIFSIGNALED(status):
            killed, at_calls = killed + 1, at_calls + at_call
            continue
        assert status == 0, "\n".join(path.read_text() for path in Path("/tmp").glob(f"killing-{child}"))
        found = stored(here)
        for name in whole:
            assert found[name] == whole[name], f"{name} are others"
        finished += 1
        rounds += 1
        shutil.rmtree(here)
        known = set()
    return {"kills": killed, "before a call": at_calls, "rounds": rounds, "seconds": round(time.perf_counter() - began)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(drill(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
