"""Running a sweep: nothing done twice, nothing lost, errors as rows."""

import json
from pathlib import Path
from typing import Any

import filelock
import pytest

from crn_lib.sweeps import InlineExecutor, RowsBusy, SweepState, read_histories, read_rows, run_sweep, sweep_state
from crn_lib.sweeps import jobs as jobs_module
from crn_lib.sweeps.jobs import Job, run_job
from crn_lib.sweeps.rows import config_key
from crn_lib.training import load_model
from tests.sweeps.sweep_cases import sweep
from tests.tiny import quick, timeless


def run(folder: Path, *configs: Any, **options: Any) -> SweepState:
    return run_sweep(sweep(folder, *configs), device="cpu", checkpoints=folder / "runs", **options)


class Counted(InlineExecutor):
    """Keeps the jobs it was given."""

    def __init__(self) -> None:
        self.given: list[Job] = []

    def run(self, jobs):  # type: ignore[no-untyped-def]
        self.given += jobs
        return super().run(jobs)


def test_every_run_gets_a_row_with_all_that_decided_it_and_its_history(tmp_path: Path) -> None:
    state = run(tmp_path)
    rows = read_rows(sweep(tmp_path).rows)
    assert rows == state.done and [row["seed"] for row in rows] == [0, 1, 2]
    for row, config in zip(rows, sweep(tmp_path).configs, strict=True):
        assert row["key"] == config_key(config) and row["error"] is None and row["sweep"] == "quick"
        assert row["model"]["kind"] == "lstm" and row["task"]["string_length"] == 3 and row["training"]["batch"] == 4
        assert {"device", "dtype", "backend", "threads", "versions", "commit", "processor"} <= set(row)
        assert {"peak_bytes", "stopped"} <= set(row)
        assert row["steps"] == 6 and row["cpu_seconds"] > 0 and row["seconds"] > 0
        for name in ("character_accuracy", "string_accuracy"):
            assert 0 <= row[name] <= 1 and 0 <= row[f"free_running_{name}"] <= 1
        history = read_histories(sweep(tmp_path).rows.with_name(row["history_file"]))[row["key"]]
        assert [point["step"] for point in history] == [2, 4, 6]
        load_model(tmp_path / "runs" / row["key"] / "checkpoint.safetensors")


def test_what_is_stored_is_not_done_again(tmp_path: Path) -> None:
    run(tmp_path, limit=2)
    assert len(read_rows(sweep(tmp_path).rows)) == 2
    counted = Counted()
    run(tmp_path, executor=counted)
    assert [job.config.seed for job in counted.given] == [2]
    before = sweep(tmp_path).rows.read_bytes()
    run(tmp_path)
    assert sweep(tmp_path).rows.read_bytes() == before


def test_a_run_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = jobs_module.train

    def train(config: Any, **options: Any) -> Any:
        if config.seed == 1:
            raise RuntimeError("out of memory")
        return real(config, **options)

    monkeypatch.setattr(jobs_module, "train", train)
    state = run(tmp_path)
    assert [row["error"] for row in state.done] == [None, "RuntimeError: out of memory", None]
    assert state.failed[0]["seed"] == 1 and state.failed[0]["model"]["kind"] == "lstm"

    monkeypatch.setattr(jobs_module, "train", real)
    counted = Counted()
    assert len(run(tmp_path, executor=counted).failed) == 1 and not counted.given
    state = run(tmp_path, executor=counted, retry_failed=True)
    assert [job.config.seed for job in counted.given] == [1] and not state.failed
    assert not run(tmp_path).failed  # read anew from the file: the newer row counts


def test_a_run_that_diverges_keeps_the_steps_it_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crn_lib.training import loop

    real, calls = loop.teacher_forced, []

    def poisoned(model: Any, *rest: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            model.head.weight.data.fill_(float("nan"))
        return real(model, *rest)

    monkeypatch.setattr(loop, "teacher_forced", poisoned)
    row = run(tmp_path, quick()).done[0]
    assert row["error"].startswith("TrainingDiverged: the loss is nan") and row["steps"] == 4
    history = read_histories(sweep(tmp_path).rows.with_name(row["history_file"]))[row["key"]]
    assert [point["step"] for point in history] == [2, 4]


def test_an_interrupted_run_leaves_no_row_and_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run(tmp_path / "a", quick()).done[0]
    from crn_lib.training import loop

    real, calls = loop._Run._train_step, []

    def interrupted(self: Any) -> float:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(self)

    with monkeypatch.context() as patched:
        patched.setattr(loop._Run, "_train_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "b", quick())
    assert not sweep(tmp_path / "b").rows.exists()
    resumed = run(tmp_path / "b", quick()).done[0]
    first, second = (read_histories(sweep(tmp_path / name).histories) for name in "ab")
    assert timeless(first[undisturbed["key"]]) == timeless(second[resumed["key"]])
    same = ("character_accuracy", "free_running_character_accuracy", "steps", "stopped")
    assert [undisturbed[name] for name in same] == [resumed[name] for name in same]


def test_a_damaged_checkpoint_is_done_again_instead_of_failing_for_ever(tmp_path: Path) -> None:
    key = config_key(quick())
    (tmp_path / "runs" / key).mkdir(parents=True)
    (tmp_path / "runs" / key / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    assert run(tmp_path, quick()).done[0]["error"] is None


def test_progress_can_be_read_while_a_run_is_in_flight_and_is_gone_afterwards(tmp_path: Path) -> None:
    job = Job("k", "s", quick(), tmp_path / "k", "cpu")
    seen = []
    assert job.progress() is None
    row = run_job(job, lambda history: seen.append((job.progress(), history[-1])))
    assert len(seen) == 3 and all(read == newest for read, newest in seen)
    assert job.progress() is None and row["error"] is None


def test_two_processes_cannot_write_the_same_rows(tmp_path: Path) -> None:
    one = sweep(tmp_path)
    one.rows.parent.mkdir()
    with (
        filelock.FileLock(one.rows.with_name(f".{one.rows.name}.lock")),
        pytest.raises(RowsBusy) as error,
    ):
        run(tmp_path)
    assert str(error.value) == f"another process is adding rows to {one.rows}; wait for it, or choose other rows"


def test_on_row_sees_the_sweep_grow(tmp_path: Path) -> None:
    sizes = []
    run(tmp_path, on_row=lambda state: sizes.append((len(state.done), len(state.jobs))))
    assert sizes == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_the_state_of_a_sweep_can_be_had_without_running_it(tmp_path: Path) -> None:
    run(tmp_path, limit=1)
    state = sweep_state(sweep(tmp_path), checkpoints=tmp_path / "runs")
    assert len(state.done) == 1 and [job.config.seed for job in state.waiting] == [1, 2]


def test_a_history_is_stored_before_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crn_lib.sweeps import run as run_module

    written = []
    real = run_module.append_row
    monkeypatch.setattr(run_module, "append_row", lambda path, row: (written.append(path.name), real(path, row)))
    run(tmp_path, quick())
    assert written == ["quick.history.jsonl", "quick.jsonl"]
    assert json.loads(sweep(tmp_path).histories.read_text())["history"]
