"""Tasks beyond copying: scores against bytes held, errors by examples, hops by depth, and a line fitted in context."""

from collections.abc import Mapping, Sequence
from math import log10

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.experiments.beyond import EQUAL, PANELS, Point, best_at, hops_by_number
from crn_lib.sweeps.stored_runs import Spread
from crn_lib.units import counted, show_bytes
from crn_lib.viz.theme import GREY, INK, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, PANEL_AXIS, need, new_figure

ESTIMATOR_DASHES = {
    "least squares": "solid",
    "averaging": "dash",
    "averaged projections": "dashdot",
    "3 nearest neighbours": "dot",
    "zero": "longdash",
}
"""How the estimators are told apart; all are grey, since none is a model."""


GUESSER, NOTHING = "guessing", "as good as predicting 0"
"""Words beside the line of who has learnt nothing: of a task with chances, and of one where nothing is explained."""

STRUCK = 0.02
"""A range that reaches farther from its mark would strike through the width above or below it."""

UNSEEN = "\u00a0"
"""In place of no words: where a text was empty plotly draws none either when the figure is changed in place."""

TITLE = 92
"""Letters of a title that a figure of 820 pixels has room for."""


def draw_score_by_bytes(name: str, points: Sequence[Point], *, limit: float | None = None) -> go.Figure:
    """The main metric of a task against the bytes a model holds, one mark a model, its width beside it.

    A filled mark is settled: the task is solved, or missed at five rates with the best not at an edge. An open one
    might still rise.

    Args:
        name: of a panel, a key of `crn_lib.experiments.beyond.PANELS`.
        points: those that are compared; there may be none yet.
        limit: with it, what holds more bytes is pale, and the title says which kinds are best within it.
    """
    panel = PANELS[name]
    order = best_at(points, limit or float("inf"))
    reached = [f"{KIND_NAMES[p.model.kind]} {p.score.median:.0%}" for p in order]
    best = ", ".join(reached) or ("none holds so little" if points and limit else "no row")
    within = f"{panel.title}, within {show_bytes(limit)}: " if limit else f"{panel.title}: "
    marks = "Beside a mark: its width. " if len({p.model.width for p in points}) > 1 else ""
    figure = new_figure(
        f"{_as_many_as_fit(within, reached or [best])}"
        f"<br><sup>{marks}Filled: solved, or missed at five learning rates. Open: may rise.</sup>",
        description=f"{panel.score.capitalize()} against bytes held. {within}{best}. "
        + " ".join(f"{_named(p)}: {show_bytes(p.state_bytes)}, {p.words()}." for p in points),
        height=440,
    )
    sizes = [float(p.state_bytes) for p in points] or [1e3, 1e5]
    bits = getattr(points[0].config.task, "bits", None) if points else None
    shown = [*sizes, *([bits / 8] if bits else []), *([limit] if limit else [])]
    low, high = min(shown) / 2, max(shown) * 2
    if points:
        chance = points[0].config.task.chance
        _rule(figure, [low, 2.4 * low, high], [chance] * 3, GUESSER if chance > 0 else NOTHING, place="top right")
    else:
        figure.add_scatter(x=[1e4], y=[0.5], mode="text", text=["no row yet"], showlegend=False, hoverinfo="skip")
    if bits:
        _rule(figure, [bits / 8] * 2, [-0.04, 0.9], f"\u00a0{show_bytes(bits / 8)} are needed", place="middle right")
    for kind in KIND_NAMES:
        if own := sorted((p for p in points if p.model.kind == kind), key=lambda p: p.state_bytes):
            _draw_kind(figure, kind, own, limit)
    if limit:
        figure.add_scatter(
            x=[limit, limit], y=[-0.04, 1.1], mode="lines", line={"color": INK, "width": 2},
            showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    steps = (1, 2, 5) if high < 30 * low else (1, 3)
    ticks = [m * 10.0**k for k in range(9) for m in steps if low <= m * 10**k <= high]
    ticks = [tick for tick in ticks if len(ticks) < 6 or log10(tick).is_integer()]
    figure.update_xaxes(
        title={"text": "bytes held per sequence", "standoff": 6}, type="log", range=[log10(low), log10(high)],
        tickvals=ticks, ticktext=[show_bytes(tick) for tick in ticks],
    )  # fmt: skip
    figure.update_yaxes(title=panel.score, range=[-0.04, 1.12], tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


def _as_many_as_fit(beginning: str, words: Sequence[str]) -> str:
    """A title's line: the beginning, as many of the words as there is room for, and how many more there are."""
    for count in range(len(words), 0, -1):
        rest = [f"{len(words) - count} more"] if count < len(words) else []
        line = beginning + ", ".join([*words[:count], *rest])
        if len(line) <= TITLE:
            return line
    return beginning + words[0]


def _named(point: Point) -> str:
    return f"{KIND_NAMES[point.model.kind]} of width {point.model.width}"


def _rule(figure: go.Figure, x: Sequence[float], y: Sequence[float], words: str, *, place: str) -> None:
    """A dotted line with its words, as a trace: shapes on logarithmic axes lose their places in small multiples."""
    figure.add_scatter(
        x=x, y=y, mode="lines+text", text=[UNSEEN, words, *[UNSEEN] * (len(x) - 2)], textposition=place,
        textfont={"size": 11, "color": INK}, line={"color": GREY, "dash": "dot", "width": 1.5}, showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip


def _draw_kind(figure: go.Figure, kind: str, points: Sequence[Point], limit: float | None) -> None:
    symbols = [KIND_SYMBOLS[kind] + ("-open" if p.solves is None else "") for p in points]
    scores = [p.score for p in points]
    within = [limit is None or p.state_bytes <= EQUAL * limit for p in points]
    # A range cannot be pale by itself: beyond the limit there is none.
    ranges = [
        (score.high - score.median, score.median - score.low) if near else (None, None)
        for score, near in zip(scores, within, strict=True)
    ]
    figure.add_scatter(
        x=[p.state_bytes for p in points],
        y=[score.median for score in scores],
        error_y={
            "visible": any(score.high > score.low for score in scores),
            "array": [above for above, _ in ranges],
            "arrayminus": [below for _, below in ranges],
            "thickness": 1.5,
            "width": 0,  # else one that is left out would still have its two ends, on its mark
        },
        mode="markers+text",
        name=KIND_NAMES[kind],
        text=[str(p.model.width) if len(points) > 1 else UNSEEN for p in points],
        textposition=[_beside(kind, score) for score in scores],
        textfont={"size": 10},
        marker={
            "symbol": symbols,
            "color": KIND_COLOURS[kind],
            "size": 11,
            "line": {"width": 2, "color": KIND_COLOURS[kind]},
            "opacity": [1.0 if near else 0.25 for near in within],
        },
        customdata=[f"{_named(p)}: {show_bytes(p.state_bytes)}, {p.words()}" for p in points],
        hovertemplate="%{customdata}<extra></extra>",
        legendgroup=kind,
        showlegend=False,
    )
    figure.add_scatter(  # of its marks the legend would show the first, open or pale
        x=[None], y=[None], mode="markers", name=KIND_NAMES[kind], legendgroup=kind,
        marker={"symbol": KIND_SYMBOLS[kind], "color": KIND_COLOURS[kind], "size": 11},
    )  # fmt: skip


def _beside(kind: str, score: Spread) -> str:
    """Where a mark's width stands. Kinds that hold as many bytes are on top of each other: their widths must not be."""
    place, reach = ("bottom", score.median - score.low) if kind == "causal_rn" else ("top", score.high - score.median)
    return "middle left" if reach > STRUCK else f"{place} center"


def draw_errors_by_examples(
    models: Mapping[str, Sequence[float]], estimators: Mapping[str, Sequence[float]], *, about: str = ""
) -> go.Figure:
    """Squared error over the variance against the number of examples, of models and of estimators.

    Args:
        models: by kind, errors after 0, 1, 2 ... examples.
        estimators: by a name of `ESTIMATORS`, the same.
        about: the shape, for the second line of the title.

    Raises:
        ValueError: no curve at all.
    """
    need([*models, *estimators], "curve")
    words = [f"{KIND_NAMES[kind]} {errors[-1]:.2f}" for kind, errors in models.items()]
    words += [f"{name} {errors[-1]:.2f}" for name, errors in estimators.items()]
    last = len(next(iter([*models.values(), *estimators.values()]))) - 1
    figure = new_figure(
        f"Error after each number of examples<br><sup>{about}. 1: as good as predicting 0. Grey: no model.</sup>",
        description=f"Squared error over the variance, last number of examples, {last}: {', '.join(words)}.",
        height=440,
    )
    for name, errors in estimators.items():
        figure.add_scatter(
            x=list(range(len(errors))), y=list(errors), mode="lines", name=name,
            line={"color": GREY, "width": 2, "dash": ESTIMATOR_DASHES[name]},
            hovertemplate=f"{name}, %{{x}} examples: %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    for kind, errors in models.items():
        figure.add_scatter(
            x=list(range(len(errors))), y=list(errors), mode="lines+markers", name=KIND_NAMES[kind],
            line={"color": KIND_COLOURS[kind], "width": 2}, marker={"symbol": KIND_SYMBOLS[kind], "size": 9},
            hovertemplate=f"{KIND_NAMES[kind]}, %{{x}} examples: %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="examples seen", dtick=1, range=[-0.3, last + 0.3])
    figure.update_yaxes(title="squared error / variance", range=[-0.03, 1.6])
    figure.update_layout(showlegend=True)
    return figure


def draw_hops_by_depth(points: Sequence[Point]) -> go.Figure:
    """Letters right against hops, a panel for each number of blocks, a line a kind.

    Up to the dotted upright, hops are within reach if look-ups double with every block.

    Raises:
        ValueError: no point.
    """
    need(points, "run on hops")
    depths = sorted({p.model.blocks for p in points})
    words = [
        f"{KIND_NAMES[p.model.kind]} of {p.model.blocks} blocks: "
        + ", ".join(f"{k} hops {right:.0%}" for k, right in enumerate(hops_by_number(p)))
        for p in points
    ]
    figure = make_subplots(
        cols=len(depths),
        subplot_titles=[f"{depth} blocks" for depth in depths],
        shared_yaxes=True,
        horizontal_spacing=0.04,
        figure=new_figure(
            "Letters right by the number of hops"
            "<br><sup>Left of the upright line: within reach if look-ups double. Dotted: guessing.</sup>",
            description=". ".join(words) + ".",
            height=400,
        ),
    )
    named: set[str] = set()
    for column, depth in enumerate(depths, start=1):
        for point in (p for p in points if p.model.blocks == depth):
            kind, right = point.model.kind, hops_by_number(point)
            figure.add_scatter(
                x=list(range(len(right))), y=right, mode="lines+markers", name=KIND_NAMES[kind], legendgroup=kind,
                showlegend=kind not in named, line={"color": KIND_COLOURS[kind], "width": 2},
                marker={"symbol": KIND_SYMBOLS[kind], "size": 9},
                hovertemplate=f"{KIND_NAMES[kind]}, %{{x}} hops: %{{y:.1%}}<extra></extra>", row=1, col=column,
            )  # fmt: skip
            named.add(kind)
        figure.add_vline(x=2 ** (depth - 1) - 0.5, line={"color": INK, "dash": "dash", "width": 1}, row=1, col=column)
        guessed: tuple[float, ...] = points[0].config.task.chances  # type: ignore[attr-defined]
        first: int = points[0].config.task.fewest  # type: ignore[attr-defined]
        figure.add_scatter(
            x=list(range(first, first + len(guessed))), y=guessed, mode="lines", showlegend=False,
            line={"color": GREY, "dash": "dot", "width": 1.5},
            hovertemplate="guessing, %{x} hops: %{y:.1%}<extra></extra>", row=1, col=column,
        )  # fmt: skip
    most = max(len(hops_by_number(p)) for p in points) - 1
    figure.update_xaxes(title="hops", dtick=1, range=[-0.3, most + 0.3], **PANEL_AXIS)
    figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%", **PANEL_AXIS)
    figure.update_yaxes(title="letters right", col=1)
    figure.update_layout(showlegend=True, margin={"t": 100})
    return figure


def draw_fitted_line(
    examples: Sequence[tuple[float, float]],
    grid: Sequence[float],
    models: Mapping[str, Sequence[float]],
    estimators: Mapping[str, Sequence[float]],
) -> go.Figure:
    """What models and estimators predict at every x, having seen some points in the plane.

    Args:
        examples: the points `(x, y)`.
        grid: where predictions are made.
        models: by kind, a prediction for each place of the grid.
        estimators: by a name of `ESTIMATORS`, the same.

    Raises:
        ValueError: no example.
    """
    need(examples, "example")
    at = min(range(len(grid)), key=lambda i: abs(grid[i] - 1.0))
    found = {KIND_NAMES[kind]: line[at] for kind, line in models.items()} | {n: e[at] for n, e in estimators.items()}
    figure = new_figure(
        f"{' and '.join(map(KIND_NAMES.__getitem__, models)) or 'Estimators'} after "
        f"{counted(len(examples), 'point')}, the last at ({examples[-1][0]:.1f}, {examples[-1][1]:.1f})",
        description=f"Examples: {len(examples)}. Predicted at x = {grid[at]:.2g}: "
        + ", ".join(f"{name} {value:.2f}" for name, value in found.items())
        + ".",
        height=440,
    )
    for name, values in estimators.items():
        figure.add_scatter(
            x=list(grid), y=list(values), mode="lines", name=name.removesuffix(" neighbours"),  # one line of legend
            line={"color": GREY, "width": 2, "dash": ESTIMATOR_DASHES[name]},
            hovertemplate=f"{name}, x = %{{x:.2f}}: %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    for kind, values in models.items():
        figure.add_scatter(
            x=list(grid), y=list(values), mode="lines", name=KIND_NAMES[kind],
            line={"color": KIND_COLOURS[kind], "width": 3},
            hovertemplate=f"{KIND_NAMES[kind]}, x = %{{x:.2f}}: %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[x for x, _ in examples], y=[y for _, y in examples], mode="markers", name="points",
        marker={"color": INK, "size": 12, "symbol": "x"}, hovertemplate="example (%{x:.2f}, %{y:.2f})<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="x", range=[grid[0], grid[-1]])
    figure.update_yaxes(title="y", range=[-4, 4])
    figure.update_layout(showlegend=True)
    return figure
