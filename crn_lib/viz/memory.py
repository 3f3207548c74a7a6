"""Bytes held while decoding against tokens: what a formula predicts, and what was measured."""

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

import plotly.graph_objects as go

from crn_lib.config import Named
from crn_lib.units import counted, round_ticks, show_bytes
from crn_lib.viz.theme import GREY, INK, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, new_figure

Row = Mapping[str, Any]
AXES = Named("axes", {"logarithmic": "log", "linear": "linear"})
FAINT = 0.45


def draw_memory(
    rows: Sequence[Row], kind: str | None = None, length: int | None = None, *, axes: str = "logarithmic"
) -> go.Figure:
    """Predicted lines and measured marks of every kind in the rows; one kind and length may be singled out.

    Args:
        rows: as `crn_lib.experiments.memory.decode` yields them.
        kind: drawn bold, with the bytes it has allocated; the others are faint.
        length: marked on that kind's line; give both or neither.
        axes: a key of `AXES`.

    Raises:
        ValueError: no rows, or none of this kind and length.
    """
    curves = {name: [row for row in rows if row["kind"] == name] for name in KIND_NAMES}
    curves = {name: sorted(own, key=lambda row: row["length"]) for name, own in curves.items() if own}
    here = next((row for row in curves.get(kind or "", []) if row["length"] == length), None)
    if not curves or ((kind or length) and here is None):
        raise ValueError(f"there is no row of {kind or 'any kind'} at {length or 'any number of'} tokens")
    title, description = _all_in_words(curves) if here is None else _one_in_words(here, curves[here["kind"]])
    figure = new_figure(title, description=description, height=470)
    for name, own in curves.items():
        _draw_kind(figure, name, own, faint=here is not None and name != kind)
    longest = max(own[-1]["length"] for own in curves.values())
    x_axis: dict[str, Any] = {"type": AXES[axes], "title": "tokens so far"}
    y_axis: dict[str, Any] = {"type": AXES[axes], "title": "bytes held, one sequence"}
    if axes == "logarithmic":
        ticks = [4**k for k in range(12) if 4**k <= longest]
        powers = range(1, 13)
        largest = max(row["allocated"] for row in rows)
        y_axis |= {"tickvals": [10.0**k for k in powers], "ticktext": [show_bytes(10.0**k) for k in powers]}
        low = min(row["used"] for row in rows)
        y_axis |= {"range": [log10(low) - 0.15, log10(largest) + 0.15]}
        x_axis |= {"tickvals": ticks, "ticktext": [f"{n:,}" for n in ticks], "range": [-0.06, log10(longest) + 0.06]}
    else:
        most = max(row["allocated"] for row in rows)
        ticks = round_ticks(most)
        y_axis |= {"tickvals": ticks, "ticktext": [show_bytes(value) for value in ticks]}
        y_axis |= {"range": [-0.04 * most, 1.06 * most]}
        x_axis |= {"tickformat": ",", "range": [-0.02 * longest, 1.03 * longest]}
    figure.update_xaxes(**x_axis)
    figure.update_yaxes(**y_axis)
    if here is not None:
        _draw_here(figure, here, curves[here["kind"]])
    figure.update_layout(showlegend=True, margin={"l": 94, "t": 76}, legend={"x": 1.01, "y": 1.0, "tracegroupgap": 2})
    return figure


def _draw_kind(figure: go.Figure, name: str, rows: Sequence[Row], *, faint: bool) -> None:
    """The predicted line, and a mark for every measured length that is a power of two."""
    shared = {"legendgroup": name, "opacity": FAINT if faint else 1.0}
    figure.add_scatter(
        x=[row["length"] for row in rows],
        y=[row["predicted"] for row in rows],
        mode="lines",
        line={"color": KIND_COLOURS[name], "width": 2},
        name=f"{KIND_NAMES[name]}, predicted",
        hoverinfo="skip",
        showlegend=False,
        **shared,
    )
    marks = [row for row in rows if row["length"] & (row["length"] - 1) == 0]
    figure.add_scatter(
        x=[row["length"] for row in marks],
        y=[row["used"] for row in marks],
        mode="markers",
        marker={"color": KIND_COLOURS[name], "symbol": KIND_SYMBOLS[name], "size": 9},
        name=KIND_NAMES[name],
        text=[show_bytes(row["used"]) for row in marks],
        hovertemplate=f"{KIND_NAMES[name]}, %{{x:,}} tokens: %{{text}}<extra></extra>",
        **shared,
    )


