"""Which lessons a change can have touched."""

import subprocess
from pathlib import Path

import pytest

from crn_lib.config import ConfigError
from crn_lib.workbook.changed import changed_lessons
from crn_lib.workbook.runner import find_lessons

FILES = ["notebooks/00_a.ipynb", "notebooks/01_b.ipynb", "crn_lib/course/exercises/lesson_01.py", "crn_lib/ops/x.py"]
FILES += ["figures/data/rows.jsonl", "docs/page.md", "requirements.txt", "ü ü.md"]


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A workbook below the top of a repository, on a branch that left `main` a commit ago."""
    root = tmp_path / "fork" / "workbook"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("before")
    git(tmp_path / "fork", "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "1")
    git(root, "checkout", "-qb", "mine")
    git(root, "commit", "-qm", "2", "--allow-empty")
    return root


@pytest.mark.parametrize(
    ("file", "touched"),
    [
        ("notebooks/01_b.ipynb", ["01"]),
        ("crn_lib/course/exercises/lesson_01.py", ["01"]),
        ("crn_lib/ops/x.py", ["00", "01"]),
        ("crn_lib/ops/new.py", ["00", "01"]),
        ("figures/data/rows.jsonl", ["00", "01"]),
        ("requirements.txt", ["00", "01"]),
        ("docs/page.md", []),
        ("ü ü.md", []),
    ],
)
def test_a_file_touches_its_lesson_or_all_or_none(clone: Path, file: str, touched: list[str]) -> None:
    lessons = find_lessons(clone / "notebooks")
    assert changed_lessons(lessons, clone) == ([], "main")
    (clone / file).write_text("after")
    assert [path.name[:2] for path in changed_lessons(lessons, clone)[0]] == touched, "not committed"
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "3")
    assert [path.name[:2] for path in changed_lessons(lessons, clone)[0]] == touched
    assert changed_lessons(lessons, clone, "HEAD") == ([], "HEAD")


def test_what_main_did_since_is_not_ours(clone: Path) -> None:
    git(clone, "checkout", "-q", "main")
    (clone / FILES[0]).write_text("theirs")
    git(clone, "commit", "-qam", "theirs")
    git(clone, "checkout", "-q", "mine")
    assert changed_lessons(find_lessons(clone / "notebooks"), clone)[0] == []


def test_an_unknown_base_is_named(clone: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no common ancestor with upstream"):
        changed_lessons([], clone, "upstream")
    with pytest.raises(ConfigError, match="origin/main or main"):
        changed_lessons([], tmp_path)
