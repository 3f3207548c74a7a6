"""Where the norm stands, as a circuit: what is done once per token, and what once per pair."""

from dataclasses import dataclass, field

import plotly.graph_objects as go

from crn_lib.ops import factorises
from crn_lib.viz.theme import BLUE, INK, VERMILION, new_figure

TOKEN_FILL, PAIR_FILL, REGION_FILL = "rgba(0, 114, 178, 0.22)", "rgba(213, 94, 0, 0.30)", "rgba(213, 94, 0, 0.08)"
UPPER, MIDDLE, LOWER = 3.0, 2.0, 1.0
LEFT, NORM, PLUS, INNER, EXP, MEAN, POST, RIGHT = 0.1, 1.95, 4.3, 6.5, 9.0, 12.0, 14.8, 17.0
PAIR_EDGES = (3.15, MEAN)
HALF, WIDER, RADIUS, ROUND = 0.95, 1.25, 0.75, 11
"""Half the width of a box, of one with more words in it, and of a circle; the last in pixels too."""

PAIR_FORMULAS = {"exact": "exp LN(a + b)", "approx": "exp(LN(a) + LN(b))", "none": "exp(a + b)"}
"""What a pair contributes, for figures: the paper's three places of the norm."""

NORM_PLACES = tuple(PAIR_FORMULAS)


@dataclass
class _Board:
    """What has been put on the figure so far: boxes and circles, words, wires and arrow heads."""

    boxes: list[dict[str, object]] = field(default_factory=list)
    words: list[tuple[float, float, str]] = field(default_factory=list)
    wires: list[tuple[float | None, float | None]] = field(default_factory=list)
    heads: list[tuple[float, float, str]] = field(default_factory=list)

    def box(self, x: float, y: float, text: str, *, pair: bool = False, half: float = HALF) -> None:
        """A box around a word; dashed and red where its work is done for every pair."""
        self._frame(x - half, x + half, y, tall=0.7 if "<br>" in text else 0.5, pair=pair)
        self.words.append((x, y, f"<b>{text}</b>"))

    def mean_of_pairs(self, x: float, y: float) -> None:
        """The mean: a row is added for every pair, and their sum divided once per token."""
        self._frame(x - WIDER, x, y, tall=0.7, pair=True)
        self._frame(x, x + WIDER, y, tall=0.7, pair=False)
        self.words += [(x - WIDER / 2, y, "<b>Σ</b>"), (x + WIDER / 2, y, "<b>÷</b>")]
        self.words.append((x + 1.65, y + 1.05, "mean, j ≤ i"))

    def _frame(self, x0: float, x1: float, y: float, *, tall: float, pair: bool) -> None:
        self.boxes.append(
            {"type": "rect", "x0": x0, "x1": x1, "y0": y - tall, "y1": y + tall, "layer": "below", **_look(pair)}
        )

    def circle(self, x: float, y: float, text: str, *, pair: bool = False) -> None:
        """Two wires that meet: a sum or a product."""
        centre = {"xanchor": x, "yanchor": y, "xsizemode": "pixel", "ysizemode": "pixel"}
        size = {"x0": -ROUND, "x1": ROUND, "y0": -ROUND, "y1": ROUND}
        self.boxes.append({"type": "circle", "layer": "below", **centre, **size, **_look(pair)})
        self.words.append((x, y, f"<b>{text}</b>"))

    def wire(self, *points: tuple[float, float]) -> None:
        """A line through these points with an arrow head at its end."""
        self.wires += [*points, (None, None)]
        (x0, y0), (x1, y1) = points[-2:]
        name = "right" if x1 > x0 else "down" if y1 < y0 else "up"
        back = {"right": (-0.15, 0.0), "down": (0.0, 0.1), "up": (0.0, -0.1)}[name]
        self.heads.append((x1 + back[0], y1 + back[1], f"triangle-{name}"))

    def region(self, words: str) -> None:
        """The part that is done for every pair."""
        self.boxes.insert(
            0,
            {
                "type": "rect",
                "x0": PAIR_EDGES[0],
                "x1": PAIR_EDGES[1],
                "y0": 0.35,
                "y1": 4.05,
                "fillcolor": REGION_FILL,
                "line": {"color": VERMILION, "width": 1.5, "dash": "dot"},
                "layer": "below",
            },
        )
        self.words.append((sum(PAIR_EDGES) / 2, 3.68, words))


