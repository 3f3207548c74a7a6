"""What goes wrong in a sweep: for every run, said before the first; for one run, one failed row."""

import json
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest

from crn_lib.config import ConfigError
from crn_lib.files import locked
from crn_lib.sweeps import (
    Run,
    append_row,
    fill_rows,
    load_sweep,
    newest_rows,
    read_rows,
    read_runs,
    run_sweep,
    sweep_state,
)
from crn_lib.sweeps import jobs as jobs_module
from crn_lib.sweeps.jobs import Job, run_job
from crn_lib.sweeps.rows import config_key, lock_rows
from crn_lib.training import CheckpointError, RunBusy, checkpoints, load_model
from crn_lib.training.loop import CHECKPOINT_NAME
from tests.sweeps.sweep_cases import sweep
from tests.tiny import of_bytes, quick


def run(folder, *configs, **options):
    return run_sweep(sweep(folder, *configs), **{"device": "cpu", "checkpoints": folder / "runs"} | options)


# --- before the first run ---


@pytest.fixture
def nothing_trains(monkeypatch):
    monkeypatch.setattr(jobs_module, "train", lambda *_, **__: pytest.fail("a run was begun"))


@pytest.mark.parametrize("device", ["tpu", "cpu:5", "cuda:99", None])
def test_a_device_that_is_not_here_fails_no_run(tmp_path, nothing_trains, device):
    with pytest.raises(ConfigError, match=r"^device must be auto or one of cpu"):
        run(tmp_path, device=device)
    assert list(tmp_path.iterdir()) == []


def test_the_devices_of_a_cluster_are_its_own(tmp_path):
    class Elsewhere:
        address = "head:6379"

        def run(self, jobs):
            return iter([])

    run(tmp_path, executor=Elsewhere(), device="cuda:3")
    with pytest.raises(ConfigError, match=r"^device must be auto or one of cpu, cuda, mps; got 'tpu'$"):
        run(tmp_path, executor=Elsewhere(), device="tpu")


def test_a_folder_of_runs_that_is_a_file_fails_no_run(tmp_path, nothing_trains):
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(CheckpointError, match="runs is no folder that can be written"):
        run(tmp_path)
    assert not sweep(tmp_path).rows.exists()


def test_two_sweeps_with_rows_of_their_own_do_not_share_the_folders_of_their_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PATIENCE", 0.1)
    refused = []

    def second(state):
        with pytest.raises(RunBusy, match=f"^another process is training in {tmp_path / 'runs'};"):
            run_sweep(sweep(tmp_path / "other"), device="cpu", checkpoints=tmp_path / "runs")
        refused.append(1)

    assert not run(tmp_path, quick(), on_row=second).failed
    assert refused == [1, 1] and not (tmp_path / "other/rows/quick.jsonl").exists()


# --- one run ---


def test_a_file_where_a_runs_folder_should_be_fails_that_run_and_no_other(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / config_key(quick(1))).write_text("in the way")
    rows = run(tmp_path).done
    assert [row["error"] is None for row in rows] == [True, False, True]
    assert rows[1]["error"].startswith("CheckpointError: ") and "is no folder that can be written" in rows[1]["error"]


def test_a_fault_that_is_not_the_checkpoints_fails_the_run_and_keeps_its_checkpoint(tmp_path, monkeypatch):
    run(tmp_path)
    checkpoint = tmp_path / "runs" / config_key(quick()) / CHECKPOINT_NAME
    before = checkpoint.read_bytes()
    sweep(tmp_path).rows.unlink()
    monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=OSError(5, "Input/output error")))
    row = run_job(sweep_state(sweep(tmp_path), device="cpu", checkpoints=tmp_path / "runs").jobs[0])
    monkeypatch.undo()
    assert row["error"].startswith("CheckpointError: ") and row["error"].endswith("cannot be read (Input/output error)")
    assert checkpoint.read_bytes() == before


def test_a_disk_without_room_for_the_progress_costs_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jobs_module, "replace_text", full)
    assert [row["error"] for row in run(tmp_path).done] == [None, None, None]


