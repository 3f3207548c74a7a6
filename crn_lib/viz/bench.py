"""What `crn bench` measured: time and memory against the length of the sequence."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.viz.theme import BLUE, GREEN, GREY, INK, LEFT, ORANGE, PURPLE, SKY, TEMPLATE, VERMILION, YELLOW, new_figure

Row = Mapping[str, Any]

STYLES = {
    "eager, layer norm by hand": (YELLOW, "triangle-up"),
    "eager": (ORANGE, "circle"),
    "eager, masked before exp": (PURPLE, "triangle-down"),
    "eager, 2 MiB pages": (ORANGE, "circle-open"),
    "tiled": (SKY, "square"),
    "torch.compile": (GREEN, "diamond"),
    "torch.compile, 2 MiB pages": (GREEN, "diamond-open"),
    "fused": (VERMILION, "star"),
    "SDPA attention": (BLUE, "x"),
    "SDPA attention, bfloat16": (BLUE, "x-open"),
    "logcumsumexp": (ORANGE, "hexagon"),
    "linear": (VERMILION, "star-square"),
}
"""Colour and symbol of each contender, in the order of the legend; others come last, grey."""

LEAST_MEGABYTES = 0.1
"""Less than this is within what the process gains and loses anyhow, and has no place on a logarithmic axis."""

TOP, ROW, BOTTOM = 140, 430, 84
"""Pixels of the title, of a case's two panels with what belongs to them, and of the last axis."""


def draw_bench(rows: Sequence[Row], cases: Sequence[str]) -> go.Figure:
    """Milliseconds (left) and megabytes added (right) against tokens, on logarithmic axes, two panels a case.

    A line ends where its contender was last run; the legend and the line under the panels say where that is and why.

    Args:
        rows: what `crn_lib.bench.run_cases` returns, from one run.
        cases: names of the cases to draw, from top to bottom.

    Raises:
        ValueError: no case, or one of which there is no row.
    """
    chosen = {case: [row for row in rows if row["case"] == case] for case in cases}
    missing = [case for case, own in chosen.items() if not own]
    if missing or not chosen:
        raise ValueError(f"nothing to draw: there is no row of {' or of '.join(missing) or 'any case'}")
    height = TOP + ROW * len(chosen) + BOTTOM
    frame = new_figure(
        "Time and memory of one forward and backward pass"
        f"<br><sup>{_machine_in_words(rows[0])}, less what it held before; "
        f"no mark where that is under {LEAST_MEGABYTES} MB.</sup>",
        description="For each case two panels, milliseconds and megabytes added against tokens, logarithmic axes. "
        + " ".join(_in_words(case, own) for case, own in chosen.items()),
        height=height,
    )
    grid = make_subplots(rows=len(chosen), cols=2, horizontal_spacing=0.15, vertical_spacing=0.34 / len(chosen))
    frame.update_layout(title={"y": 1 - 20 / height, "yanchor": "top"})
    grid.update_layout({key: frame.layout[key] for key in ("title", "font", "paper_bgcolor", "plot_bgcolor", "meta")})
    grid.layout.template = TEMPLATE  # `update_layout` would only add to that of plotly
    grid.update_layout(height=height, margin={"l": LEFT, "r": 190, "t": TOP, "b": BOTTOM})
    grid.update_xaxes(frame.layout.xaxis)
    grid.update_yaxes(frame.layout.yaxis)
    for number, (case, own) in enumerate(chosen.items(), start=1):
        _draw_case(grid, number, case, own)
    return grid


def _machine_in_words(row: Row) -> str:
    """Chip, threads, torch, and whose memory was measured."""
    torch = f"float32, torch {row['versions']['torch']}. Memory:"
    if row.get("device") == "cuda":
        return f"{row['processor']}, {torch} torch's on the GPU at its peak"
    vectors = f" ({row['vectors']})" if row.get("vectors") else ""
    return f"{row['processor']} processor{vectors}, {row['threads']} threads, {torch} the process at its peak"


