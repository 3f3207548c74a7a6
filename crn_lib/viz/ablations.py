"""Ablations: the whole grid from stored rows, and two variants side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from crn_lib.experiments.ablations import (
    ACTIVATION_NAMES,
    GRID,
    GRID_ACTIVATIONS,
    GRID_LENGTHS,
    Cell,
    Variant,
    ablation_cells,
)
from crn_lib.sweeps.stored_runs import SOLVED, Run, Spread, budget_in_words
from crn_lib.viz.contrast import ink_on, on_scale
from crn_lib.viz.curves import METRIC_NAMES
from crn_lib.viz.theme import BLUE, GREY, INK, VERMILION, new_figure

NONE_TO_ALL = [[0.0, "#f3e3c3"], [0.5, "#8fb8c9"], [1.0, "#00507d"]]
"""Letters right, from none to all: light to dark, so that it also reads in print and without colour."""

PANEL_HEIGHT = 390
ROW_NAMES = 156
"""Pixels for them, left of the cells; the panels' titles begin there too."""

NO_ROW = "no row yet"


def draw_ablations(
    runs: Iterable[Run], *, lengths: Sequence[int] = GRID_LENGTHS, grid: Sequence[Variant] = GRID
) -> go.Figure:
    """The grid of ablations: one panel a string length, a row for each place of the norms, a column an activation.

    A cell says how many of its seeds learnt to copy, the steps they took, or else the letters they got right, as median
    and range; its colour is the median of the letters right. It is framed if all of its seeds copied; one without a run
    says so.

    Args:
        runs: stored runs, as `experiments.read_runs(path, diverged=True)` gives them.
        lengths: letters in a string, one panel each.
        grid: the variants shown.
    """
    runs = list(runs)
    cells = ablation_cells(runs)
    places = list(dict.fromkeys(variant.place for variant in grid))
    activations = [ACTIVATION_NAMES[name] for name in GRID_ACTIVATIONS if name in {v.activation for v in grid}]
    counts = [_panel_title([cells[v, length] for v in grid if (v, length) in cells], length) for length in lengths]
    about = f". {budget_in_words(runs)}" if runs else ""
    figure = new_figure(
        f"{_says(cells.values())}<br><sup>Seeds that reached {SOLVED:.0%} of strings; framed: all of them{about}</sup>",
        description=_grid_in_words(cells, lengths, grid, counts),
        height=110 + PANEL_HEIGHT * len(lengths),
    )
    gap = 0.2 / len(lengths) if len(lengths) > 1 else 0.0
    tall = (1 - gap * (len(lengths) - 1)) / len(lengths)
    for number, length in enumerate(lengths):
        suffix = str(number + 1) if number else ""
        top = 1 - number * (tall + gap)
        _add_panel(figure, grid, cells, length, suffix)
        for variant in grid:
            if (variant, length) in cells and cells[variant, length].always:
                place = activations.index(ACTIVATION_NAMES[variant.activation]), places[::-1].index(variant.place)
                _add_frame(figure, place, suffix)
        figure.layout[f"xaxis{suffix}"] = {
            "categoryorder": "array",
            "categoryarray": activations,
            "tickvals": activations,
            "ticktext": [name.replace(" ", "<br>") for name in activations],
            "range": [-0.5, len(activations) - 0.5],
            "anchor": f"y{suffix}",
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
        }
        figure.layout[f"yaxis{suffix}"] = {
            "categoryorder": "array",
            "categoryarray": places[::-1],
            "range": [-0.5, len(places) - 0.5],
            "anchor": f"x{suffix}",
            "domain": [max(0.0, top - tall), top],
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
        }
        figure.add_annotation(
            text=f"<b>{counts[number]}</b>",
            x=0,
            y=top,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            xshift=16 - ROW_NAMES,  # where the title of the figure begins
            yshift=6,
            showarrow=False,
            font={"size": 13},
        )
    figure.update_layout(margin={"l": ROW_NAMES, "r": 32, "t": 100, "b": 40}, showlegend=False)
    return figure


