"""Several settings of one figure side by side: what a widget shows, for a page without a kernel."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.viz.above import put_above
from crn_lib.viz.theme import LEFT, describe, need, new_figure

PANEL_TITLE, NO_LEGEND = 24, 80
"""Pixels of a panel's title, and of the upper margin where there is no legend."""

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
    layout: dict[str, Any] = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=list(panels),
        horizontal_spacing=0.28 / columns,  # an axis title and tick labels of eight letters stand between two panels
        vertical_spacing=gap / (rows * panel_height + (rows - 1) * gap),
    ).layout.to_plotly_json()
    for panel_title in layout["annotations"]:
        panel_title["font"] = {"size": 14}  # they stand beside each other where the page is narrow
    description = " ".join(f"{name}: {describe(panel)}" for name, panel in panels.items())
    frame = new_figure(title, description=description).layout.to_plotly_json()
    layout |= {key: frame[key] for key in ("title", "font", "paper_bgcolor", "plot_bgcolor", "meta", "template")}
    legend = any(panel.layout.showlegend for panel in panels.values())
    widest = max(int(panel.layout.margin.l) for panel in panels.values())
    margin = {"l": max(LEFT, widest), "r": 20, "t": NO_LEGEND, "b": 50}
    heights = rows * panel_height + (rows - 1) * gap
    layout |= {"showlegend": legend, "margin": margin}
    # Gathered, and given to plotly once: each change of a figure that is there costs milliseconds.
    traces: list[dict[str, Any]] = []
    layout["shapes"] = []
    named: set[str] = set()
    said_once = {axis for axis in ("xaxis", "yaxis") if _all_titled_alike(panels.values(), axis)}
    for number, panel in enumerate(panels.values()):
        suffix = str(number + 1) if number else ""
        plain = panel.to_plotly_json()
        for trace in plain["data"]:
            key = trace.get("name") or ""
            shown = legend and trace.get("showlegend") is not False and bool(key) and key not in named
            named.add(key if shown else "")
            traces.append({**trace, "showlegend": shown, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"})
        for name in ("xaxis", "yaxis"):
            axis = plain["layout"][name]
            inner = number % columns > 0 if name == "yaxis" else number + columns < len(panels)
            if inner and name in said_once:
                axis.pop("title", None)  # at the edge
            layout[name + suffix] |= {field: axis[field] for field in COPIED_AXIS_FIELDS if field in axis}
        for kind in ("shapes", "annotations"):
            for item in plain["layout"].get(kind, ()):
                for ref in ("xref", "yref"):
                    item[ref] = item.get(ref, ref[0]).replace(ref[0], ref[0] + suffix, 1)
                layout[kind].append(item)
    figure = go.Figure(data=traces, layout=layout)
    put_above(figure, panel_titles=PANEL_TITLE, least=NO_LEGEND, panels=heights)
    return figure


def _all_titled_alike(panels: Iterable[go.Figure], axis: str) -> bool:
    return len({panel.layout[axis].title.text for panel in panels}) == 1
