"""Where a workbook's files lie: rows of one's own begin as a copy, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crn_lib import paths


def test_rows_that_another_process_has_begun_meanwhile_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRN_HOME", str(tmp_path))
    own = tmp_path / "figures/data/runs/lengths.jsonl"

    @contextmanager
    def waited(*_: Any, **__: Any) -> Iterator[None]:
        own.parent.mkdir(parents=True)
        own.write_text("the other's row")
        yield

    monkeypatch.setattr(paths, "locked", waited)
    assert paths.own_data_file("runs/lengths.jsonl") == own and own.read_text() == "the other's row"


def test_rows_of_ones_own_begin_as_a_copy_and_leave_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRN_HOME", str(tmp_path))
    own = paths.own_data_file("runs/lengths.jsonl")
    stored = paths.workbook_folder() / "figures/data/runs/lengths.jsonl"
    assert own.read_bytes() == stored.read_bytes()
    assert {path.name for path in own.parent.iterdir()} == {"lengths.jsonl", "lengths.history.jsonl"}
