"""What the paper says beside what we measured: one row a claim, shown in the lesson and collected from all lessons."""

from crn_lib.course.cards import Card, table

MIME = "application/vnd.crn-claim+json"
VERDICTS = ("same", "different", "not attempted")


def claim(*, lesson: str, paper: str, where: str, cell: str, ours: str, spread: str, device: str, verdict: str) -> None:
    """Show one row of the claims table, and store it in the notebook for the table of all lessons.

    Args:
        lesson: its number, as in `00`.
        paper: the statement, in our words.
        where: its place in the paper.
        cell: the heading of the cell that tests it.
        ours: what was measured, with its unit.
        spread: over what (seeds, strings), as a range.
        device: what it was measured on.
        verdict: one of `VERDICTS`, computed from the measurement.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}; got {verdict!r}")
    row = {
        "lesson": lesson,
        "paper": paper,
        "where": where,
        "cell": cell,
        "ours": ours,
        "spread": spread,
        "device": device,
        "verdict": verdict,
    }
    claim_card(row).show()


def claim_card(row: dict[str, str]) -> Card:
    """One row as a card: what the paper says above what we measured, so that it reads in a narrow column too."""
    lines = [
        ["the\u00a0paper\u00a0says", f"{row['paper']} ({row['where']})"],
        ["we\u00a0measured", row["ours"]],
        ["over", row["spread"]],
        ["on", row["device"]],
        ["verdict", row["verdict"]],
    ]
    plain = f"{row['paper']} | {row['ours']} ({row['spread']}; {row['device']}) | {row['verdict']}"
    return Card("What we measured", table([], lines), plain, data={MIME: row})
