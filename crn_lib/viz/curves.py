"""Accuracy while training, one line a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from crn_lib.config import Named
from crn_lib.viz.theme import INK, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, need, new_figure

METRIC_NAMES = Named(
    "metric", {"character_accuracy": "letters right", "string_accuracy": "strings right", "loss": "loss (nats)"}
)


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
            hovertemplate="step %{x}: %{y:.3g}" if metric == "loss" else "step %{x}: %{y:.1%}",
        )
    figure.update_xaxes(title="training steps", range=[0, steps] if steps else None, rangemode="tozero")
    if metric == "loss":
        figure.update_yaxes(title=name, rangemode="tozero")
    else:
        figure.update_yaxes(title=name, range=[-0.03, 1.03], tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


def draw_accuracy_against_state(points: Sequence[Mapping[str, Any]], *, string_length: int) -> go.Figure:
    """Free-running accuracy against the memory a model holds when the string has ended.

    Args:
        points: mappings with `kind`, `state_bytes` and `character_accuracy`, one a model.
        string_length: letters in a string.
    """
    need(points, "point")
    parts = [
        f"{KIND_NAMES[p['kind']]} holds {p['state_bytes']:,} bytes and copies {p['character_accuracy']:.0%}"
        for p in points
    ]
    figure = new_figure(
        f"What a model remembers of {string_length} letters, and what it gives back",
        description="One mark a model: bytes of state against letters right. " + "; ".join(parts) + ".",
    )
    for point in points:
        kind = point["kind"]
        figure.add_scatter(
            x=[point["state_bytes"]],
            y=[point["character_accuracy"]],
            mode="markers",
            name=KIND_NAMES[kind],
            marker={
                "color": KIND_COLOURS[kind],
                "symbol": KIND_SYMBOLS[kind],
                "size": 15,
                "line": {"color": INK, "width": 1},
            },
            hovertemplate="%{x:,} bytes: %{y:.1%}",
        )
    figure.update_xaxes(title="bytes held for one sequence when its string has ended", type="log", dtick=1)
    figure.update_yaxes(title="letters right, free-running", range=[-0.05, 1.08], tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


def _show(value: float, metric: str) -> str:
    return f"{value:.2f}" if metric == "loss" else f"{value:.0%}"
