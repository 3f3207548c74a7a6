"""Small tables of numbers as coloured cells: one receiver's way to its mean, and a table of pairs with its factors."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from crn_lib.viz.pair import HIGH, LOW, MIDDLE
from crn_lib.viz.theme import INK, need, new_figure

Rows = Sequence[Sequence[float]]
GAP = 1.1
"""Between two blocks, in cells: room for a sign."""


def draw_mechanism(steps: Mapping[str, Rows], signs: Sequence[str], *, title: str) -> go.Figure:
    """Blocks of rows from left to right, a sign between two of them: what is done to a receiver and its senders.

    Args:
        steps: the words above a block to its rows; a block with one row stands in the middle of the others' height.
        signs: between the blocks, one less than there are.
        title: a sentence.
    """
    need(steps, "step")
    tall = max(len(rows) for rows in steps.values())
    words = "; ".join(f"{name}: {_in_words(rows)}" for name, rows in steps.items())
    figure = new_figure(title, description=f"{title.replace('<br>', ' ')}. {words}.", height=120 + 44 * tall)
    left = 0.0
    for number, (name, rows) in enumerate(steps.items()):
        wide, top = len(rows[0]), (tall - len(rows)) / 2
        _add_cells(figure, rows, left, [top + k for k in range(len(rows))])
        _write(figure, left + (wide - 1) / 2, -0.95, f"<b>{name}</b>")
        left += wide - 1 + GAP
        if number < len(signs):
            _write(figure, left - GAP / 2 + 0.25, (tall - 1) / 2, f"<b>{signs[number]}</b>", size=18)
            left += 0.5
    hidden = {"visible": False, "showgrid": False}
    figure.update_xaxes(range=[-0.6, left - GAP + 0.6 - 0.0], **hidden)
    figure.update_yaxes(range=[tall - 0.4, -1.5], **hidden)
    figure.update_layout(showlegend=False, margin={"l": 10, "r": 10, "t": 60, "b": 10})
    return figure


def draw_factor_table(
    values: Rows, above: Sequence[float], left: Sequence[float], *, names: tuple[str, str], title: str
) -> go.Figure:
    """A causal table of pairs: a number above each sender, one beside each receiver, dots for pairs of the future.

    Args:
        values: `f(a_i + b_j)`, one row for each receiver.
        above, left: what belongs to each sender and to each receiver: their factors, where there are any.
        names: of the numbers above and on the left.
        title: a sentence.
    """
    n = len(values)
    seen: list[list[float | None]] = [
        [value if j <= i else None for j, value in enumerate(r)] for i, r in enumerate(values)
    ]
    rows = [[v for v in row if v is not None] for row in seen]
    figure = new_figure(
        title,
        description=f"{title.replace('<br>', ' ')}. {names[0]}: {_in_words([above])}; {names[1]}: {_in_words([left])}; "
        f"rows of the table: {_in_words(rows)}.",
        height=110 + 44 * (n + 1),
    )
    _add_cells(figure, seen, 0, list(range(n)))
    for rows_of, x, heights, fill in (([above], 0, [-1.35], LOW), ([[v] for v in left], -1.35, list(range(n)), HIGH)):
        _add_cells(figure, rows_of, x, heights, fill=fill)
    _write(figure, (n - 1) / 2, -2.1, names[0])
    _write(figure, -1.35, -0.8, names[1])
    figure.update_xaxes(range=[-3.2, n - 0.4], visible=False)
    figure.update_yaxes(range=[n - 0.4, -2.5], visible=False)
    figure.update_layout(showlegend=False, margin={"l": 10, "r": 10, "t": 60, "b": 10})
    return figure


def _add_cells(
    figure: go.Figure, rows: Sequence[Sequence[float | None]], left: float, heights: Sequence[float], fill: str = ""
) -> None:
    """Numbers in cells, coloured by sign and size or all alike; an empty cell shows a dot."""
    largest = max((abs(v) for row in rows for v in row if v is not None), default=1.0) or 1.0
    figure.add_heatmap(
        x=[left + k for k in range(len(rows[0]))],
        y=list(heights),
        z=[[0.0 if v is None else v for v in row] for row in rows],
        text=[["·" if v is None else f"<b>{_short(v)}</b>" for v in row] for row in rows],
        texttemplate="%{text}",
        textfont={"color": INK, "size": 12},
        colorscale=[[0, fill], [1, fill]] if fill else [[0, LOW], [0.5, MIDDLE], [1, HIGH]],
        zmin=-largest,
        zmax=largest,
        dx=1,
        dy=1,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )


def _write(figure: go.Figure, x: float, y: float, text: str, *, size: int = 13) -> None:
    figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": size})


def _in_words(rows: Rows) -> str:
    return " / ".join(", ".join(_short(value) for value in row) for row in rows)


def _short(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0").replace("-", "−")
    return "0" if text == "−0" else text
