"""Every figure that a test of this folder draws has its legend below its title."""

from collections.abc import Iterator

import plotly.graph_objects as go
import pytest
from plotly.basedatatypes import BaseFigure

from crn_lib.viz import describe
from tests.viz.lines import legend_begins, title_ends


@pytest.fixture(autouse=True)
def legends_leave_the_title_free(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    drawn: list[go.Figure] = []
    init = BaseFigure.__init__

    def remember(figure: go.Figure, *args: object, **kwargs: object) -> None:
        init(figure, *args, **kwargs)
        drawn.append(figure)

    monkeypatch.setattr(BaseFigure, "__init__", remember)
    yield
    for figure in drawn:
        if describe(figure):
            assert title_ends(figure) <= legend_begins(figure), figure.layout.title.text
