"""Lesson 10 in a real browser: the cut of equal bytes and the point of one's own, moved by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, choose, drawn, press
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the widget that has this control draws: its title, and its lines.
FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'CONTROL');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title || !figure.querySelector('.scatterlayer .lines path')) return null;
  return {
    title: title.textContent,
    lines: [...figure.querySelectorAll('.scatterlayer .lines path')].map(p => p.getAttribute('d')).join(' '),
  };
}"""
BYTES = FIGURE.replace("CONTROL", "bytes held, at most")
LINE = FIGURE.replace("CONTROL", "y of your point")


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 10 with its controls, in the smoke profile."""
    with lab.lesson("10_beyond_copying") as page:
        page.locator(".widget-label", has_text="y of your point").scroll_into_view_if_needed()
        page.wait_for_function(LINE)
        yield page


def test_the_cut_of_equal_bytes_moves_and_the_task_changes(lesson_page: Page) -> None:
    choose(lesson_page, "task", "Digits, 16 patches")
    press(lesson_page, "bytes held, at most", "End")
    wide = drawn(lesson_page, BYTES, "Digits, 16 patches, within 1.02 MB: ")
    press(lesson_page, "bytes held, at most", "Home")
    narrow = drawn(lesson_page, BYTES, "Digits, 16 patches, within 1 kB: ")
    assert narrow["lines"] != wide["lines"] and narrow["title"] != wide["title"]


def test_ones_own_point_and_the_number_of_examples_move_the_curves(lesson_page: Page) -> None:
    press(lesson_page, "y of your point", "Home")
    low = drawn(lesson_page, LINE, "CausalRN after 4 points, the last at (1.8, -3.0)")
    press(lesson_page, "y of your point", "End")
    high = drawn(lesson_page, LINE, "after 4 points, the last at (1.8, 3.0)")
    press(lesson_page, "points, yours the last", "Home")
    alone = drawn(lesson_page, LINE, "CausalRN after 1 point, the last at (1.8, 3.0)")
    choose(lesson_page, "model", "all")
    every = drawn(lesson_page, LINE, "CausalRN and Transformer after 1 point")
    assert len({found["lines"] for found in (low, high, alone, every)}) == 4


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
