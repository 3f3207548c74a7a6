"""How much of the exact relation is done a second, against what exponentials and memory allow."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from crn_lib.viz.bench import STYLES
from crn_lib.viz.theme import GREY, INK, new_figure

Row = Mapping[str, Any]
SHOWN = ("fused", "torch.compile", "eager", "eager, layer norm by hand")


def draw_roofline(rows: Sequence[Row], roofs: Mapping[str, Mapping[int, float]], *, about: str) -> go.Figure:
    """Causal elements a second against tokens, on logarithmic axes; roofs as broken lines.

    Args:
        rows: of one case of `crn bench`, several lengths.
        roofs: for each, by its name, elements a second by length.
        about: the machine, in words.

    Raises:
        ValueError: no row of the fused kernel.
    """
    measured = {
        name: sorted((row for row in rows if row["contender"] == name), key=lambda row: row["length"]) for name in SHOWN
    }
    if not measured["fused"]:
        raise ValueError("nothing to draw: there is no row of the fused kernel")
    last = measured["fused"][-1]
    title = "The kernel nears the roof of its exponentials; whoever stores pairs has a lower one"
    described = ". ".join(
        f"{name}: {1e-9 * own[-1]['elements_per_second']:.2f} G elements a second at {own[-1]['length']:,} tokens"
        for name, own in measured.items()
        if own
    )
    allowed = ". ".join(
        f"{name}: {1e-9 * roof[last['length']]:.2f} G at {last['length']:,}" for name, roof in roofs.items()
    )
    figure = new_figure(
        f"{title}<br><sup>{about}</sup>", description=f"{title}. {described}. Roofs: {allowed}.", height=500
    )
    for dash, (name, roof) in zip(("dash", "dot", "dashdot"), roofs.items(), strict=True):
        figure.add_scatter(
            x=list(roof),
            y=list(roof.values()),
            name=name,
            mode="lines",
            line={"color": INK if dash == "dash" else GREY, "dash": dash, "width": 2},
            hovertemplate=f"{name}<br>%{{x:,}} tokens: %{{y:.3s}} elements/s<extra></extra>",
        )
    for name, own in measured.items():
        colour, symbol = STYLES[name]
        figure.add_scatter(
            x=[row["length"] for row in own],
            y=[row["elements_per_second"] for row in own],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"symbol": symbol, "size": 9},
            hovertemplate=f"{name}<br>%{{x:,}} tokens: %{{y:.3s}} elements/s<extra></extra>",
        )
    lengths = sorted({row["length"] for row in rows})
    ticks = {"tickvals": lengths, "ticktext": [f"{length:,}" for length in lengths]}
    figure.update_xaxes(type="log", title="tokens in a sequence", **ticks)
    figure.update_yaxes(type="log", title="causal elements a second", dtick=1, exponentformat="SI")
    figure.update_layout(showlegend=True, margin={"t": 76}, legend={"x": 1.01, "y": 1.0})
    return figure
