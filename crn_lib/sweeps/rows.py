"""Results as rows of a JSONL file: one line a run, keyed by its configuration, skipped where it is there already."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import filelock

from crn_lib.config import name_of
from crn_lib.errors import RunFailed
from crn_lib.training import TrainConfig

Row = dict[str, Any]


class RowsBusy(RunFailed):
    """Another process is adding rows to the same file."""


def config_key(config: TrainConfig) -> str:
    """A short hash of what a configuration says beyond the defaults; equal configurations, and only they, share it.

    Fields at their default do not count, so that a field added later, at a default that changes nothing, leaves the
    keys of stored rows as they are. (Changing a default would not: `tests/sweeps/test_stored_runs.py` computes
    every stored key again from the whole configuration in its row.)
    """
    return key_of(json.dumps(_beyond_defaults(config), sort_keys=True))


def key_of(text: str) -> str:
    """A row's key: sixteen hexadecimal digits that say which model or configuration was measured, and how."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plain_config(row: Row) -> dict[str, Any]:
    """The whole configuration that a row holds, as one mapping; `TrainConfig`'s fields."""
    return {"model": row["model"], "task": row["task"], **row["training"]}


def seedless(row: Row) -> str:
    """The same but for the seed, as text: equal for runs that differ in nothing else."""
    return json.dumps({**plain_config(row), "seed": None}, sort_keys=True)


def _beyond_defaults(config: Any) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            kind = name_of(field, value)
            named[field.name] = ({"name": kind} if kind else {}) | _beyond_defaults(value)
        elif field.default is dataclasses.MISSING or value != field.default:
            named[field.name] = value
    return named


def read_rows(path: Path) -> list[Row]:
    """All rows of a file, in order; none where there is no file. A last line cut off by a crash is not a row.

    Raises:
        ValueError: any other line that is not JSON; the message names the file and the line.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    *lines, unfinished = text.split("\n")
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number} is not a JSON row ({error.msg})") from None
    try:
        return [*rows, json.loads(unfinished)] if unfinished else rows
    except json.JSONDecodeError:
        return rows


def newest_rows(path: Path) -> dict[str, Row]:
    """The last row of every key: a run that failed and was tried again has two."""
    return {row["key"]: row for row in read_rows(path)}


@contextmanager
def lock_rows(path: Path) -> Iterator[None]:
    """Let no other process add rows to the file.

    Raises:
        RowsBusy: one does already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise RowsBusy(f"another process is adding rows to {path}; wait for it, or choose other rows") from None
    try:
        yield
    finally:
        lock.release()


def append_row(path: Path, row: Row) -> None:
    """Add one line, on disk before this returns; what a crash cut off before it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(row, sort_keys=True) + "\n").encode()
    with path.open("a+b") as file:
        _end_last_line(file)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _end_last_line(file: BinaryIO) -> None:
    """Leave an open file empty or with a line break at its end."""
    if file.seek(0, os.SEEK_END) == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read() == b"\n":
        return
    file.seek(0)
    whole, _, unfinished = file.read().rpartition(b"\n")
    try:
        json.loads(unfinished)
    except ValueError:
        file.truncate(len(whole) + 1 if whole else 0)
    else:
        file.write(b"\n")
