"""What CONTRIBUTING says of a new model, exercise and lesson is enough: a copy of the library gets them by its text."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
import pytest

from crn_lib.models import BLOCKS
from crn_lib.viz import KIND_NAMES, draw_training_curves
from crn_lib.viz.theme import KIND_COLOURS, KIND_SYMBOLS
from crn_lib.workbook.site.stage import list_lessons
from crn_lib.workbook.stored_lessons import KERNEL, problems, refresh

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(title: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The library and its tests, with no lesson in it."""
    for name in ("crn_lib", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "figures").mkdir()
    return tmp_path


def passed_in(copy: Path, wanted: str, tests: Iterable[str]) -> set[str]:
    """The names of the tests that match `wanted` and passed in the copy, where none may fail."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", wanted, *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr
    return set(re.findall(r"::(\w+).* PASSED", ran.stdout))


def add_exercise(copy: Path) -> None:
    exercise, answers = blocks("Add an exercise")
    (copy / "crn_lib/course/exercises/lesson_12.py").write_text(exercise, encoding="utf-8")
    (copy / "tests/course/exercise_answers/lesson_12.py").write_text(answers, encoding="utf-8")


def add_lesson(copy: Path) -> Path:
    (shown,) = re.findall(r"^````python\n(.*?)^````$", section("Add a lesson"), re.MULTILINE | re.DOTALL)
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    for head, source in re.findall(r"^# %%([^\n]*)\n(.*?)(?=^# %%|\Z)", shown, re.MULTILINE | re.DOTALL):
        make = nbformat.v4.new_markdown_cell if "[markdown]" in head else nbformat.v4.new_code_cell
        notebook.cells.append(
            make(source.strip(), metadata={"tags": [head.split("tags: ")[1]]} if "tags" in head else {})
        )
    path = copy / "notebooks/12_running_means.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_a_model_is_one_file_and_one_line(copy: Path) -> None:
    (file,) = blocks("Add a model")
    (copy / "crn_lib/models/elman.py").write_text(file, encoding="utf-8")
    line = re.search(r"one line: `(\w+,)`", section("Add a model"))
    face = copy / "crn_lib/models/__init__.py"
    assert line
    face.write_text(face.read_text().replace("    delta_net,\n", f"    delta_net,\n    {line[1]}\n", 1))
    ruff = [sys.executable, "-m", "ruff"]
    for check in (["check"], ["format", "--check"]):
        subprocess.run([*ruff, *check, "crn_lib/models"], cwd=copy, check=True, capture_output=True)
    rooms = (
        "models",
        "experiments/test_memory.py",
        "training/test_loop.py",
        "tasks/test_copying.py",
        "viz/test_memory.py",
    )
    passed = passed_in(copy, "elman or lines_are_predictions or growing_kinds", (f"tests/{room}" for room in rooms))
    assert passed >= {
        "test_a_future_token_changes_no_earlier_logit",
        "test_step_by_step_equals_forward",
        "test_prefill_and_go_on_equals_forward",
        "test_prompts_of_different_lengths_go_on_each_from_its_own_end",
        "test_the_formula_gives_the_bytes_that_decoding_holds",
        "test_the_bytes_counted_are_those_of_all_storages",
        "test_the_same_seed_gives_the_same_run",
        "test_lines_are_predictions_and_marks_are_measurements",
    }


def test_kinds_that_figures_do_not_know_get_a_name_a_colour_and_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    known = list(KIND_NAMES)
    for kind in ("elman", "two_words"):
        monkeypatch.setitem(BLOCKS, kind, BLOCKS["lstm"])
    assert list(KIND_NAMES) == [*known, "elman", "two_words"] and KIND_NAMES["two_words"] == "two words"
    for values in (KIND_NAMES, KIND_COLOURS, KIND_SYMBOLS):
        assert len(set(values.values())) == len(BLOCKS)
    (line,) = draw_training_curves({"elman": [{"step": 1, "character_accuracy": 0.5}]}).data
    assert (line.name, line.line.color, line.marker.symbol) == ("elman", KIND_COLOURS["elman"], KIND_SYMBOLS["elman"])
    with pytest.raises(ValueError, match=r"kind must be one of causal_rn, .*gru"):
        KIND_NAMES["gru"]


@pytest.mark.slow
def test_an_exercise_is_an_exercise_with_answers_and_a_place_in_its_lesson(copy: Path) -> None:
    add_exercise(copy)
    add_lesson(copy)
    passed = passed_in(copy, "12.mean", ["tests/course/test_exercises.py"])
    assert passed >= {
        "test_the_reference_passes",
        "test_a_wrong_answer_is_rejected_by_a_requirement",
        "test_there_are_at_least_five_wrong_answers_and_an_unusual_right_one",
        "test_an_untouched_stub_is_not_attempted_and_does_not_fail",
        "test_an_answer_that_breaks_fails_its_check_and_nothing_else",
        "test_the_lesson_shows_the_card_the_stub_and_a_solution_that_passes",
    }


@pytest.mark.notebooks
def test_a_lesson_is_one_notebook(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_exercise(copy)
    lesson = add_lesson(copy)
    assert "**[12 · Running means](12_running_means.ipynb)** · 5 minutes" in list_lessons([lesson])
    monkeypatch.setenv("PYTHONPATH", str(copy))  # the lesson's kernel finds the exercise there
    refresh(lesson)
    assert list(problems(lesson)) == []
    shown = "\n".join(str(cell.get("outputs", "")) for cell in nbformat.read(lesson, as_version=4).cells)
    assert "smoke 0" in shown and "12.mean: not attempted" in shown
