"""Lesson 01 in a real browser: the state, its numbers and the string's length are moved by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from crn_lib.viz.contrast import PAPER, contrast
from tests.browser.controls import assert_no_error, drawn, press
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What is drawn below the sliders: the title, the curve, and the place of the mark on it.
BOUND_FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'numbers in the state');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  return {
    title: title.textContent,
    curve: figure.querySelector('.scatterlayer .lines path').getAttribute('d'),
    mark: figure.querySelector('.scatterlayer .points path').getAttribute('transform'),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 01 with its controls, in the smoke profile."""
    with lab.lesson("01_copying_task") as page:
        page.locator(".widget-label", has_text="numbers in the state").scroll_into_view_if_needed()
        page.wait_for_function(BOUND_FIGURE, polling=100)
        yield page


def test_more_numbers_and_wider_ones_move_the_edge_of_what_is_possible(lesson_page: Page) -> None:
    press(lesson_page, "numbers in the state", "Home")
    press(lesson_page, "bits per number", "Home")
    press(lesson_page, "letters in the string", "Home")
    least = drawn(lesson_page, BOUND_FIGURE, "1 number, 8 bits, holds at most 1 letter", "of 4 letters at most")
    press(lesson_page, "bits per number", "ArrowRight")
    wider = drawn(lesson_page, BOUND_FIGURE, "1 number, 16 bits, holds at most 3 letters")
    press(lesson_page, "numbers in the state", "ArrowRight")
    more = drawn(
        lesson_page, BOUND_FIGURE, "2 numbers, 32 bits, holds at most 6 letters", "of 4 letters at most 100.0%"
    )
    assert len({figure["curve"] for figure in (least, wider, more)}) == 3
    assert len({figure["mark"] for figure in (least, wider, more)}) == 3


def test_a_longer_string_moves_the_mark_along_the_same_curve(lesson_page: Page) -> None:
    press(lesson_page, "numbers in the state", "End")
    press(lesson_page, "bits per number", "End")
    press(lesson_page, "letters in the string", "Home")
    short = drawn(lesson_page, BOUND_FIGURE, "256 numbers, 16,384 bits", "of 4 letters at most 100.0%")
    press(lesson_page, "letters in the string", "End")
    long = drawn(lesson_page, BOUND_FIGURE, "256 numbers, 16,384 bits", "of 512 letters at most 100.0%")
    assert short["curve"] == long["curve"] and short["mark"] != long["mark"]


def test_the_handle_of_a_slider_is_seen_and_wide_enough_for_a_finger(lesson_page: Page) -> None:
    handle = lesson_page.locator(".noUi-handle:not(:focus)").first
    assert contrast(handle.evaluate("h => getComputedStyle(h).borderTopColor"), PAPER) >= 3
    area = handle.locator(".noUi-touch-area").bounding_box()
    assert area is not None and min(area["width"], area["height"]) >= 24


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