def _draw_case(grid: go.Figure, number: int, case: str, rows: Sequence[Row]) -> None:
    ends = _ends(rows)
    panels = [next(grid.select_yaxes(row=number, col=column)) for column in (1, 2)]
    top = panels[0].domain[1]
    for contender, own in _by_contender(rows).items():
        colour, symbol = STYLES.get(contender, (GREY, "circle"))
        name = f"{contender}<br>(to {own[-1]['length']:,} tokens)" if contender in ends else contender
        seen = [row for row in own if (row["added_bytes"] or 0) >= 1e6 * LEAST_MEGABYTES]
        for column, shown, unit, values in (
            (1, own, "ms", [1e3 * row["seconds"] for row in own]),
            (2, seen, "MB", [row["added_bytes"] / 1e6 for row in seen]),
        ):
            grid.add_scatter(
                x=[row["length"] for row in shown],
                y=values,
                row=number,
                col=column,
                name=name,
                legend=_legend(number),
                legendgroup=f"{case}: {contender}",
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"symbol": symbol, "size": 9},
                hovertemplate=f"{contender}<br>%{{x:,}} tokens: %{{y:,.3g}} {unit}<extra></extra>",
            )
    lengths = sorted({row["length"] for row in rows})
    ticks = {"tickvals": lengths, "ticktext": [f"{length:,}" for length in lengths], "tickangle": -45}
    small = {"size": 13}
    grid.update_xaxes(type="log", title={"text": "tokens in a sequence", "font": small}, **ticks, row=number)
    for column, title in ((1, "milliseconds"), (2, "megabytes added (MB)")):
        grid.update_yaxes(
            type="log", title={"text": title, "font": small}, dtick=1, tickformat=",", row=number, col=column
        )
    grid.update_layout({_legend(number): {"y": top, "yanchor": "top", "x": 1.01, "bgcolor": "rgba(0,0,0,0)"}})
    grid.add_annotation(
        text=f"<b>{case}</b>" + "".join(f"<br>{line}" for line in _not_run(ends)),
        **{"x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom"},
        **{"yshift": 6, "align": "left", "showarrow": False, "font": {"color": INK, "size": 12}},
    )


def _legend(number: int) -> str:
    return "legend" if number == 1 else f"legend{number}"


def _by_contender(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by contender, in the legend's order, each by length."""
    names = dict.fromkeys([*STYLES, *(row["contender"] for row in rows)])
    ordered = sorted(rows, key=lambda row: row["length"])
    found = {name: [row for row in ordered if row["contender"] == name] for name in names}
    return {name: own for name, own in found.items() if own}


def _ends(rows: Sequence[Row]) -> dict[str, tuple[int, int, str]]:
    """Of each contender that was left out at a greater length: its last length, the first one missing, and why."""
    ends = {}
    for contender, own in _by_contender(rows).items():
        last = own[-1]["length"]
        beyond = [row for row in rows if row["length"] > last and contender in row["not_run"]]
        if beyond:
            first = min(beyond, key=lambda row: row["length"])
            ends[contender] = (last, first["length"], first["not_run"][contender])
    return ends


def _not_run(ends: Mapping[str, tuple[int, int, str]]) -> list[str]:
    """Those ends in words, a line a length."""
    lines = []
    for length in sorted({length for _, length, _ in ends.values()}):
        names = [f"{name} ({why})" for name, (_, first, why) in ends.items() if first == length]
        lines.append(f"Not run from {length:,} tokens on: {'; '.join(names)}.")
    return lines


def _in_words(case: str, rows: Sequence[Row]) -> str:
    parts = [f"{case}."]
    for contender, own in _by_contender(rows).items():
        last = own[-1]
        memory = "memory unknown" if last["added_bytes"] is None else f"{last['added_bytes'] / 1e6:,.0f} MB"
        parts.append(f"{contender}: {1e3 * last['seconds']:,.3g} ms and {memory} at {last['length']:,} tokens.")
    return " ".join([*parts, *_not_run(_ends(rows))])
