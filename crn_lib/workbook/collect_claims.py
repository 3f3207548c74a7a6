"""The claims tables: every statement, the cells that test it, our numbers, and whether the two agree.

`crn publish claims` collects the rows from the stored lessons into `figures/data/claims.jsonl` and writes the tables
anew where they are shown: in `docs/claims.md`, and in the stored output of the lesson that calls
`course.show_claims()`. Nothing is executed, and the rows depend on nothing that is written, so the order of refreshing
lessons does not matter.
"""

import json
from pathlib import Path
from typing import Any

import nbformat

from crn_lib.course import claims, claims_table
from crn_lib.files import replace_text
from crn_lib.workbook.generated import text_between
from crn_lib.workbook.runner import find_lessons

COMMAND = "crn publish claims"
PAGE = "docs/claims.md"
START, END = f"<!-- claims: written by `{COMMAND}` -->", "<!-- end of claims -->"

# What the paper says and no lesson tests yet: its place, the lesson that will, and the statement in our words. A lesson
# that claims a statement in these words takes it off this list.
TO_BE_TESTED = (
    (
        "07",
        "abstract; ablation study",
        "The exponential is indispensable: with no other activation does a network copy as a Transformer does",
    ),
    (
        "07",
        "abstract; ablation study",
        "Normalising before the activation is indispensable: without it no network copies as a Transformer does",
    ),
    ("09", "abstract; section 4", "The CausalRN copies as well as a Transformer at all lengths from 16 to 256 letters"),
    ("10", "abstract", "What copying takes tells what strong retrieval from the context takes"),
)


def claims_in(lesson: Path) -> list[dict[str, Any]]:
    """The rows that a stored lesson contributes, in its order."""
    cells = nbformat.read(lesson, as_version=4).cells
    found = (output.get("data", {}).get(claims.MIME) for cell in cells for output in cell.get("outputs", []))
    return [dict(row) for row in found if row]


def collect(notebooks: Path) -> list[dict[str, Any]]:
    """All rows in the lessons' order, those no lesson tests yet among them: keys as in `claim`, and `notebook`."""
    lessons = find_lessons(notebooks)
    rows = [{"notebook": lesson.stem, **row} for lesson in lessons for row in claims_in(lesson)]
    tested = {row["paper"] for row in rows}
    nothing = dict.fromkeys(("notebook", "cell", "ours", "spread", "device"), "")
    for lesson, where, paper in TO_BE_TESTED:
        if paper not in tested:
            own = {"lesson": lesson, "about": "paper", "paper": paper, "where": where, "agrees": None}
            rows.append({**nothing, **own})
    return sorted(rows, key=lambda row: row["lesson"])


def overdue(notebooks: Path) -> list[str]:
    """Statements that a lesson was to test which is there and does not."""
    there = {lesson.stem[:2] for lesson in find_lessons(notebooks)}
    rows = [row for row in collect(notebooks) if not row["notebook"] and row["lesson"] in there]
    return [f"lesson {row['lesson']} is there and does not claim {row['paper']!r}" for row in rows]


def stale(root: Path) -> dict[Path, str]:
    """The files of a workbook that do not say what its stored lessons hold, with what they should contain.

    Raises:
        ValueError: `docs/claims.md` has lost the marks between which the tables stand.
    """
    rows = collect(root / "notebooks")
    wanted = {root / "figures/data/claims.jsonl": "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)}
    page = root / PAGE
    wanted[page] = text_between(page, START, END, claims_table.claims_markdown(rows))
    for lesson in find_lessons(root / "notebooks"):
        notebook = nbformat.read(lesson, as_version=4)
        if _write_table(notebook, rows):
            wanted[lesson] = nbformat.writes(notebook) + "\n"
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text}


def _write_table(notebook: Any, rows: list[dict[str, str]]) -> bool:
    """Put these rows into the notebook's stored tables; whether it has one."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    tables = [output for output in outputs if claims_table.MIME in output.get("data", {})]
    for output in tables:
        output.data = nbformat.from_dict(claims_table.claims_card(rows).bundle())
    return bool(tables)


def update(root: Path) -> list[Path]:
    """Write what is stale, and return it."""
    texts = stale(root)
    for path, text in texts.items():
        replace_text(path, text)
    return list(texts)
