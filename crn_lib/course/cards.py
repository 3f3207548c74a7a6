"""Small pieces of page: HTML that follows JupyterLab's light and dark themes, with the same in plain text beside it."""

import html
from dataclasses import dataclass, field
from typing import Any

from IPython.display import display

ACCENTS = {"neutral": "#767c85", "right": "#009E73", "wrong": "#D55E00", "ask": "#0072B2"}


@dataclass(frozen=True)
class Card:
    """A titled box.

    Attributes:
        title: plain text.
        body: HTML, already escaped.
        plain: the whole card as text, for pages that show no HTML and for tests.
        accent: a key of `ACCENTS`; colour is never the only sign, the text says the same.
        data: further representations, by MIME type.
    """

    title: str
    body: str
    plain: str
    accent: str = "neutral"
    data: dict[str, Any] = field(default_factory=dict)

    def show(self) -> None:
        """Display the card below the running cell."""
        display(self.bundle(), raw=True)

    def bundle(self) -> dict[str, Any]:
        """The card by MIME type."""
        page = (
            f'<div style="border-left:4px solid {ACCENTS[self.accent]};padding:6px 14px;margin:6px 0;max-width:820px;'
            f'line-height:1.5"><div><b>{html.escape(self.title)}</b></div>{self.body}</div>'
        )
        return {"text/html": page, "text/plain": self.plain, **self.data}


def table(headings: list[str], rows: list[list[str]]) -> str:
    """An HTML table, with a line of headings if there are any; the cells are plain text and get escaped here. Their
    line feeds stay."""
    edge = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
    head = "".join(f'<th style="{edge}">{html.escape(h)}</th>' for h in headings)

    def line(row: list[str]) -> str:
        cells = "".join(f'<td style="{edge}">{html.escape(cell)}</td>' for cell in row)
        return f"<tr>{cells}</tr>".replace("\n", "<br>")

    top = f"<thead><tr>{head}</tr></thead>" if headings else ""
    return f'<table style="margin:4px 0">{top}<tbody>{"".join(map(line, rows))}</tbody></table>'
