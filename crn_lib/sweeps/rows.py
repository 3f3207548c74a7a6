"""Results as rows of a JSONL file: one line a run, keyed by its configuration, skipped where it is there already."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from crn_lib.config import ConfigError, from_mapping, name_of, require, require_number, shown
from crn_lib.errors import RunFailed
from crn_lib.files import locked
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
    """The same but for the seed, as text: equal for runs that differ in nothing else, whenever they were stored."""
    return json.dumps({**_beyond_defaults(from_mapping(TrainConfig, plain_config(row))), "seed": None}, sort_keys=True)


def _beyond_defaults(config: Any) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            kind = name_of(field, value)
            named[field.name] = ({"name": kind} if kind else {}) | _beyond_defaults(value)
        elif field.default is dataclasses.MISSING or value != field.default:
            number = type(value) is int and "float" in str(field.type)
            named[field.name] = float(value) if number else value
    return named


def read_rows(path: str | Path, *, needs: Sequence[str] = ()) -> list[Row]:
    """All rows of a file, in order; none where there is no file. A last line cut off by a crash is not a row.

    Args:
        needs: fields that every row must have.

    Raises:
        ConfigError: any other line that is not a JSON object with these fields; the message names the file and the
            line.
    """
    path = Path(path)
    *lines, unfinished = (path.read_bytes() if path.exists() else b"").split(b"\n")
    rows = []
    for number, line in enumerate([*lines, unfinished] if unfinished else lines, start=1):
        try:
            row = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError) as error:  # of Unicode and of Python's longest whole number, too
            if number > len(lines):
                break
            words = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise ConfigError(f"{path}, line {number} is not a JSON row ({words})") from None
        require(isinstance(row, dict), f"{path}, line {number} is not a JSON row (it is no object with fields)")
        lacking = [name for name in needs if name not in row]
        require(not lacking, f"{path}, line {number} has no field {', '.join(map(repr, lacking))}")
        if "key" in needs:
            require(isinstance(row["key"], str), f"{path}: a row's key must be text; got {shown(row['key'])}")
        rows.append(row)
    return rows


def newest_rows(path: str | Path, *, needs: Sequence[str] = ("key",)) -> dict[str, Row]:
    """The last row of every key: a run that failed and was tried again has two."""
    return {row["key"]: row for row in read_rows(path, needs=needs)}


def run_rows(path: str | Path) -> dict[str, Row]:
    """`newest_rows` of the runs of a sweep.

    Raises:
        ConfigError: a row that is of no run: it has neither an error in words nor numbers of steps and seconds.
    """
    rows = newest_rows(path, needs=("key", "error"))
    for row in rows.values():
        for name in () if row["error"] else ("steps", "seconds"):
            require_number(f"{path}: {name} of the row {shown(row['key'])}", row.get(name), 0)
        require(isinstance(row["error"] or "", str), f"{path}: the error of the row {shown(row['key'])} is no text")
    return rows


@contextmanager
def lock_rows(path: str | Path) -> Iterator[None]:
    """Let no other process add rows to the file.

    Raises:
        RowsBusy: one does already.
    """
    path = Path(path)
    busy = RowsBusy(f"another process is adding rows to {path}; wait for it, or choose other rows")
    with locked(path.with_name(f".{path.name}.lock"), busy):
        yield


def append_row(path: str | Path, row: Row) -> None:
    """Add one line, on disk before this returns; what a crash cut off before it is removed."""
    path = Path(path)
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
