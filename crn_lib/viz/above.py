"""What stands above the panels: the lines of a title, and below them those of a legend, each with room of its own."""

import re
from collections.abc import Sequence
from math import ceil
from typing import Any

import plotly.graph_objects as go

NARROW = 620
"""Pixels of the narrowest window a figure is drawn in; a page that has fewer scrolls it."""

TITLE_SIZE = 15
"""Of a title that has room; longer ones have smaller letters."""

LETTER, LONG_LINE = 0.54, 0.51
"""Width of a letter for its size, where the reader's fonts are wide ones, and of one of very many; tags have none."""

EDGE, LINE, CAPITALS = 14, 1.3, 0.7
"""Pixels above the title; for its size the distance of its lines, and how tall its capitals are."""

LEGEND_SIZE, MARK, BETWEEN, ROW, AROUND = 13, 40, 10, 20, 10
"""As plotly lays a legend out: the size of its letters, and pixels of a mark, between two entries, of a row, around."""


WORD = r"(?:<[^>]*>|\S)+(?:(?<=\d)\s+(?:<[^>]*>|\S)+)*\s*|\s+"
"""A number stays with its unit, and a tag may hold a space."""


def wrap(title: str, size: float) -> str:
    """The title with lines broken between words where they would be cut in a narrow window, into about equal parts."""
    lines: list[str] = []
    for line in title.split("<br>"):
        small = 0.7 if "<sup>" in "".join([*lines, line]) else 1.0
        most = (NARROW - 20) / (LONG_LINE * size * small)
        parts = ceil(_letters(line) / most)
        if parts > 1:
            most = min(most, _letters(line) / parts + 8)  # no word by itself in the last
        lines.append("")
        for word in re.findall(WORD, line):
            if _letters(lines[-1]) and _letters(lines[-1] + word.rstrip()) > most:
                lines.append("")
            lines[-1] += word
    return "<br>".join(line.rstrip() for line in lines)


def _letters(line: str) -> int:
    return len(re.sub("<[^>]*>", "", line))


def title_bottom(layout: go.Layout) -> float:
    """Pixels from the top of a figure to the end of its title, where `put_above` has put that.

    Letters count as the largest ones are, so that panels stay where they are when a control makes the title longer.
    """
    return float(EDGE + LINE * max(TITLE_SIZE, layout.title.font.size) * ((layout.title.text or "").count("<br>") + 1))


def legend_height(names: Sequence[str], room: float, *, grouped: bool = False) -> int:
    """Pixels of a horizontal legend of these entries in so many pixels; those of groups have wider gaps."""
    widths = [MARK + LETTER * LEGEND_SIZE * len(name) for name in names]
    if not grouped and sum(widths) + BETWEEN * (len(widths) - 1) >= room:
        widths = [max(widths)] * len(widths)  # more than a row stands in columns
    rows, used = 1, 0.0
    for width in widths:
        if used and used + width + (BETWEEN if grouped else 0) > room:
            rows, used = rows + 1, 0.0
        used += width + BETWEEN
    return ROW * rows + AROUND + (BETWEEN * (rows - 1) if grouped else 0)


def height_of_legend(figure: go.Figure) -> int:
    """The same of a figure's legend above its panels in a narrow window; 0 if it shows none."""
    shown = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    if not shown or not figure.layout.showlegend:
        return 0
    room = NARROW - figure.layout.margin.l - figure.layout.margin.r
    return legend_height([trace.name for trace in shown], room, grouped=any(trace.legendgroup for trace in shown))


def put_above(figure: go.Figure, *, panel_titles: int = 0, least: int = 0, panels: int = 0) -> None:
    """Put the legend, if it is shown, between the title and the panels, and give both their room in the upper margin.

    Args:
        figure: with its traces, and its left and right margin.
        panel_titles: pixels of those, below the legend.
        least: pixels of the upper margin.
        panels: pixels from the first panel to the end of the last. The figure becomes as tall as they need; if this is
            not given it stays as tall as it is.
    """
    layout = figure.layout
    legend = height_of_legend(figure)
    top = max(least, ceil(title_bottom(layout)) + legend + panel_titles)
    height = top + panels + layout.margin.b if panels else layout.height
    several = "<br>" in (layout.title.text or "")  # which plotly sets as if all but the first stood above it
    changes: dict[str, Any] = {
        "title": {"y": 1, "yanchor": "top", "pad": {"t": EDGE + (CAPITALS * layout.title.font.size if several else 0)}},
        "margin": {"t": top},
        "height": height,
    }
    if legend:
        above = 1 + panel_titles / (height - top - layout.margin.b)
        changes["legend"] = {"orientation": "h", "x": 0, "y": above, "yanchor": "bottom"}
    figure.update_layout(changes)