def _add_panel(
    figure: go.Figure,
    grid: Sequence[Variant],
    cells: Mapping[tuple[Variant, int], Cell],
    length: int,
    suffix: str,
) -> None:
    there = [variant for variant in grid if (variant, length) in cells]
    found = {variant: cells[variant, length].spread("character_accuracy") for variant in there}
    letters = {variant: spread.median if spread else 0.0 for variant, spread in found.items()}
    figure.add_heatmap(
        x=[ACTIVATION_NAMES[variant.activation] for variant in there],
        y=[variant.place for variant in there],
        z=[letters[variant] for variant in there],
        customdata=[_hover(cells[variant, length]) for variant in there],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=NONE_TO_ALL,
        zmin=0,
        zmax=1,
        xgap=3,
        ygap=3,
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        showscale=not suffix,
        colorbar=bar_above("letters right", 24),  # above the first panel's title, which is long
    )
    # The heatmap's own text would vanish from cells it does not quite fit into.
    figure.add_scatter(
        x=[ACTIVATION_NAMES[variant.activation] for variant in grid],
        y=[variant.place for variant in grid],
        mode="text",
        text=[_cell_text(cells[v, length]) if v in letters else NO_ROW for v in grid],
        textfont={
            "size": 11,
            "color": [ink_on(on_scale(NONE_TO_ALL, letters[v])) if v in letters else INK for v in grid],
        },
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        hoverinfo="skip",
    )


def bar_above(title: str, room: int) -> dict[str, Any]:
    """The scale from none to all, above the right end of the cells, where it takes none of their width.

    Args:
        title: what the colours are of.
        room: pixels between the scale and the cells.
    """
    return {
        "orientation": "h",
        "title": {"text": title, "side": "top", "font": {"size": 12}},
        "tickformat": ".0%",
        "tickvals": [0, 0.5, 1],
        "thickness": 8,
        "len": 0.25,
        "x": 1,
        "xanchor": "right",
        "xpad": 0,
        "y": 1,
        "ypad": room,
        "yanchor": "bottom",
        "outlinewidth": 0,
    }


def _says(cells: Iterable[Cell]) -> str:
    """What the grid shows at a glance, if it does."""
    norms = {cell.variant.norm for cell in cells if cell.solved}
    return "Every variant that copies has the exact norm" if norms == {"exact"} else "Which variants copy"


def _add_frame(figure: go.Figure, place: tuple[int, int], suffix: str) -> None:
    """Around a cell whose every seed copied: its colour is much the same where two of three did."""
    x, y = place
    figure.add_shape(
        type="rect", x0=x - 0.47, x1=x + 0.47, y0=y - 0.45, y1=y + 0.45, xref=f"x{suffix}", yref=f"y{suffix}",
        line={"color": VERMILION, "width": 3},
    )  # fmt: skip


def _cell_text(cell: Cell) -> str:
    """Narrow lines: how many seeds, and how soon or how far."""
    first = f"<b>{cell.solved} of {len(cell.runs)}</b>"
    if cell.steps:
        return f"{first}<br>{_range(min(cell.steps), max(cell.steps), '.0f')}<br>steps"
    letters = cell.spread("character_accuracy")
    if letters is None:
        return f"{first}<br>diverged"
    return f"{first}<br>{_percent_range(letters)}<br>letters"


def _range(low: float, high: float, form: str) -> str:
    first, last = f"{low:{form}}", f"{high:{form}}"
    return first if first == last else f"{first}–{last}"


def _percent_range(spread: Spread) -> str:
    """As in `41–53%`. What is not all is never written as 100%."""
    low, high = (f"{min(100 * x, 99.9):.1f}" if 0.995 <= x < 1 else f"{x:.0%}"[:-1] for x in (spread.low, spread.high))
    return f"{low}%" if low == high else f"{low}–{high}%"


def _hover(cell: Cell) -> str:
    lines = [f"<b>{cell.variant}</b>, {cell.string_length} letters", f"seeds {', '.join(map(str, cell.seeds))}"]
    lines.append(f"{cell.solved} of {len(cell.runs)} reached {SOLVED:.0%} of strings")
    if cell.steps:
        lines.append(f"steps to it {Spread.of(cell.steps).show()}")
    for name, words in (
        ("character_accuracy", "letters right"),
        ("string_accuracy", "strings right"),
        ("free_running_string_accuracy", "strings right, free-running"),
    ):
        if (found := cell.spread(name)) is not None:
            lines.append(f"{words} {found.show('.1%')}")
    if cell.diverged:
        lines.append(f"{cell.diverged} diverged")
    return "<br>".join(lines)


def _panel_title(shown: Sequence[Cell], length: int) -> str:
    if not shown:
        return f"{length} letters: {NO_ROW}"
    steps = max(run.row["training"]["steps"] for cell in shown for run in cell.runs)
    always = sum(cell.always for cell in shown)
    return f"{length} letters, at most {steps:,} steps: {always} of {len(shown)} variants copy in every seed"


