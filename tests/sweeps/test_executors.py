"""Executors: the same rows everywhere, an error row for what fails, nothing left behind, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import psutil
import pytest

from crn_lib.config import ConfigError
from crn_lib.paths import workbook_folder
from crn_lib.sweeps import InlineExecutor, ProcessExecutor, Sweep, run_sweep
from crn_lib.sweeps import executors as module
from crn_lib.sweeps.jobs import Job
from crn_lib.training.loop import CHECKPOINT_NAME
from tests.sweeps.executor_cases import (
    diverging_and_impossible,
    endless,
    is_alive,
    jobs_in,
    quick,
    rows_of,
    saved_when_interrupted,
    steps_saved,
    timeless,
)
from tests.waiting import PATIENCE, wait_until


def workers_of(parent: psutil.Process) -> list[psutil.Process]:
    """The processes that train for it: not the one of Python that only keeps track of semaphores."""
    return [child for child in parent.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]


def run_script(folder: Path, script: str, everywhere: str = "") -> list[str]:
    """The command that runs this script, with what the tests of executors share; the last in its workers too."""
    file = folder / "sweep.py"
    head = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(workbook_folder())!r})
from tests.sweeps.executor_cases import *
from crn_lib.sweeps import ProcessExecutor, Sweep, executors, run_sweep
executors.SECONDS_TO_SAVE = {PATIENCE}  # on a busy machine the ten seconds may be over
folder = Path({str(folder)!r})
{textwrap.dedent(everywhere)}
if __name__ == "__main__":
"""
    file.write_text(head + textwrap.indent(textwrap.dedent(script), "    "))
    return [sys.executable, str(file)]


@pytest.mark.slow
def test_processes_give_the_rows_of_this_process_and_go_home_politely(tmp_path, use_threads):
    """Terminated workers would leak semaphores, of which Python warns when the parent ends."""
    use_threads(1)
    command = run_script(tmp_path, "print(json.dumps(rows_of(ProcessExecutor(2), diverging_and_impossible(folder))))")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    here = rows_of(InlineExecutor(), diverging_and_impossible(tmp_path / "inline"))
    assert [timeless(row) for row in json.loads(done.stdout)] == [timeless(row) for row in here]


def test_what_fails_is_a_row_and_costs_nothing_else(tmp_path):
    good, diverged, elsewhere, other = rows_of(InlineExecutor(), diverging_and_impossible(tmp_path))
    assert good["error"] is None and other["error"] is None and good["steps"] == other["steps"] == 20
    assert diverged["error"].startswith("TrainingDiverged: the loss is nan at step 1 ")
    assert diverged["stopped"] == "diverged" and diverged["steps"] == 1
    assert elsewhere["error"] == "ConfigError: device must be auto or one of cpu on this machine; got 'tpu'"
    for row in (good, diverged, elsewhere, other):
        assert row["sweep"] == "test" and row["model"]["kind"] == "causal_rn" and row["training"]["batch"] == 8


@pytest.mark.slow
def test_each_worker_has_its_own_threads_and_processor(tmp_path, monkeypatch):
    """Two workers of one thread must not share a processor; a third, where there are two, shares with the first."""
    monkeypatch.setattr(module, "run_job", _say_where)
    places = rows_of(ProcessExecutor(2, threads=1), jobs_in(tmp_path, [quick(seed=seed) for seed in range(2)]))
    assert [row["threads"] for row in places] == [1, 1]
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1:
        assert all(len(row["processors"]) == 1 for row in places)
        assert places[0]["processors"] != places[1]["processors"]


def _say_where(job):
    import torch

    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {"key": job.key, "threads": torch.get_num_threads(), "processors": processors}


@pytest.mark.slow
def test_a_killed_worker_costs_its_run_and_no_other(tmp_path):
    jobs = jobs_in(tmp_path, [endless(), quick(seed=1), quick(seed=2)])

    def kill_the_endless_one():
        wait_until(jobs[0].progress)
        # The worker of the first job is the older one of the two: they start one after the other.
        first = min(workers_of(psutil.Process()), key=lambda each: each.create_time())
        first.kill()

    killer = threading.Thread(target=kill_the_endless_one)
    killer.start()
    dead, *others = rows_of(ProcessExecutor(2), jobs)
    killer.join()
    assert dead["error"] == "the process of this run died (killed, or out of memory)"
    assert dead["threads"] == 1 and dead["training"] != others[0]["training"]
    assert [row["error"] for row in others] == [None, None]
    assert workers_of(psutil.Process()) == []


class BrokenPool:
    """A pool whose worker was killed after its last run, and before the next."""

    def submit(self, *_: object) -> None:
        raise BrokenProcessPool

    def shutdown(self, **_: object) -> None:
        pass


def test_a_worker_that_dies_between_two_runs_costs_nothing(tmp_path, monkeypatch):
    pools = iter([BrokenPool(), ThreadPoolExecutor(1)])
    monkeypatch.setattr(ProcessExecutor, "_pool", lambda *_: next(pools))
    rows = rows_of(ProcessExecutor(1), jobs_in(tmp_path, [quick(), quick(seed=1)]))
    assert [row["error"] for row in rows] == [None, None]


