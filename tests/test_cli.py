"""The command `crn`: what it prints, what it leaves behind, and its exit codes."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

from crn_lib.bench import Case
from crn_lib.bench.cases import linear_case
from crn_lib.bench.profile import StepProfile
from crn_lib.cli import main
from crn_lib.doctor import examine
from crn_lib.files import locked
from crn_lib.paths import workbook_folder
from crn_lib.workbook import collect_claims
from crn_lib.workbook.outcomes import read_junit
from tests.workbooks import make_workbook

TINY = ["steps=4", "batch=4", "model.width=8", "model.blocks=1", "task.string_length=3", "--device", "cpu"]


def crn(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crn", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def tiny_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workbook of three lessons, the second of which fails."""
    lessons = {
        "00_good": ["profile = 'laptop'\nsize = 3", "assert size < 9"],
        "01_bad": ["profile = 'laptop'", "assert profile == 'never'"],
        "02_other": ["text = 'x'", "print(text)"],
    }
    make_workbook(tmp_path, **lessons)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What lessons are run with, instead of running them."""
    calls: list[dict[str, Any]] = []

    def note(lesson: Path, copy: Path, parameters: dict[str, Any], **options: Any) -> None:
        calls.append({"lesson": lesson.stem, **parameters, **options})
        if parameters.get("text") == "unwritable":
            raise OSError("no space left")

    monkeypatch.setattr("crn_lib.workbook.runner.run_lesson", note)
    return calls


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_run_goes_on_after_a_failing_lesson_and_names_its_cell_and_error(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    assert crn(monkeypatch, "run", "01", "02", "-p", "text=a b", "--jobs", jobs, "--junit", "made/report.xml") == 1
    shown = capsys.readouterr()
    assert [line.split()[2] for line in shown.out.splitlines()[1:3]] == ["FAILED", "ok"]
    assert "error: 01_bad, cell [3]: AssertionError" in shown.err
    assert [outcome.result for outcome in read_junit(tiny_workbook / "made" / "report.xml")] == ["FAILED", "ok"]
    copies = {path.stem: nbformat.read(path, 4).cells for path in (tiny_workbook / "out").iterdir()}
    assert set(copies) == {"01_bad", "02_other"}
    assert copies["02_other"][-1].outputs[0].text == "a b\n"
    assert any('profile = "laptop"' in cell.source for cell in copies["01_bad"])


@pytest.mark.slow
def test_pictures_of_a_lesson_are_drawn_in_its_copy_while_the_next_one_runs(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []

    def slow(path: Path) -> str:
        for _ in range(30):  # while the next lesson runs, the folder of this process is another one
            time.sleep(0.1)
            found.append(path.exists())
        return ""

    monkeypatch.setattr("crn_lib.workbook.pictures.add_pictures_to", slow)
    assert crn(monkeypatch, "run", "01", "02", "-p", "text=a b", "--out", "out") == 1
    assert found == [True] * 60


def test_only_what_changed_is_run_and_a_report_says_so_too_where_nothing_did(
    tiny_workbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (
        ["init", "-qb", "main"],
        ["add", "-A"],
        ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm1"],
    ):
        subprocess.run(["git", *words], check=True)
    assert crn(monkeypatch, "run", "--changed", "--junit", "report.xml") == 0
    assert asked == [] and read_junit(Path("report.xml")) == []
    (tiny_workbook / "notebooks" / "01_bad.ipynb").open("a").write(" ")
    assert crn(monkeypatch, "run", "--changed", "--base", "HEAD") == 0
    assert [call["lesson"] for call in asked] == ["01_bad"]
    assert "1 of 3 lessons can differ from HEAD" in capsys.readouterr().err


def test_what_crn_home_names_takes_what_no_place_was_named_for(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch, asked: list[dict[str, Any]]
) -> None:
    monkeypatch.setenv("CRN_HOME", str(tiny_workbook / "mine"))
    assert crn(monkeypatch, "run", "00") == 0
    assert crn(monkeypatch, "train", *TINY) == 0
    assert (tiny_workbook / "mine" / "out").is_dir() and not (tiny_workbook / "out").exists()
    assert (tiny_workbook / "mine" / "runs" / "train" / "result.json").exists()
    (tiny_workbook / "one.yaml").write_text("base: {steps: 2, batch: 2, task: {string_length: 3}}\ngrids: [{seed: 0}]")
    assert crn(monkeypatch, "sweep", "one.yaml", "--device", "cpu") == 0
    assert {path.name for path in (tiny_workbook / "mine" / "figures" / "data" / "runs").glob("[!.]*")} == {
        "one.jsonl",
        "one.history.jsonl",
    }
    assert not (tiny_workbook / "figures" / "data").exists() and not (tiny_workbook / "runs").exists()


def test_a_parameter_goes_to_the_lessons_that_have_it_in_papermills_form_and_in_the_other(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crn(monkeypatch, "run", "00", "02", "-p", "size", "7", "-p", "text=abc", "--out", "made") == 0
    injected = nbformat.read(tiny_workbook / "made" / "00_good.ipynb", 4).cells[1].source
    assert "size = 7" in injected and 'profile = "laptop"' in injected
    assert crn(monkeypatch, "run", "00", "-p", "size", "9") == 1


@pytest.mark.parametrize("text", ["infinity", "nan", "12", "1e3", "true", "None", "", "a=b"])
def test_a_parameter_whose_default_is_text_stays_text(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch, asked: list[dict[str, Any]], text: str
) -> None:
    assert crn(monkeypatch, "run", "-p", "text", text, "-p", "size", "12") == 0
    assert [call.get("text") for call in asked] == [None, None, text] and asked[0]["size"] == 12


def test_what_a_large_profile_needs_is_said_first_and_a_cells_time_can_be_limited(
    tiny_workbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert crn(monkeypatch, "run", "00", "--profile", "paper") == 0
    assert "can take an hour or more, and has no limit; --timeout sets one" in capsys.readouterr().err.splitlines()[0]
    assert crn(monkeypatch, "run", "00", "--profile", "paper", "--timeout", "7") == 0
    assert crn(monkeypatch, "run", "00") == 0
    assert "an hour" not in capsys.readouterr().err.splitlines()[-1]
    assert [call["timeout"] for call in asked] == [None, 7, 900]


def test_a_lesson_that_cannot_be_stored_does_not_end_the_others(
    tiny_workbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert crn(monkeypatch, "run", "02", "00", "-p", "text", "unwritable") == 1
    shown = capsys.readouterr()
    assert [line.split()[2] for line in shown.out.splitlines()[1:3]] == ["FAILED", "ok"]
    assert "error: no space left" in shown.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "77"], 2, ["'77'", "00_good", "02_other"]),
        (["run", "-p", "sise", "3"], 2, ["'sise'", "size", "text"]),
        (["run", "-p", "3"], 2, ["-p NAME VALUE"]),
        (["run", "--profile", "fast"], 2, ["'fast'", "smoke", "laptop", "paper"]),
        (["run", "00", "--out", "taken"], 1, ["taken", "--out"]),
        (["run", "00", "--out", "notebooks"], 2, ["--out notebooks", "stored lessons"]),
        (["run", "00", "--out", "linked"], 2, ["--out linked", "stored lessons"]),
        (["run", "00", "--timeout", "0"], 2, ["--timeout", "1"]),
        (["run", "--jobs", "0"], 2, ["--jobs", "1"]),
        (["run", "--base", "main"], 2, ["--base main", "--changed"]),
        (["run", "--changed", "--base", "nowhere"], 2, ["nowhere"]),
        (["run", "--junit", "notebooks"], 2, ["notebooks", "is a folder"]),
        (["lessons", "copy", "notebooks"], 2, ["notebooks is not empty"]),
        (["lessons", "copy", "taken"], 2, ["taken is not empty"]),
        (["lab", "nowhere"], 2, ["no lessons in nowhere"]),
        (["train", "model.kind=gru"], 2, ["'gru'", "causal_rn", "lstm"]),
        (["train", "learning_rate=fast"], 2, ["learning_rate", "number", "'fast'"]),
        (["train", "steps=0"], 2, ["steps", "0"]),
        (["train", "steps=[1, 2]"], 2, ["steps", "whole number"]),
        (["train", "steps=["], 2, ["'['", "YAML"]),
        (["train", "lerning_rate=1"], 2, ["'lerning_rate'", "did you mean learning_rate?"]),
        (["train", "width=32"], 2, ["'width'", "did you mean model.width?"]),
        (["train", "task.string_lenght=3"], 2, ["'string_lenght'", "did you mean string_length?"]),
        (["train", "steps"], 2, ["NAME=VALUE", "'steps'"]),
        (["train", "steps="], 2, ["NAME=VALUE", "'steps='"]),
        (["train", "--device", "tpu"], 2, ["'tpu'", "cpu"]),
        (["train", "--config", "nowhere.yaml"], 1, ["nowhere.yaml"]),
        (["train", "--config", "broken.yaml"], 2, ["broken.yaml"]),
        (["train", "--config", "list.yaml"], 2, ["list.yaml", "mapping"]),
        (["train", "--config", "typo.yaml"], 2, ["'lerning_rate'", "learning_rate"]),
        (["train", "--config", "odd.yaml"], 2, ["model"]),
        (["train", *TINY, "--out", "taken"], 1, ["taken"]),
        (["bench", "--only", "warp drive"], 2, ["'warp drive'", "exact relation"]),
        (["bench", "--only", "exact", "--longest", "34", "--out", "taken/rows.jsonl"], 1, ["taken"]),
        (["bench", "--only", "exact", "--longest", "34", "--out", "notebooks"], 2, ["notebooks", "is a folder"]),
        (["bench", "--longest", "far"], 2, ["--longest", "integer"]),
        (["train", *TINY, "--device", "cpu:abc"], 2, ["device", "'cpu:abc'"]),
        (["train", *TINY, "--device", "cpu:5"], 2, ["device", "'cpu:5'"]),
        (["train", "seed=99999999999999999999"], 2, ["seed must be a whole number from 0 to 10000", "99999"]),
        (["train", f"seed={'9' * 5000}"], 2, ["YAML"]),
        (["train", "steps=2026-13-45"], 2, ["'2026-13-45'", "YAML"]),
        (["train", "task=[4]"], 2, ["task must be a mapping", "[4]"]),
        (["train", "model={1: 2}"], 2, ["the fields of model must be named by text; got 1"]),
        (["train", "--config", "keys.yaml"], 2, ["must be named by text; got 1"]),
        (["train", "--config", "deep.yaml"], 2, ["deep.yaml", "YAML"]),
        (["train", "model.width=4", "model.heads=4"], 2, ["width must be at least 8"]),
        (["sweep", "keys.yaml"], 2, ["keys.yaml", "must be named by text; got 1"]),
        (["sweep", "lengths", "--threads", "-7"], 2, ["--threads -7"]),
        (["sweep", "lengths", "--limit", "-1"], 2, ["--limit must be a whole number"]),
        (["sweep", "good.yaml", "--device", "tpu"], 2, ["device must be auto or one of cpu", "'tpu'"]),
        (["sweep", "good.yaml", "--rows", "notebooks"], 1, ["notebooks"]),
        (["sweep", ":"], 2, ["a sweep is one of", "':'"]),
        (["bench", "--device", "tpu"], 2, ["--device", "'tpu'", "cpu, cuda"]),
        (["refresh", "77"], 2, ["'77'", "00_good"]),
        (["check", "77"], 2, ["'77'", "00_good"]),
        (["publish", "pie"], 2, ["pie", "copying_curves", "claims"]),
        (["measure", "retrieval", "nowhere"], 1, ["'nowhere'", "crn sweep nowhere"]),
        (
            ["measure", "length_generalisation", "recall"],
            2,
            ["models that copy; the sweep 'recall' trains on recall"],
        ),
        (["measure", "pie"], 2, ["pie"]),
        (["site", "--out", "notebooks"], 2, ["notebooks", "no site built by Sphinx"]),
        (["trian"], 2, ["trian", "train"]),
        (["run", "--bogus"], 2, ["--bogus"]),
    ],
)
def test_bad_input_is_one_line_that_names_the_value_and_what_is_allowed(
    tiny_workbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: list[str],
) -> None:
    (tiny_workbook / "taken").write_text("a file where a folder should go")
    (tiny_workbook / "linked").symlink_to("notebooks")
    (tiny_workbook / "broken.yaml").write_text("steps: [1,\n")
    (tiny_workbook / "list.yaml").write_text("- 1\n")
    (tiny_workbook / "typo.yaml").write_text("lerning_rate: 0.1\n")
    (tiny_workbook / "keys.yaml").write_text("steps: 3\n1: 2\n")
    (tiny_workbook / "deep.yaml").write_text("[" * 5000)
    (tiny_workbook / "good.yaml").write_text("grids: [{seed: 0}]\n")
    (tiny_workbook / "odd.yaml").write_text("model: causal_rn\n")
    assert crn(monkeypatch, *arguments) == code
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1 and error.startswith("error: ")
    for word in words:
        assert word in error


def test_check_names_the_lesson_and_what_is_wrong_with_it(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch, "check", "02") == 1
    assert capsys.readouterr().out == "02_other.ipynb: execution counts are not 1 to n in order\n"
    lesson = nbformat.read(tiny_workbook / "notebooks" / "02_other.ipynb", 4)
    for count, cell in enumerate(lesson.cells, start=1):
        cell.execution_count = count
    nbformat.write(lesson, tiny_workbook / "notebooks" / "02_other.ipynb")
    assert crn(monkeypatch, "check", "02") == 0
    assert capsys.readouterr().out == "1 stored lessons are clean\n"


def test_refresh_stores_the_lessons_asked_for_and_writes_the_claims_table(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny_workbook / "docs").mkdir()
    (tiny_workbook / collect_claims.PAGE).write_text(f"{collect_claims.START}\n{collect_claims.END}\n")
    assert crn(monkeypatch, "refresh", "00") == 0
    counts = [
        [cell.execution_count for cell in nbformat.read(path, 4).cells]
        for path in sorted(tiny_workbook.glob("notebooks/*"))
    ]
    assert counts == [[1, 2], [None, None], [None, None]]
    assert collect_claims.stale(tiny_workbook) == {}
    assert crn(monkeypatch, "refresh", "01") == 1


@pytest.mark.slow
def test_publish_draws_the_figures_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_workbook(tmp_path)
    (tmp_path / "figures/data").symlink_to(workbook_folder() / "figures/data")
    monkeypatch.chdir(tmp_path)
    assert crn(monkeypatch, "publish", "steps_to_solve") == 0
    assert {path.name for path in (tmp_path / "figures").glob("*.html")} == {"steps_to_solve.html"}


def test_train_keeps_a_result_and_resumes_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path)) == 0
    row: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    assert row["steps"] == 4 and row["model"]["width"] == 8 and 0 <= row["character_accuracy"] <= 1
    assert crn(monkeypatch, "train", *TINY, "steps=6", "--out", str(tmp_path), "--resume") == 0
    assert json.loads((tmp_path / "result.json").read_text())["steps"] == 6
    capsys.readouterr()
    assert crn(monkeypatch, "train", *TINY, "seed=1", "--out", str(tmp_path), "--resume") == 1
    assert "belongs to another run: seed" in capsys.readouterr().err
    (tmp_path / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path), "--resume") == 1
    assert "damaged" in capsys.readouterr().err
    assert json.loads((tmp_path / "result.json").read_text())["steps"] == 6


def test_a_yaml_file_gives_the_fields_and_those_named_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "model: {kind: lstm, width: 8, blocks: 1}\ntask: {string_length: 3}\nsteps: 50\nbatch: 4\n"
    (tmp_path / "run.yaml").write_text(text)
    places = ["--config", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "made")]
    assert crn(monkeypatch, "train", "steps=2", "learning_rate=2e-4", *places) == 0
    row = json.loads((tmp_path / "made" / "result.json").read_text())
    assert (row["model"]["kind"], row["steps"], row["training"]["batch"]) == ("lstm", 2, 4)
    assert row["training"]["learning_rate"] == 2e-4 and row["model"]["max_length"] == 8


def test_doctor_reports_every_part_and_fails_where_one_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch, "doctor") == 0
    shown = capsys.readouterr().out
    for part in ("Python", "torch", "device", "threads", "exact relation", "free memory", "JupyterLab", "live figures"):
        assert part in shown
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda _: ["/nowhere"])
    assert crn(monkeypatch, "doctor") == 1
    assert "pip install" in capsys.readouterr().out


@pytest.mark.parametrize(("program", "state"), [("/nowhere/python3", "missing"), ("/bin/sh", "note"), (None, "ok")])
def test_doctor_names_a_kernelspec_of_another_python(
    program: str | None, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {"argv": [program or sys.executable, "-m", "x"], "display_name": "Python 3", "language": "python"}
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    (found,) = [finding for finding in examine() if finding.what == "kernel"]
    assert found.state == state and (program is None or (program in found.detail and str(tmp_path) in found.detail))


def test_help_lists_every_command_and_each_has_help_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch) == 0
    listed = set(re.findall(r"^│ ([a-z]+) ", capsys.readouterr().out, re.MULTILINE))
    promised = re.findall(r"\bcrn ([a-z]+)", (workbook_folder() / "README.md").read_text(encoding="utf-8"))
    everything = "run refresh check train sweep bench publish measure site doctor"
    assert listed >= {*everything.split(), *promised}
    for command in listed:
        assert crn(monkeypatch, command, "--help") == 0
        assert re.search(rf"Usage: .*\bcrn {command}\b", capsys.readouterr().out)


def test_outside_a_workbook_the_folder_looked_in_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "site-packages" / "crn_lib"
    package.mkdir(parents=True)
    shutil.copy(workbook_folder() / "crn_lib" / "paths.py", package)
    monkeypatch.setattr("crn_lib.paths.__file__", str(package / "paths.py"))
    monkeypatch.chdir(tmp_path)
    assert crn(monkeypatch, "run") == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_a_foreign_folder_with_notebooks_and_figures_is_not_taken_for_the_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = workbook_folder()
    for name in ("notebooks", "figures", "deeper"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert workbook_folder() == own
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "thesis"\ndependencies = ["crn_lib"]\n')
    assert workbook_folder() == own
    make_workbook(tmp_path)
    assert workbook_folder() == tmp_path


@pytest.mark.slow
def test_bench_prints_ratios_and_stores_rows_and_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, asked = tmp_path / "rows.jsonl", ["--only", "linear relation", "--longest", "514", "--out"]
    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", lambda *_, **__: b"picture")
    assert crn(monkeypatch, "bench", *asked, str(out), "--figure", str(tmp_path / "drawn")) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["contender"] for row in rows] == 2 * ["logcumsumexp", "linear"]
    shown = capsys.readouterr().out
    assert f"{rows[1]['ratio']:.1f}x logcumsumexp" in shown and "limits:" in shown and "stay as they were" not in shown
    assert (tmp_path / "drawn" / "rows.png").read_bytes() == b"picture"
    assert (tmp_path / "drawn" / "rows.html").exists()


def test_bench_of_some_cases_leaves_the_stored_rows_alone_and_says_so(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tiny_workbook / "figures" / "data" / "bench.jsonl"
    stored.parent.mkdir()
    stored.write_text("stored\n")
    assert crn(monkeypatch, "bench", "--only", "linear relation, batch 8", "--longest", "258") == 0
    assert stored.read_text() == "stored\n" and (tiny_workbook / "out" / "bench.jsonl").exists()
    assert "stored rows and figure stay as they were" in capsys.readouterr().out


def test_bench_on_a_gpu_that_is_not_here_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert crn(monkeypatch, "bench", "--device", "cuda") == 2
    assert capsys.readouterr().err == "error: device must be auto or one of cpu on this machine; got 'cuda'\n"


@pytest.mark.slow
def test_bench_where_results_disagree_fails_and_leaves_the_stored_rows_alone(
    tiny_workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare() -> dict[str, Any]:
        return {"right": lambda: [torch.ones(2)], "wrong": lambda: [torch.zeros(2)]}

    cases = (linear_case(1, 9, 8), Case("demo", 9, 1.0, prepare))
    monkeypatch.setattr("crn_lib.bench.CASES", cases)
    monkeypatch.setattr("crn_lib.bench.first_call_seconds", lambda device: {"first_fused_call_seconds": 0.5})
    assert crn(monkeypatch, "bench") == 1
    shown = capsys.readouterr()
    assert "error: demo, length 9: wrong differs from right" in shown.err
    assert not (tiny_workbook / "figures" / "data" / "bench.jsonl").exists()
    monkeypatch.setattr("crn_lib.bench.CASES", cases[:1])
    assert crn(monkeypatch, "bench") == 0
    rows = (tiny_workbook / "figures" / "data" / "bench.jsonl").read_text().splitlines()
    assert [json.loads(row)["first_fused_call_seconds"] for row in rows] == [0.5, 0.5]


def test_bench_shows_where_the_time_of_a_step_goes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("crn_lib.bench.profile_step", lambda: StepProfile({"relation": 3.0, "loss": 1.0}, 3.9))
    assert crn(monkeypatch, "bench", "--profile") == 0
    shown = capsys.readouterr().out
    assert "relation                 3.00  75.0%" in shown and "3.9 ms a step without the profiler" in shown


def test_help_needs_neither_torch_nor_jupyter() -> None:
    """They take seconds to import."""
    script = "import sys; from crn_lib.cli import main\nsys.argv = ['crn', '--help']\ntry: main()\nfinally: "
    script += "print([name for name in ('torch', 'nbformat', 'plotly') if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "sweep" in shown and shown.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("fields", "measured_on"),
    [
        ((), "fresh problems"),
        (("task={name: text, window: 8}", "evaluation_strings=5"), "5 of the test part"),
        (("task={name: text, window: 512}", "evaluation_strings=500"), "18 of the test part"),
    ],
)
def test_what_a_model_was_measured_on_is_said_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    fields: tuple[str, ...], measured_on: str,
) -> None:  # fmt: skip
    """Real data give the same problems at every evaluation, and no more than there are."""
    given = [item for item in TINY if not (fields and item.startswith("task."))]
    assert crn(monkeypatch, "train", *given, "model.kind=lstm", *fields, "--out", str(tmp_path)) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"measured on {measured_on}"


def test_a_training_interrupted_before_its_end_claims_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("crn_lib.training.loop._Run._train_step", lambda _: signal.raise_signal(signal.SIGINT) or 0.0)
    assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path)) == 130
    assert re.match(r"steps +\d\nseconds ", capsys.readouterr().out)


def test_two_models_in_one_folder_are_refused_and_the_first_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path)) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert crn(monkeypatch, "train", *TINY, "model.kind=lstm", "--out", str(tmp_path)) == 1
    assert "belongs to another run: model differ" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_second_training_in_a_folder_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("crn_lib.training.checkpoints.PATIENCE", 0.1)
    with locked(tmp_path / ".lock", AssertionError()):
        assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path)) == 1
    wanted = f"error: another process is training in {tmp_path}; wait for it, or choose another folder\n"
    assert capsys.readouterr().err == wanted


def test_ctrl_c_while_training_shows_what_there_is_keeps_it_and_is_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("crn_lib.training.loop.free_running", lambda *_: signal.raise_signal(signal.SIGINT))
    assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path)) == 130
    shown = capsys.readouterr().out
    assert "stopped: interrupted" in shown and "measured on fresh problems" in shown
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.safetensors", "result.json"}


def test_a_disk_too_full_for_the_result_shows_it_and_then_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crn_lib.files.replace_text", full)
    assert crn(monkeypatch, "train", *TINY, "--out", str(tmp_path)) == 1
    shown = capsys.readouterr()
    assert "free-running string accuracy" in shown.out and "No space left" in shown.err.splitlines()[-1]


def test_a_model_larger_than_the_machine_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for width in ("1000000000", "900000000000"):
        assert crn(monkeypatch, "train", f"model.width={width}", "--out", str(tmp_path)) in (1, 2)
        error = capsys.readouterr().err.strip()
        assert len(error.splitlines()) == 1 and ("out of memory" in error or "width must be" in error)