def test_a_run_whose_folder_is_anothers_is_a_failed_row_and_the_others_progress_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PATIENCE", 0.1)
    job = Job("k", "s", quick(), tmp_path / "k", "cpu")
    with locked(tmp_path / "k" / ".lock", AssertionError()):
        (tmp_path / "k" / "progress.json").write_text('{"step": 4, "seconds": 1}')
        row = run_job(job)
        assert row["error"].startswith("RunBusy: another process is training in ") and job.progress() == {
            "step": 4,
            "seconds": 1,
        }
    assert run_job(job)["error"] is None and job.progress() is None


def test_the_checkpoint_of_another_configuration_in_a_runs_folder_is_done_again(tmp_path):
    """A folder is named by its run's key, so no other run's can be there but by accident."""
    run(tmp_path, quick())
    (tmp_path / "runs" / config_key(quick())).rename(tmp_path / "runs" / config_key(quick(1)))
    assert run(tmp_path, quick(1)).done[0]["error"] is None


def test_a_run_whose_data_are_not_there_is_said_to_lack_them_and_done_once_they_are(tmp_path):
    """No `--retry-failed` for what is no fault of the run; the sweep's others are done meanwhile."""
    absent = of_bytes(tmp_path / "poem.txt")
    state = run(tmp_path, absent, quick())
    assert "poem.txt" in state.without_data[config_key(absent)]["error"] and not state.failed
    assert [row["key"] for row in state.done] == list(newest_rows(sweep(tmp_path).rows)) == [config_key(quick())]

    (tmp_path / "poem.txt").write_text("a rose is a rose is a rose ")
    assert list(run(tmp_path, absent, quick()).without_data) == [config_key(absent)], "it is too short"
    assert list(newest_rows(sweep(tmp_path).rows)) == [config_key(quick())]

    (tmp_path / "poem.txt").write_text("a rose is a rose is a rose " * 40)
    assert [row["error"] for row in run(tmp_path, absent, quick()).done] == [None, None]


