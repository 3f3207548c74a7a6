"""From measurements to rows, a table and a figure."""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from crn_lib.bench.cases import Case
from crn_lib.bench.limits import bytes_per_second, exponentials_per_second
from crn_lib.bench.timing import Disagreement, Measurement, run_case
from crn_lib.files import replace_text
from crn_lib.training.result import versions


def run_cases(cases: Sequence[Case]) -> tuple[list[dict[str, Any]], list[str]]:
    """Run the cases one after another, with progress.

    Returns:
        One row a contender, and the cases whose contenders disagreed, in words.
    """
    machine = {
        "device": "cpu",
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "exponentials_per_second": exponentials_per_second(),
        "bytes_per_second": bytes_per_second(),
    }
    rows: list[dict[str, Any]] = []
    disagreements: list[str] = []
    with tqdm(cases, unit="case") as bar:
        for case in bar:
            bar.set_description(f"{case.name}, length {case.length}")
            try:
                measured = run_case(f"{case.name}, length {case.length}", case.prepare(), tolerance=case.tolerance)
            except Disagreement as error:
                disagreements.append(str(error))
                continue
            rows += [_row(case, measurement, measured[0], machine) for measurement in measured]
    return rows, disagreements


def _row(case: Case, measured: Measurement, baseline: Measurement, machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "case": case.name,
        "length": case.length,
        "contender": measured.contender,
        "seconds": measured.seconds,
        "repeats": measured.repeats,
        "added_bytes": measured.added_bytes,
        "difference": measured.difference,
        "baseline": baseline.contender,
        "ratio": baseline.seconds / measured.seconds,
        "elements_per_second": case.elements / measured.seconds,
        **machine,
    }


def table(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The rows for people: time, ratio to the baseline, work a second, memory, agreement."""
    lines: list[tuple[str, ...]] = [
        ("case", "length", "contender", "ms", "times the baseline", "G elements/s", "MB added", "differs by")
    ]
    for row in rows:
        exact = row["case"].startswith("exact")
        lines.append(
            (
                row["case"],
                str(row["length"]),
                row["contender"],
                f"{1e3 * row['seconds']:.2f}",
                f"{row['ratio']:.1f}x",
                f"{row['elements_per_second'] / 1e9:.2f}" if exact else "",
                "unknown" if row["added_bytes"] is None else f"{row['added_bytes'] / 1e6:.0f}",
                "" if row["difference"] is None else f"{row['difference']:.0e}",
            )
        )
    return lines


def store(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Replace the file of rows, whole or not at all."""
    replace_text(path, "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))
