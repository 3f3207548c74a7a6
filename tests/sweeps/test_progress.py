"""The lines of a sweep's table."""

from pathlib import Path

from crn_lib.sweeps import run_sweep, sweep_state
from crn_lib.sweeps.progress import differing_fields, headings, lines, run_name, summary, troubles
from crn_lib.sweeps.rows import append_row
from crn_lib.sweeps.run import SweepState
from tests.sweeps.sweep_cases import sweep
from tests.tiny import of_bytes, quick


def state_of(folder: Path, limit: int | None = None) -> SweepState:
    one = sweep(folder, quick(0), quick(0, kind="ssm"), quick(1, kind="ssm"))
    if limit:
        run_sweep(one, device="cpu", limit=limit, checkpoints=folder / "runs")
    return sweep_state(one, checkpoints=folder / "runs")


def test_a_run_is_named_by_what_the_runs_differ_in(tmp_path: Path) -> None:
    jobs = state_of(tmp_path).jobs
    assert differing_fields(jobs) == ["model.kind", "seed"]
    assert [run_name(job, differing_fields(jobs)) for job in jobs] == ["lstm, seed 0", "ssm, seed 0", "ssm, seed 1"]
    assert run_name(jobs[0], []) == jobs[0].key and differing_fields([]) == []
    fields = ["model.norm", "model.max_length", "precision", "learning_rate"]
    told = quick(kind="causal_rn", precision="bfloat16"), quick()
    names = [run_name(job, fields) for job in sweep_state(sweep(tmp_path, *told)).jobs]
    assert names == ["exact, precision bfloat16, learning rate 0.01", "precision float32, learning rate 0.01"]


def test_a_line_says_what_came_of_a_run(tmp_path: Path) -> None:
    state = state_of(tmp_path, limit=1)
    running = state.jobs[1]
    running.folder.mkdir(parents=True)
    (running.folder / "progress.json").write_text(
        '{"step": 1200, "character_accuracy": 0.5, "string_accuracy": 0.25, "seconds": 7.4}'
    )
    state.rows[state.jobs[2].key] = {"error": "RuntimeError: out of memory", "steps": 3, "seconds": 8.9}
    shown = lines(state)
    assert all(len(line) == len(headings(state)) for line in shown)
    row = state.rows[state.jobs[0].key]
    assert shown[0] == (
        "lstm, seed 0", "done", "6", f"{row['character_accuracy']:.1%}", f"{row['string_accuracy']:.1%}",
        f"{row['free_running_string_accuracy']:.1%}", "", f"{row['seconds']:.0f}",
    )  # fmt: skip
    assert shown[1] == ("ssm, seed 0", "running", "1,200 of 6", "50.0%", "25.0%", "", "", "7")
    assert headings(state)[-2:] == ("error", "seconds")
    assert shown[2] == ("ssm, seed 1", "failed", "3", "", "", "", "RuntimeError: out of memory", "9")
    state.rows[state.jobs[2].key] = {"error": 70 * "x"}
    assert lines(state)[2] == ("ssm, seed 1", "failed", "", "", "", "", 60 * "x", "")
    assert lines(state_of(tmp_path / "new"))[1] == ("ssm, seed 0", "waiting", "", "", "", "", "")
    row["stopped"] = "target"
    assert lines(state)[0][1] == "solved"


def test_the_summary_counts_only_this_sittings_runs_in_its_rate(tmp_path: Path) -> None:
    state_of(tmp_path, limit=1)
    one, said = sweep(tmp_path, quick(0), quick(0, kind="ssm"), quick(1, kind="ssm")), []
    state = run_sweep(one, checkpoints=tmp_path / "runs", on_row=lambda state: said.append(summary(state, 30.0)))
    assert said == [
        "1 of 3 runs stored, 0 failed",
        "2 of 3 runs stored, 0 failed; 2.0 runs a minute, about 30 s left",
        "3 of 3 runs stored, 0 failed; 4.0 runs a minute",
    ]
    state.stored_now = 1
    assert summary(state, 7200.0).endswith("about 2.0 h left")
    assert summary(state, 600.0).endswith("about 10 min left")
    assert summary(state, 90.0).endswith("about 2 min left")
    assert summary(state, 5400.0).endswith("about 1.5 h left")
    assert summary(state, 0.0) == "3 of 3 runs stored, 0 failed"


def test_a_run_that_is_done_again_counts_in_the_rate(tmp_path: Path) -> None:
    one, said = sweep(tmp_path, quick(0), quick(1)), []
    for row in state_of(tmp_path / "others", limit=2).done:
        append_row(one.rows, {**row, "key": sweep_state(one).waiting[0].key, "error": "RuntimeError: no luck"})
    state = run_sweep(
        one, checkpoints=tmp_path / "runs", retry_failed=True, on_row=lambda state: said.append(summary(state, 30.0))
    )
    assert said == [
        "2 of 2 runs stored, 2 failed",
        "2 of 2 runs stored, 1 failed; 2.0 runs a minute, about 30 s left",
        "2 of 2 runs stored, 0 failed; 4.0 runs a minute",
    ]
    assert state.stored_now == 2


def test_what_a_killed_sweep_left_is_not_shown_as_running(tmp_path: Path) -> None:
    one, shown = sweep(tmp_path, quick(0), quick(1)), []
    for job in sweep_state(one, checkpoints=tmp_path / "runs").jobs:
        job.folder.mkdir(parents=True)
        (job.folder / "progress.json").write_text('{"step": 3, "seconds": 1.0}')
    run_sweep(one, checkpoints=tmp_path / "runs", on_row=lambda state: shown.append([line[1] for line in lines(state)]))
    assert shown == [["waiting", "waiting"], ["done", "waiting"], ["done", "done"]]


def test_runs_without_their_data_are_not_counted_as_stored(tmp_path: Path) -> None:
    one = sweep(tmp_path, of_bytes(tmp_path / "poem.txt"), of_bytes(tmp_path / "ode.txt"), of_bytes(Path(__file__)))
    state = run_sweep(one, device="cpu", limit=2, checkpoints=tmp_path / "runs")
    assert summary(state, 0.0) == "0 of 3 runs stored, 0 failed, 2 without data"
    assert [line[1] for line in lines(state)] == ["no data", "no data", "waiting"] and not one.rows.exists()
    state = run_sweep(one, device="cpu", checkpoints=tmp_path / "runs")
    assert summary(state, 30.0) == "1 of 3 runs stored, 0 failed, 2 without data; 2.0 runs a minute"
    state = sweep_state(one)
    assert summary(state, 0.0) == "1 of 3 runs stored, 0 failed", "not tried again"


def test_an_error_of_many_runs_is_said_once(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    assert troubles(state) == [] and "error" not in headings(state)
    first, second, third = (job.key for job in state.jobs)
    state.rows = {key: {"key": key, "error": "no luck"} for key in (first, third)}
    assert troubles(state) == [f"failed, 2 runs, the first {first}: no luck"]
    state.rows[third]["error"] = "bad luck"
    state.without_data = {second: {"key": second, "error": "no file"}}
    assert troubles(state) == [
        f"failed: {first}: no luck",
        f"failed: {third}: bad luck",
        f"without data: {second}: no file",
    ]
