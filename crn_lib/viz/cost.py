"""What the cost model says: its predictions beside measured runs, and the hours of a grid on more and more workers."""

from collections.abc import Mapping, Sequence
from math import log10
from statistics import median

import plotly.graph_objects as go

from crn_lib.experiments.cost import least_time, useful_workers
from crn_lib.units import counted
from crn_lib.viz.theme import BLUE, GREY, INK, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, ORANGE, need, new_figure

Prediction = tuple[str, int, float, float]
"""A run's kind, its letters, and its measured and predicted seconds."""


def draw_cost_check(predictions: Sequence[Prediction], *, title: str) -> go.Figure:
    """Predicted over measured seconds of every run, against the length of its strings; 1 is right.

    Raises:
        ValueError: no run.
    """
    need(predictions, "run")
    ratios = [predicted / measured for _, _, measured, predicted in predictions]
    words = f"{len(ratios)} runs: median {median(ratios):.2f}, range {min(ratios):.2f} to {max(ratios):.2f}"
    lengths = sorted({length for _, length, _, _ in predictions})
    figure = new_figure(
        f"{title}<br><sup>{words}</sup>",
        description=f"Predicted over measured processor seconds against letters. {title}. {words}.",
        height=400,
    )
    figure.add_hline(y=1, line={"color": INK, "width": 1, "dash": "dot"})
    for kind, shift in (("causal_rn", 0.96), ("transformer", 1.04)):
        own = [each for each in predictions if each[0] == kind]
        figure.add_scatter(
            x=[length * shift for _, length, _, _ in own],
            y=[predicted / measured for _, _, measured, predicted in own],
            mode="markers",
            name=KIND_NAMES[kind],
            marker={
                "color": KIND_COLOURS[kind],
                "symbol": f"{KIND_SYMBOLS[kind]}-open",
                "size": 11,
                "line": {"width": 2},
            },
            text=[
                f"{length} letters: {measured:,.1f} s measured, {predicted:,.1f} s predicted"
                for _, length, measured, predicted in own
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    ends = log10(min(0.4, *ratios) / 1.1), log10(max(2.5, *ratios) * 1.1)
    figure.update_xaxes(
        title="letters in a string", type="log", tickvals=lengths, ticktext=[str(n) for n in lengths],
        range=[log10(lengths[0]) - 0.15, log10(lengths[-1]) + 0.15],
    )  # fmt: skip
    ticks = [0.25, 0.5, 0.8, 1, 1.25, 2, 4]
    figure.update_yaxes(
        title="predicted / measured", type="log", range=ends, tickvals=ticks, ticktext=[f"{t:g}" for t in ticks]
    )
    figure.update_layout(showlegend=True)
    return figure


def draw_workers(hours: Mapping[str, float], workers: int, *, most: int = 24) -> go.Figure:
    """The least hours that a grid takes on 1 to `most` workers, one number of workers marked.

    Args:
        hours: of every run, by its name.
        workers: the number marked, 1 to `most`.

    Raises:
        ValueError: no run, or a number of workers out of range.
    """
    if not hours or not 1 <= workers <= most:
        raise ValueError(f"needs a run and 1 to {most} workers; got {len(hours)} runs and {workers} workers")
    total, longest = sum(hours.values()), max(hours.values())
    name = max(hours, key=lambda each: hours[each])
    times = list(hours.values())
    useful = useful_workers(times)
    least = {n: least_time(times, n) for n in range(1, most + 1)}
    limit = f"limited by one run, {name}" if workers >= useful else "limited by the number of workers"
    title = f"{counted(workers, 'worker')}: at least {_hours(least[workers])}, {limit}"
    second = f"{counted(len(hours), 'run')}, {_hours(total)} in all; more than {counted(useful, 'worker')} cannot help"
    figure = new_figure(
        f"{title}<br><sup>{second}</sup>",
        description=f"Least hours against workers, both axes logarithmic. {title}. {second}.",
        height=400,
    )
    x = list(least)
    figure.add_scatter(
        x=x, y=[total / n for n in x], mode="lines", name="total / workers",
        line={"color": ORANGE, "width": 2, "dash": "dash"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=[longest] * len(x), mode="lines", name="the longest run",
        line={"color": GREY, "width": 2, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=list(least.values()), mode="lines+markers", name="at least", line={"color": BLUE, "width": 3},
        marker={"symbol": "circle", "size": 6}, text=[_hours(value) for value in least.values()],
        hovertemplate="%{x} workers: %{text}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[workers], y=[least[workers]], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 20, "color": INK, "line": {"width": 3}},
    )  # fmt: skip
    low, high = log10(min(total / most, longest)), log10(total)
    ticks = [m * 10.0**k for k in range(-3, 6) for m in (1, 2, 5) if low - 0.1 <= log10(m * 10.0**k) <= high + 0.15]
    counts = [n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32) if n <= most]
    figure.update_xaxes(
        title="workers, one processor each", type="log", tickvals=counts, ticktext=[str(n) for n in counts],
        range=[-0.06, log10(most) + 0.06],
    )  # fmt: skip
    figure.update_yaxes(
        title="hours", type="log", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks], range=[low - 0.12, high + 0.18]
    )
    figure.update_layout(showlegend=True)
    return figure


def _hours(value: float) -> str:
    if value < 1:
        return f"{60 * value:.3g} minutes"
    return f"{value:,.0f} hours" if value >= 100 else f"{value:.3g} hours"
