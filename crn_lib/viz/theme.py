"""The house theme: a sheet of white paper on light and dark pages, safe for colour-blind readers."""

import re
from collections.abc import Iterator, Mapping, Sequence, Sized

import plotly.graph_objects as go

from crn_lib.config import require_choice
from crn_lib.models import BLOCKS
from crn_lib.viz.above import TITLE_SIZE, wrap
from crn_lib.viz.contrast import PAPER

INK = "#3f464f"
"""Text and axes: 4.5 to 1 and more on the paper and on every translucent colour of a cell."""

GRID = "rgba(128, 128, 128, 0.25)"

# Okabe and Ito's eight colours, which stay apart under every common form of colour blindness.
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#D3C229"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8A8A8A"


class _OfKinds(Mapping[str, str]):
    """One text for every kind of model there is: the kind's own, or for a kind that has none the next spare one."""

    def __init__(self, own: Mapping[str, str], spare: Sequence[str] = ()) -> None:
        self.own, self.spare = own, spare

    def __getitem__(self, kind: str) -> str:
        if kind not in BLOCKS:
            require_choice("kind", kind, tuple(self))
        if kind in self.own:
            return self.own[kind]
        place = list(self).index(kind) - len(self.own)
        return self.spare[place % len(self.spare)] if self.spare else kind.replace("_", " ")

    def __contains__(self, kind: object) -> bool:
        return kind in self.own or kind in BLOCKS

    def __iter__(self) -> Iterator[str]:
        return iter([*self.own, *(kind for kind in BLOCKS if kind not in self.own)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


KIND_COLOURS = _OfKinds(
    {
        "causal_rn": VERMILION,
        "transformer": BLUE,
        "linear_rn": ORANGE,
        "linear_transformer": SKY,
        "lstm": GREEN,
        "ssm": PURPLE,
        "sigmoid_transformer": YELLOW,
        "additive": "#8C564B",
        "delta_net": "#5F9F2F",
    },
    spare=("#7F7FFF", "#B5179E", "#3A6B35"),
)
KIND_SYMBOLS = _OfKinds(
    {
        "causal_rn": "circle",
        "transformer": "square",
        "linear_rn": "diamond",
        "linear_transformer": "cross",
        "lstm": "triangle-up",
        "ssm": "triangle-down",
        "sigmoid_transformer": "star",
        "additive": "hexagon",
        "delta_net": "hourglass",
    },
    spare=("pentagon", "x", "bowtie"),
)
KIND_NAMES = _OfKinds(
    {
        "causal_rn": "CausalRN",
        "transformer": "Transformer",
        "linear_rn": "linear RN",
        "linear_transformer": "linear Transformer",
        "lstm": "LSTM",
        "ssm": "SSM (S6)",
        "sigmoid_transformer": "sigmoid Transformer",
        "additive": "additive attention",
        "delta_net": "DeltaNet",
    }
)

HEIGHT = 380

PANEL_AXIS = {"gridcolor": GRID, "zeroline": False, "linecolor": INK, "ticks": ""}
"""An axis in the house style, for the panels that `make_subplots` adds to a figure."""

TEMPLATE = {"layout": {"xaxis": {"title": {"standoff": 6}}, "yaxis": {"title": {"standoff": 8}}}}
"""What every figure begins with. Where plotly puts the title of an axis by itself, it touches the paper's edge, or the
labels of the ticks."""

LEFT = 84
"""Pixels for the tick labels of eight letters, and the axis title beside them."""


def need(found: Sized, what: str) -> None:
    """Raise `ValueError` where there is nothing to draw: a figure without data would look as if it were one."""
    if not len(found):
        raise ValueError(f"nothing to draw: there is no {what}")


def new_figure(title: str, *, description: str, height: int = HEIGHT) -> go.Figure:
    """An empty figure in the house style.

    Args:
        title: says what is shown; a second line may come after `<br>`. Lines too long for a narrow window are broken.
        description: the figure in words, for readers who cannot see it; kept in `layout.meta`.
        height: in pixels; fixed, so that a page does not jump when a widget redraws.
    """
    axis = {**PANEL_AXIS, "ticks": "outside", "tickcolor": GRID}
    size = _title_size(title)
    layout = go.Layout(
        title={"text": wrap(title, size), "x": 0.02, "xanchor": "left", "font": {"size": size}},
        font={"color": INK, "size": 13},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        height=height,
        autosize=True,
        margin={"l": LEFT, "r": 20, "t": 64, "b": 56},
        legend={"bgcolor": "rgba(0,0,0,0)"},
        xaxis=axis,
        yaxis=axis,
        meta={"description": description},
        template=TEMPLATE,
    )
    return go.Figure(layout=layout)


def _title_size(title: str) -> float:
    """15, or less for a title that would be cut in a window of 700 pixels, where 72 letters fit; 12 at least."""
    widest = 0.0
    small = False
    for line in title.split("<br>"):
        small = small or "<sup>" in line
        widest = max(widest, len(re.sub("<[^>]*>", "", line)) * (0.7 if small else 1))
    return max(12, TITLE_SIZE * min(1, 72 / max(widest, 1)))


def describe(figure: go.Figure) -> str:
    """The figure in words, as its `draw_*` function put it."""
    meta = figure.layout.meta or {}
    return str(meta.get("description", ""))
