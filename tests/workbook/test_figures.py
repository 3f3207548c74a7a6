"""`crn publish`: the stored figures show the stored rows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crn_lib.paths import workbook_folder
from crn_lib.viz import describe
from crn_lib.workbook import figures, results_table


def stored(name: str) -> tuple[list[dict[str, Any]], str]:
    """The traces of a stored page, and the page."""
    page = (workbook_folder() / "figures" / f"{name}.html").read_text(encoding="utf-8")
    start = re.search(rf'Plotly\.newPlot\(\s*"{name}",\s*', page)
    assert start is not None
    return json.JSONDecoder().raw_decode(page, start.end())[0], page


@pytest.mark.parametrize("name", figures.FIGURES)
def test_each_stored_figure_shows_the_stored_rows(name: str) -> None:
    traces, page = stored(name)
    drawn = figures.FIGURES[name](workbook_folder())
    assert traces == json.loads(drawn.to_json())["data"], f"{name} is stale: crn publish"
    assert describe(drawn) in page
    assert (workbook_folder() / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_readme_holds_the_table_of_the_stored_rows() -> None:
    root = workbook_folder()
    assert (root / "README.md").read_text(encoding="utf-8") == results_table.updated_readme(root), "crn publish"
    runs = results_table.read_runs(root / "figures/data/runs/lengths.jsonl")
    kinds_and_lengths = {(run.kind, run.string_length) for run in runs}
    table = results_table.results_markdown(root).splitlines()
    assert len([line for line in table if line.startswith("| ")]) >= len(kinds_and_lengths) + 1


def test_a_readme_without_its_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    (tmp_path / "figures").symlink_to(workbook_folder() / "figures")
    with pytest.raises(ValueError, match="needs the line <!-- results"):
        results_table.updated_readme(tmp_path)
