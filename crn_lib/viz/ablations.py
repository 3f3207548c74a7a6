"""Ablations: the whole grid from stored rows, and two variants side by side."""

from collections.abc import Iterable, Mapping, Sequence

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
from crn_lib.experiments.lengths import SOLVED, Run, Spread
from crn_lib.viz.curves import METRIC_NAMES
from crn_lib.viz.theme import BLUE, GREY, INK, VERMILION, new_figure

NOT_SOLVED_TO_SOLVED = [[0.0, "#f3e3c3"], [0.5, "#8fb8c9"], [1.0, "#00507d"]]
"""Letters right, from none to all: light to dark, so that it also reads in print and without colour."""

PANEL_HEIGHT = 330
NO_ROW = "no row yet"


def draw_ablations(
    runs: Iterable[Run], *, lengths: Sequence[int] = GRID_LENGTHS, grid: Sequence[Variant] = GRID
) -> go.Figure:
    """The grid of ablations: one panel a string length, a row for each place of the norms, a column an activation.

    A cell says how many of its seeds learnt to copy, the steps they took, or else the letters they got right, as median
    and range; its colour is the median of the letters right. A cell without a run says so.

    Args:
        runs: stored runs, as `experiments.read_runs(path, diverged=True)` gives them.
        lengths: letters in a string, one panel each.
        grid: the variants shown.
    """
    cells = ablation_cells(runs)
    places = list(dict.fromkeys(variant.place for variant in grid))
    activations = [ACTIVATION_NAMES[name] for name in GRID_ACTIVATIONS if name in {v.activation for v in grid}]
    counts = [
        f"{length} letters: {sum(c.always for c in shown)} of {len(shown)} variants copy in every seed"
        for length in lengths
        for shown in [[cells[v, length] for v in grid if (v, length) in cells]]
    ]
    figure = new_figure(
        f"Ablations: seeds that reached {SOLVED:.0%} of strings, with steps to it",
        description=_grid_in_words(cells, lengths, grid, counts),
        height=90 + PANEL_HEIGHT * len(lengths),
    )
    gap = 0.2 / len(lengths) if len(lengths) > 1 else 0.0
    tall = (1 - gap * (len(lengths) - 1)) / len(lengths)
    for number, length in enumerate(lengths):
        suffix = str(number + 1) if number else ""
        top = 1 - number * (tall + gap)
        _add_panel(figure, [v for v in grid if (v, length) in cells], cells, length, suffix)
        _add_gaps(figure, [v for v in grid if (v, length) not in cells], suffix)
        figure.layout[f"xaxis{suffix}"] = {
            "categoryorder": "array",
            "categoryarray": activations,
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
            yshift=6,
            showarrow=False,
            font={"size": 13},
        )
    figure.update_layout(margin={"l": 156, "r": 20, "t": 84, "b": 40}, showlegend=False)
    return figure


def _add_panel(
    figure: go.Figure, there: Sequence[Variant], cells: Mapping[tuple[Variant, int], Cell], length: int, suffix: str
) -> None:
    letters = {v: cells[v, length].spread("character_accuracy") for v in there}
    figure.add_heatmap(
        x=[ACTIVATION_NAMES[v.activation] for v in there],
        y=[v.place for v in there],
        z=[0.0 if (found := letters[v]) is None else found.median for v in there],
        text=[_cell_text(cells[v, length]) for v in there],
        customdata=[_hover(cells[v, length]) for v in there],
        texttemplate="%{text}",
        textfont={"size": 12},
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=NOT_SOLVED_TO_SOLVED,
        zmin=0,
        zmax=1,
        xgap=3,
        ygap=3,
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        showscale=not suffix,
        colorbar={
            "title": {"text": "letters<br>right"},
            "tickformat": ".0%",
            "thickness": 12,
            "len": 0.4,
            "y": 1,
            "yanchor": "top",
            "outlinewidth": 0,
        },
    )


def _add_gaps(figure: go.Figure, missing: Sequence[Variant], suffix: str) -> None:
    figure.add_scatter(
        x=[ACTIVATION_NAMES[v.activation] for v in missing],
        y=[v.place for v in missing],
        mode="text",
        text=[NO_ROW] * len(missing),
        textfont={"color": INK, "size": 12},
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        hoverinfo="skip",
    )


def _cell_text(cell: Cell) -> str:
    """Two lines: how many seeds, and how soon or how far."""
    first = f"<b>{cell.solved} of {len(cell.runs)}</b>"
    if cell.steps:
        return f"{first}<br>{_range(min(cell.steps), max(cell.steps), '.0f')} steps"
    letters = cell.spread("character_accuracy")
    if letters is None:
        return f"{first}<br>diverged"
    return f"{first}<br>{_range(100 * letters.low, 100 * letters.high, '.0f')}% letters"


def _range(low: float, high: float, form: str) -> str:
    first, last = f"{low:{form}}", f"{high:{form}}"
    return first if first == last else f"{first}–{last}"


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
) -> go.Figure:
    """Two sets of runs: a curve for each run, and beside the curves where the runs of each set end, median and range.

    Args:
        first, second: runs; one that has not ended has no final value. Either may be empty.
        names: of the two sets.
        metric: `string_accuracy` or `character_accuracy`, teacher-forced.
        steps: where the curves may end at most; the ranges stand behind it.
    """
    looks = ((VERMILION, "circle", "solid"), (BLUE, "square", "dash"))
    said = [_runs_in_words(runs, metric) for runs in (first, second)]
    figure = new_figure(
        "<br>".join(
            f'<span style="color:{look[0]}">{sign}</span> {name}: {words}'
            for sign, look, name, words in zip("●■", looks, names, said, strict=True)
        ),
        description=f"Lines of {METRIC_NAMES[metric]} against training steps, one a run, and a bar a set from the "
        f"smallest to the largest final value. {names[0]}: {said[0]}. {names[1]}: {said[1]}.",
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
            x=[steps * (1.06 + 0.06 * number)] * 3 if ends else [],
            y=[ends.low, ends.median, ends.high] if ends else [],
            mode="lines+markers",
            line={"color": colour, "width": 5},
            marker={
                "symbol": ["line-ew", symbol, "line-ew"],
                "size": [12, 11, 12],
                "line": {"color": INK, "width": 2},
                "opacity": 1,
            },
            hovertemplate=f"{name}, final: %{{y:.1%}}<extra></extra>",
            showlegend=False,
        )
    figure.add_vline(x=steps * 1.03, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_hline(y=SOLVED, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="training steps (right of the line: where the runs end)", range=[0, steps * 1.16])
    figure.update_yaxes(title=METRIC_NAMES[metric], range=[-0.04, 1.06], tickformat=".0%")
    figure.update_layout(showlegend=False, margin={"t": 76})
    return figure


def _ends(runs: Sequence[Run], metric: str) -> Spread | None:
    finals = [run.row[metric] for run in runs if metric in run.row]
    return Spread.of(finals) if finals else None


def _runs_in_words(runs: Sequence[Run], metric: str) -> str:
    """As in `2 of 3 copy, after 250–300 steps; letters right at the end 93–100%`."""
    if not runs:
        return NO_ROW
    steps = [point["step"] for run in runs if (point := run.first()) is not None]
    words = f"{len(steps)} of {len(runs)} copy"
    if steps:
        words += f", after {_range(min(steps), max(steps), ',.0f')} steps"
    if (ends := _ends(runs, metric)) is not None:
        words += f"; {METRIC_NAMES[metric]} at the end {_range(100 * ends.low, 100 * ends.high, '.0f')}%"
    return words
