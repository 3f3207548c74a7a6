"""Three memories as rows of boxes: two rows that grow for a KV cache, one for a pool, one box for a running sum."""

from collections.abc import Sequence

import plotly.graph_objects as go

from crn_lib.units import counted
from crn_lib.viz.contrast import ink_on, on_scale
from crn_lib.viz.theme import BLUE, GREEN, KIND_COLOURS, need, new_figure

PLACES = {"keys": (4.0, BLUE), "values": (3.0, BLUE), "senders": (1.7, KIND_COLOURS["causal_rn"])}
SUM_PLACE = 0.4
SUM_SCALE = [[0.0, "#d9f2e9"], [1.0, GREEN]]


def draw_three_memories(tokens: Sequence[str], sums: Sequence[float], read: int) -> go.Figure:
    """What each memory holds after so many tokens: a box is a row of numbers.

    Args:
        tokens: one letter each.
        sums: the running sum after each token, growing: its box gets darker.
        read: how many tokens were read, at least 1.
    """
    need(tokens, "token")
    number = counted(read, "token")
    figure = new_figure(
        f"After {number}: KV cache {2 * read} rows, pool {read}, running sum 1",
        description=f"After {number} the KV cache holds {2 * read} rows, the pool {read}, and the running sum one, "
        f"which stands at {sums[read - 1]:.2f}.",
        height=250,
    )
    for place, (height, colour) in PLACES.items():
        for j in range(len(tokens)):
            _add_box(figure, j, height, tokens[j] if j < read else "", colour if j < read else "", place)
    share = (sums[read - 1] - sums[0]) / ((sums[-1] - sums[0]) or 1.0)
    _add_box(figure, 0, SUM_PLACE, f"{sums[read - 1]:.1f}", on_scale(SUM_SCALE, share), "sum")
    heights = [height for height, _ in PLACES.values()]
    figure.update_yaxes(
        range=[-0.3, 4.7],
        tickvals=[*heights, SUM_PLACE],
        ticktext=["KV cache: keys", "KV cache: values", "pool: senders", "running sum"],
        showgrid=False,
        ticks="",
    )
    figure.update_xaxes(range=[-0.6, len(tokens) - 0.4], visible=False)
    figure.update_layout(showlegend=False, margin={"l": 130, "r": 10, "t": 50, "b": 10})
    return figure


def _add_box(figure: go.Figure, x: float, y: float, text: str, colour: str, name: str) -> None:
    """A filled box with a word in it, or an empty one."""
    edges = {"x0": x - 0.42, "x1": x + 0.42, "y0": y - 0.4, "y1": y + 0.4}
    figure.add_shape(type="rect", name=name, line={"color": "#b5bac1", "width": 1}, fillcolor=colour or None, **edges)
    if text:
        figure.add_annotation(x=x, y=y, text=f"<b>{text}</b>", showarrow=False, font={"color": ink_on(colour)})
