"""Every lesson: stored clean, through nbval as stored, through papermill with other parameters, stopped by bad ones."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crn_lib.paths import workbook_folder
from crn_lib.workbook.collect_claims import claims_in
from crn_lib.workbook.runner import LessonError, find_lessons, parameters_of, run_lesson
from crn_lib.workbook.stored_lessons import CHECKED, problems
from tests.waiting import PATIENCE

ROOT = workbook_folder()
LESSONS = find_lessons(ROOT / "notebooks")
NAMES = [path.stem for path in LESSONS]
lessons = pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)

OTHER_PARAMETERS: dict[str, dict[str, Any]] = {
    "00_welcome": {"seed": 3, "longest": 7, "text": "aaaa", "device": "cpu"},
    "01_copying_task": {"seed": 4, "kind": "lstm", "width": 12, "string_length": 5},
    "02_relation_networks": {"seed": 7, "points": 4, "width": 16, "steps": 30, "device": "cpu"},
    "03_exp_decomposition": {"seed": 6, "width": 12, "longest": 128},
    "05_growing_memory": {"seed": 7, "width": 12, "longest": 512},
    "04_normalise_first": {"seed": 7, "width": 72, "senders": 9, "longest": 512},
    "06_train_to_copy": {"seed": 5, "string_length": 4, "steps": 20, "text": "zz"},
    "07_ablations": {"norm": "approx", "post_norm": False, "activation": "elu", "string_length": 5, "steps": 20},
    "08_how_it_retrieves": {"seed": 5, "string_length": 5, "steps": 30, "text": "zz"},
    "09_copying_by_length": {"seed": 4, "letters": 4, "shown": 128, "device": "cpu"},
    "10_beyond_copying": {"seed": 4, "pairs": 3, "shown": "suffix", "device": "cpu"},
    "11_numbers_that_overflow": {"seed": 7, "length": 20, "columns": 3, "device": "cpu"},
    "12_scaling_out": {"seed": 3, "device": "cpu", "string_length": 3, "steps": 10, "workers": 5},
}
BAD_PARAMETERS = [
    ("00_welcome", {"profile": "fast"}, "parameter profile must be one of smoke, laptop, paper; got 'fast'"),
    ("00_welcome", {"longest": 99}, "parameter longest must be a whole number from 4 to 26; got 99"),
    ("00_welcome", {"text": "Hello!"}, "parameter text must be 1 to 16 letters a to z; got 'Hello!'"),
    ("01_copying_task", {"kind": "transformer"}, "parameter kind must be one of lstm"),
    ("02_relation_networks", {"points": 9}, "parameter points must be a whole number from 3 to 8; got 9"),
    ("02_relation_networks", {"steps": 0.5}, "parameter steps must be a whole number from 0 to 20000; got 0.5"),
    ("03_exp_decomposition", {"longest": 100}, "parameter longest must be one of 0, 128, 256, 512, 1024; got 100"),
    ("03_exp_decomposition", {"width": 4}, "parameter width must be a whole number from 8 to 128; got 4"),
    (
        "05_growing_memory",
        {"longest": 300},
        "parameter longest must be one of 0, 256, 512, 1024, 2048, 4096, 8192; got 300",
    ),
    ("05_growing_memory", {"width": 129}, "parameter width must be a whole number from 8 to 128; got 129"),
    ("04_normalise_first", {"senders": 27}, "parameter senders must be a whole number from 8 to 26; got 27"),
    ("04_normalise_first", {"longest": 1}, "parameter longest must be one of 0, 512, 1024, 2048, 4096, 8192; got 1"),
    ("06_train_to_copy", {"device": "tpu"}, "device must be auto or one of cpu"),
    ("08_how_it_retrieves", {"string_length": 3}, "parameter string_length must be a whole number from 4 to 16; got 3"),
    ("08_how_it_retrieves", {"text": "Hello!"}, "parameter text must be 1 to 16 letters a to z; got 'Hello!'"),
    ("06_train_to_copy", {"steps": -1}, "parameter steps must be a whole number from 0 to 5000; got -1"),
    ("07_ablations", {"norm": "batch"}, "parameter norm must be one of exact, approx, none"),
    ("07_ablations", {"string_length": 33}, "parameter string_length must be a whole number from 4 to 32; got 33"),
    ("09_copying_by_length", {"letters": 11}, "parameter letters must be a whole number from 2 to 10; got 11"),
    ("09_copying_by_length", {"shown": 100}, "parameter shown must be one of 16, 32, 64, 128, 256; got 100"),
    ("10_beyond_copying", {"pairs": 7}, "parameter pairs must be a whole number from 2 to 6; got 7"),
    ("10_beyond_copying", {"shown": "copying"}, "parameter shown must be one of few, symbols, recall, suffix, prefix"),
    ("11_numbers_that_overflow", {"length": 4}, "parameter length must be a whole number from 8 to 256; got 4"),
    ("11_numbers_that_overflow", {"columns": 2.5}, "parameter columns must be a whole number from 2 to 64; got 2.5"),
    ("12_scaling_out", {"string_length": 9}, "parameter string_length must be a whole number from 2 to 8; got 9"),
    ("12_scaling_out", {"workers": 0}, "parameter workers must be a whole number from 1 to 24; got 0"),
]


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@lessons
def test_the_stored_lesson_is_clean_and_light(lesson: Path) -> None:
    assert list(problems(lesson)) == []
    assert lesson.stat().st_size < 3_000_000


@lessons
def test_some_stored_outputs_are_checked_and_all_exercises_are_untouched(lesson: Path) -> None:
    cells = code_cells(lesson)
    checked = [cell for cell in cells if CHECKED in cell.metadata.get("tags", [])]
    assert checked and all(cell.outputs for cell in checked)
    exercises = [cell for cell in cells if "course.check(" in cell.source]
    assert len(exercises) >= 2
    for cell in exercises:
        assert "raise course.NotAttempted" in cell.source
        assert "not attempted" in cell.outputs[0].data["text/plain"]


@lessons
def test_the_lesson_has_the_parts_every_lesson_has(lesson: Path) -> None:
    cells = nbformat.read(lesson, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for part in ("**After this lesson you can**", "**Minutes**", "**From the paper**", "**Predict.", "## Summary"):
        assert part in prose
    assert code.count("course.quiz(") == 2
    assert "course.predict" in code and ".reveal(" in code
    assert "draw_multiples" in code, "a static figure beside the widget"


@lessons
def test_the_lesson_imports_from_the_faces_of_the_rooms(lesson: Path) -> None:
    code = "\n".join(cell.source for cell in code_cells(lesson))
    assert re.findall(r"^\s*(?:from|import) +crn_lib\.\w+\.[\w.]+", code, re.MULTILINE) == []


@lessons
def test_every_link_in_the_lesson_leads_somewhere(lesson: Path) -> None:
    prose = "\n".join(cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)]+)\)", prose)
    assert targets
    for target in targets:
        assert target.startswith("https://") or (lesson.parent / target).exists(), target


@lessons
def test_its_claims_are_complete(lesson: Path) -> None:
    claims = claims_in(lesson)
    assert claims
    prose = "\n".join(cell.source for cell in nbformat.read(lesson, as_version=4).cells)
    for claim in claims:
        assert claim["agrees"] in (True, False, None) and all(value for key, value in claim.items() if key != "agrees")
        assert f"## {claim['cell']}" in prose, "a claim names the heading of the cell that tests it"


@lessons
def test_its_verdicts_come_from_tested_functions_and_its_claim_cells_stay_short(lesson: Path) -> None:
    (cell,) = [cell for cell in code_cells(lesson) if "course.claim(" in cell.source]
    assert len(cell.source.splitlines()) <= 50
    for call in (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)):
        for keyword in call.keywords:
            if keyword.arg == "agrees":
                decided = keyword.value.orelse if isinstance(keyword.value, ast.IfExp) else keyword.value
                assert isinstance(decided, ast.Call), (
                    "a verdict is a call of crn_lib.experiments, or None where untested"
                )


@pytest.mark.notebooks
@lessons
def test_nbval_reproduces_the_stored_outputs(lesson: Path, kernel_environment: dict[str, str]) -> None:
    """What a reader sees who opens a lesson is what its code gives today, at the profile it is stored at."""
    # Without the grammars that crn_lib.course does without: pytest would read them too.
    start = "import sys; sys.modules['rfc3987_syntax'] = None; import pytest; sys.exit(pytest.main())"
    kernel = [] if kernel_environment else ["--nbval-current-env"]
    command = [sys.executable, "-c", start, "-o", "addopts=", "--nbval-lax", *kernel]
    command += [f"--nbval-cell-timeout={PATIENCE}", f"--nbval-kernel-startup-timeout={PATIENCE}"]
    command += ["-q", "-p", "no:cacheprovider", str(lesson)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | kernel_environment)
    assert ran.returncode == 0, ran.stdout[-6000:]
    assert f"{len(code_cells(lesson))} passed" in ran.stdout


@pytest.mark.notebooks
@lessons
def test_papermill_runs_it_with_other_parameters(lesson: Path, tmp_path: Path) -> None:
    """The lesson does not lean on the parameters it is stored with, the only ones that nbval and the browser know; and
    no output widget swallows an error, which nbval would not see. The smallest profile: nbval runs the larger one."""
    given = {"profile": "smoke", "seed": 7, "device": "cpu", **OTHER_PARAMETERS.get(lesson.stem, {})}
    ran = run_lesson(lesson, tmp_path / lesson.name, given, progress=False)
    assert ran.copy.stat().st_size < 3_000_000
    injected = next(cell for cell in code_cells(ran.copy) if "injected-parameters" in cell.metadata.get("tags", []))
    for name, value in given.items():
        assert f"{name} = " in injected.source and str(value) in injected.source
    # The same claims in the same order; a small run may not be enough to judge by, but contradicts no stored verdict.
    for found, stored in zip(claims_in(ran.copy), claims_in(lesson), strict=True):
        same = ("lesson", "where", "cell")  # the statement may name a parameter
        assert [found[name] for name in same] == [stored[name] for name in same]
        assert found["agrees"] in (stored["agrees"], None) and found["ours"]


@pytest.mark.parametrize(("name", "bad", "message"), BAD_PARAMETERS)
def test_a_bad_parameter_is_refused_with_its_name_and_what_it_takes(
    name: str, bad: dict[str, Any], message: str
) -> None:
    """The lesson's own cells up to the one that begins it, in this process: a kernel each would show no more."""
    (lesson,) = find_lessons(ROOT / "notebooks", [name])
    names: dict[str, Any] = {}
    for cell in code_cells(lesson):
        if "settings = course.begin" in cell.source:
            with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
                exec(cell.source, names | bad)
            return
        exec(cell.source, names)
    pytest.fail("no cell begins the lesson")


