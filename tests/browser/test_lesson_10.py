"""Lesson 10 in a real browser: the cut of equal bytes, and the points that the reader places, moved by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, choose, drawn, press
from tests.browser.lab import Lab
from tests.browser.placed import assert_curves_are_the_librarys, placed, point

pytestmark = pytest.mark.browser

# What the widget of bytes draws: its title, and its lines.
BYTES = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'bytes held, at most');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title || !figure.querySelector('.scatterlayer .lines path')) return null;
  return {
    title: title.textContent,
    widths: [...figure.querySelectorAll('.textpoint text')].map(t => t.textContent.trim())
      .filter(words => /^\\d+$/.test(words)),
    lines: [...figure.querySelectorAll('.scatterlayer .lines path')].map(p => p.getAttribute('d')).join(' '),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 10 with its controls, in the smoke profile."""
    with lab.lesson("10_beyond_copying") as page:
        page.locator(".crn-line").scroll_into_view_if_needed()
        page.locator(".crn-line .status").get_by_text("4 points.").wait_for()
        yield page


def test_the_cut_of_equal_bytes_moves_and_the_task_changes(lesson_page: Page) -> None:
    choose(lesson_page, "task", "Digits, 16 patches")
    press(lesson_page, "bytes held, at most", "End")
    wide = drawn(lesson_page, BYTES, "Digits, 16 patches, within 1.02 MB: ")
    press(lesson_page, "bytes held, at most", "Home")
    narrow = drawn(lesson_page, BYTES, "Digits, 16 patches, within 1 kB: ")
    assert narrow["lines"] != wide["lines"] and narrow["title"] != wide["title"]


def test_every_width_stands_beside_its_mark_also_after_a_task_without_widths(lesson_page: Page) -> None:
    # As by mouse: keys pass a task with fewer marks, for which the figure is made anew.
    task = lesson_page.locator(".widget-dropdown select", has_text="Recall of 16 pairs")
    for _ in range(2):
        task.select_option("Recall of 4 pairs")
        assert drawn(lesson_page, BYTES, "Recall of 4 pairs, within")["widths"] == []
        task.select_option("Recall of 16 pairs")
        shown = drawn(lesson_page, BYTES, "Recall of 16 pairs, within")["widths"]
        assert sorted(map(int, shown)) == sorted(2 * [8, 16, 32, 64])


def test_points_are_moved_removed_and_added_and_keys_are_left_to_them(lesson_page: Page) -> None:
    line = lesson_page.locator(".crn-line")
    cells = lesson_page.locator(".jp-Notebook .jp-Cell")
    count, before = cells.count(), placed(line)
    assert_curves_are_the_librarys(line)
    point(line, 4).press("ArrowDown")
    assert placed(line) == [*before[:3], (before[3][0], round(before[3][1] - 0.1, 2))]
    assert_curves_are_the_librarys(line)
    for key in ("Delete", "d", "d", "x"):  # with which JupyterLab would cut a cell
        point(line, 1).press(key)
    assert len(placed(line)) == 3 and cells.count() == count
    line.get_by_role("button", name="add a point").press("Enter")
    assert len(placed(line)) == 4
    assert_curves_are_the_librarys(line)


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
