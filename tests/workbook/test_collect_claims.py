"""The claims table: collected from stored lessons, the same wherever it is shown, and current."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crn_lib import course
from crn_lib.course import claims, claims_table
from crn_lib.course.claims import claim_card
from crn_lib.paths import workbook_folder
from crn_lib.workbook import collect_claims

ROOT = workbook_folder()


def row(lesson: str, paper: str = "It copies | well", **changed: Any) -> dict[str, Any]:
    made = {"lesson": lesson, "about": "paper", "paper": paper, "where": "abstract", "cell": "Is it <so>?"}
    return {**made, "ours": "99% to 100%", "spread": "3 seeds", "device": "cpu, float32", "agrees": True, **changed}


def lesson(path: Path, *rows: dict[str, Any], table: bool = False) -> Path:
    """A stored lesson with these claims, and with the table as it was when it was stored: empty."""
    bundles = [claim_card(each).bundle() for each in rows]
    bundles += [claims_table.claims_card([]).bundle()] if table else []
    outputs = [nbformat.v4.new_output("display_data", bundle) for bundle in bundles]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)]), path)
    return path


def test_what_was_measured_has_a_line_for_each_model() -> None:
    card = claim_card(row("10", ours="CausalRN: 99%; LSTM: 5% <1 seed>"))
    assert "CausalRN: 99%<br>LSTM: 5% &lt;1 seed&gt;</td>" in card.bundle()["text/html"]
    assert "CausalRN: 99%; LSTM: 5% <1 seed>" in card.plain


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """Two lessons, the first of them with the tables, and a page with its two marks."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / collect_claims.PAGE).write_text(
        f"# Title\n\nbefore\n\n{collect_claims.START}\nold\n{collect_claims.END}\n\nafter\n"
    )
    lesson(tmp_path / "notebooks" / "03_later.ipynb", row("03"), row("03", "It is linear", agrees=False))
    lesson(tmp_path / "notebooks" / "00_first.ipynb", row("00", "It learns"), table=True)
    return tmp_path


def stored_table(path: Path) -> dict[str, Any]:
    outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.outputs]
    (table,) = [dict(output.data) for output in outputs if claims_table.MIME in output.data]
    return table


def test_the_workbooks_table_is_what_its_stored_lessons_hold() -> None:
    names = [str(path.relative_to(ROOT)) for path in collect_claims.stale(ROOT)]
    assert names == [], f"run `{collect_claims.COMMAND}` and commit what it writes"
    assert collect_claims.overdue(ROOT / "notebooks") == [], "claim it in that lesson, or name another in TO_BE_TESTED"
    assert any("course.show_claims()" in path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_every_link_of_the_workbooks_table_leads_to_a_heading() -> None:
    rows = collect_claims.collect(ROOT / "notebooks")
    tested = [each for each in rows if each["notebook"]]
    assert len(tested) > 5
    for each in tested:
        cells = nbformat.read(ROOT / "notebooks" / f"{each['notebook']}.ipynb", 4).cells
        headings = [match for cell in cells for match in re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)]
        assert each["cell"] in headings


def test_rows_come_in_the_lessons_order_with_those_no_lesson_tests_yet(workbook: Path) -> None:
    rows = collect_claims.collect(workbook / "notebooks")
    assert [each["paper"] for each in rows[:3]] == ["It learns", "It copies | well", "It is linear"]
    assert [each["notebook"] for each in rows[:3]] == ["00_first", "03_later", "03_later"]
    pending = rows[3:]
    assert [each["paper"] for each in pending] == [paper for _, _, paper in collect_claims.TO_BE_TESTED]
    assert {each["agrees"] for each in pending} == {None} and not any(each["ours"] for each in pending)
    assert {tuple(sorted(each)) for each in pending} == {tuple(sorted(rows[0]))}


def test_a_statement_leaves_the_list_when_a_lesson_claims_it_and_is_overdue_when_its_lesson_does_not(
    workbook: Path,
) -> None:
    number, _, paper = collect_claims.TO_BE_TESTED[0]
    path = lesson(workbook / "notebooks" / f"{number}_new.ipynb", row(number, "Something else"))
    late = collect_claims.overdue(workbook / "notebooks")
    assert any(repr(paper) in each for each in late) and all(f"lesson {number}" in each for each in late)
    lesson(path, *(row(number, statement) for where, _, statement in collect_claims.TO_BE_TESTED if where == number))
    assert collect_claims.overdue(workbook / "notebooks") == []
    same = [each for each in collect_claims.collect(workbook / "notebooks") if each["paper"] == paper]
    assert [each["notebook"] for each in same] == [path.stem]


