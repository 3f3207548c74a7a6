"""Tables in a lesson."""

import pytest

from crn_lib import course


def test_a_table_is_html_with_escaped_cells_and_aligned_text(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("crn_lib.course.tables.display", lambda data, raw: shown.append(data))
    course.table(["norm", 8], [["exact", 64], ["a < b", "1.0"]])
    (data,) = shown
    assert data["text/plain"] == "norm   8\nexact  64\na < b  1.0"
    assert data["text/html"].count("<td") == 4 and "a &lt; b" in data["text/html"]
    assert data["text/html"].count("<th") == 3  # two headings and the head itself


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a row has 1 cells where there are 2 headings: \['x'\]"):
        course.table(["a", "b"], [["x"]])
