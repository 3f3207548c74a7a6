"""The claims table as it is shown: in a lesson as a card whose rows fold open, in the README with all columns.

`workbook.collect_claims` makes the rows and writes the README and the stored lessons.
"""

import html
from collections import Counter
from urllib.parse import quote

from crn_lib.course.cards import ACCENTS, Card
from crn_lib.course.claims import VERDICTS
from crn_lib.paths import data_file
from crn_lib.sweeps import read_rows

MIME = "application/vnd.crn-claims-table+json"
SIGNS = {"same": ("✓", "right"), "different": ("✗", "wrong"), "not attempted": ("○", "neutral")}


def show_claims() -> None:
    """Show the table of all lessons, as collected from the stored ones."""
    claims_card(read_rows(data_file("claims.jsonl"))).show()


def claims_card(rows: list[dict[str, str]]) -> Card:
    """The table for a lesson: statement, verdict and a link to the cell; the numbers fold open, with no kernel."""
    count = Counter(row["verdict"] for row in rows)
    title = f"{len(rows)} rows: " + ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS)
    edge = "text-align:left;vertical-align:top;padding:3px 14px 3px 0"
    head = "".join(f'<th style="{edge}">{name}</th>' for name in ("the paper says", "we find", "tested in"))
    lines = "".join(
        f'<tr><td style="{edge}">{_statement(row)}</td>'
        f'<td style="{edge};white-space:nowrap">{_verdict(row)}</td><td style="{edge}">{_link(row)}</td></tr>'
        for row in rows
    )
    body = f'<table style="margin:4px 0;font-size:inherit"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
    plain = "\n".join([title, *(_plain(row) for row in rows)])
    return Card(title, body, plain, data={MIME: {"rows": len(rows)}})


def _statement(row: dict[str, str]) -> str:
    words = html.escape(row["paper"])
    if not row["notebook"]:
        return words
    number = f"{row['ours']}. Over: {row['spread']}. On: {row['device']}. In the paper: {row['where']}."
    return f'<details><summary style="cursor:pointer">{words}</summary><div>{html.escape(number)}</div></details>'


def _verdict(row: dict[str, str]) -> str:
    sign, accent = SIGNS[row["verdict"]]
    return f'<b style="color:{ACCENTS[accent]}">{sign}</b> {row["verdict"]}'


def _link(row: dict[str, str]) -> str:
    if not row["notebook"]:
        return f"lesson {row['lesson']}, to come"
    # JupyterLab's name for a heading: its words with hyphens between them.
    place = f"{row['notebook']}.ipynb#{quote(row['cell'].replace(' ', '-'))}"
    return f'<a href="{place}">{row["lesson"]} · {html.escape(row["cell"])}</a>'


def _plain(row: dict[str, str]) -> str:
    tested = f"{row['ours']} ({row['spread']}; {row['device']}) | " if row["notebook"] else ""
    return f"{row['lesson']} | {row['paper']} | {tested}{row['verdict']}"


def claims_markdown(rows: list[dict[str, str]]) -> str:
    """The table for the README, with everything that a row says."""
    lines = ["| the paper says | we measured | over | on | verdict | tested in |", "|---|---|---|---|---|---|"]
    for row in rows:
        place = f"lesson {row['lesson']}, to come"
        if row["notebook"]:
            place = f"[{row['lesson']} · {row['cell']}](notebooks/{row['notebook']}.ipynb)"
        verdict = f"{SIGNS[row['verdict']][0]} {row['verdict']}"
        cells = (row["paper"], row["ours"], row["spread"], row["device"], verdict, place)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") or "–" for cell in cells) + " |")
    return "\n".join(lines)
