"""The claims tables: in a lesson a card whose rows fold open, in `docs/claims.md` all numbers.

A statement is one row, with one verdict over all lessons that test it. `workbook.collect_claims` makes the rows and
writes the page and the stored lessons.
"""

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from crn_lib.course.cards import ACCENTS, Card
from crn_lib.course.claims import ABOUT, AGREES, verdict_word
from crn_lib.experiments.verdicts import Verdict, all_of
from crn_lib.paths import data_file
from crn_lib.sweeps import read_rows

MIME = "application/vnd.crn-claims-table+json"
SPOILER = "Open the tables. They give away what later lessons ask you to predict."
SIGNS = {True: ("✓", "right"), False: ("✗", "wrong"), None: ("○", "neutral")}

Row = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """One statement and the rows of all cells that test it; a row without a notebook is a test to come."""

    about: str
    words: str
    rows: tuple[Row, ...]

    @property
    def verdict(self) -> Verdict:
        """Over all of them: no if one disagrees, open if one is open."""
        return all_of(row["agrees"] for row in self.rows)

    @property
    def shown(self) -> str:
        """The verdict with its sign."""
        return f"{SIGNS[self.verdict][0]} {verdict_word(self.about, self.verdict)}"


def statements(rows: Iterable[Row], about: str) -> list[Statement]:
    """Each statement of one kind once, in the order of the lessons."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row["about"] == about:
            groups.setdefault(row["paper"], []).append(row)
    return [Statement(about, words, tuple(own)) for words, own in groups.items()]


def show_claims() -> None:
    """Show the tables of all lessons, as collected from the stored ones."""
    claims_card(read_rows(data_file("claims.jsonl"))).show()


def summary(rows: Iterable[Row]) -> str:
    """How many statements of the paper there are, and how many have which verdict."""
    found = statements(rows, "paper")
    count = Counter(statement.verdict for statement in found)
    return f"{len(found)} statements of the paper: " + ", ".join(f"{count[v]} {word}" for v, word in AGREES.items())


def claims_card(rows: list[Row]) -> Card:
    """The tables for a lesson: statement, verdict and links to the cells; the numbers fold open, with no kernel."""
    edge = "text-align:left;vertical-align:top;padding:3px 14px 3px 0"
    body, plain = "", [summary(rows)]
    for about, heading in ABOUT.items():
        found = statements(rows, about)
        if not found:
            continue
        head = "".join(f'<th style="{edge}">{name}</th>' for name in (html.escape(heading), "we find", "tested in"))
        lines = "".join(
            f'<tr><td style="{edge}">{_folded(each)}</td><td style="{edge};white-space:nowrap">{_verdict(each)}</td>'
            f'<td style="{edge}">{"<br>".join(dict.fromkeys(map(_link, each.rows)))}</td></tr>'
            for each in found
        )
        table = f'<table style="margin:4px 0;font-size:inherit"><thead><tr>{head}</tr></thead>'
        body += f"{table}<tbody>{lines}</tbody></table>"
        plain += [heading, *(f"{each.words} | {each.shown}{''.join(map(_plain, each.rows))}" for each in found)]
    # Folded as a whole: the first lesson shows it, and it tells what later lessons ask the reader to predict.
    folded = f'<details><summary style="cursor:pointer">{SPOILER}</summary>{body}</details>'
    return Card(summary(rows), folded, "\n".join(plain), data={MIME: {"rows": len(rows)}})


def _folded(statement: Statement) -> str:
    words = html.escape(statement.words)
    numbers = "".join(f"<div>{html.escape(_numbers(row))}</div>" for row in statement.rows if row["notebook"])
    if not numbers:
        return words
    return f'<details><summary style="cursor:pointer">{words}</summary>{numbers}</details>'


def _numbers(row: Row) -> str:
    verdict = verdict_word(row["about"], row["agrees"])
    where = f"Over: {row['spread']}. On: {row['device']}. Where: {row['where']}."
    return f"Lesson {row['lesson']}: {verdict}. {row['ours']}. {where}"


def _verdict(statement: Statement) -> str:
    sign, accent = SIGNS[statement.verdict]
    return f'<b style="color:{ACCENTS[accent]}">{sign}</b> {verdict_word(statement.about, statement.verdict)}'


def _link(row: Row) -> str:
    if not row["notebook"]:
        return f"lesson {row['lesson']}, to come"
    # JupyterLab's name for a heading: its words with hyphens between them.
    place = f"{row['notebook']}.ipynb#{quote(row['cell'].replace(' ', '-'))}"
    return f'<a href="{place}">{row["lesson"]} · {html.escape(row["cell"])}</a>'


def _plain(row: Row) -> str:
    return f"\n  {row['lesson']} | " + (
        f"{row['ours']} ({row['spread']}; {row['device']})" if row["notebook"] else "to come"
    )


def claims_markdown(rows: list[Row]) -> str:
    """The tables for `docs/claims.md`: statement and verdict, then under each table the numbers, one line a cell."""
    parts = [f"{summary(rows)}."]
    for about, heading in ABOUT.items():
        found = statements(rows, about)
        if not found:
            continue
        parts += [f"## {heading}", "\n".join(["| | statement | we find | tested in |", "|---|---|---|---|"])]
        parts[-1] += "".join(f"\n{_line(number, each)}" for number, each in enumerate(found, start=1))
        parts += [f"**{number}. {each.words}**\n\n{_measured(each)}" for number, each in enumerate(found, start=1)]
    return "\n\n".join(parts)


def _line(number: int, statement: Statement) -> str:
    places = ", ".join(dict.fromkeys(_place(row) for row in statement.rows))
    words = statement.words.replace("|", "\\|")
    return f"| {number} | {words} | {statement.shown} | {places} |"


def _place(row: Row) -> str:
    if not row["notebook"]:
        return f"lesson {row['lesson']}, to come"
    return f"[{row['lesson']}](../notebooks/{row['notebook']}.ipynb)"


def _measured(statement: Statement) -> str:
    lines = []
    for row in statement.rows:
        if not row["notebook"]:
            lines.append(f"- No lesson tests it yet ({row['where']}).")
            continue
        verdict = verdict_word(row["about"], row["agrees"])
        lines.append(f"- {_place(row)}, {row['cell']} ({row['where']}): *{verdict}.* {row['ours']}.")
        lines.append(f"  Over: {row['spread']}. On: {row['device']}.")
    return "\n".join(lines)
