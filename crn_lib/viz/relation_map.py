"""Who every written letter listens to: a map of its pairs, and what was written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from crn_lib.viz.contrast import as_text
from crn_lib.viz.theme import BLUE, GREEN, INK, VERMILION, new_figure

MAP_NAMES = {
    "correlation": "correlation of the pair",
    "scale": "scale of the pair",
    "share": "share of the output",
    "weight": "attention weight",
}
NOTHING = "rgba(128, 128, 128, 0.10)"
DIVERGING = [[0, VERMILION], [0.5, NOTHING], [1, BLUE]]
GROWING = [[0, NOTHING], [1, VERMILION]]


@dataclass(frozen=True)
class RelationMap:
    """One number for every pair of a block, for one string.

    Attributes:
        name: which, a key of `MAP_NAMES`.
        senders: what stands at every position, one character or mark each.
        wanted: what each writing position must write.
        values: a row for each writing position, `None` for a sender that it does not see.
        sources: for each the position it must copy from.
        chosen: for each the sender that stands out (the most anti-aligned, or the most attended).
        written: what was written; empty if nothing is to be said about it.
        dropped: pairs that are missing, as `(row, sender)`.
    """

    name: str
    senders: Sequence[str]
    wanted: Sequence[str]
    values: Sequence[Sequence[float | None]]
    sources: Sequence[int]
    chosen: Sequence[int]
    written: Sequence[str] = ()
    dropped: Sequence[tuple[int, int]] = field(default=())

    @property
    def found(self) -> int:
        """Letters (EOS not counted) whose chosen sender is the source."""
        return sum(a == b for a, b in zip(self.chosen[:-1], self.sources[:-1], strict=True))

    @property
    def right(self) -> int:
        """Tokens written that are right."""
        return sum(a == b for a, b in zip(self.written, self.wanted, strict=True))


def draw_relation_map(shown: RelationMap, *, title: str = "") -> go.Figure:
    """Rows are the letters being written, columns the positions they hear; a ring on the sender that stands out.

    Args:
        title: before what is counted.
    """
    rows, columns = len(shown.wanted), len(shown.senders)
    letters = rows - 1
    counted = f"the ring is the source for {shown.found} of {letters} letters"
    if shown.written:
        counted += f"; {shown.right} of {rows} tokens right"
    figure = new_figure(
        f"{title}{':<br>' if title else ''}{counted}",
        description=f"A map of the {MAP_NAMES[shown.name]}, one row per token written, one column per position. "
        f"For the {letters} letters, {counted}." + _dropped_words(shown),
        height=110 + 21 * rows,
    )
    diverging = shown.name == "correlation"
    largest = max((v for row in shown.values for v in row if v is not None), default=1.0)
    figure.add_heatmap(
        z=[  # a dropped pair is an empty cell
            [None if (row, sender) in shown.dropped else value for sender, value in enumerate(values)]
            for row, values in enumerate(shown.values)
        ],
        colorscale=DIVERGING if diverging else GROWING,
        zmin=-1 if diverging else 0,
        zmax=largest if shown.name == "scale" else 1,
        xgap=1,
        ygap=1,
        hovertemplate="position %{x}: %{z:.2f}<extra></extra>",
        colorbar={"title": {"text": MAP_NAMES[shown.name], "side": "right"}, "thickness": 12, "x": 1.02},
    )
    figure.add_scatter(
        x=list(shown.chosen),
        y=list(range(rows)),
        mode="markers",
        marker={"symbol": "circle-open", "size": 15, "color": INK, "line": {"width": 2}},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[sender for _, sender in shown.dropped],
        y=[row for row, _ in shown.dropped],
        mode="markers",
        marker={"symbol": "x-thin", "size": 13, "color": INK, "line": {"width": 3, "color": INK}},
        hoverinfo="skip",
    )
    says = list(shown.written) or list(shown.wanted)
    right = [a == b for a, b in zip(says, shown.wanted, strict=True)]
    figure.add_scatter(
        x=[columns + 0.1] * rows,
        y=list(range(rows)),
        mode="text",
        text=[f"<b>{_escape(said)}</b> {'' if good else '✗'}" for said, good in zip(says, right, strict=True)],
        textposition="middle right",
        textfont={
            "family": "monospace",
            "size": 14,
            "color": [as_text(GREEN if good else VERMILION) for good in right],
        },
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.update_xaxes(
        tickvals=list(range(columns)),
        ticktext=[_escape(sender) for sender in shown.senders],
        range=[-0.6, columns + 1.4],
        showgrid=False,
        ticks="",
        tickangle=0,
        title="what it hears, by position",
    )
    figure.update_yaxes(
        tickvals=list(range(rows)),
        ticktext=[_escape(token) for token in shown.wanted],
        range=[rows - 0.4, -0.6],
        showgrid=False,
        ticks="",
        title="must write",
    )
    figure.update_layout(showlegend=False, margin={"l": 60, "r": 90, "t": 56, "b": 52}, hovermode="closest")
    return figure


def _dropped_words(shown: RelationMap) -> str:
    if not shown.dropped:
        return ""
    pairs = ", ".join(f"position {sender} for token {row + 1}" for row, sender in shown.dropped)
    return f" Dropped: {pairs}. Written: {''.join(shown.written)}."


def _escape(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
