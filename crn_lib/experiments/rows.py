"""Results as rows of a JSONL file: one line a run, keyed by its configuration, skipped where it is there already."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from crn_lib.config import to_mapping
from crn_lib.training import TrainConfig, train


def config_key(config: TrainConfig) -> str:
    """A short hash of the whole configuration; equal configurations, and only they, share it."""
    plain = json.dumps(to_mapping(config), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a file, in order; none where there is no file.

    Raises:
        ValueError: a line that is not JSON; the message names the file and the line.
    """
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number} is not a JSON row ({error.msg})") from None
    return rows


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Add one line, in a single write that is on disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def run_grid(configs: Iterable[TrainConfig], path: Path, *, device: str = "auto") -> list[dict[str, Any]]:
    """Train every configuration that has no row yet, adding its row to the file as soon as it is done.

    Returns:
        The rows of the configurations asked for, in their order.
    """
    wanted = {config_key(config): config for config in configs}
    done = {row["key"]: row for row in read_rows(path)}
    missing = [key for key in wanted if key not in done]
    for key in tqdm(missing, desc="runs", unit="run"):
        result = train(wanted[key], device=device)
        if result.stopped == "interrupted":
            raise KeyboardInterrupt
        done[key] = {"key": key, **result.row()}
        append_row(path, done[key])
    return [done[key] for key in wanted]