def _draw_here(figure: go.Figure, here: Row, rows: Sequence[Row]) -> None:
    """What the chosen kind has allocated, as steps, and a ring at the chosen length."""
    figure.add_scatter(
        x=[row["length"] for row in rows],
        y=[row["allocated"] for row in rows],
        mode="lines",
        line={"color": INK, "width": 1.5, "dash": "dot", "shape": "hv"},
        name="allocated",
        hoverinfo="skip",
    )
    figure.add_vline(x=here["length"], line={"color": GREY, "dash": "dot", "width": 1})
    figure.add_scatter(
        x=[here["length"]],
        y=[here["used"]],
        mode="markers+text",
        marker={"symbol": "circle-open", "size": 20, "color": INK, "line": {"width": 3}},
        text=[f"<b>{show_bytes(here['used'])}</b>"],
        textposition=_free_place(figure, here),
        textfont={"color": INK, "size": 13},
        cliponaxis=False,
        name="your choice",
        showlegend=False,
        hovertemplate="%{x:,} tokens: %{text}<extra></extra>",
    )


def _free_place(figure: go.Figure, here: Row) -> str:
    """Where the number of a ring is off the axes: below it, or above it near the lower end; inwards near the left."""

    def share(axis: Any, value: float) -> float:
        low, high = axis.range
        return float(((log10(value) if axis.type == "log" else value) - low) / (high - low))

    side = "right" if share(figure.layout.xaxis, here["length"]) < 0.12 else "center"
    return f"{'top' if share(figure.layout.yaxis, here['used']) < 0.2 else 'bottom'} {side}"


def _all_in_words(curves: Mapping[str, Sequence[Row]]) -> tuple[str, str]:
    """Title and description of the figure of all kinds, from what was measured."""
    growing = [name for name, own in curves.items() if own[-1]["used"] > own[0]["used"]]
    exact = all(row["used"] == row["predicted"] for own in curves.values() for row in own)
    names = ", ".join(KIND_NAMES[name] for name in growing) or "none"
    title = (
        f"Bytes held while decoding. Growing with every token: {names}"
        f"<br><sup>{_shape(curves)}. Marks: measured. Lines: predicted; "
        f"{'no byte of difference' if exact else 'some marks differ'}</sup>"
    )
    parts = [
        f"{KIND_NAMES[name]}: {show_bytes(own[0]['used'])} after {own[0]['length']:,}, "
        f"{show_bytes(own[-1]['used'])} after {own[-1]['length']:,} tokens."
        for name, own in curves.items()
    ]
    words = f"Bytes held while decoding against tokens so far, {_shape(curves)}, measured marks and predicted lines."
    return title, " ".join([words, *parts])


def _shape(curves: Mapping[str, Sequence[Row]]) -> str:
    """The shape of the models; of each, where they differ."""
    shapes = dict.fromkeys((own[0]["model"]["blocks"], own[0]["model"]["width"]) for own in curves.values())
    return " and ".join(f"{blocks} blocks of width {width}" for blocks, width in shapes)


def _one_in_words(here: Row, rows: Sequence[Row]) -> tuple[str, str]:
    """Title and description where one kind and length are singled out."""
    name, tokens = KIND_NAMES[here["kind"]], counted(here["length"], "token")
    off = here["used"] - here["predicted"]
    verdict = "as predicted" if off == 0 else f"{off:+,} bytes from the predicted {here['predicted']:,}"
    spare = here["allocated"] - here["used"]
    grown = (rows[-1]["used"] - rows[0]["used"]) / max(1, rows[-1]["length"] - rows[0]["length"])
    first = f"{name}, {tokens}: holds {here['used']:,} bytes, {verdict}"
    room = f"{spare:,} more are allocated and still empty" if spare else "nothing more is allocated"
    second = f"{room}; a token adds {grown:,.0f} bytes"
    return f"{first}<br><sup>{second}</sup>", f"Bytes held while decoding. {first}; {second}."
