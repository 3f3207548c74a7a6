"""Where the lines of a title end and those of a legend begin, in a narrow window."""

import math

import plotly.graph_objects as go

from crn_lib.viz.above import height_of_legend


def title_ends(figure: go.Figure) -> float:
    """Pixels from the top; where no place is set, plotly puts the first line in the middle of the upper margin."""
    title = figure.layout.title
    size, more = title.font.size, 1.3 * title.font.size * title.text.count("<br>")
    return (14 + 1.3 * size if title.y == 1 else figure.layout.margin.t / 2 + 0.5 * size) + more


def legend_begins(figure: go.Figure) -> float:
    """Pixels from the top, of a legend above the panels; infinite for any other."""
    legend, layout = figure.layout.legend, figure.layout
    above = legend.orientation == "h" and legend.yanchor == "bottom" and (legend.y or 0) >= 1
    if not above or not (tall := height_of_legend(figure)):
        return math.inf
    panels = layout.height - layout.margin.t - layout.margin.b
    return round(layout.margin.t - (legend.y - 1) * panels - tall, 6)
