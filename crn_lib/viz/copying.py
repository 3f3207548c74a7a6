"""A string being copied, and the task's tokens and targets."""

from collections.abc import Sequence

import plotly.graph_objects as go
import torch

from crn_lib.config import require_whole
from crn_lib.tasks import NOT_SCORED
from crn_lib.tasks.copying import BOS, EOS, SEP, CopyingTask
from crn_lib.tasks.evaluate import CopyTrace
from crn_lib.viz.theme import BLUE, GREEN, INK, VERMILION, need, new_figure

EMPTY, PLAIN, MARK, RIGHT, WRONG = range(5)
CELL_COLOURS = (
    "rgba(128, 128, 128, 0.05)",
    "rgba(128, 128, 128, 0.16)",
    "rgba(0, 114, 178, 0.22)",
    "rgba(0, 158, 115, 0.30)",
    "rgba(213, 94, 0, 0.38)",
)


def _cells(
    rows: Sequence[Sequence[tuple[str, int | None]]], heights: Sequence[float], hover: Sequence[Sequence[str]]
) -> go.Heatmap:
    """Rows of coloured cells with a text each, or of nothing; `heights` are the rows' centres, lowest first."""
    steps = [(edge / len(CELL_COLOURS), c) for i, c in enumerate(CELL_COLOURS) for edge in (i, i + 1)]
    return go.Heatmap(
        z=[[code for _, code in row] for row in rows],
        text=[[f"<b>{_escape(text)}</b>" for text, _ in row] for row in rows],
        hovertext=hover,
        hoverinfo="text",
        texttemplate="%{text}",
        textfont={"family": "monospace", "size": 15, "color": INK},
        y=heights,
        colorscale=steps,
        zmin=-0.5,
        zmax=len(CELL_COLOURS) - 0.5,
        showscale=False,
        xgap=3,
        ygap=3,
    )


def draw_copy(trace: CopyTrace, written: int) -> go.Figure:
    """The string above, what the model has written of it below, and how sure it was of each letter.

    Args:
        trace: from `crn_lib.tasks.evaluate.trace_copy`.
        written: how many tokens the model has written so far; more than there are counts as all.
    """
    require_whole("written", written, least=0)
    asked, answer = trace.text + ">", trace.written
    written = min(written, len(answer))
    codes = [RIGHT if a == b else WRONG for a, b in zip(asked, answer, strict=True)]
    right = codes[:written].count(RIGHT)
    figure = new_figure(
        f"{written} of {len(asked)} tokens written, {right} right; memory: {trace.state_bytes[written]:,} bytes",
        description=(
            f"Asked to copy {trace.text!r}, the model has written {answer[:written]!r}; "
            f"{right} of {written} tokens are right."
        ),
        height=300,
    )
    places = list(range(len(asked)))
    figure.add_bar(
        x=places,
        y=[p if place < written else 0 for place, p in enumerate(trace.probabilities)],
        marker_color=[GREEN if code == RIGHT else VERMILION for code in codes],
        hovertemplate="%{y:.1%} sure<extra></extra>",
    )
    said = [
        (letter, code) if i < written else ("", EMPTY)
        for i, (letter, code) in enumerate(zip(answer, codes, strict=True))
    ]
    figure.add_trace(
        _cells(
            [said, [(letter, PLAIN) for letter in asked]],
            [1.40, 1.80],
            [[f"written: {text}" if text else "not yet written" for text, _ in said], [f"to copy: {a}" for a in asked]],
        )
    )
    figure.update_xaxes(range=[-0.6, len(asked) - 0.4], showticklabels=False, ticks="", showgrid=False)
    figure.update_yaxes(
        range=[0, 2.0],
        tickvals=[0, 0.5, 1, 1.40, 1.80],
        ticktext=["0%", "50%", "100% sure", "written", "to copy"],
        ticks="",
        showgrid=False,
    )
    figure.update_layout(margin={"l": 90, "t": 48, "b": 16}, showlegend=False)
    return figure


def draw_task_layout(task: CopyingTask, tokens: Sequence[int], targets: Sequence[int]) -> go.Figure:
    """One problem: the tokens the model sees and, under each, what it is scored on there.

    Args:
        task: turns ids into letters.
        tokens, targets: one row each of `CopyingTask.sample`.
    """
    need(tokens, "token")
    marks = {BOS: "BOS", SEP: "SEP", EOS: "EOS"}
    seen = [marks.get(t) or task.decode(torch.tensor([t])) for t in tokens]
    wanted = ["" if t == NOT_SCORED else marks.get(t) or task.decode(torch.tensor([t])) for t in targets]
    scored = sum(bool(w) for w in wanted)
    figure = new_figure(
        f"Every letter must be read from where it stood: {len(seen)} tokens in, {scored} scored",
        description=f"Input: {' '.join(seen)}. Scored from SEP on: {' '.join(w for w in wanted if w)}. "
        "An arrow leads from every letter to be said to the cell it must be read from.",
        height=270,
    )
    figure.add_trace(
        _cells(
            [
                [(w, RIGHT if w else EMPTY) for w in wanted],
                [("", None)] * len(seen),
                [(s, MARK if s in marks.values() else PLAIN) for s in seen],
            ],
            [0, 1, 2],
            [
                [f"must say {w}" if w else "not scored" for w in wanted],
                [""] * len(seen),
                [f"sees {s}" for s in seen],
            ],
        )
    )
    first = tokens.index(SEP)
    for letter in range(1, first):  # from where a letter must be said to where it must be read
        arrow = {"axref": "x", "ayref": "y", "arrowcolor": BLUE, "arrowwidth": 1.5, "arrowhead": 2, "text": ""}
        figure.add_annotation(x=letter, y=1.5, ax=first + letter - 1, ay=0.5, **arrow)
    figure.update_xaxes(title="position", dtick=2, showgrid=False)
    figure.update_yaxes(tickvals=[0, 2], ticktext=["must say", "sees"], showgrid=False, ticks="")
    figure.update_layout(margin={"l": 80, "t": 44, "b": 44})
    return figure


def _escape(text: str) -> str:
    return {"<": "&lt;", ">": "&gt;"}.get(text, text)
