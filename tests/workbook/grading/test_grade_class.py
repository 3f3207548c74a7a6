"""`crn course grade`: a made-up class, each grade right, and input that is refused."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from crn_lib.cli import main
from tests.workbook.grading.class_of_thirty import CLASS, LEFT_BEHIND, UNREADABLE, WELCOME, hand_in, with_answers

Crn = Callable[..., int]


@pytest.fixture
def crn(monkeypatch: pytest.MonkeyPatch) -> Crn:
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["crn", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
@pytest.mark.needs("nbgrader")
def test_a_class_of_thirty_is_graded_rightly_and_a_rerun_says_the_same(tmp_path: Path, crn: Crn) -> None:
    assert len(CLASS) + len(UNREADABLE) >= 30
    submissions = hand_in(tmp_path / "handed in")
    assert crn("course", "grade", submissions, "--out", tmp_path / "grades", "--seconds", 4) == 0
    rows = rows_of(tmp_path / "grades")
    points = {name: (int(row["points"]), row["exercises"]) for name, row in rows.items()}
    wanted = {name: (p + g, f"00.prompt {p}/1; 00.greedy {g}/2") for name, (_, p, g) in CLASS.items()}
    wanted |= dict.fromkeys(UNREADABLE, (0, "00.prompt 0/1; 00.greedy 0/2"))
    assert points == wanted

    reasons = {name: row["remarks"] for name, row in rows.items()}
    for name, words in {
        "Endless": "Timeout: it took longer than 4 seconds",
        "Exit": "it ended its own process",
        "Eight gigabytes": "it stopped with MemoryError",
        "Deleted": "there is no cell for it",
        "Copied": "cells answer it",
        "Renamed": "the function is named mine",
        "Check disarmed": "ChecksChanged",
        "Empty": "not attempted",
        "Wrong lesson": "its exercises are those of lesson 03",
        "Broken": "it is no JSON at line",
        "No notebook": "the file is no notebook: it is not text",
        "A list": "it has no cells",
        "Wrong 00": "requirement 1",
    }.items():
        assert words in reasons[name], (name, reasons[name])
    assert reasons["Deleted"] == "00.prompt: there is no cell for it", "said once"
    assert reasons["A list"] == "the file is no notebook: it has no cells as a notebook has", "said once"
    assert (tmp_path / "grades" / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets want the mark"
    assert not reasons["Jürgen Groß"] and not reasons["Fifty megabytes"]

    for name, row in rows.items():
        page = (tmp_path / "grades" / "feedback" / name / f"{WELCOME.path.stem}.html").read_text(encoding="utf-8")
        heading = f"<h4>{name} · {WELCOME.title} (Score: {float(row['points'])} / 3.0)"
        assert heading in page and "Test cell" not in page and "In [" not in page and len(page) < 2_000_000
        assert "white-space: pre-wrap;" in page, "a long message would be cut off"
        assert all(f">{s.exercise.key}: {s.exercise.title}</a> (Score" in page for s in WELCOME.exercises)
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(LEFT_BEHIND) in str(p.info["cmdline"])]

    some = ["Wrong 03", "Forks", "Check disarmed", "Exit inside"]
    hand_in(tmp_path / "again", *some, "Broken")
    assert crn("course", "grade", tmp_path / "again", "--out", tmp_path / "second", "--seconds", 4) == 0
    assert rows_of(tmp_path / "second") == {name: rows[name] for name in (*some, "Broken")}


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def test_what_cannot_be_graded_is_one_line_and_nothing_is_written(
    tmp_path: Path, crn: Crn, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "twice" / "Zoë" / "00_welcome.ipynb")
    write(tmp_path / "twice" / "Zoe\u0308 " / "00_welcome.ipynb")
    write(tmp_path / "both" / "A" / "00_welcome.ipynb")
    write(tmp_path / "both" / "A" / "00_welcome (1).ipynb")
    write(tmp_path / "unknown" / "A" / "99_more.ipynb")
    write(tmp_path / "named" / "A" / "welcome.ipynb")
    (tmp_path / "empty" / "A").mkdir(parents=True)
    for folder, words in {
        "nowhere": "is no folder",
        "empty": "there are no submissions",
        "twice": "one student twice",
        "both": "has lesson 00 twice",
        "unknown": "no such lesson",
        "named": "no such lesson",
    }.items():
        assert crn("course", "grade", tmp_path / folder, "--out", tmp_path / "out") == 2
        shown = capsys.readouterr().err
        assert words in shown and shown.startswith("error: ") and shown.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.needs("nbgrader")
def test_grades_are_not_written_over_what_is_there(
    tmp_path: Path, crn: Crn, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "in" / "A" / "00_welcome.ipynb")
    write(tmp_path / "out" / "grades.csv")
    assert crn("course", "grade", tmp_path / "in", "--out", tmp_path / "out") == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["grades.csv"]


def test_the_stub_is_what_students_are_given() -> None:
    assert "raise course.NotAttempted" in "".join(cell.source for cell in with_answers(prompt="").cells)
