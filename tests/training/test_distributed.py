"""Two processes under torchrun train as one does: the same loss curve within rounding, one set of files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from crn_lib.models import KINDS
from crn_lib.paths import workbook_folder
from crn_lib.tasks import NOT_SCORED
from crn_lib.training import RunResult, load_model, loop
from crn_lib.training.checkpoints import Checkpoint
from crn_lib.training.distributed import Processes
from tests.tiny import run, tiny, weights
from tests.training.distributed_runs import CASES
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

TOLERANCE = 2e-6
"""Relative, of a loss in float32: two orders of adding the same numbers. The largest difference seen was 2.1e-7."""


def torchrun(*arguments: str, **options: Any) -> psutil.Popen:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    return psutil.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of the two processes' runs, and what each saw."""
    folder = tmp_path_factory.mktemp("two")
    with torchrun("-m", "tests.training.distributed_runs", str(folder), cwd=workbook_folder()) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return folder, [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(2)]


def losses(history: list[dict[str, float]]) -> list[float]:
    return [row["loss"] for row in history]


def flat(result: RunResult) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in weights(result).values()])


@pytest.mark.parametrize("name", ["one length", "ragged", "random places", *KINDS])
def test_the_loss_curve_is_that_of_one_process_with_the_whole_batch(both, name, use_threads):
    use_threads(1)
    alone = run(CASES[name])
    two, expected = losses(both[1][0][name]["row"]["history"]), losses(alone.history)
    assert len(two) == len(expected) == CASES[name].steps
    assert two == pytest.approx(expected, rel=TOLERANCE)
    assert expected[-1] < 0.999 * expected[0], "nothing was learned, so the curves would agree anyway"


@pytest.mark.parametrize("name", list(CASES))
def test_both_processes_hold_the_same_weights_history_and_decisions(both, name):
    first, second = (seen[name] for seen in both[1])
    assert first["weights"] == second["weights"]
    for one in (first, second):
        one["shared"] = [{n: v for n, v in row.items() if "seconds" not in n} for row in one["row"]["history"]]
    assert first["shared"] == second["shared"]
    for field in ("steps", "stopped", "string_accuracy", "free_running_character_accuracy", "processes"):
        assert first["row"][field] == second["row"][field]
    assert first["row"]["processes"] == 2


def test_both_stop_at_the_target(both):
    row = both[1][0]["stops"]["row"]
    assert row["stopped"] == "target" and row["steps"] < 400 and row["history"][-1]["string_accuracy"] >= 0.9


def test_the_first_process_alone_calls_back_and_writes(both):
    folder, (first, second) = both
    assert first["one length"]["calls"] == 30 and second["one length"]["calls"] == 0
    kept = load_model(folder / "one length" / loop.CHECKPOINT_NAME).state_dict()
    flat_kept = torch.cat([tensor.flatten().double() for tensor in kept.values()])
    assert flat_kept.tolist() == first["one length"]["weights"]
    assert [file.name for file in (folder / "one length").iterdir()] == [loop.CHECKPOINT_NAME]


def test_two_processes_resume_bit_for_bit(both):
    for seen in both[1]:
        assert seen["halves"]["weights"] == seen["ragged"]["weights"]
        assert losses(seen["halves"]["row"]["history"]) == losses(seen["ragged"]["row"]["history"])


def test_one_process_goes_on_where_two_ended(both, tmp_path, use_threads):
    use_threads(1)
    config = tiny(evaluate_every=1, steps=35, task=CASES["ragged"].task)
    (tmp_path / loop.CHECKPOINT_NAME).write_bytes((both[0] / "ragged" / loop.CHECKPOINT_NAME).read_bytes())
    on = run(config, folder=tmp_path, resume=True)
    assert losses(on.history) == pytest.approx(losses(run(config).history), rel=TOLERANCE)
    assert on.row()["processes"] == 1


def test_what_cannot_be_is_refused_in_every_process(both):
    for seen in both[1]:
        assert seen["refused"]["batch"] == (
            "batch must be a multiple of the 2 processes that share it; got 7, so choose 8"
        )
        assert seen["refused"]["diverged"].startswith("the loss is nan at step 1 ")


# --- the command ---

SHAPE = ["model.width=16", "model.blocks=2", "task.string_length=4"]
COMMAND = ["-m", "crn_lib.cli", "train", *SHAPE, "--device", "cpu"]


def test_the_command_shows_and_writes_once(tmp_path):
    out = tmp_path / "run"
    with torchrun(*COMMAND, "steps=3", "batch=8", "--out", str(out)) as process:
        printed, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert printed.count("stopped: steps") == 1 and printed.count("kept in") == 1
    row = json.loads((out / "result.json").read_text())
    assert row["processes"] == 2 and row["steps"] == 3 and row["training"]["batch"] == 8


def test_a_batch_that_does_not_divide_is_said_before_the_first_step(tmp_path):
    out = tmp_path / "run"
    with torchrun(*COMMAND, "steps=3", "batch=7", "--out", str(out)) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "error: batch must be a multiple of the 2 processes that share it; got 7, so choose 8" in errors
    assert not (out / loop.CHECKPOINT_NAME).exists()


def test_ctrl_c_ends_both_after_the_same_step_and_the_checkpoint_goes_on(tmp_path, ends_with_test):
    out = tmp_path / "run"
    many = ["steps=100000", "batch=8", "--out", str(out)]
    process = ends_with_test(torchrun(*COMMAND, *many))
    wait_until(lambda: process.poll() is not None or (out / loop.CHECKPOINT_NAME).exists())
    assert process.poll() is None
    children = process.children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=PATIENCE)
    assert printed.count("stopped: interrupted") == 1, errors
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    saved = Checkpoint.load(out / loop.CHECKPOINT_NAME).header["step"]
    assert saved % 200 != 0, "saved at the interrupt, not at the last regular time"


# --- the arithmetic, without processes ---


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_weighted_means_average_to_the_mean_over_the_batch(size, generator):
    task = loop.CopyingTask(CASES["ragged"].task)
    tokens, targets = task.sample(8, generator)
    value = torch.rand(targets.shape, generator=generator).double()
    scored = targets != NOT_SCORED
    total, seen = 0.0, []
    for rank in range(size):
        mine, asked, weight = Processes(torch.device("cpu"), rank, size).share(tokens, targets)
        part = slice(rank * 8 // size, (rank + 1) * 8 // size)
        total += weight * value[part][asked != NOT_SCORED].mean().item()
        seen.append(mine)
    assert torch.equal(torch.cat(seen), tokens)
    assert total / size == pytest.approx(value[scored].mean().item(), rel=1e-12)
    assert size > 1 or weight == 1.0


def test_numbers_are_weighted_by_where_something_is_asked():
    targets = torch.tensor([[1.0, float("nan")], [2.0, 3.0]])
    weights = [Processes(torch.device("cpu"), rank, 2).share(targets[..., None], targets)[2] for rank in range(2)]
    assert weights == pytest.approx([2 / 3, 4 / 3])
