"""Readable senders against width, a line an activation, with what stored runs came to as marks."""

from collections.abc import Sequence

import plotly.graph_objects as go

from crn_lib.analysis.readable import readable_senders
from crn_lib.experiments.ablations import ACTIVATION_NAMES, GRID_ACTIVATIONS
from crn_lib.experiments.readable import Outcome
from crn_lib.viz.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, new_figure

COLOURS = dict(zip(GRID_ACTIVATIONS, (VERMILION, BLUE, ORANGE, SKY, GREEN, PURPLE), strict=True))
WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
MARKS = {True: ("circle", "copies"), None: ("circle-open", "still rising at the end"), False: ("x", "does not copy")}
TOP = 1e4
"""Where the axis ends: exp leaves it early, and no stored string has so many senders."""


def draw_readable(found: Sequence[Outcome], activations: Sequence[str] = GRID_ACTIVATIONS) -> go.Figure:
    """The arithmetic as lines; each mark stands at the senders that a stored form had to read among.

    A mark below its own line should be full, one above it a cross; the marks of one width and length stand side by
    side in the order of the activations.

    Args:
        found: what stored runs came to; those of other activations are not drawn.
        activations: a line each.
    """
    shown = [outcome for outcome in found if outcome.activation in activations]
    fits = [outcome.fits for outcome in shown]
    figure = new_figure(
        f"A guide, not a limit: {fits.count(False)} forms copy above the line of their colour<br><sup>"
        f"lines: senders among which one pair can be read; marks: what had to be read; "
        f"{fits.count(True)} as the lines say, {fits.count(False)} not, {fits.count(None)} not finished</sup>",
        description="Lines of readable senders against width, one an activation: "
        + "; ".join(f"{ACTIVATION_NAMES[name]} {readable_senders(name, 64):,.0f} at width 64" for name in activations)
        + ". Marks: "
        + "; ".join(f"{_words(outcome)}" for outcome in shown)
        + ".",
        height=500,
    )
    for name in activations:
        figure.add_scatter(
            x=list(WIDTHS),
            y=[readable_senders(name, width) for width in WIDTHS],
            mode="lines",
            name=ACTIVATION_NAMES[name],
            line={"color": COLOURS[name], "width": 2.5, "dash": "dash" if name == "gelu" else "solid"},
            hovertemplate=f"{ACTIVATION_NAMES[name]}, width %{{x}}: %{{y:,.0f}}<extra></extra>",
        )
        own = [outcome for outcome in shown if outcome.activation == name]
        figure.add_scatter(
            x=[_beside(outcome, shown, activations) for outcome in own],
            y=[outcome.seen for outcome in own],
            mode="markers",
            marker={
                "symbol": [MARKS[outcome.copies][0] for outcome in own],
                "size": 10,
                "color": COLOURS[name],
                "line": {"color": COLOURS[name], "width": 2},
            },
            hovertext=[_words(outcome) for outcome in own],
            hoverinfo="text",
            showlegend=False,
        )
    for symbol, words in MARKS.values():
        figure.add_scatter(x=[None], y=[None], mode="markers", name=words, marker={"symbol": symbol, "color": GREY})
    figure.update_xaxes(type="log", title="width", tickvals=list(WIDTHS), ticktext=[str(width) for width in WIDTHS])
    figure.update_yaxes(type="log", title="senders", range=[0.3, 4], tickvals=[10, 100, 1000, TOP], tickformat=",")
    figure.update_layout(showlegend=True, legend={"x": 1.01, "y": 1}, margin={"r": 170})
    return figure


def _beside(outcome: Outcome, shown: Sequence[Outcome], activations: Sequence[str]) -> float:
    """Where a mark stands: those of one width and length in a row around the width."""
    there = {o.activation for o in shown if (o.width, o.string_length) == (outcome.width, outcome.string_length)}
    row = [name for name in activations if name in there]
    shift: float = 1.05 ** (row.index(outcome.activation) - (len(row) - 1) / 2)
    return shift * outcome.width


def _words(outcome: Outcome) -> str:
    name = ACTIVATION_NAMES[outcome.activation]
    return (
        f"{name}, width {outcome.width}, {outcome.string_length} letters: {MARKS[outcome.copies][1]} among "
        f"{outcome.seen:,.0f}, readable among {outcome.readable:,.0f}, {outcome.share.words()}"
    )