@pytest.mark.parametrize(
    ("verdicts", "over_all"),
    [((True, True), True), ((True, None), None), ((None, False), False), ((True, False), False), ((None,), None)],
)
def test_a_statement_is_one_row_with_one_verdict_over_all_lessons(
    verdicts: tuple[bool | None, ...], over_all: bool | None
) -> None:
    rows = [row(f"0{number}", notebook=f"0{number}_x", agrees=agrees) for number, agrees in enumerate(verdicts)]
    (statement,) = claims_table.statements(rows, "paper")
    assert statement.verdict is over_all and len(statement.rows) == len(verdicts)
    assert claims_table.statements(rows, "ours") == []
    assert claims_table.summary(rows).startswith("1 statements of the paper: ")


def test_updating_writes_file_page_and_stored_table_and_a_second_time_nothing(workbook: Path) -> None:
    first, later = workbook / "notebooks" / "00_first.ipynb", workbook / "notebooks" / "03_later.ipynb"
    before = later.read_bytes()
    changed = collect_claims.update(workbook)
    data, path = workbook / "figures/data/claims.jsonl", workbook / collect_claims.PAGE
    assert set(changed) == {data, path, first} and later.read_bytes() == before
    assert collect_claims.update(workbook) == [] and collect_claims.stale(workbook) == {}

    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert rows == collect_claims.collect(workbook / "notebooks")
    assert stored_table(first) == claims_table.claims_card(rows).bundle()
    page = path.read_text()
    assert page.startswith("# Title\n\nbefore\n") and page.endswith("\nafter\n") and "\nold\n" not in page
    assert r"| 2 | It copies \| well | ✓ same | [03](../notebooks/03_later.ipynb) |" in page
    assert "- [03](../notebooks/03_later.ipynb), Is it <so>? (abstract): *same.* 99% to 100%." in page
    assert "  Over: 3 seeds. On: cpu, float32." in page and "No lesson tests it yet" in page


def test_statements_that_are_not_the_papers_stand_in_tables_of_their_own(workbook: Path) -> None:
    own = (
        row("04", "We read it so", about="ours", agrees=False),
        row("04", "The code says", about="around", agrees=False),
    )
    lesson(workbook / "notebooks" / "04_more.ipynb", *own)
    rows = collect_claims.collect(workbook / "notebooks")
    page = claims_table.claims_markdown(rows)
    parts = [page.index(f"## {heading}") for heading in claims.ABOUT.values()]
    places = [page.index("| It is linear |"), page.index("| The code says |"), page.index("| We read it so |")]
    assert parts == sorted(parts) and all(part < place for part, place in zip(parts, places, strict=True))
    assert places[0] < parts[1] < places[1] < parts[2]
    assert "✗ does not hold" in page and "1 different, 4 open" in claims_table.summary(rows)


def test_one_changed_row_is_stale_wherever_it_is_shown(workbook: Path) -> None:
    collect_claims.update(workbook)
    lesson(workbook / "notebooks" / "03_later.ipynb", row("03", agrees=False))
    names = {path.name for path in collect_claims.stale(workbook)}
    assert names == {"claims.jsonl", "claims.md", "00_first.ipynb"}


def test_a_page_without_its_marks_is_refused_before_anything_is_written(workbook: Path) -> None:
    (workbook / collect_claims.PAGE).write_text("# Title\n")
    with pytest.raises(ValueError, match=r"claims\.md needs the line <!-- claims"):
        collect_claims.update(workbook)
    assert not (workbook / "figures").exists()


def test_the_card_says_all_of_it_escaped_with_a_link_to_the_heading(workbook: Path) -> None:
    bundle = claims_table.claims_card(collect_claims.collect(workbook / "notebooks")).bundle()
    page, plain = bundle["text/html"], bundle["text/plain"]
    assert plain.startswith("7 statements of the paper: 2 same, 1 different, 4 open")
    assert "It copies | well | ✓ same\n  03 | 99% to 100% (3 seeds; cpu, float32)" in plain
    assert 'href="03_later.ipynb#Is-it-%3Cso%3E%3F">03 · Is it &lt;so&gt;?</a>' in page and "<so>" not in page
    assert page.count("<details>") == 4, "one around all, and what no lesson tested has no number to unfold"
    assert page.count("✓</b> same") == 2 and page.count("✗</b> different") == 1, "a sign and a word, not colour alone"


@pytest.mark.parametrize("agrees", ["same", 1, 0.5])
def test_a_verdict_is_true_false_or_none(agrees: Any) -> None:
    with pytest.raises(ValueError, match="agrees must be True, False or None"):
        course.claim(**row("00", agrees=agrees))
    with pytest.raises(ValueError, match="about must be one of paper, around, ours"):
        course.claim(**row("00", about="theirs"))


@pytest.mark.parametrize(
    ("about", "agrees", "word"),
    [("paper", True, "same"), ("paper", False, "different"), ("ours", True, "holds"), ("around", None, "open")],
)
def test_a_claim_shows_its_verdict_in_words(about: str, agrees: bool | None, word: str) -> None:
    assert claim_card(row("00", about=about, agrees=agrees)).plain.endswith(f"| {word}")