def test_a_row_names_the_metric_that_its_task_is_judged_by(tmp_path):
    """Also that of a run that failed. Of older rows, which do not, the task is asked."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / config_key(quick(1))).write_text("in the way")
    rows = run(tmp_path).done
    assert {row["main_metric"] for row in rows} == {"string_accuracy"} and rows[1]["error"]
    older = {name: value for name, value in rows[0].items() if name != "main_metric"}
    assert Run(older, []).main_metric == Run(rows[0], []).main_metric == "string_accuracy"
    assert Run({**rows[0], "main_metric": "other"}, []).main_metric == "other"


def test_a_run_that_a_kill_ended_behind_its_last_step_leaves_no_progress(tmp_path):
    """Nothing is evaluated any more, so nothing would be written over what the killed process left."""
    job = Job("k", "s", quick(), tmp_path / "k", "cpu")
    run_job(job)
    (job.folder / "progress.json").write_text('{"step": 6}')
    assert run_job(job)["error"] is None and [path.name for path in job.folder.iterdir()] == ["checkpoint.safetensors"]


@pytest.mark.parametrize(
    "text", ["", "3", "[]", "{}", '{"step": "x", "seconds": 1}', '{"step": NaN, "seconds": 1}', "[" * 9999]
)
def test_a_progress_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "progress.json").write_text(text)
    assert Job("k", "s", quick(), tmp_path, "cpu").progress() is None


# --- the lock, and what is left ---


def test_a_sweep_leaves_its_rows_and_checkpoints_alone(tmp_path):
    run(tmp_path)
    assert {path.name for path in (tmp_path / "rows").iterdir()} == {"quick.jsonl", "quick.history.jsonl"}
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {config_key(quick(seed)) for seed in range(3)}


def test_a_lock_that_is_removed_at_its_end_is_never_held_twice(tmp_path):
    """Whoever waits on a file that is gone must look for the new one."""
    held, most = [], []

    def hold():
        for _ in range(50):
            with locked(tmp_path / ".lock", AssertionError(), patience=60):
                held.append(1)
                most.append(len(held))
                held.pop()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 200 and max(most) == 1 and list(tmp_path.iterdir()) == []


# --- rows ---

ROWS = {
    "no key": ('{"error": null}', r", line 1 has no field 'key'$"),
    "no error": ('{"key": "a"}', r", line 1 has no field 'error'$"),
    "no object": ("[1]", r", line 1 is not a JSON row \(it is no object with fields\)$"),
    "a number": ("3", r", line 1 is not a JSON row \(it is no object with fields\)$"),
    "key of no text": ('{"key": 3, "error": null}', r": a row's key must be text; got 3$"),
    "not JSON": ("{", r", line 1 is not a JSON row \(Expecting"),
    "not Unicode": (b'\xff{"key": "a"}', r", line 1 is not a JSON row \('utf-8' codec"),
    "deep": ("[" * 100_000, r", line 1 is not a JSON row \(maximum recursion depth"),
    "long number": ('{"key": ' + "9" * 5_000 + "}", r", line 1 is not a JSON row \(Exceeds the limit"),
    "steps of no number": (
        '{"key": "a", "error": null, "steps": "six", "seconds": 1}',
        r": steps of the row 'a' must be a number >= 0; got 'six'$",
    ),
    "no steps": ('{"key": "a", "error": null}', r": steps of the row 'a' must be a number >= 0; got None$"),
    "error of no text": ('{"key": "a", "error": 3}', r": the error of the row 'a' is no text$"),
}


@pytest.mark.parametrize(("line", "says"), ROWS.values(), ids=ROWS)
def test_a_row_that_is_none_is_named_with_its_file(tmp_path, line, says):
    path = sweep(tmp_path).rows
    path.parent.mkdir()
    path.write_bytes((line if isinstance(line, bytes) else line.encode()) + b"\n")
    with pytest.raises(ConfigError, match=rf"^{path}{says}"):
        sweep_state(sweep(tmp_path), checkpoints=tmp_path)


MODEL = {"model": {}, "training": {}}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, "line 1 has no field 'model', 'training'$"),
        (MODEL, "the row 'a' names no file of its history; got None$"),
        ({**MODEL, "history_file": "h"}, "h holds no history of the"),
    ],
)
def test_a_run_without_its_model_or_history_is_one_line(tmp_path, row, says):
    append_row(tmp_path / "rows.jsonl", {"key": "a", "error": None, **row})
    with pytest.raises(ConfigError, match=says):
        read_runs(tmp_path / "rows.jsonl")


def test_paths_may_be_text(tmp_path):
    one = load_sweep("learning_rates", str(tmp_path / "rows.jsonl"))
    assert one.histories == tmp_path / "rows.history.jsonl"
    append_row(str(one.rows), {"key": "a", "error": None})
    assert read_rows(str(one.rows)) == [*newest_rows(str(one.rows)).values()] == [{"error": None, "key": "a"}]
    with lock_rows(str(one.rows)):
        assert (tmp_path / ".rows.jsonl.lock").exists()
    assert fill_rows(str(tmp_path / "f.jsonl"), [], what="x") == {}
    mine = sweep(tmp_path, quick())
    state = run_sweep(mine, device="cpu", checkpoints=str(tmp_path / "runs"))
    load_model(str(state.jobs[0].folder / "checkpoint.safetensors"))
    assert len(read_runs(str(mine.rows))) == 1 and json.loads(mine.rows.read_text())["steps"] == 6
    assert sweep_state(mine, checkpoints=str(tmp_path / "runs")).waiting == []


def test_what_is_no_sweep_is_one_line():
    with pytest.raises(ConfigError, match=r"^sweep must be a Sweep, as load_sweep makes it; got a str$"):
        run_sweep("lengths")
    with pytest.raises(ConfigError, match=r"^limit must be a whole number >= 0; got -1$"):
        run_sweep(sweep(Path("nowhere")), limit=-1)
