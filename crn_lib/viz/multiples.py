"""Several settings of one figure side by side: what a widget shows, for a page without a kernel."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.viz.theme import LEFT, TEMPLATE, describe, need, new_figure

LEGEND_WIDTH = 700
"""Pixels of a line of the legend, where a figure is as narrow as its stored picture."""

COPIED_AXIS_FIELDS = (
    "title",
    "visible",
    "range",
    "type",
    "tickformat",
    "tickvals",
    "ticktext",
    "tickangle",
    "tickfont",
    "dtick",
    "showticklabels",
    "showgrid",
    "gridcolor",
    "ticks",
    "tickcolor",
    "zeroline",
    "rangemode",
    "exponentformat",
)


def draw_multiples(
    draw: Callable[..., go.Figure], settings: Mapping[str, Mapping[str, Any]], *, columns: int = 2, title: str = ""
) -> go.Figure:
    """One panel a setting, each drawn by the same `draw_*` function a widget uses.

    Args:
        draw: the drawing function.
        settings: panel title to the function's keyword arguments.
        columns: panels in a row.
        title: of the whole figure.
    """
    need(settings, "panel")
    panels = {name: draw(**arguments) for name, arguments in settings.items()}
    rows = -(-len(panels) // columns)
    panel_height = round(0.68 * max(int(panel.layout.height) for panel in panels.values()))
    # Between two rows: tick labels and the lower panel's title, and an axis title unless one for all is said once.
    gap = 60 if _all_titled_alike(panels.values(), "xaxis") else 90
    grid = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=list(panels),
        horizontal_spacing=0.28 / columns,  # an axis title and tick labels of eight letters stand between two panels
        vertical_spacing=gap / (rows * panel_height + (rows - 1) * gap),
    )
    grid.update_annotations(font_size=14)  # the panels' titles, beside each other where the page is narrow
    description = " ".join(f"{name}: {describe(panel)}" for name, panel in panels.items())
    frame = new_figure(title, description=description)
    grid.update_layout({key: frame.layout[key] for key in ("title", "font", "paper_bgcolor", "plot_bgcolor", "meta")})
    legend = any(panel.layout.showlegend for panel in panels.values())
    lines = _legend_lines(panels.values()) if legend else 0
    widest = max(int(panel.layout.margin.l) for panel in panels.values())
    margin = {"l": max(LEFT, widest), "r": 20, "t": 80 + 26 * lines, "b": 50}
    height = margin["t"] + rows * panel_height + (rows - 1) * gap + margin["b"]
    # Above the legend, however tall that is. Plotly anchors the first line, and centres the lines on it.
    grid.update_layout(title={"y": 1, "yanchor": "top", "pad": {"t": 14 + 12 * title.count("<br>")}})
    grid.layout.template = TEMPLATE  # `update_layout` would only add to that of plotly
    grid.update_layout(height=height, showlegend=legend, margin=margin)
    if legend:  # one for all panels, between the title and theirs
        above = 1 + 24 / (height - margin["t"] - margin["b"])
        grid.update_layout(legend={"orientation": "h", "x": 0, "y": above, "yanchor": "bottom"})
    named: set[str] = set()
    for number, panel in enumerate(panels.values()):
        row, column = number // columns + 1, number % columns + 1
        for trace in panel.data:
            key = trace.name or ""
            trace.showlegend = legend and trace.showlegend is not False and bool(key) and key not in named
            named.add(key if trace.showlegend else "")
        grid.add_traces(panel.data, rows=[row] * len(panel.data), cols=[column] * len(panel.data))
        for name, update in (("xaxis", grid.update_xaxes), ("yaxis", grid.update_yaxes)):
            axis = panel.layout[name].to_plotly_json()
            inner = column > 1 if name == "yaxis" else number + columns < len(panels)
            if inner and _all_titled_alike(panels.values(), name):
                axis.pop("title", None)  # said once, at the edge
            update({field: axis[field] for field in COPIED_AXIS_FIELDS if field in axis}, row=row, col=column)
        suffix = str(number + 1) if number else ""
        for kind, add in (("shapes", grid.add_shape), ("annotations", grid.add_annotation)):
            for item in panel.layout[kind]:
                plain = item.to_plotly_json()
                for ref in ("xref", "yref"):
                    plain[ref] = plain.get(ref, ref[0]).replace(ref[0], ref[0] + suffix, 1)
                add(plain)
    return grid


def _legend_lines(panels: Iterable[go.Figure]) -> int:
    """How many lines the legend of all panels takes: letters of 7.5 pixels, and a mark of 60 before each name."""
    names = {trace.name for panel in panels for trace in panel.data if trace.name and trace.showlegend is not False}
    return max(1, -(-int(sum(60 + 7.5 * len(name) for name in names)) // LEGEND_WIDTH))


def _all_titled_alike(panels: Iterable[go.Figure], axis: str) -> bool:
    return len({panel.layout[axis].title.text for panel in panels}) == 1
