"""Accuracy while training, one line a model."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log2, log10
from typing import Any

import plotly.graph_objects as go

from crn_lib.config import Named
from crn_lib.viz.theme import GREY, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, describe, need, new_figure

METRIC_NAMES = Named(
    "metric", {"character_accuracy": "letters right", "string_accuracy": "strings right", "loss": "loss (nats)"}
)

SIGNS = {
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "cross": "✚",
    "triangle-up": "▲",
    "triangle-down": "▼",
}
"""Marks of the kinds as characters, for a name beside a curve's end."""


def draw_training_curves(
    histories: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    metric: str = "character_accuracy",
    steps: int | None = None,
    string_length: int | None = None,
    shortest: int | None = None,
) -> go.Figure:
    """Accuracy (or loss) against training steps.

    Args:
        histories: for each model kind the rows of `RunResult.history`.
        metric: a key of the rows: `character_accuracy`, `string_accuracy` or `loss`.
        steps: where the axis ends, so that it stays still while curves grow.
        string_length: letters in a string; only named in the title.
        shortest: letters in the shortest string, where they differ; only named in the title.
    """
    name = METRIC_NAMES[metric]
    best = [f"{KIND_NAMES[kind]} ends at {_show(rows[-1][metric], metric)}" for kind, rows in histories.items() if rows]
    letters = f"{shortest} to {string_length}" if shortest else string_length
    length = f", strings of {letters} letters" if string_length else ""
    figure = new_figure(
        f"{name.capitalize()} while training{length}",
        description=f"Lines of {name} against training steps{length}. " + "; ".join(best) + ".",
    )
    for kind, rows in histories.items():
        figure.add_scatter(
            x=[row["step"] for row in rows],
            y=[row[metric] for row in rows],
            name=KIND_NAMES[kind],
            mode="lines+markers",
            line={"color": KIND_COLOURS[kind], "width": 2},
            marker={"symbol": KIND_SYMBOLS[kind], "size": 8},
            cliponaxis=False,  # the last mark is on the edge
            hovertemplate="step %{x}: %{y:.3g}" if metric == "loss" else "step %{x}: %{y:.1%}",
        )
    figure.update_xaxes(title="training steps", range=[0, steps] if steps else None, rangemode="tozero")
    if metric == "loss":
        figure.update_yaxes(title=name, rangemode="tozero")
    else:
        figure.update_yaxes(title=name, range=[-0.03, 1.03], tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


def draw_accuracy_against_state(
    points: Sequence[Mapping[str, Any]], *, string_length: int, vocab: int = 26
) -> go.Figure:
    """Free-running accuracy against the memory a model holds when the string has ended, and the bound by bits.

    Args:
        points: mappings with `kind`, `state_bytes` and `character_accuracy`, one a model.
        string_length: letters in a string.
        vocab: letters of the alphabet: each costs log2 of it in bits.
    """
    need(points, "point")
    needed = string_length * log2(vocab) / 8
    least = min(p["state_bytes"] for p in points) / needed
    parts = [
        f"{KIND_NAMES[p['kind']]} holds {p['state_bytes']:,} bytes and copies {p['character_accuracy']:.0%}"
        for p in points
    ]
    figure = new_figure(
        f"Every model has room for the string {least:,.0f} times over: size is not what stops them"
        f"<br><sup>{string_length} letters are {needed:.1f} bytes; dashed: the bound of lesson 01</sup>",
        description="One mark for each model: bytes of state against letters right. "
        + "; ".join(parts)
        + f". A bound rises to all letters at {needed:.1f} bytes.",
        height=420,
    )
    bound = [needed * k / 40 for k in range(1, 41)]
    figure.add_scatter(
        x=bound, y=[b / needed for b in bound], mode="lines", name="bound by bits",
        line={"color": GREY, "width": 2, "dash": "dash"}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for point in points:
        kind = point["kind"]
        low = point["character_accuracy"] < 0.5
        figure.add_scatter(
            x=[point["state_bytes"]],
            y=[point["character_accuracy"]],
            mode="markers+text",
            name=KIND_NAMES[kind],
            text=KIND_NAMES[kind],
            textposition="top center" if low else PLACES.get(kind, "bottom center"),
            marker={"color": KIND_COLOURS[kind], "symbol": KIND_SYMBOLS[kind], "size": 13},
            hovertemplate="%{x:,} bytes: %{y:.1%}",
            cliponaxis=False,
        )
    ticks = {1: "1 B", 10: "10 B", 100: "100 B", 1000: "1 kB", 10_000: "10 kB", 100_000: "100 kB", 1_000_000: "1 MB"}
    largest = max([10**5.4, *(point["state_bytes"] for point in points)])
    figure.update_xaxes(
        title="bytes held for one sequence when its string has ended",
        type="log",
        range=[-0.2, round(log10(largest) + 0.2, 2)],
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
    )
    figure.update_yaxes(title="letters right, free-running", range=[-0.06, 1.12], tickformat=".0%")
    figure.update_layout(showlegend=False)
    return figure


PLACES = {"causal_rn": "top left", "linear_transformer": "top center"}
"""Where a kind's name stands if it copies most letters; below its mark for the others."""


def draw_jump_or_slope(
    histories: Mapping[str, Sequence[Mapping[str, float]]], *, steps: int, string_length: int
) -> go.Figure:
    """Letters right against training steps, each curve named where the axis ends, in the order in which they end.

    The title says that one jumps and the other climbs, if these runs show it: the CausalRN gains half of
    all letters between two evaluations, and the linear RN never a quarter.

    Args:
        histories: for each model kind the rows of `RunResult.history`.
        steps: where the axis ends.
        string_length: letters in a string.
    """
    need(histories, "curve")
    gains = {kind: largest_gain(rows) for kind, rows in histories.items()}
    shows = gains.get("causal_rn", 0.0) > 0.5 and gains.get("linear_rn", 1.0) < 0.25
    says = "The CausalRN jumps, the linear RN climbs" if shows else "Letters right while training"
    words = ", ".join(f"{KIND_NAMES[kind]} {gain:.0%}" for kind, gain in gains.items())
    figure = draw_training_curves(histories, steps=steps, string_length=string_length)
    figure.update_layout(
        title_text=f"{says}<br><sup>strings of {string_length} letters; a curve ends where training ended</sup>",
        showlegend=False,
        height=440,
        margin={"r": 200},
        meta={"description": f"{describe(figure)} Most gained between two evaluations: {words}."},
    )
    figure.update_yaxes(range=[-0.03, 1.06])
    figure.update_traces(cliponaxis=False)  # the last mark stands on the edge
    height = 1.0
    for kind in sorted((kind for kind in histories if histories[kind]), key=lambda k: -_last(histories[k])):
        rows = histories[kind]
        height = min(_last(rows), height)
        figure.add_annotation(
            x=1.02, xref="paper", xanchor="left", y=max(height, 0.0), showarrow=False, align="left",
            text=f'<span style="color:{KIND_COLOURS[kind]}">{SIGNS.get(KIND_SYMBOLS[kind], "●")}</span> '
            f"{KIND_NAMES[kind]}, {_last(rows):.0%}",
        )  # fmt: skip
        height -= 0.075
    return figure


def largest_gain(history: Sequence[Mapping[str, float]]) -> float:
    """The most letters, as a fraction of all, that were gained from one evaluation to the next; from 0 to the first."""
    right = [0.0, *(row["character_accuracy"] for row in history)]
    return max((after - before for before, after in pairwise(right)), default=0.0)


def _last(history: Sequence[Mapping[str, float]]) -> float:
    return history[-1]["character_accuracy"]


def _show(value: float, metric: str) -> str:
    return f"{value:.2f}" if metric == "loss" else f"{value:.0%}"
