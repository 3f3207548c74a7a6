"""Generated parts of written pages, each between two marks."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def text_between(path: Path, start: str, end: str, new: str) -> str:
    """A file's text with something new between two of its lines; both stay. Nothing is written.

    Raises:
        ValueError: the file has not both lines, or has them more than once; the message names them.
    """
    between = re.escape(start) + ".*?" + re.escape(end)
    text, found = re.subn(
        between, lambda _: f"{start}\n{new}\n{end}", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    if found != 1:
        raise ValueError(f"{path} needs the line {start} and, below it, the line {end}, once each")
    return text


def markdown_table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table as Markdown has it; a bar in a cell does not end it."""
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
