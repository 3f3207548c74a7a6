"""What the paper's main experiment gave here: accuracy while training by length, and steps until a length is copied."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import log10
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.config import Named
from crn_lib.experiments.lengths import FIXED_STATES
from crn_lib.units import show_bytes
from crn_lib.viz.contrast import as_text
from crn_lib.viz.curves import METRIC_NAMES
from crn_lib.viz.theme import INK, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, PANEL_AXIS, need, new_figure

LABEL_PLACES = {
    "causal_rn": ("top left",),
    "transformer": ("bottom center",),
    "linear_rn": ("middle right",),
    "lstm": ("top right",),
    "ssm": ("middle left", "middle right"),
    "delta_net": ("bottom center",),
}
"""Where the labels of a kind's marks stand, the last place for all further ones, for kinds whose marks come close to
each other or have long ranges; else above them."""

FURTHER = {"linear_transformer": "{}<br> ", "delta_net": " <br>{}"}
"""Kinds whose labels stand a line further away, beyond those of the models that hold as many bytes."""

Curve = Sequence[Mapping[str, float]]
Point = Mapping[str, Any]

UNITS = Named("unit", {"steps": "training steps", "seconds": "processor seconds"})

APART = 1.2
"""Marks of one kind that hold equal bytes stand beside each other, by this factor."""


def draw_copying_curves(
    curves: Mapping[tuple[str, int], Curve],
    *,
    metric: str = "character_accuracy",
    axis: str = "training steps",
    about: str = "",
    columns: int = 3,
) -> go.Figure:
    """Accuracy while training, one panel per length, one line per model: median over seeds, the range shaded.

    Args:
        curves: for `(kind, string_length)` what `crn_lib.sweeps.stored_runs.curve_over_seeds` gives.
        metric: `character_accuracy` or `string_accuracy`; what the curves hold.
        axis: what `step` counts in them, in words.
        about: shape, seeds and device, for the second line of the title.
        columns: panels side by side.

    Raises:
        ValueError: no curve.
    """
    need(curves, "curve")
    lengths = sorted({length for _, length in curves})
    rows = -(-len(lengths) // columns)
    name = METRIC_NAMES[metric]
    by = "by length of the string" if len(lengths) > 1 else f"at {lengths[0]} letters"
    frame = new_figure(
        f"{name.capitalize()} while training, {by}<br><sup>{about}. Line: median over seeds, shaded: range.</sup>",
        description=f"{name.capitalize()} against {axis}, one panel per length. "
        + " ".join(_curve_in_words(key, curve, axis) for key, curve in curves.items()),
        height=130 + 300 * rows,
    )
    figure = make_subplots(
        rows=rows,
        cols=min(columns, len(lengths)),
        subplot_titles=[f"{length} letters" for length in lengths] if len(lengths) > 1 else None,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=0.34 / rows,
        figure=frame,
    )
    seen: set[str] = set()
    for kind in KIND_NAMES:
        for place, length in enumerate(lengths):
            curve = curves.get((kind, length))
            if curve:
                panel = {"row": place // columns + 1, "col": place % columns + 1}
                _draw_curve(figure, kind, curve, panel, legend=kind not in seen)
                seen.add(kind)
    figure.update_xaxes(title={"text": axis, "standoff": 4}, rangemode="tozero", **PANEL_AXIS)
    figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%", **PANEL_AXIS)
    figure.update_yaxes(title=name, col=1)
    figure.update_layout(showlegend=True, margin={"t": 110, "b": 60})
    if rows > 1 and len(lengths) % columns:  # the last cell is empty: there the legend takes nothing from the panels
        cell = figure.get_subplot(rows, columns)
        corner = {"x": cell.xaxis.domain[0], "xanchor": "left", "y": cell.yaxis.domain[1], "yanchor": "top"}
        figure.update_layout(legend=corner)
        figure.update_xaxes(visible=False, row=rows, col=columns)
        figure.update_yaxes(visible=False, row=rows, col=columns)
    return figure


def _draw_curve(figure: go.Figure, kind: str, curve: Curve, panel: Mapping[str, int], *, legend: bool) -> None:
    steps = [point["step"] for point in curve]
    red, green, blue = (int(KIND_COLOURS[kind][i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=[*steps, *reversed(steps)],
        y=[*(point["high"] for point in curve), *(point["low"] for point in reversed(curve))],
        mode="lines",
        fill="toself",
        fillcolor=f"rgba({red}, {green}, {blue}, 0.18)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=kind,
        **panel,
    )
    figure.add_scatter(
        x=steps,
        y=[point["median"] for point in curve],
        mode="lines+markers",
        name=KIND_NAMES[kind],
        legendgroup=kind,
        showlegend=legend,
        line={"color": KIND_COLOURS[kind], "width": 2},
        # A mark at every tenth point or so: enough to tell lines apart without their colours.
        marker={"symbol": KIND_SYMBOLS[kind], "size": 8, "maxdisplayed": 8},
        hovertemplate=f"{KIND_NAMES[kind]}, step %{{x}}: %{{y:.1%}}<extra></extra>",
        **panel,
    )


def _curve_in_words(key: tuple[str, int], curve: Curve, axis: str) -> str:
    last = curve[-1]
    unit = axis.removeprefix("training ")
    return f"{KIND_NAMES[key[0]]} at {key[1]} letters: {last['median']:.0%} after {last['step']:,.0f} {unit}."


def draw_steps_to_solve(points: Sequence[Point], *, unit: str = "steps", about: str = "") -> go.Figure:
    """Steps (or processor seconds) until 99% of strings are copied, against the length of the string.

    A model that no seed brought there within the budget stands at the top, as an open mark.

    Args:
        points: what `crn_lib.experiments.lengths.length_points` gives.
        unit: `steps` or `seconds`.
        about: shape, seeds and device.

    Raises:
        ValueError: no point.
    """
    need(points, "point")
    named = UNITS[unit]
    lengths = sorted({point["string_length"] for point in points})
    solved = [point for point in points if point[unit] is not None]
    highest = max([point[unit].high for point in solved], default=1.0)
    never = highest * 3
    figure = new_figure(
        f"{_says(points)}<br><sup>{about}{', one thread' if unit == 'seconds' else ''}. Small marks: single seeds.<br>"
        "Open marks at the top: no seed within the budget. No line joins models of different width.</sup>",
        description=f"{named.capitalize()} to 99% of strings against letters. "
        + " ".join(_point_in_words(point, unit) for point in points),
        height=460,
    )
    for kind in (kind for kind in KIND_NAMES if any(point["kind"] == kind for point in points)):
        own = sorted((p for p in points if p["kind"] == kind), key=lambda p: p["string_length"])
        done, unsolved = ([p for p in own if (p[unit] is None) is missing] for missing in (False, True))
        if done:
            _draw_solved(figure, kind, done, unit, [_beside(p, points, unit, 1.03) for p in done])
        places = [_beside(p, points, unit, 1.05) for p in unsolved]
        _draw_unsolved(figure, kind, unsolved, never, places, legend=not done)
    figure.add_hline(y=never / 1.6, line={"color": INK, "dash": "dot", "width": 1})
    low = min([point[unit].low for point in solved], default=1.0)
    ticks = [10.0**k * m for k in range(0, 7) for m in (1, 2, 5) if low / 2 <= 10.0**k * m <= highest * 1.2]
    figure.update_xaxes(
        title="letters in the string", type="log", tickvals=lengths, ticktext=[f"{n}" for n in lengths],
        range=[log10(lengths[0]) - 0.12, log10(lengths[-1]) + 0.12],
    )  # fmt: skip
    figure.update_yaxes(
        title=f"{named} to 99% of strings", type="log", range=[log10(low / 1.5), log10(never * 1.5)],
        tickvals=[*ticks, never], ticktext=[*(f"{n:,.0f}" for n in ticks), "not in<br>budget"],
    )  # fmt: skip
    figure.update_layout(showlegend=True, margin={"t": 92, "l": 96})
    return figure


def _beside(point: Point, points: Sequence[Point], unit: str, apart: float) -> float:
    """Where a mark stands: at its length, and beside it where other kinds solved that length too, or did not either."""
    here = [p for p in points if p["string_length"] == point["string_length"]]
    row = {p["kind"] for p in here if (p[unit] is None) == (point[unit] is None)}
    kinds = [kind for kind in KIND_NAMES if kind in row]
    shift: float = apart ** (kinds.index(point["kind"]) - (len(kinds) - 1) / 2)
    return shift * float(point["string_length"])


def _says(points: Sequence[Point]) -> str:
    """What is seen, if the points show it: how far fixed memories copy, where a growing one goes on."""
    longest = [
        max((p["string_length"] for p in points if p["solved"] and (p["kind"] in FIXED_STATES) == fixed), default=0)
        for fixed in (True, False)
    ]
    if any(p["kind"] in FIXED_STATES and longest[0] < p["string_length"] <= longest[1] for p in points):
        return (
            f"Of the fixed memories run here none copied more than {longest[0]} letters"
            if longest[0]
            else "Of the fixed memories run here none copied"
        )
    return "How soon 99% of the strings are copied"


def _draw_solved(figure: go.Figure, kind: str, points: Sequence[Point], unit: str, places: Sequence[float]) -> None:
    """Medians, joined where models have one width: another width is another model. Small marks: the seeds."""
    there = zip(points, places, strict=True)
    for number, (_, same) in enumerate(groupby(there, key=lambda pair: pair[0].get("width"))):
        own, x = zip(*same, strict=True)
        figure.add_scatter(
            x=x,
            y=[point[unit].median for point in own],
            mode="lines+markers",
            name=KIND_NAMES[kind],
            legendgroup=kind,
            showlegend=number == 0,
            line={"color": KIND_COLOURS[kind], "width": 2},
            marker={"symbol": KIND_SYMBOLS[kind], "size": 11},
            text=[_point_in_words(point, unit) for point in own],
            hovertemplate="%{text}<extra></extra>",
        )
        seeds = [point[f"each_{unit}"] for point in own]
        figure.add_scatter(
            x=[place for place, each in zip(x, seeds, strict=True) for _ in (*each, None)],
            y=[value for each in seeds for value in (*each, None)],
            mode="lines+markers",
            legendgroup=kind,
            showlegend=False,
            line={"color": KIND_COLOURS[kind], "width": 1.5},
            marker={"symbol": KIND_SYMBOLS[kind], "size": 6},
            hoverinfo="skip",
        )


def _draw_unsolved(
    figure: go.Figure, kind: str, points: Sequence[Point], height: float, places: Sequence[float], *, legend: bool
) -> None:
    figure.add_scatter(
        x=list(places),
        y=[height] * len(points),
        mode="markers",
        name=KIND_NAMES[kind],
        legendgroup=kind,
        showlegend=legend,
        marker={"symbol": f"{KIND_SYMBOLS[kind]}-open", "size": 11, "color": KIND_COLOURS[kind], "line": {"width": 2}},
        text=[_point_in_words(point, "steps") for point in points],
        hovertemplate="%{text}<extra></extra>",
    )


def _point_in_words(point: Point, unit: str) -> str:
    name, where = KIND_NAMES[point["kind"]], f"{point['string_length']} letters"
    if point["steps"] is None:
        return f"{name}, {where}: 0 of {point['seeds']} seeds in {point['budget']:,} steps."
    word = {"steps": "steps", "seconds": "processor seconds"}[unit]
    return f"{name}, {where}: {point[unit].show()} {word}, {point['solved']} of {point['seeds']} seeds."


def draw_accuracy_by_state(points: Sequence[Point], *, about: str = "") -> go.Figure:
    """Letters right, free-running, against the bytes a model holds when the string has ended.

    Args:
        points: what `crn_lib.experiments.lengths.state_points` gives; one mark a kind, length and width, with the range
            over seeds.
        about: shape, seeds and device.

    Raises:
        ValueError: no point.
    """
    need(points, "point")
    parts = [
        f"{KIND_NAMES[p['kind']]} of width {p['width']}, {p['string_length']} letters: {p['state_bytes']:,} bytes, "
        f"{p['accuracy'].median:.0%}."
        for p in points
    ]
    figure = new_figure(
        "What models hold of a string, and how much of it they give back"
        f"<br><sup>{about}. Beside each mark: letters in the string. Marks of equal bytes stand side by side.</sup>",
        description="Letters right, free-running, against bytes held for one sequence. " + " ".join(parts),
        height=480,
    )
    for kind in KIND_NAMES:
        own = [point for point in points if point["kind"] == kind]
        if own:
            places = _side_by_side([p["state_bytes"] for p in own])
            figure.add_scatter(
                x=[p["state_bytes"] * APART**place for p, place in zip(own, places, strict=True)],
                y=[p["accuracy"].median for p in own],
                error_y={
                    "array": [p["accuracy"].high - p["accuracy"].median for p in own],
                    "arrayminus": [p["accuracy"].median - p["accuracy"].low for p in own],
                    "thickness": 1,
                },
                mode="markers+text",
                name=KIND_NAMES[kind],
                text=[label and FURTHER.get(kind, "{}").format(label) for label in _labels(own, places)],
                textposition=_label_places(kind, len(own)),
                textfont={"size": 11, "color": as_text(KIND_COLOURS[kind])},
                marker={"color": KIND_COLOURS[kind], "symbol": KIND_SYMBOLS[kind], "size": 10},
                customdata=[[p["string_length"], p["width"], show_bytes(p["state_bytes"])] for p in own],
                hovertemplate=f"{KIND_NAMES[kind]}, width %{{customdata[1]}}, %{{customdata[0]}} letters: "
                "%{customdata[2]}, %{y:.1%}<extra></extra>",
            )
    low, high = (pick(p["state_bytes"] for p in points) for pick in (min, max))
    ticks = [m * 10.0**k for k in range(2, 12) for m in (1, 3) if low / 1.5 < m * 10**k < high * 1.5]
    figure.update_xaxes(
        title="bytes held for one sequence when its string has ended",
        type="log",
        tickvals=ticks,
        ticktext=[show_bytes(tick) for tick in ticks],
        range=[log10(low / 1.5), log10(high * 1.5)],
    )
    figure.update_yaxes(title="letters right, free-running", range=[-0.04, 1.16], tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


def _side_by_side(values: Sequence[float]) -> list[float]:
    """How many steps to the right each stands of where it is; equal ones stand in a row around that."""
    return [values[:i].count(value) - (values.count(value) - 1) / 2 for i, value in enumerate(values)]


def _label_places(kind: str, marks: int) -> list[str]:
    places = LABEL_PLACES.get(kind, ("top center",))
    return [places[min(number, len(places) - 1)] for number in range(marks)]


def _labels(points: Sequence[Point], places: Sequence[float]) -> list[str]:
    """The length beside each mark of a kind; where marks lie on top of each other, all of theirs beside the first."""
    together: dict[tuple[float, ...], list[int]] = {}
    for number, (point, beside) in enumerate(zip(points, places, strict=True)):
        place = round(6 * log10(point["state_bytes"])), round(12 * point["accuracy"].median), beside
        together.setdefault(place, []).append(number)
    labels = [""] * len(points)
    for numbers in together.values():
        labels[numbers[0]] = ", ".join(str(points[number]["string_length"]) for number in numbers)
    return labels