# --- interrupted ---


def started(tmp_path: Path, ends_with_test: Callable[[psutil.Popen], psutil.Popen]) -> tuple[psutil.Popen, list[Job]]:
    """A process that runs two endless jobs, and the jobs, once both have a checkpoint."""
    script = """
        for job, row in ProcessExecutor(2).run(jobs_in(folder, [endless(), endless(seed=1)])):
            print(row["error"])
    """
    command = run_script(tmp_path, script)
    process = ends_with_test(psutil.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True))
    jobs = jobs_in(tmp_path, [endless(), endless(seed=1)])
    wait_until(lambda: all((job.folder / CHECKPOINT_NAME).exists() for job in jobs))
    return process, jobs


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "parent alone"])
def test_ctrl_c_saves_what_is_running_and_leaves_nobody(tmp_path, ends_with_test, whole_group):
    process, jobs = started(tmp_path, ends_with_test)
    workers = workers_of(process)
    assert len(workers) == 2
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0 and errors.count("KeyboardInterrupt") == 1, errors
    assert "leaked" not in errors
    assert not any(is_alive(worker) for worker in workers)
    assert saved_when_interrupted(jobs)
    assert all(job.progress() is None for job in jobs), "a run that is not in flight has no progress"


@pytest.mark.slow
def test_a_killed_sweep_leaves_no_worker_and_the_next_call_gives_the_rows_of_an_undisturbed_run(tmp_path, use_threads):
    """Its workers come no further than the checkpoint of step 60, so that no kill is too late."""
    use_threads(1)
    configs = tuple(quick(steps=100, evaluate_every=10, checkpoint_every=20, seed=seed) for seed in (0, 1))
    script = """
        configs = tuple(quick(steps=100, evaluate_every=10, checkpoint_every=20, seed=seed) for seed in (0, 1))
        run_sweep(Sweep("killed", configs, folder / "killed.jsonl"), executor=ProcessExecutor(2), device="cpu",
                  checkpoints=folder / "killed")
    """
    busy_at_60 = """
        save = Checkpoint.save
        def save_and_stay(self, path):
            save(self, path)
            while self.header["step"] == 60:
                pass
        Checkpoint.save = save_and_stay
    """
    jobs = jobs_in(tmp_path / "killed", configs)
    with psutil.Popen(run_script(tmp_path, script, busy_at_60)) as process:
        wait_until(lambda: all((job.folder / CHECKPOINT_NAME).exists() and steps_saved(job) == 60 for job in jobs))
        workers = workers_of(process)
        assert len(workers) == 2 and all(is_alive(worker) for worker in workers)
        process.kill()
    wait_until(lambda: not any(is_alive(worker) for worker in workers))
    assert not (tmp_path / "killed.jsonl").exists()

    resumed_at = []
    run_one = module.run_job

    def watch(job):
        resumed_at.append(steps_saved(job))
        return run_one(job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_job", watch)
        after = run_sweep(
            Sweep("killed", configs, tmp_path / "killed.jsonl"), device="cpu", checkpoints=tmp_path / "killed"
        )
    assert resumed_at == [60, 60]
    undisturbed = run_sweep(
        Sweep("whole", configs, tmp_path / "whole.jsonl"), device="cpu", checkpoints=tmp_path / "whole"
    )
    for row, whole in zip(after.done, undisturbed.done, strict=True):
        assert row["error"] is None and row["steps"] == 100
        unnamed = {"sweep": "", "history_file": ""}
        assert timeless(row | unnamed) == timeless(whole | unnamed)
    assert _losses(tmp_path / "killed.history.jsonl") == _losses(tmp_path / "whole.history.jsonl")


def _losses(file: Path) -> dict[str, list[float]]:
    from crn_lib.sweeps import read_histories

    return {key: [row["loss"] for row in history] for key, history in read_histories(file).items()}


@pytest.mark.slow
def test_an_error_in_what_stores_the_rows_ends_the_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_SAVE", PATIENCE)
    jobs = jobs_in(tmp_path, [quick(), endless(seed=1)])

    def store_first_row() -> None:
        for _ in ProcessExecutor(2).run(jobs):
            wait_until(jobs[1].progress)
            raise OSError("disk full")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OSError, match="disk full"):
            store_first_row()
    wait_until(lambda: not workers_of(psutil.Process()))
    assert jobs[1].progress() is None and steps_saved(jobs[1]) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers must be a whole number >= 1; got 0"),
        ({"threads": 0}, "threads must be a whole number >= 1; got 0"),
        ({"workers": 1.5}, "workers must be a whole number >= 1; got 1.5"),
    ],
)
def test_numbers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        ProcessExecutor(**options)


def test_no_job_is_no_row():
    assert list(ProcessExecutor(2).run([])) == list(InlineExecutor().run([])) == []
