"""Figures in a lesson: static ones that read without a kernel, and ones bound to controls."""

import html
import json
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import plotly.graph_objects as go
from IPython.display import display

from crn_lib.course.frontend import ALIVE_MIME, WITHOUT_KERNEL
from crn_lib.course.reachable import Reachable
from crn_lib.course.recorded import record, recording
from crn_lib.course.status import alert
from crn_lib.viz import describe

# plotly's widgets import nbformat, and jsonschema with it, which reads 38 grammars to check one kind of address that no
# notebook has: 2.4 s of every lesson's start. As if that package were not installed, which jsonschema allows.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

PLOTLY_MIME = "application/vnd.plotly.v1+json"


def show(figure: go.Figure) -> None:
    """Display a static figure, with its description as text for pages and readers that cannot show it.

    The plotly JSON is what JupyterLab draws; pictures are put beside it when the lesson is stored (`crn refresh`).
    """
    display({PLOTLY_MIME: json.loads(figure.to_json()), "text/plain": describe(figure)}, raw=True)


class BoundFigure(ipywidgets.VBox):
    """Controls (and what stands beside them) above a figure that is drawn anew, in place, whenever one changes.

    An error while drawing is shown to the reader between controls and figure, and raised again, so that nothing that
    fails looks alive and a headless run stops.

    One change is drawn at a time: JupyterLab has the kernel handle some in its main thread and some in another, and of
    two drawn at once the older could be the one that stays.
    """

    def __init__(
        self,
        draw: Callable[..., go.Figure],
        controls: dict[str, ipywidgets.Widget],
        beside: Sequence[ipywidgets.Widget] = (),
    ) -> None:
        self._draw = draw
        self._one_at_a_time = threading.RLock()
        self.controls = controls
        self.error = ipywidgets.HTML()
        self.caption = ipywidgets.HTML()
        first = draw(**self.values)
        self.figure = go.FigureWidget(first)
        self._caption(first)
        row = ipywidgets.HBox([*controls.values(), *beside], layout={"flex_flow": "row wrap", "grid_gap": "0 16px"})
        super().__init__([row, self.error, self.figure, self.caption, Reachable()])
        for control in controls.values():
            control.observe(self._changed, names="value")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        if recording() and self.controls:
            bundle |= {
                ALIVE_MIME: {"module": "sampled", "state": record(self._draw, self.controls)},
                "text/plain": WITHOUT_KERNEL,
            }
        return bundle

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _changed(self, _: Any) -> None:
        with self._one_at_a_time:
            try:
                self.draw_anew()
            except Exception as error:
                self.error.value = alert(str(error), "Cannot draw this:")
                raise
            self.error.value = ""

    def draw_anew(self) -> None:
        """Draw what the controls say now."""
        with self._one_at_a_time:
            self.redraw(self._draw(**self.values))

    def redraw(self, drawn: go.Figure) -> None:
        """Show this figure, in place."""
        with self._one_at_a_time:
            self._replace(drawn)
            self._caption(drawn)

    def _replace(self, drawn: go.Figure) -> None:
        figure = self.figure
        same = [trace.type for trace in figure.data] == [trace.type for trace in drawn.data]
        if not same:
            # Before the layout: a title must not name what is not drawn yet.
            figure.data = ()
            figure.add_traces(drawn.data)
        with figure.batch_update():
            if same:
                for old, new in zip(figure.data, drawn.data, strict=True):
                    gone = dict.fromkeys(old.to_plotly_json())  # what only the old one had, its hover and its lines
                    plain = {**gone, **new.to_plotly_json()}
                    for own in ("type", "uid"):
                        plain.pop(own, None)
                    old.update(plain, overwrite=True)
            figure.layout.update(drawn.layout, overwrite=True)

    def _caption(self, drawn: go.Figure) -> None:
        words = html.escape(describe(drawn))
        self.caption.value = f'<details><summary style="cursor:pointer">the figure in words</summary>{words}</details>'


def bind(draw: Callable[..., go.Figure], **controls: ipywidgets.Widget) -> BoundFigure:
    """A widget: `draw(**values of the controls)` again whenever a control changes.

    Args:
        draw: a pure function to a figure; its arguments are the controls' names.
        controls: ipywidgets with a `value`; use `continuous_update=False` for what takes long.
    """
    return BoundFigure(draw, controls)


class LiveFigure:
    """A figure that a long computation draws into while it runs, such as training curves."""

    def __init__(self, first: go.Figure) -> None:
        self._bound = BoundFigure(lambda: first, {})
        display(self._bound)

    def update(self, figure: go.Figure) -> None:
        """Show this figure instead."""
        self._bound.redraw(figure)

    def finish(self, figure: go.Figure) -> None:
        """Take the live figure away and leave a static one in its place, which also reads without a kernel."""
        self._bound.close()
        show(figure)
