"""`crn sweep`: what it prints and stores, and its exit codes."""

import sys
from pathlib import Path

import filelock
import pytest

from crn_lib.cli import main
from crn_lib.commands.sweep import make_executor
from crn_lib.config import ConfigError
from crn_lib.sweeps import ProcessExecutor, load_sweep, own_sweeps, read_rows
from tests.sweeps.sweep_cases import sweep as quick_sweep
from tests.tiny import quick
from tests.workbooks import make_workbook

YAML = """
about: two seeds
base: {steps: 4, batch: 4, evaluate_every: 2, evaluation_strings: 4, task: {string_length: 3, vocab: 5}}
grids:
  - seed: [0, 1]
    model.kind: [lstm, ssm]
    model.width: 8
    model.blocks: 1
"""


@pytest.fixture
def workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_workbook(tmp_path)
    (tmp_path / "mine.yaml").write_text(YAML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def crn(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crn", "sweep", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_it_does_the_runs_says_so_and_goes_on_where_it_stopped(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch, "mine.yaml", "--limit", "1") == 0
    shown = capsys.readouterr().out
    assert "1 of 4 runs stored, 0 failed" in shown and "lstm, seed 0:  state done  steps 4  letters" in shown
    assert crn(monkeypatch, "mine.yaml") == 0
    shown = capsys.readouterr().out
    assert "4 of 4 runs stored" in shown and "runs a minute" in shown
    assert "lstm, seed 0" not in shown and "ssm, seed 1" in shown
    rows = read_rows(workbook / "figures/data/runs/mine.jsonl")
    assert [(row["model"]["kind"], row["seed"]) for row in rows] == [("lstm", 0), ("ssm", 0), ("lstm", 1), ("ssm", 1)]
    assert (workbook / "runs/sweeps/mine" / rows[0]["key"] / "checkpoint.safetensors").exists()


def test_a_failed_run_is_named_and_the_exit_code_says_so(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from crn_lib.sweeps import jobs

    def fail(config: object, **options: object) -> None:
        raise RuntimeError(words)

    words = "no [such] luck " * 8
    monkeypatch.setattr(jobs, "train", fail)
    assert crn(monkeypatch, "mine.yaml", "--limit", "2") == 1
    shown = capsys.readouterr().out.splitlines()
    key = read_rows(workbook / "figures/data/runs/mine.jsonl")[0]["key"]
    assert f"failed, 2 runs, the first {key}: RuntimeError: {words}".rstrip() in map(str.rstrip, shown)
    assert "2 failed" in shown[-1] and "state failed  error RuntimeError: no [such] luck" in shown[0]


def test_a_run_that_is_done_again_has_its_line(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from crn_lib.sweeps import jobs

    def fail(config: object, **options: object) -> None:
        raise RuntimeError("no luck")

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "train", fail)
        assert crn(broken, "mine.yaml", "--limit", "1") == 1
    capsys.readouterr()
    assert crn(monkeypatch, "mine.yaml", "--limit", "2", "--retry-failed") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "state done" in line]
    assert [line.partition(":")[0] for line in lines] == ["lstm, seed 0", "ssm, seed 0"]


def test_runs_without_their_data_are_told_and_no_rows_are_promised(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "base: {steps: 4, task: {name: text, source: bytes, path: nowhere.txt, window: 8}}\ngrids: [{seed: [0, 1]}]"
    (workbook / "poem.yaml").write_text(text)
    assert crn(monkeypatch, "poem.yaml") == 1
    shown = capsys.readouterr().out
    assert "without data" in shown and "nowhere.txt" in shown and not list(workbook.glob("figures/data/runs/*.jsonl"))
    assert shown.splitlines()[-1] == "0 of 2 runs stored, 0 failed, 2 without data"


def test_a_sweep_that_is_being_run_elsewhere_is_said_in_one_line(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = workbook / "figures/data/runs/mine.jsonl"
    rows.parent.mkdir(parents=True)
    with filelock.FileLock(rows.with_name(".mine.jsonl.lock")):
        assert crn(monkeypatch, "mine.yaml") == 1
    assert capsys.readouterr().err.startswith(f"error: another process is adding rows to {rows}")


def test_without_a_sweep_it_lists_the_workbooks_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in own_sweeps())
    assert load_sweep("recall").about in shown, "a line each, however long"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mine.yml"], "there is no sweep file mine.yml"),
        (["mine.yaml", "--executor", "slurm"], "--executor must be one of inline, processes, ray; got 'slurm'"),
        (["mine.yaml", "--limit", "0"], "--limit must be a whole number >= 1; got 0"),
        (["mine.yaml", "--address", "x:1"], "--address belongs to --executor ray, not to inline"),
        (["mine.yaml", "--workers", "2"], "--executor inline does one run at a time"),
        (["mine.yaml", "--executor", "processes", "--workers", "0"], "workers must be a whole number >= 1; got 0"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    workbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    assert crn(monkeypatch, *arguments) == 2
    assert says in capsys.readouterr().err
    assert not (workbook / "runs").exists()


def test_the_processes_executor_takes_its_workers_and_threads() -> None:
    executor = make_executor("processes", workers=3, threads=2)
    assert isinstance(executor, ProcessExecutor) and (executor.workers, executor.threads) == (3, 2)
    with pytest.raises(ConfigError, match="threads must be a whole number"):
        make_executor("processes", threads=0)


def test_a_terminal_gets_a_table_of_the_runs_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from rich.console import Console

    from crn_lib.commands.sweep import _Shown
    from crn_lib.sweeps import run_sweep

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    shown = _Shown(console, started=0.0)
    with shown.live:
        run_sweep(
            quick_sweep(tmp_path, *(quick(seed) for seed in range(30))),
            device="cpu",
            limit=26,
            checkpoints=tmp_path / "runs",
            on_row=shown.update,
        )
        console.print(shown.render())
    text = screen.getvalue()
    assert "seed 25" in text and "waiting" in text and "26 of 30 runs stored" in text and "runs a minute" in text
