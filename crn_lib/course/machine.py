"""The machine's report as a card in a lesson."""

from crn_lib.course.cards import Card, table
from crn_lib.doctor import examine


def show_findings() -> None:
    """Show what `crn doctor` finds."""
    findings = examine()
    missing = sum(finding.state == "missing" for finding in findings)
    rows = [[finding.state, finding.what, finding.detail] for finding in findings if finding.what != "Python"]
    title = f"{missing} missing" if missing else "Everything the lessons need is here"
    Card(title, table(["", "what", "found"], rows), title, "wrong" if missing else "right").show()