def _grid_in_words(
    cells: Mapping[tuple[Variant, int], Cell], lengths: Sequence[int], grid: Sequence[Variant], counts: Sequence[str]
) -> str:
    parts = []
    for length, count in zip(lengths, counts, strict=True):
        shown = [cells[v, length] for v in grid if (v, length) in cells]
        copies = [cell.words() for cell in shown if cell.solved]
        waiting = len(grid) - len(shown)
        text = f"{count}. Seeds that copy: {'; '.join(copies) or 'none'}."
        parts.append(text + (f" {waiting} variants have no row yet." if waiting else ""))
    return "A grid of variants by norm and activation, one panel a string length. " + " ".join(parts)


def draw_ablation_pair(
    first: Sequence[Run],
    second: Sequence[Run],
    names: tuple[str, str],
    *,
    metric: str = "string_accuracy",
    steps: int,
    title: str = "",
) -> go.Figure:
    """Two sets of runs: a curve for each run, and beside the curves where the runs of each set end, median and range.

    Args:
        first, second: runs; one that has not ended has no final value. Either may be empty.
        names: of the two sets.
        metric: `string_accuracy` or `character_accuracy`, teacher-forced.
        steps: where the curves may end at most; the final values stand to the right of it.
        title: a line above those that say what came of the two sets.
    """
    looks = ((VERMILION, "circle", "solid"), (BLUE, "square", "dash"))
    said = [_runs_in_words(runs, metric) for runs in (first, second)]
    lines = [
        f'<span style="color:{look[0]}">{sign}</span> {name}: {words}'
        for sign, look, name, words in zip("●■", looks, names, said, strict=True)
    ]
    figure = new_figure(
        "<br>".join([title, *lines] if title else lines),
        description=f"Lines of {METRIC_NAMES[metric]} against training steps, one a run, and for each set a bar from "
        f"the smallest to the largest final value. {title}{'. ' if title else ''}{names[0]}: {said[0]}. "
        f"{names[1]}: {said[1]}.",
    )
    for number, (runs, name, (colour, symbol, dash)) in enumerate(zip((first, second), names, looks, strict=True)):
        xs: list[float | None] = []
        ys: list[float | None] = []
        texts: list[str] = []
        for run in runs:
            xs += [*(point["step"] for point in run.history), None]  # a gap between two runs
            ys += [*(point[metric] for point in run.history), None]
            texts += [f"seed {run.row['seed']}"] * (len(run.history) + 1)
        figure.add_scatter(
            x=xs,
            y=ys,
            text=texts,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 7},
            hovertemplate="%{text}, step %{x}: %{y:.1%}",
        )
        ends = _ends(runs, metric)
        figure.add_scatter(
            x=[steps * (1.06 + 0.06 * number)] if ends else [],
            y=[ends.median] if ends else [],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [ends.high - ends.median] if ends else [],
                "arrayminus": [ends.median - ends.low] if ends else [],
                "color": colour,
                "thickness": 3,
                "width": 7,
            },
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour},
            hovertemplate=f"{name}, end: %{{y:.1%}}<extra></extra>",
            showlegend=False,
        )
    if not first and not second:
        middle = {"x": steps / 2, "y": 0.5, "font": {"size": 13}}
        figure.add_annotation(text=NO_ROW, xref="x", yref="y", showarrow=False, **middle)
    figure.add_vline(x=steps * 1.03, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_hline(y=SOLVED, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="training steps; far right: final values", range=[0, steps * 1.16])
    figure.update_yaxes(title=METRIC_NAMES[metric], range=[-0.04, 1.06], tickformat=".0%")
    figure.update_layout(showlegend=False, title_font_size=14, margin={"t": 96 if title else 76})
    return figure


def _ends(runs: Sequence[Run], metric: str) -> Spread | None:
    finals = [run.row[metric] for run in runs if metric in run.row]
    return Spread.of(finals) if finals else None


def _runs_in_words(runs: Sequence[Run], metric: str) -> str:
    """How many runs copy, after how many steps, and with which accuracy they end."""
    if not runs:
        return NO_ROW
    steps = [point["step"] for run in runs if (point := run.first()) is not None]
    words = f"{len(steps)} of {len(runs)} copy"
    if steps:
        words += f" after {_range(min(steps), max(steps), ',.0f')} steps"
    if (ends := _ends(runs, metric)) is not None:
        words += f", {_percent_range(ends)} at the end"
    return words
