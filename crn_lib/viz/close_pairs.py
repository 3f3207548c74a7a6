"""Scenes of points with their close pairs, and how well networks count them."""

import re
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from crn_lib.viz.theme import BLUE, GREEN, GREY, INK, ORANGE, VERMILION, need, new_figure

GAP = 1.4
"""Between two scenes, in the unit of the coordinates."""

DISC, DISC_LINE = "rgba(86, 180, 233, 0.16)", "rgba(86, 180, 233, 0.7)"
NETWORK_COLOURS = (VERMILION, ORANGE, BLUE, GREEN)
NETWORK_SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def draw_close_pairs(
    scenes: Sequence[Sequence[Sequence[float]]],
    close: Sequence[Sequence[tuple[int, int]]],
    captions: Sequence[str],
    *,
    radius: float,
    edge: float,
    title: str,
) -> go.Figure:
    """Scenes in a row. Each point has a disc of half the radius around it, so that discs overlap where a pair is close.

    Args:
        scenes: for each scene its points, two coordinates each, from `-edge` to `edge`.
        close: for each scene its close pairs, as numbers of points; a line joins them.
        captions: a line under each scene, which says what the picture shows; more lines after `<br>`.
        radius: what counts as close.
    """
    need(scenes, "scene")
    said = [re.sub("<br>", ", ", re.sub("</?b>", "", caption)) for caption in captions]
    words = "; ".join(f"scene {number}: {text}" for number, text in enumerate(said, start=1))
    figure = new_figure(
        title, description=f"{len(scenes)} scenes of points in a square, “{title}”: {words}.", height=350
    )
    step = 2 * edge + GAP
    room = edge + radius / 4
    for number, (points, own, caption) in enumerate(zip(scenes, close, captions, strict=True)):
        shift = number * step
        x, y = [p[0] + shift for p in points], [p[1] for p in points]
        figure.add_shape(
            type="rect", x0=shift - room, x1=shift + room, y0=-room, y1=room, line={"color": GREY, "width": 1}
        )
        for left, low in zip(x, y, strict=True):
            figure.add_shape(
                type="circle",
                x0=left - radius / 2,
                x1=left + radius / 2,
                y0=low - radius / 2,
                y1=low + radius / 2,
                line={"color": DISC_LINE, "width": 1},
                fillcolor=DISC,
                layer="below",
            )
        ends = [(x[i], x[j], None) for i, j in own], [(y[i], y[j], None) for i, j in own]
        figure.add_scatter(
            x=[value for end in ends[0] for value in end],
            y=[value for end in ends[1] for value in end],
            mode="lines",
            line={"color": VERMILION, "width": 3},
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"color": INK, "size": 10},
            customdata=points,
            hovertemplate="(%{customdata[0]:.2f}, %{customdata[1]:.2f})<extra></extra>",
        )
        figure.add_annotation(x=shift, y=-room - 0.15, text=caption, showarrow=False, yanchor="top")
    hidden = {"showgrid": False, "showline": False, "showticklabels": False, "ticks": ""}
    lines = max(caption.count("<br>") for caption in captions) + 1
    reach = edge + radius / 2 + 0.1  # of a disc that leaves its scene
    figure.update_xaxes(range=[-reach, (len(scenes) - 1) * step + reach], **hidden)
    figure.update_yaxes(range=[-room - 0.2 - 0.42 * lines, room + 0.3], scaleanchor="x", **hidden)
    figure.update_layout(showlegend=False, margin={"l": 10, "r": 10, "t": 50, "b": 10})
    return figure


def draw_seed_accuracies(accuracies: Mapping[str, Sequence[float]], *, most_common: float, title: str) -> go.Figure:
    """One row a network, one mark a seed, beside what always saying the most common answer gives.

    Args:
        accuracies: the network's name, in a few words, to its accuracy for each seed.
        most_common: the accuracy of the answer that is right most often.
    """
    need(accuracies, "network")
    ranges = [f"{name}: {min(found):.0%} to {max(found):.0%}" for name, found in accuracies.items()]
    figure = new_figure(
        title,
        description=f"{title}. " + "; ".join(ranges) + f"; always the most common answer: {most_common:.0%}.",
        height=110 + 62 * len(accuracies),
    )
    for number, (name, found) in enumerate(accuracies.items()):
        figure.add_scatter(
            x=list(found),
            y=[name] * len(found),
            mode="markers",
            marker={
                "color": NETWORK_COLOURS[number % 4],
                "symbol": NETWORK_SYMBOLS[number % 4],
                "size": 14,
                "line": {"color": INK, "width": 1},
            },
            hovertemplate="%{x:.1%} of scenes<extra></extra>",
        )
    figure.add_vline(
        x=most_common,
        line={"color": GREY, "dash": "dot"},
        annotation={"text": "always the most common answer", "yanchor": "bottom", "font": {"color": INK}},
        annotation_position="top",
    )
    figure.update_xaxes(title="scenes counted correctly", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", automargin=True)
    figure.update_layout(showlegend=False, margin={"l": 60, "t": 74, "b": 52})
    return figure
