"""Where rows say they come from."""

import os
import subprocess
from pathlib import Path

import pytest
import torch

from crn_lib import provenance
from crn_lib.paths import workbook_folder
from crn_lib.provenance import circumstances, find_commit, processor


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:  # as a hook of git sets them
        monkeypatch.delenv(name)
    folder = tmp_path / "clone"
    (folder / "crn_lib").mkdir(parents=True)
    git(tmp_path, "init", "-q", str(folder))
    for name in ("crn_lib/code.py", "README.md"):
        (folder / name).write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_the_commit_is_heads_and_says_where_code_has_changed_and_nothing_else_has(clone: Path) -> None:
    head = git(clone, "rev-parse", "--short", "HEAD").strip()
    (clone / "README.md").write_text("2\n")
    (clone / "crn_lib" / "notes.txt").write_text("not tracked\n")
    assert find_commit(clone) == head
    (clone / "crn_lib" / "code.py").write_text("2\n")
    assert find_commit(clone) == f"{head}+changes"
    git(clone, "add", ".")
    assert find_commit(clone) == f"{head}+changes"


def test_there_is_no_commit_outside_a_clone_within_anothers_or_without_git(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_commit(tmp_path) is None
    assert find_commit(clone / "crn_lib") is None  # as a copy installed in a clone's .venv
    assert find_commit(tmp_path / "nowhere") is None
    monkeypatch.setenv("PATH", "")
    assert find_commit(clone) is None


def test_a_row_names_the_commit_and_the_processor() -> None:
    row = circumstances("cpu", "float32")
    assert row["commit"] == provenance.COMMIT == find_commit(workbook_folder())
    text = cpuinfo.read_text() if (cpuinfo := Path("/proc/cpuinfo")).exists() else ""
    assert row["processor"] and ("model name" not in text or f": {row['processor']}\n" in text)


def test_a_gpu_is_named_by_itself_and_one_that_is_not_here_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU behind {device}")
    for there, name in ((True, "GPU behind cuda:1"), (False, None)):
        processor.cache_clear()
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert processor("cuda:1") == name
    processor.cache_clear()
    assert processor("auto") is None
