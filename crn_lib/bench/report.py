"""From measurements to rows, a table and files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from crn_lib.bench.cases import Case
from crn_lib.bench.limits import bytes_per_second, exponentials_per_second, forced_vectors, vector_extension
from crn_lib.bench.timing import Contender, Disagreement, Measurement, run_case
from crn_lib.files import replace_text
from crn_lib.paths import output, own_data_file, own_folder
from crn_lib.provenance import circumstances


def run_cases(cases: Sequence[Case]) -> tuple[list[dict[str, Any]], list[str]]:
    """Run the cases, all of one device, one after another, with progress.

    Returns:
        One row a contender, and the cases whose contenders disagreed, in words.
    """
    device = torch.device(cases[0].device)
    on_cpu = device.type == "cpu"
    where = circumstances(device.type, "float32")
    del where["dtype"]  # a contender that computes in another says so in its name
    machine = {
        **where,
        "vectors": vector_extension() if on_cpu else None,
        "exponentials_per_second": exponentials_per_second() if on_cpu else None,
        "bytes_per_second": bytes_per_second(device),
    }
    rows: list[dict[str, Any]] = []
    disagreements: list[str] = []
    with tqdm(cases, unit="case") as bar:
        for case in bar:
            bar.set_description(f"{case.name}, length {case.length}")
            try:
                rows += _run(case, machine)
            except Disagreement as error:
                disagreements.append(str(error))
    return rows, disagreements


def _run(case: Case, machine: dict[str, Any]) -> list[dict[str, Any]]:
    runnable: dict[str, Contender] = {}
    not_run: dict[str, str] = {}
    for contender, compute in case.prepare().items():
        if isinstance(compute, str):
            not_run[contender] = compute
        else:
            runnable[contender] = compute
    measured = run_case(
        f"{case.name}, length {case.length}", runnable, tolerance=case.tolerance, device=torch.device(case.device)
    )
    return [{**_row(case, one, measured[0], machine), "not_run": not_run} for one in measured]


def _row(case: Case, measured: Measurement, baseline: Measurement, machine: dict[str, Any]) -> dict[str, Any]:
    exponentials = machine["exponentials_per_second"]  # not known of a GPU
    least = max(case.exponentials / exponentials if exponentials else 0.0, case.traffic / machine["bytes_per_second"])
    same_work = least > 0 and measured.difference is not None
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
        "share_of_limit": least / measured.seconds if same_work else None,
        **machine,
    }


def table(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The rows for people: time, ratio to the baseline, work a second, memory, agreement.

    `of the limit` is the least time that the measured exponentials (exact relation) or memory bandwidth (linear
    relation) allow any method, as a share of the time taken.
    """
    lines: list[tuple[str, ...]] = [
        ("case", "length", "contender", "ms", "faster than", "G elements/s", "of the limit", "MB added", "differs by")
    ]
    for row in rows:
        exact = row["case"].startswith("exact")
        first = row["contender"] == row["baseline"]
        lines.append(
            (
                row["case"],
                f"{row['length']:,}",
                row["contender"],
                f"{1e3 * row['seconds']:.2f}",
                "" if first else f"{row['ratio']:.1f}x {row['baseline']}",
                f"{row['elements_per_second'] / 1e9:.2f}" if exact else "",
                "" if row["share_of_limit"] is None else f"{row['share_of_limit']:.1%}",
                "unknown" if row["added_bytes"] is None else f"{row['added_bytes'] / 1e6:.0f}",
                "" if row["difference"] is None else f"{row['difference']:.0e}",
            )
        )
    return lines


def limits_in_words(row: dict[str, Any]) -> str:
    """What the row's machine can do at best, as far as it was measured, in words."""
    memory, exponentials = f"{row['bytes_per_second'] / 1e9:.1f} GB/s of memory", row["exponentials_per_second"]
    if exponentials is None:
        return f"limits: {memory}, {row['processor']}"
    vectors = row["vectors"] or "no vectors"
    chip = f"{row['processor']}, {vectors}, {row['threads']} threads"
    return f"limits: {exponentials / 1e9:.2f} G exponentials/s in cache, {memory}, {chip}"


def not_run(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What was left out and why, a line a case and length."""
    reasons = {(row["case"], row["length"]): row["not_run"] for row in rows if row["not_run"]}
    return [
        f"{case}, length {length:,}: not run: " + "; ".join(f"{name} ({why})" for name, why in left_out.items())
        for (case, length), left_out in reasons.items()
    ]


def destination(
    out: str | Path | None, figure: str | Path | None, *, complete: bool, device: str = "cpu"
) -> tuple[Path, Path]:
    """Where the rows go, and the figure (a path without its ending).

    Args:
        out, figure: file and folder that were asked for.
        complete: all cases have been run. Otherwise the workbook's own files, which hold all, are not touched, unless
            `out` names them.
        device: whose files they are: `bench`, or `bench_cuda`. Of vectors other than this CPU's own they are
            `bench_avx2` and the like; such a run has no figure among the workbook's.
    """
    other = device if device != "cpu" else forced_vectors()
    name = f"bench_{other}" if other else "bench"
    if out is not None:
        return Path(out), Path(figure or Path(out).parent) / Path(out).stem
    if complete:
        figures = output("out") if device == "cpu" and other else own_folder() / "figures"
        return own_data_file(f"{name}.jsonl"), Path(figure or figures) / name
    partial = output("out")
    return partial / f"{name}.jsonl", Path(figure or partial) / name


def store(rows: Sequence[dict[str, Any]], path: str | Path) -> None:
    """Replace the file of rows, whole or not at all."""
    replace_text(path, "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))
