"""Tables in a lesson: HTML that follows JupyterLab's theme, with the same in aligned plain text beside it."""

from collections.abc import Iterable, Sequence

from IPython.display import display

from crn_lib.course import cards


def table(headings: Sequence[object], rows: Iterable[Sequence[object]]) -> None:
    """Display a table; a number that is to have so many digits comes as text.

    Args:
        headings: one for each column; may be empty strings.
        rows: of as many cells.

    Raises:
        ValueError: a row has more or fewer cells than there are headings.
    """
    heads, lines = [str(heading) for heading in headings], [[str(cell) for cell in row] for row in rows]
    for line in lines:
        if len(line) != len(headings):
            raise ValueError(f"a row has {len(line)} cells where there are {len(headings)} headings: {line}")
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    plain = ("  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)) for line in [heads, *lines])
    page = cards.table(heads, lines)
    display({"text/html": page, "text/plain": "\n".join(line.rstrip() for line in plain)}, raw=True)