@pytest.mark.notebooks
def test_a_bad_parameter_stops_the_lesson_where_it_begins(tmp_path: Path) -> None:
    """In a kernel, as `crn run` would: the one above shows the same for each parameter, this shows that it stops."""
    name, bad, message = BAD_PARAMETERS[0]
    (lesson,) = find_lessons(ROOT / "notebooks", [name])
    with pytest.raises(LessonError, match=re.escape(message)):
        run_lesson(lesson, tmp_path / lesson.name, bad, progress=False)
    executed = [cell for cell in code_cells(tmp_path / lesson.name) if cell.execution_count is not None]
    assert "settings = course.begin" in executed[-1].source


@lessons
def test_an_unknown_parameter_is_refused_before_anything_runs(lesson: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no parameter sede; it has .*seed"):
        run_lesson(lesson, tmp_path / "copy.ipynb", {"sede": 1})
    assert not (tmp_path / "copy.ipynb").exists()
    shared, own = {"profile", "seed", "device"}, set(parameters_of(lesson))
    assert shared <= own and len(own) <= 8
    assert own - shared <= set(OTHER_PARAMETERS.get(lesson.stem, {})), "a parameter of its own wants another value"


@lessons
def test_the_readme_names_the_lesson_by_its_title(lesson: Path) -> None:
    heading = nbformat.read(lesson, as_version=4).cells[0].source.splitlines()[0]
    number, title = heading.removeprefix("# ").split(":")[0].split(" · ")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"\n| {number} | [{title}](notebooks/{lesson.name}) | " in readme
