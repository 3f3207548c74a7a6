"""Receivers and minus the senders of one block as points: who meets whom."""

from collections.abc import Sequence
from math import ceil

import plotly.graph_objects as go

from crn_lib.viz.above import put_above
from crn_lib.viz.contrast import as_text
from crn_lib.viz.theme import BLUE, GREY, INK, VERMILION, new_figure

Point = tuple[float, float]


def draw_meeting_points(
    receivers: Sequence[Point],
    minus_senders: Sequence[Point],
    nearest: Sequence[int],
    tokens: str,
    shown: float,
    labels: Sequence[str] = (),
) -> go.Figure:
    """A line from every receiver that writes a letter to the sender nearest to it in the whole width.

    Args:
        receivers: one point a letter written.
        minus_senders: one point a position, with what stands there in `tokens`; only those of the string are named.
        nearest: for each receiver the position of the nearest of all its senders, before the projection.
        tokens: one character a position, the string first: the source of the receiver `i` is position `i + 1`.
        shown: the part of all squared distances that the two axes keep.
        labels: at the receivers; the letter that each must write if they are not given.
    """
    found = sum(sender == row + 1 for row, sender in enumerate(nearest))
    figure = new_figure(
        f"The nearest sender is the source for {found} of {len(receivers)} letters"
        f"<br><sup>two of the block's directions, with {shown:.0%} of the variance; lines to the nearest in all</sup>",
        description=f"Points of {len(receivers)} receivers and {len(minus_senders)} senders, their sign turned, in the "
        f"plane of their two main directions, which keeps {shown:.0%} of the variance. A line joins each receiver to "
        f"the sender nearest to it in the whole width, which is its source for {found} of {len(receivers)}.",
        height=520,
    )
    xs: list[float | None] = []
    ys: list[float | None] = []
    for point, sender in zip(receivers, nearest, strict=True):
        xs += [point[0], minus_senders[sender][0], None]
        ys += [point[1], minus_senders[sender][1], None]
    figure.add_scatter(x=xs, y=ys, mode="lines", line={"color": GREY, "width": 1.5}, hoverinfo="skip", showlegend=False)
    string = range(1, len(receivers) + 1)
    others = [point for place, point in enumerate(minus_senders) if place not in string]
    figure.add_scatter(
        x=[x for x, _ in others],
        y=[y for _, y in others],
        mode="markers",
        name="− sender, elsewhere",
        marker={"symbol": "circle", "size": 5, "color": GREY},
        hoverinfo="skip",
    )
    for name, points, letters, colour, symbol, place in (
        ("− sender, its letter", minus_senders[1 : len(receivers) + 1], tokens[1:], BLUE, "circle", "top center"),
        ("receiver", receivers, labels or tokens[1:], VERMILION, "diamond", "bottom center"),
    ):
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="markers+text",
            name=name,
            text=[letter.replace("<", "&lt;").replace(">", "&gt;") for letter in letters[: len(points)]],
            textposition=place,
            textfont={"color": as_text(colour), "family": "monospace", "size": 13},
            marker={"symbol": symbol, "size": 9, "color": colour, "line": {"color": INK, "width": 0.5}},
            hovertext=[f"{name}, position {position}" for position in range(len(points))],
            hoverinfo="text",
        )
    everything = [*receivers, *minus_senders]
    reach = ceil(2.3 * max(abs(number) for point in everything for number in point)) / 2  # alike in like panels
    figure.update_xaxes(title="first direction", zeroline=False, range=[-reach, reach])
    figure.update_yaxes(title="second direction", zeroline=False, range=[-reach, reach])
    figure.update_layout(showlegend=True)
    put_above(figure)
    return figure
