"""What a figure sends to the browser: how costly it is to draw it again, whatever the machine."""

from collections.abc import Callable

import plotly.graph_objects as go

IN_PLACE = ["_py2js_update"]
"""All that a figure sends whose traces stay: their new numbers and the layout, in one message."""


def messages(figure: go.FigureWidget, act: Callable[[], object]) -> list[str]:
    """The names of the messages that this figure sends while `act` runs."""
    sent: list[str] = []

    def note(change: object) -> None:
        if change.new and change.name.startswith("_py2js_"):  # type: ignore[attr-defined]
            sent.append(change.name)  # type: ignore[attr-defined]

    figure.observe(note)
    act()
    figure.unobserve(note)
    return sent
