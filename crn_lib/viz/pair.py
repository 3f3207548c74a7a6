"""One receiver and one sender: their rows, the sum, the activation, and the table of all pairs around them."""

import re
from collections.abc import Sequence

import plotly.graph_objects as go

from crn_lib.viz.theme import BLUE, GREY, INK, VERMILION, new_figure

BAR, BAR_LABEL = 1.6, 0.5
"""Length of the longest bar beside the table, and room for the number at its end, in cells."""

BETWEEN = 2.8
"""From the table to the rows on its right, in cells: room for the rows' names."""

LOW, MIDDLE, HIGH = "rgba(0, 114, 178, 0.32)", "rgba(128, 128, 128, 0.10)", "rgba(213, 94, 0, 0.32)"

Table = Sequence[Sequence[float]]


def draw_pair(
    inputs: Sequence[float],
    a: Table,
    b: Table,
    values: Sequence[Table],
    means: Table,
    *,
    receiver: int,
    sender: int,
    channel: int,
    names: Sequence[str],
    activation: str,
    causal: bool,
    unit: str,
) -> go.Figure:
    """A pair taken apart. Left: `sigma(a_i + b_j)` of one channel for all pairs. Right: the pair's rows, by channel.

    Args:
        inputs: one number a position, drawn as bars along both sides of the table.
        a, b: receivers and senders, `length` rows of `width` numbers.
        values: `sigma(a_i + b_j)` for every pair: `values[i][j]` is a row of `width` numbers.
        means: what each receiver gets, `length` rows.
        receiver, sender: the chosen pair.
        channel: the one in the table on the left.
        names: of the channels.
        activation: name of `sigma`.
        causal: whether pairs with `j > i` are left out.
        unit: of the inputs and sums.
    """
    length, width = len(a), len(names)
    future = causal and sender > receiver
    left = length + BETWEEN
    total = [x + y for x, y in zip(a[receiver], b[sender], strict=True)]
    bent = [0.0] * width if future else list(values[receiver][sender])
    seen = f"j ≤ {receiver}" if causal else "all j"
    rows = {
        f"a<sub>{receiver}</sub>": a[receiver],
        f"b<sub>{sender}</sub>": b[sender],
        "sum": total,
        "counts 0" if future else f"{activation}(sum)": bent,
        f"mean, {seen}": means[receiver],
    }
    found = (
        f"j = {sender} is the future of i = {receiver}: this pair counts as 0"
        if future
        else f"{activation}({_signed(a[receiver][channel])} {_added(b[sender][channel])}) = "
        f"{activation}({_signed(total[channel])}) = {_signed(bent[channel])}"
    )
    figure = new_figure(
        f"receiver i = {receiver}, sender j = {sender}, channel “{names[channel]}”<br>{found}",
        description=(
            f"Receiver {receiver} ({unit}: {inputs[receiver]:g}) and sender {sender} ({unit}: {inputs[sender]:g}). "
            f"In channel {names[channel]}: {found}. The mean over {seen} is {_signed(means[receiver][channel])}. "
            "All channels: "
            + "; ".join(f"{_plain(name)} {', '.join(_signed(x) for x in row)}" for name, row in rows.items())
            + "."
        ),
        height=450,
    )
    hidden = [[causal and j > i for j in range(length)] for i in range(length)]
    cells = [[None if hidden[i][j] else values[i][j][channel] for j in range(length)] for i in range(length)]
    figure.add_trace(_cells(cells, 0, [*range(length)], f"{activation}(sum), channel {names[channel]}"))
    heights = [(i + 0.5) * length / len(rows) - 0.5 for i in range(len(rows))]
    figure.add_trace(_cells([list(row) for row in rows.values()], left, heights, "of this pair"))
    _add_inputs(figure, inputs, receiver, sender, unit)
    figure.add_scatter(
        x=[left - 0.7] * len(rows),
        y=heights,
        mode="text",
        text=list(rows),
        textposition="middle left",
        textfont={"color": INK, "size": 13},
        hoverinfo="skip",
    )
    _add_frame(figure, -0.5, length - 0.5, receiver - 0.5, receiver + 0.5, VERMILION, 1)
    _add_frame(figure, sender - 0.5, sender + 0.5, -0.5, length - 0.5, BLUE, 1)
    _add_frame(figure, sender - 0.5, sender + 0.5, receiver - 0.5, receiver + 0.5, INK, 4)
    _add_frame(figure, left + channel - 0.5, left + channel + 0.5, -0.5, length - 0.5, INK, 2)
    figure.update_xaxes(
        range=[-0.7 - BAR - BAR_LABEL, left + width - 0.4],
        tickvals=[*range(length), *(left + k for k in range(width))],
        ticktext=[*(f"j = {j}" for j in range(length)), *map(_narrow, names)],
        tickangle=0,
        tickfont={"size": 12},
        showgrid=False,
        showline=False,
        ticks="",
    )
    figure.update_yaxes(
        range=[length - 0.4, -0.7 - BAR - BAR_LABEL],
        tickvals=[*range(length)],
        ticktext=[f"i = {i}" for i in range(length)],
        showgrid=False,
        showline=False,
        ticks="",
    )
    figure.update_layout(showlegend=False, barmode="overlay", margin={"l": 56, "r": 10, "t": 60, "b": 56})
    return figure


