"""A statement beside what we measured: one row a claim, shown in the lesson and collected from all lessons."""

from typing import Any

from crn_lib.course.cards import Card, table

MIME = "application/vnd.crn-claim+json"

ABOUT = {
    "paper": "What the paper says",
    "around": "What is said around it: its public code, a summary of its abstract, work that it extends",
    "ours": "Statements of our own",
}
"""Whose statement a row tests, and the heading of the table it stands in."""

AGREES = {True: "same", False: "different", None: "open"}
HOLDS = {True: "holds", False: "does not hold", None: "open"}


def verdict_word(about: str, agrees: bool | None) -> str:
    """A verdict in words; whether a statement of ours holds, or whether we find the same as another's says."""
    return (HOLDS if about == "ours" else AGREES)[agrees]


def claim(
    *,
    lesson: str,
    paper: str,
    where: str,
    cell: str,
    ours: str,
    spread: str,
    device: str,
    agrees: bool | None,
    about: str = "paper",
) -> None:
    """Show one row of the claims table, and store it in the notebook for the table of all lessons.

    Args:
        lesson: its number, as in `00`.
        paper: the statement, in our words.
        where: its place in the paper.
        cell: the heading of the cell that tests it.
        ours: what was measured, with its unit.
        spread: over what (seeds, strings), as a range.
        device: what it was measured on.
        agrees: whether it agrees with the statement, as a function of `crn_lib.experiments` says; `None` if it is open.
        about: whose statement it is, a key of `ABOUT`.

    Raises:
        ValueError: `agrees` or `about` is something else.
    """
    if about not in ABOUT:
        raise ValueError(f"about must be one of {', '.join(ABOUT)}; got {about!r}")
    if not (agrees is None or isinstance(agrees, bool)):
        raise ValueError(f"agrees must be True, False or None; got {agrees!r}")
    row = {
        "lesson": lesson,
        "about": about,
        "paper": paper,
        "where": where,
        "cell": cell,
        "ours": ours,
        "spread": spread,
        "device": device,
        "agrees": agrees,
    }
    claim_card(row).show()


def claim_card(row: dict[str, Any]) -> Card:
    """One row as a card: the statement above what we measured, so that it reads in a narrow column too."""
    word = verdict_word(row["about"], row["agrees"])
    says = {"paper": "the\u00a0paper\u00a0says", "around": "said", "ours": "we\u00a0say"}[row["about"]]
    lines = [
        [says, f"{row['paper']} ({row['where']})"],
        ["we\u00a0measured", row["ours"].replace("; ", "\n")],  # one model a line
        ["over", row["spread"]],
        ["on", row["device"]],
        ["verdict", word],
    ]
    plain = f"{row['paper']} | {row['ours']} ({row['spread']}; {row['device']}) | {word}"
    return Card("What we measured", table([], lines), plain, data={MIME: row})
