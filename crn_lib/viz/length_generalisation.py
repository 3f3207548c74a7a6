"""What models trained up to one length do at others."""

from collections.abc import Mapping, Sequence
from math import log2
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.viz.theme import GREY, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, PANEL_AXIS, new_figure

Row = Mapping[str, Any]
METRICS = {
    "letters_right": "Letters right, teacher-forced",
    "free_running_string_accuracy": "Strings right, free-running",
}


def draw_other_lengths(rows: Sequence[Row], *, shortest: int, about: str = "") -> go.Figure:
    """Letters and whole strings right, side by side, against the length tested; trained lengths are shaded.

    Args:
        rows: as `crn_lib.experiments.length_generalisation` stores them, one a kind and length.
        shortest: letters in the shortest string of the training, for the shade.
        about: shape and device, for the second line of the title.

    Raises:
        ValueError: no row.
    """
    if not rows:
        raise ValueError("nothing to draw: no model was tested at other lengths")
    longest = max(row["trained_up_to"] for row in rows)
    curves = {kind: sorted((r for r in rows if r["kind"] == kind), key=lambda r: r["tested_at"]) for kind in KIND_NAMES}
    curves = {kind: own for kind, own in curves.items() if own}
    figure = make_subplots(
        cols=2,
        subplot_titles=list(METRICS.values()),
        horizontal_spacing=0.09,
        figure=new_figure(
            f"Trained on {shortest} to {longest} letters, tested on each length by itself<br><sup>{about}</sup>",
            description="Letters and whole strings right against letters in the string. "
            + " ".join(_in_words(kind, own, longest) for kind, own in curves.items()),
            height=440,
        ),
    )
    for column, metric in enumerate(METRICS, start=1):
        for kind, own in curves.items():
            figure.add_scatter(
                x=[row["tested_at"] for row in own],
                y=[row[metric] for row in own],
                mode="lines+markers",
                name=KIND_NAMES[kind],
                legendgroup=kind,
                showlegend=column == 1,
                line={"color": KIND_COLOURS[kind], "width": 2},
                marker={"symbol": KIND_SYMBOLS[kind], "size": 8},
                hovertemplate=f"{KIND_NAMES[kind]}, %{{x}} letters: %{{y:.1%}}<extra></extra>",
                row=1,
                col=column,
            )
        figure.add_vrect(
            x0=shortest, x1=longest, fillcolor=GREY, opacity=0.14, line_width=0, layer="below", row=1, col=column
        )
    lengths = sorted({row["tested_at"] for row in rows})
    ticks = [length for length in lengths if log2(length).is_integer()]
    figure.update_xaxes(
        title={"text": "letters (shaded: trained on)", "standoff": 6, "font": {"size": 13}},
        type="log",
        tickvals=ticks,
        ticktext=[str(tick) for tick in ticks],
        **PANEL_AXIS,
    )
    figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%", **PANEL_AXIS)
    figure.update_annotations(font_size=13)  # the panels' titles, beside each other where the page is narrow
    figure.update_layout(showlegend=True, margin={"t": 96, "b": 56})
    return figure


def _in_words(kind: str, rows: Sequence[Row], longest: int) -> str:
    """At the longest length trained on, and at the longest tested."""
    at = {row["tested_at"]: [row[metric] for metric in METRICS] for row in rows}
    words = [
        f"{at[length][0]:.0%} of letters and {at[length][1]:.0%} of strings at {length}"
        for length in sorted({longest, max(at)} & set(at))
    ]
    return f"{KIND_NAMES[kind]}: {', '.join(words)}."