def _cells(table: list[list[float | None]], left: float, heights: Sequence[float], hover: str) -> go.Heatmap:
    """A table of numbers, each cell coloured by sign and size; an empty cell shows a dot."""
    largest = max([abs(x) for row in table for x in row if x is not None], default=0.0) or 1.0
    return go.Heatmap(
        x=[left + k for k in range(len(table[0]))],
        y=list(heights),
        # What lies in the future has no number; it is coloured as nothing and says so.
        z=[[0.0 if x is None else x for x in row] for row in table],
        text=[["·" if x is None else f"<b>{_signed(x)}</b>" for x in row] for row in table],
        texttemplate="%{text}",
        textfont={"color": INK, "size": 12},
        colorscale=[[0, LOW], [0.5, MIDDLE], [1, HIGH]],
        zmin=-largest,
        zmax=largest,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate=f"%{{text}}<extra>{hover}</extra>",
    )


def _add_inputs(figure: go.Figure, inputs: Sequence[float], receiver: int, sender: int, unit: str) -> None:
    """The inputs as bars: over the table as senders, left of it as receivers."""
    size = BAR / (max(abs(x) for x in inputs) or 1.0)
    lengths = [-size * abs(x) for x in inputs]
    places = list(range(len(inputs)))
    text = [f"{x:g}" for x in inputs]
    shared = {
        "base": -0.6,
        "width": 0.8,
        "text": text,
        "textposition": "outside",
        "textfont": {"color": INK, "size": 12},
        "cliponaxis": False,
        "customdata": inputs,
    }
    figure.add_bar(
        x=places,
        y=lengths,
        marker_color=[BLUE if j == sender else GREY for j in places],
        hovertemplate=f"sender %{{x}}: %{{customdata}} {unit}<extra></extra>",
        **shared,
    )
    figure.add_bar(
        y=places,
        x=lengths,
        orientation="h",
        marker_color=[VERMILION if i == receiver else GREY for i in places],
        hovertemplate=f"receiver %{{y}}: %{{customdata}} {unit}<extra></extra>",
        **shared,
    )


def _add_frame(figure: go.Figure, x0: float, x1: float, y0: float, y1: float, colour: str, width: int) -> None:
    figure.add_shape(type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line={"color": colour, "width": width})


def _signed(value: float) -> str:
    """A number with at most two digits behind the point and a true minus sign."""
    digits = 0 if abs(value) >= 100 or float(value).is_integer() else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else "0"


def _added(value: float) -> str:
    return f"− {_signed(-value)}" if value < 0 else f"+ {_signed(value)}"


def _narrow(name: str) -> str:
    """A channel's name in lines that fit under a cell of a narrow figure; an operator stays with its number."""
    return re.sub(r" (?!\d)", "<br>", name)


def _plain(name: str) -> str:
    return name.replace("<sub>", "").replace("</sub>", "")
