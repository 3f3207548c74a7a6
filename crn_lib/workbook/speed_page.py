"""`docs/speed.md`, "How fast, and why": its numbers and its figure, computed from the rows of `crn bench`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from crn_lib.bench.cases import PAIR_ARRAYS, PANEL_CASES
from crn_lib.files import replace_text
from crn_lib.sweeps.rows import read_rows
from crn_lib.viz.roofline import draw_roofline
from crn_lib.workbook.generated import markdown_table, text_between

START, END = "<!-- speed: written by `crn publish speed` -->", "<!-- end of speed -->"
PAGE = "docs/speed.md"
NARROWER = "bench_avx2.jsonl"
"""Of `NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES= crn bench`, where the machine has wider vectors than most readers'."""

BESIDE_OTHERS = "bench_busy.jsonl"
"""Of `crn bench --busy 0 --busy 1 --busy 2 --out figures/data/bench_busy.jsonl`."""

CASE, WIDTH = PANEL_CASES[0], 192
PASSES = 2
"""Exponentials for each causal element at least: one forward, one backward, since none is stored in between."""

ARRAYS_OF_ROWS = 6
"""Read and written at least: forward two inputs and the output, backward the output's gradient and the inputs'."""

Row = Mapping[str, Any]


def rows_of(root: Path, file: str = "bench.jsonl") -> list[Row]:
    """The rows of one sequence at every length."""
    return [row for row in read_rows(root / "figures/data" / file) if row["case"] == CASE]


def roofs(rows: Sequence[Row]) -> dict[str, dict[int, float]]:
    """Causal elements a second that the machine allows, by what limits them and by length."""
    machine = rows[0]
    exponentials, memory = machine["exponentials_per_second"] / PASSES, machine["bytes_per_second"] / 4
    pairs_once = 2 * PAIR_ARRAYS["torch.compile"]  # written and read, for senders still to come as well
    lengths = sorted({row["length"] for row in rows})
    return {
        f"{PASSES} exponentials an element": dict.fromkeys(lengths, exponentials),
        "memory, rows read and written once": {n: memory * (n + 1) / 2 / ARRAYS_OF_ROWS for n in lengths},
        "memory, one array of pairs": {n: memory * (n + 1) / (2 * n) / pairs_once for n in lengths},
    }


def roofline(root: Path) -> go.Figure:
    """Causal elements a second against tokens, and what exponentials and memory allow."""
    rows = rows_of(root)
    return draw_roofline(rows, roofs(rows), about=f"Forward and backward, {_machine(rows[0])}.")


def speed_markdown(root: Path) -> str:
    """What the stored rows say of this machine; of a run held to narrower vectors too, where there is one."""
    parts = [_of_one_run(rows_of(root), "In cache this machine takes")]
    if (root / "figures/data" / NARROWER).exists():
        rows = rows_of(root, NARROWER)
        held = f"Held to {rows[0]['vectors']}, the widest that most laptops have (torch's own code is not), "
        parts.append(_of_one_run(rows, f"{held}the same processor takes in cache"))
    if (root / "figures/data" / BESIDE_OTHERS).exists():
        parts.append(_beside_others(read_rows(root / "figures/data" / BESIDE_OTHERS)))
    return "\n\n".join(parts)


def _of_one_run(rows: Sequence[Row], subject: str) -> str:
    """The machine's limits, and a line a length: the kernel's time, both limits, and the others' times."""
    found = {(row["contender"], row["length"]): row for row in rows}
    allowed, lengths = roofs(rows), sorted({row["length"] for row in rows})
    exponentials, memory, _ = allowed.values()
    headings = ("tokens", "kernel", "exponentials alone", "share", "memory alone", "torch.compile", "eager, by hand")
    lines = []
    for length in lengths:
        ours = found["fused", length]
        elements = ours["elements_per_second"] * ours["seconds"]
        others = (found.get((name, length)) for name in ("torch.compile", "eager, layer norm by hand"))
        lines.append(
            (
                f"{length:,}",
                _milliseconds(ours["seconds"]),
                _milliseconds(elements / exponentials[length]),
                f"{ours['elements_per_second'] / exponentials[length]:.0%}",
                _milliseconds(elements / memory[length]),
                *("not run" if row is None else f"{row['seconds'] / ours['seconds']:.1f}x" for row in others),
            )
        )
    machine, longest = rows[0], lengths[-1]
    rates = (
        f"{subject} {machine['exponentials_per_second'] / 1e9:.1f} G exponentials a second, and it "
        f"copies {machine['bytes_per_second'] / 1e9:.0f} GB of memory a second, read and written. At {longest:,} "
        f"tokens there are {PASSES * 1e-9 * longest * (longest + 1) / 2 * WIDTH:.2f} G exponentials to take, and "
        f"{4e-6 * ARRAYS_OF_ROWS * longest * WIDTH:.0f} MB to move: "
        f"{memory[longest] / exponentials[longest]:,.0f} times as long for the first as for the "
        "second."
    )
    return "\n\n".join(
        (rates, markdown_table(headings, lines), f"One sequence, forward and backward, {_machine(machine)}.")
    )


def _beside_others(rows: Sequence[Row]) -> str:
    """A line for each thing and what was imported first: all threads' time, and how it compares with one thread's."""
    most, counts = max(row["threads"] for row in rows), sorted({row["busy"] for row in rows})
    found = {
        (row["case"], row["length"], row["imported_first"], row["busy"]): row for row in rows if row["threads"] > 1
    }
    headings = ("what", "tokens", "imported first", *(f"beside {count} busy" for count in counts))
    lines = []
    for case, length, first in dict.fromkeys(key[:3] for key in found):
        own = [found[case, length, first, count] for count in counts]
        cells = (f"{_milliseconds(row['seconds'])}, {row['ratio']:.2f}x" for row in own)
        lines.append((case, f"{length:,}", f"`{first}`", *cells))
    worst = max(found.values(), key=lambda row: row["ratio"])
    said = (
        f"Threads must not make a machine slower that has other work. Forward and backward on {most} threads, beside "
        "processes that only compute, and how many times as long it takes as on one thread beside the same (the "
        f"larger of two ratios, of medians and of means). At most {worst['ratio']:.2f} times: "
        f"{worst['case']}, {worst['length']:,} tokens, `{worst['imported_first']}` first, beside {worst['busy']}."
    )
    return "\n\n".join(
        (said, markdown_table(headings, lines), f"{rows[0]['processor']} ({rows[0]['vectors']}), float32.")
    )


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"


def _machine(row: Row) -> str:
    vectors = f" ({row['vectors']})" if row.get("vectors") else ""
    return (
        f"width {WIDTH}, float32, {row['processor']}{vectors}, {row['threads']} threads, "
        f"torch {row['versions']['torch']}"
    )


def update(root: Path) -> None:
    """Write the page's generated part anew."""
    page = root / PAGE
    replace_text(page, text_between(page, START, END, speed_markdown(root)))
