"""When a copier begins to find its source: the share of sources found in one block, beside letters right and loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from crn_lib.config import Named
from crn_lib.experiments.retrieval_onset import crossing, found_in_block
from crn_lib.viz.above import put_above
from crn_lib.viz.theme import BLUE, GREY, INK, KIND_NAMES, VERMILION, need, new_figure

FOUND_WORDS = Named(
    "kind",
    {
        "causal_rn": "most anti-aligned sender is the source",
        "transformer": "sender with the largest weight is the source",
    },
)


def draw_retrieval_course(courses: Sequence[Sequence[Mapping[str, Any]]], kind: str, *, block: int = 0) -> go.Figure:
    """Above, how often the source is found and how many letters are right; below, the loss. One line a seed.

    Args:
        courses: for each seed the stops of `crn_lib.experiments.retrieval_onset`.
        kind: `causal_rn` or `transformer`.
        block: whose lookup is shown.
    """
    need(courses, "course")
    half = [
        (crossing(course, found_in_block(course, block)), crossing(course, [stop["letters"] for stop in course]))
        for course in courses
    ]
    words = "; ".join(f"source found at step {found}, letters right at step {right}" for found, right in half)
    first = all(found is not None and (right is None or found < right) for found, right in half)
    figure = new_figure(
        f"{KIND_NAMES[kind]}: the lookup of block {block} {'comes before' if first else 'beside'} the letters",
        description=f"Lines against training steps for {len(courses)} seeds: how often the "
        f"{FOUND_WORDS[kind]}, letters right, and the loss below. Half is reached: {words}.",
        height=440,
    )
    lines: dict[str, dict[str, Any]] = {
        FOUND_WORDS[kind]: {"color": VERMILION, "width": 2.5},
        "letters right": {"color": BLUE, "width": 2, "dash": "dash"},
        "letters right without the source": {"color": GREY, "width": 1.5, "dash": "dot"},
    }
    for number, course in enumerate(courses):
        steps = [stop["step"] for stop in course]
        values = (
            found_in_block(course, block),
            [stop["letters"] for stop in course],
            [stop["letters_without_source"] for stop in course],
        )
        for (name, line), y in zip(lines.items(), values, strict=True):
            figure.add_scatter(
                x=steps,
                y=y,
                mode="lines",
                name=name,
                legendgroup=name,
                line=line,
                showlegend=not number,
                hovertemplate=f"{name}, seed {number}, step %{{x}}: %{{y:.0%}}<extra></extra>",
            )
        figure.add_scatter(
            x=steps,
            y=[stop["loss"] for stop in course],
            mode="lines",
            line={"color": INK, "width": 1.5},
            yaxis="y2",
            showlegend=False,
            hovertemplate=f"loss, seed {number}, step %{{x}}: %{{y:.2f}} nats<extra></extra>",
        )
    figure.update_xaxes(title="training steps", rangemode="tozero", anchor="y2")
    figure.update_layout(
        yaxis={"domain": [0.38, 1], "range": [-0.03, 1.03], "tickformat": ".0%", "title": "of the letters"},
        yaxis2={
            "domain": [0, 0.28],
            "anchor": "x",
            "rangemode": "tozero",
            "title": "loss (nats)",
            "gridcolor": figure.layout.yaxis.gridcolor,
            "nticks": 4,
        },
        showlegend=True,
    )
    put_above(figure)
    return figure
