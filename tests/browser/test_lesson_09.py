"""Lesson 09 in a real browser: runs, length and axis chosen by keyboard, and the curves that are drawn for them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, choose, drawn, press
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the widget draws: its title, the titles of its axes, and its lines.
CURVES_FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'letters in a string');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title || !figure.querySelector('.xtitle')) return null;
  return {
    title: ['.gtitle', '.xtitle', '.ytitle'].map(t => figure.querySelector(t).textContent).join(' | '),
    lines: [...figure.querySelectorAll('.scatterlayer .lines path')].map(p => p.getAttribute('d')).join(' '),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 09 with its controls, in the smoke profile."""
    with lab.lesson("09_copying_by_length") as page:
        page.locator(".widget-label", has_text="letters in a string").scroll_into_view_if_needed()
        page.wait_for_function(CURVES_FIGURE, polling=100)
        yield page


def test_runs_length_axis_and_metric_are_chosen_by_keyboard(lesson_page: Page) -> None:
    press(lesson_page, "letters in a string", "Home")
    short = drawn(lesson_page, CURVES_FIGURE, "at 16 letters", "12 blocks of width 192", "strings seen")
    press(lesson_page, "letters in a string", "End")
    long = drawn(lesson_page, CURVES_FIGURE, "at 256 letters", "12 blocks of width 192")
    choose(lesson_page, "runs", "small models")
    small = drawn(lesson_page, CURVES_FIGURE, "at 256 letters", "4 blocks of width 128")
    assert len({short["lines"], long["lines"], small["lines"]}) == 3
    press(lesson_page, "counted in", "End")
    drawn(lesson_page, CURVES_FIGURE, "at 256 letters", "training steps")
    press(lesson_page, "right", "End")
    strings = drawn(lesson_page, CURVES_FIGURE, "Strings right while training", "training steps")
    assert strings["lines"] != small["lines"]


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
