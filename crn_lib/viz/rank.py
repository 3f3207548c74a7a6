"""Singular values of the map from past to output, and how many of them a tolerance leaves."""

from collections.abc import Mapping, Sequence
from math import log10

import plotly.graph_objects as go

from crn_lib.viz.above import put_above
from crn_lib.viz.scaling import CURVE_COLOURS, CURVE_SYMBOLS
from crn_lib.viz.theme import GREY, INK, need, new_figure

LEAST = 1e-10
"""Smaller relative singular values are drawn here."""

PLACES = ("bottom left", "top right", "middle right", "top left")
"""Of the labels at the rings, so that those of neighbouring curves stay apart."""


def draw_singular_values(spectra: Mapping[str, Sequence[float]], tolerance: float) -> go.Figure:
    """Singular values, relative to the largest, in falling order; the ring is the last one above the tolerance.

    Args:
        spectra: name to singular values, largest first; up to four.
        tolerance: relative to the largest, 0 to 1. The values above it are what the rank counts.
    """
    need(spectra, "spectrum")
    relative = {name: [value / values[0] for value in values] for name, values in spectra.items()}
    ranks = {name: sum(value > tolerance for value in values) for name, values in relative.items()}
    counted = ", ".join(f"{name} {ranks[name]} of {len(values)}" for name, values in relative.items())
    figure = new_figure(
        f"Rank at tolerance {tolerance:.0e}: {counted}",
        description=f"Singular values relative to the largest, in falling order. Above {tolerance:.0e}: {counted}.",
        height=430,
    )
    for number, (name, values) in enumerate(relative.items()):
        colour, places = CURVE_COLOURS[number % 4], list(range(1, len(values) + 1))
        figure.add_scatter(
            x=places,
            y=[max(value, LEAST) for value in values],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            marker={
                "symbol": CURVE_SYMBOLS[number % 4],
                # Eight marks: enough to tell the curves apart without colour.
                "size": [8 if place % max(1, len(values) // 8) == 0 else 0.1 for place in places],
                "color": colour,
                "line": {"width": 0},
            },
            hovertemplate=f"{name}: number %{{x}} is %{{y:.1e}} of the largest<extra></extra>",
        )
        last = ranks[name]
        figure.add_scatter(
            x=[max(last, 1)],
            y=[max(values[max(last, 1) - 1], LEAST)],
            mode="markers+text",
            marker={"symbol": "circle-open", "size": 18, "color": INK, "line": {"width": 2.5}},
            text=[f"<b>{last}</b>"],
            textposition=PLACES[number % 4],
            textfont={"color": INK, "size": 13},
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
        )
    figure.add_hline(y=tolerance, line={"color": GREY, "dash": "dot", "width": 1.5})
    longest = max(len(values) for values in relative.values())
    decades = range(round(log10(LEAST)), 1, 2)
    figure.update_xaxes(title="number of the singular value", range=[-0.04 * longest, 1.12 * longest])
    figure.update_yaxes(
        title="relative to the largest",
        type="log",
        tickvals=[10.0**k for k in decades],
        ticktext=[f"{'≤ ' if k == decades[0] else ''}10<sup>{k}</sup>" if k else "1" for k in decades],
        range=[log10(LEAST) - 0.5, 0.8],
    )
    figure.update_layout(showlegend=True)
    put_above(figure)  # the legend: at every height of the panel some tolerance is a line
    return figure
