"""How long a lesson takes: 200 words or 15 lines of code a minute, 3 for a widget; exercises as their cards say."""

import re
from collections.abc import Iterable
from typing import Any

WORDS, LINES, WIDGET = 200, 15, 3
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
NOT_WORDS = re.compile(r"\$\$.*?\$\$|\]\([^)]*\)|^\|[ :|-]+\|$", re.DOTALL | re.MULTILINE)
WIDGETS = re.compile(r"course\.([A-Z]\w+|bind|copy_widget)\(")


def is_folded(cell: Any) -> bool:
    """Whether JupyterLab shows a button in the place of the cell's code."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def is_exercise(cell: Any) -> bool:
    """Whether the reader writes this cell, or reads its card: its minutes are the card's."""
    return "raise course.NotAttempted" in cell.source or bool(re.search(r"^Difficulty ", cell.source, re.MULTILINE))


def reading_minutes(cells: Iterable[Any]) -> float:
    """Minutes for text, code and widgets; what is folded is not read."""
    minutes = 0.0
    for cell in cells:
        if is_exercise(cell):
            continue
        if cell.cell_type == "markdown":
            minutes += len(NOT_WORDS.sub(" ", FOLD.sub("", cell.source)).split()) / WORDS
        else:
            lines = [line for line in cell.source.splitlines() if line.strip()]
            minutes += 0 if is_folded(cell) else len(lines) / LINES
            minutes += WIDGET * bool(WIDGETS.search(cell.source))
    return minutes


def exercise_minutes(cells: Iterable[Any]) -> int:
    """What the cards add up to."""
    cards = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return sum(int(minutes) for minutes in re.findall(r"^Difficulty [●○]+ · (\d+) minutes", cards, re.MULTILINE))