def draw_norm_circuit(norm: str, *, post_norm: bool = False, factored: bool = False) -> go.Figure:
    """One relation, from receiver and sender to the readout.

    Boxes with solid edges work once per token; dashed ones, in the shaded part, once for every pair. The mean is half
    in it: it adds a row for every pair.

    Args:
        norm: one of `NORM_PLACES`.
        post_norm: whether a LayerNorm is after the mean.
        factored: draw the running mean that the relation can be computed as.

    Raises:
        ValueError: an unknown norm, or the factored form of one that does not factorise.
    """
    if norm not in NORM_PLACES:
        raise ValueError(f"norm must be one of {', '.join(NORM_PLACES)}; got {norm!r}")
    if factored and not factorises(norm, "exp"):
        raise ValueError(f"norm={norm!r} does not factorise, so there is no such circuit")
    board = _Board()
    board.words += [(LEFT, UPPER, "<i>a<sub>i</sub></i>"), (LEFT, LOWER, "<i>b<sub>j</sub></i>")]
    start = LEFT + 0.5
    if norm == "approx":
        for y in (UPPER, LOWER):
            board.wire((start, y), (NORM - HALF, y))
            board.box(NORM, y, "LN")
        start = NORM + HALF
    out = _factored(board, start) if factored else _pairwise(board, start, norm)
    if post_norm:
        board.wire((out, MIDDLE), (POST - HALF, MIDDLE))
        board.box(POST, MIDDLE, "LN")
        out = POST + HALF
    board.wire((out, MIDDLE), (RIGHT - 0.5, MIDDLE))
    board.words.append((RIGHT, MIDDLE, "<i>W</i><sub>3</sub>"))
    return _drawn(board, norm, post_norm, factored)


def _look(pair: bool) -> dict[str, object]:
    """Fill and edge of what is done for every pair, or once per token."""
    line = {"color": VERMILION if pair else BLUE, "width": 1.5, "dash": "dash" if pair else "solid"}
    return {"fillcolor": PAIR_FILL if pair else TOKEN_FILL, "line": line}


def _pairwise(board: _Board, start: float, norm: str) -> float:
    """Add, perhaps normalise, exponentiate every pair, then take the mean; returns where the wire goes on."""
    board.region("every pair (<i>i</i>, <i>j</i>)")
    board.wire((start, UPPER), (PLUS, UPPER), (PLUS, MIDDLE + 0.45))
    board.wire((start, LOWER), (PLUS, LOWER), (PLUS, MIDDLE - 0.45))
    board.circle(PLUS, MIDDLE, "+", pair=True)
    at = PLUS + RADIUS
    if norm == "exact":
        board.wire((at, MIDDLE), (INNER - HALF, MIDDLE))
        board.box(INNER, MIDDLE, "LN", pair=True)
        at = INNER + HALF
    board.wire((at, MIDDLE), (EXP - HALF, MIDDLE))
    board.box(EXP, MIDDLE, "exp", pair=True)
    board.wire((EXP + HALF, MIDDLE), (MEAN - WIDER, MIDDLE))
    board.mean_of_pairs(MEAN, MIDDLE)
    return MEAN + WIDER


def _factored(board: _Board, start: float) -> float:
    """Exponentiate every token, keep a running mean of the senders', multiply once; returns where the wire goes on."""
    for y in (UPPER, LOWER):
        board.wire((start, y), (PLUS - HALF, y))
        board.box(PLUS, y, "exp")
    board.wire((PLUS + HALF, LOWER), (EXP - 0.6 - WIDER, LOWER))
    board.box(EXP - 0.6, LOWER, "mean<br>j ≤ i", half=WIDER)
    board.wire((PLUS + HALF, UPPER), (MEAN, UPPER), (MEAN, MIDDLE + 0.45))
    board.wire((EXP - 0.6 + WIDER, LOWER), (MEAN, LOWER), (MEAN, MIDDLE - 0.45))
    board.circle(MEAN, MIDDLE, "×")
    return MEAN + RADIUS


def _drawn(board: _Board, norm: str, post_norm: bool, factored: bool) -> go.Figure:
    behind = ", and a LayerNorm is after the mean" if post_norm else ""
    work = (
        "The exponentials are taken once per token, a running mean is kept of the senders', and each receiver "
        "multiplies once; nothing is done for every pair"
        if factored
        else {
            "exact": "Every pair is added, normalised and exponentiated on its own, then the mean is taken",
            "approx": "Receiver and sender are normalised before they meet; every pair is added and exponentiated",
            "none": "Nothing is normalised; every pair is added and exponentiated",
        }[norm]
    )
    figure = new_figure(f"{norm}: {PAIR_FORMULAS[norm]}", description=f"Circuit, {norm}. {work}{behind}.", height=200)
    figure.add_scatter(
        x=[x for x, _ in board.wires],
        y=[y for _, y in board.wires],
        mode="lines",
        line={"color": INK, "width": 1.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[x for x, _, _ in board.heads],
        y=[y for _, y, _ in board.heads],
        mode="markers",
        marker={"symbol": [symbol for _, _, symbol in board.heads], "size": 6, "color": INK},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[x for x, _, _ in board.words],
        y=[y for _, y, _ in board.words],
        mode="text",
        text=[text for _, _, text in board.words],
        textfont={"color": INK, "size": 11},
        hoverinfo="skip",
    )
    figure.update_layout(shapes=board.boxes, showlegend=False, margin={"l": 10, "r": 10, "t": 44, "b": 10})
    hidden = {"showgrid": False, "showticklabels": False, "ticks": "", "zeroline": False}
    figure.update_xaxes(range=[-0.3, 17.5], **hidden)
    figure.update_yaxes(range=[0.2, 4.2], **hidden)
    return figure
