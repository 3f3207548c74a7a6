"""The README's table of results, from the stored runs."""

from collections.abc import Sequence
from pathlib import Path

from crn_lib.experiments.lengths import LENGTH_SWEEPS, length_points
from crn_lib.files import replace_text
from crn_lib.sweeps.stored_runs import Run, read_runs
from crn_lib.viz.theme import KIND_NAMES
from crn_lib.workbook.readme import text_between

START, END = "<!-- results: written by `crn publish results` -->", "<!-- end of results -->"
HEADINGS = (
    "letters",
    "model",
    "blocks × width, batch",
    "seeds that copy 99%",
    "steps to 99%",
    "processor seconds to 99%",
    "letters / strings right",
    "free-running",
)
SWEEPS = (*LENGTH_SWEEPS, "paper_shape")


def results_markdown(root: Path) -> str:
    """The table, a row a model, length and shape; median over seeds, the range in brackets where there is one."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    runs = [run for name in SWEEPS for run in read_runs(root / f"figures/data/runs/{name}.jsonl")]
    shapes: dict[tuple[int, int, int, int], list[Run]] = {}
    for run in runs:
        model = run.row["model"]
        shape = run.string_length, model["blocks"], model["width"], run.row["training"]["batch"]
        shapes.setdefault(shape, []).append(run)
    for shape in sorted(shapes):
        lines += _shape_lines(shape, shapes[shape])
    return "\n".join(lines) + "\n\n" + _circumstances(runs)


def _shape_lines(shape: tuple[int, int, int, int], runs: Sequence[Run]) -> list[str]:
    length, blocks, width, batch = shape
    points = {point["kind"]: point for point in length_points(runs)}
    lines = []
    for kind in KIND_NAMES:
        if kind not in points:
            continue
        point = points[kind]
        never = f"not in {point['budget']:,}"
        ways = [
            f"{point[f'{way}character_accuracy'].show('.1%')} / {point[f'{way}string_accuracy'].show('.1%')}"
            for way in ("", "free_running_")
        ]
        cells = (
            str(length),
            KIND_NAMES[kind],
            f"{blocks} × {width}, {batch}",
            f"{point['solved']} of {point['seeds']}",
            point["steps"].show() if point["steps"] else never,
            point["seconds"].show() if point["seconds"] else "–",
            *ways,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _circumstances(runs: Sequence[Run]) -> str:
    rows = [run.row for run in runs]
    devices = ", ".join(sorted({f"{row['device']}, {row['dtype']}" for row in rows}))
    threads = " or ".join(str(n) for n in sorted({row["threads"] for row in rows}))
    torch = ", ".join(sorted({row["versions"]["torch"] for row in rows}))
    return (
        f"{len(rows)} runs on {devices}, {threads} thread each, torch {torch}; seeds and everything else in "
        "`figures/data/runs/`. Median over seeds, the range in brackets. A run stops at 99.5% of strings, measured "
        "every 25 to 100 steps on fresh strings. Seconds are processor time of one thread, evaluations included."
    )


def updated_readme(root: Path) -> str:
    """The README with the table of today's rows in it.

    Raises:
        ValueError: it has lost the marks between which the table stands.
    """
    return text_between(root / "README.md", START, END, results_markdown(root))


def update_readme(root: Path) -> None:
    """Write the table into the README."""
    replace_text(root / "README.md", updated_readme(root))
