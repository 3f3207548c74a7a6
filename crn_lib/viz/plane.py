"""A receiver and its senders, sign turned, as points of a plane: the nearer a sender, the louder it is."""

import math
from collections.abc import Mapping

import plotly.graph_objects as go

from crn_lib.viz.contrast import PAPER
from crn_lib.viz.theme import BLUE, GREY, INK, VERMILION, need, new_figure

Point = tuple[float, float]
RINGS = (0.5, 1.0, 2.0)
"""Scales at which a circle is drawn around the receiver."""


def draw_nearest_is_loudest(receiver: Point, senders: Mapping[str, Point], *, width: int) -> go.Figure:
    """One receiver `A_i`, its senders at `-B_j`, circles of equal scale, and marks that grow with a pair's scale.

    Args:
        receiver: the centred row in two coordinates that keep lengths.
        senders: name to the centred row, its sign turned, in the same coordinates; rows of equal spread.
        width: of the rows: the scale of a pair is the root of the width, over the distance.
    """
    need(senders, "sender")
    scales = {name: math.sqrt(width) / math.dist(receiver, point) for name, point in senders.items()}
    figure = new_figure(
        "The nearer −B lies to A, the louder the pair: scale = 1 / distance",
        description=f"A receiver and {len(senders)} senders, sign turned, in a plane, with circles of equal scale. "
        + "; ".join(f"{name}: scale {scale:.2f}" for name, scale in scales.items()),
        height=520,
    )
    for scale in RINGS:
        radius = math.sqrt(width) / scale
        figure.add_shape(
            type="circle",
            x0=receiver[0] - radius,
            x1=receiver[0] + radius,
            y0=receiver[1] - radius,
            y1=receiver[1] + radius,
            line={"color": GREY, "width": 1, "dash": "dot"},
        )
        text = f"scale {scale:g}, temperature {1 / scale:g}"
        figure.add_annotation(x=receiver[0], y=receiver[1] - radius, text=text, showarrow=False, bgcolor=PAPER)
    for point in senders.values():
        figure.add_shape(
            type="line", x0=receiver[0], y0=receiver[1], x1=point[0], y1=point[1], line={"color": GREY, "width": 1}
        )
    figure.add_scatter(
        x=[receiver[0]],
        y=[receiver[1]],
        mode="markers+text",
        text=["<b>A</b>"],
        textposition="bottom center",
        marker={"color": VERMILION, "symbol": "diamond", "size": 14},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[x for x, _ in senders.values()],
        y=[y for _, y in senders.values()],
        mode="markers+text",
        text=[f"<b>{name}</b>, scale {scales[name]:.1f}" for name in senders],
        textposition=["middle right" if x > receiver[0] else "middle left" for x, _ in senders.values()],
        textfont={"color": INK},
        marker={"color": BLUE, "size": [8 + 6 * scale for scale in scales.values()]},
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.update_xaxes(visible=False, scaleanchor="y")
    figure.update_yaxes(visible=False)
    figure.update_layout(showlegend=False, margin={"l": 10, "r": 10, "t": 60, "b": 10})
    return figure
