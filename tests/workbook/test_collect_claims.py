"""The claims table: collected from stored lessons, the same wherever it is shown, and current."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crn_lib.course import claims_table
from crn_lib.course.claims import claim_card
from crn_lib.paths import workbook_folder
from crn_lib.workbook import collect_claims

ROOT = workbook_folder()


def row(lesson: str, paper: str = "It copies | well", **changed: str) -> dict[str, str]:
    made = {"lesson": lesson, "paper": paper, "where": "abstract", "cell": "Is it <so>?", "ours": "99% to 100%"}
    return {**made, "spread": "3 seeds", "device": "cpu, float32", "verdict": "same", **changed}


def lesson(path: Path, *rows: dict[str, str], table: bool = False) -> Path:
    """A stored lesson with these claims, and with the table as it was when it was stored: empty."""
    bundles = [claim_card(each).bundle() for each in rows]
    bundles += [claims_table.claims_card([]).bundle()] if table else []
    outputs = [nbformat.v4.new_output("display_data", bundle) for bundle in bundles]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)]), path)
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """Two lessons, the first of them with the table, and a README with its two marks."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "README.md").write_text(
        f"# Title\n\nbefore\n\n{collect_claims.START}\nold\n{collect_claims.END}\n\nafter\n"
    )
    lesson(tmp_path / "notebooks" / "03_later.ipynb", row("03"), row("03", "It is linear", verdict="different"))
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


def test_rows_come_in_the_lessons_order_with_those_not_attempted_yet(workbook: Path) -> None:
    rows = collect_claims.collect(workbook / "notebooks")
    assert [each["paper"] for each in rows[:3]] == ["It learns", "It copies | well", "It is linear"]
    assert [each["notebook"] for each in rows[:3]] == ["00_first", "03_later", "03_later"]
    pending = rows[3:]
    assert [each["paper"] for each in pending] == [paper for _, _, paper in collect_claims.TO_BE_TESTED]
    assert {each["verdict"] for each in pending} == {"not attempted"} and not any(each["ours"] for each in pending)


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


def test_updating_writes_file_readme_and_stored_table_and_a_second_time_nothing(workbook: Path) -> None:
    first, later = workbook / "notebooks" / "00_first.ipynb", workbook / "notebooks" / "03_later.ipynb"
    before = later.read_bytes()
    changed = collect_claims.update(workbook)
    data = workbook / "figures/data/claims.jsonl"
    assert set(changed) == {data, workbook / "README.md", first} and later.read_bytes() == before
    assert collect_claims.update(workbook) == [] and collect_claims.stale(workbook) == {}

    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert rows == collect_claims.collect(workbook / "notebooks")
    assert stored_table(first) == claims_table.claims_card(rows).bundle()
    readme = (workbook / "README.md").read_text()
    assert readme.startswith("# Title\n\nbefore\n") and readme.endswith("\nafter\n") and "\nold\n" not in readme
    assert (
        r"| It copies \| well | 99% to 100% | 3 seeds | cpu, float32 | ✓ same | [03 · Is it <so>?](notebooks/03_lat"
        in readme
    )


def test_one_changed_row_is_stale_wherever_it_is_shown(workbook: Path) -> None:
    collect_claims.update(workbook)
    lesson(workbook / "notebooks" / "03_later.ipynb", row("03", verdict="different"))
    names = {path.name for path in collect_claims.stale(workbook)}
    assert names == {"claims.jsonl", "README.md", "00_first.ipynb"}


def test_a_readme_without_its_marks_is_refused_before_anything_is_written(workbook: Path) -> None:
    (workbook / "README.md").write_text("# Title\n")
    with pytest.raises(ValueError, match=r"README\.md needs the line <!-- claims"):
        collect_claims.update(workbook)
    assert not (workbook / "figures").exists()


def test_the_card_says_all_of_it_escaped_with_a_link_to_the_heading(workbook: Path) -> None:
    bundle = claims_table.claims_card(collect_claims.collect(workbook / "notebooks")).bundle()
    page, plain = bundle["text/html"], bundle["text/plain"]
    assert plain.startswith("7 rows: 2 same, 1 different, 4 not attempted")
    assert "03 | It copies | well | 99% to 100% (3 seeds; cpu, float32) | same" in plain
    assert 'href="03_later.ipynb#Is-it-%3Cso%3E%3F">03 · Is it &lt;so&gt;?</a>' in page and "<so>" not in page
    assert page.count("<details>") == 3, "what no lesson tested has no number to unfold"
    assert page.count("✓</b> same") == 2 and page.count("✗</b> different") == 1, "a sign and a word, not colour alone"
