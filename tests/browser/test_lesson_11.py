"""Lesson 11 in a real browser: its error widget moved by keyboard, and what is drawn for it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, drawn, press, type_choice
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the widget draws: its title, the places of its marks, its lines, the labels of its axis, and its legend.
ERROR_FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'magnitude (exponent)');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const marks = [...figure.querySelectorAll('.scatterlayer .points path')];
  return {
    title: title.textContent,
    marks: marks.map(p => p.getAttribute('transform')).join(' '),
    lines: [...figure.querySelectorAll('.scatterlayer .lines path')].map(p => p.getAttribute('d')).join(' '),
    ticks: [...figure.querySelectorAll('.ytick text')].map(t => t.textContent).join(' | '),
    forms: [...figure.querySelectorAll('.legendtext')].map(t => t.textContent).join(', '),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 11 with its controls, in the smoke profile."""
    with lab.lesson("11_numbers_that_overflow") as page:
        page.locator(".widget-label", has_text="magnitude (exponent)").scroll_into_view_if_needed()
        page.wait_for_function(ERROR_FIGURE, polling=100)
        yield page


def test_the_magnitude_moves_the_rings_and_finds_the_overflow(lesson_page: Page) -> None:
    press(lesson_page, "magnitude", "Home")
    ordinary = drawn(lesson_page, ERROR_FIGURE, "float16, magnitude 0, ")
    assert "overflow" not in ordinary["title"] and "overflow" in ordinary["ticks"]
    assert ordinary["forms"] == "every pair, factored, log space, library"
    press(lesson_page, "magnitude", "End")
    far = drawn(lesson_page, ERROR_FIGURE, "float16, magnitude 100, ")
    assert "factored overflow" in far["title"] and "library overflow" not in far["title"]
    assert far["marks"] != ordinary["marks"] and far["lines"] == ordinary["lines"], "only the rings move"


def test_format_input_and_direction_are_chosen_by_keyboard(lesson_page: Page) -> None:
    cells = lesson_page.locator(".jp-Cell").count()
    press(lesson_page, "magnitude", "End")
    type_choice(lesson_page, "number format", "bf")
    brain = drawn(lesson_page, ERROR_FIGURE, "bfloat16, magnitude 100, opposite input, of the outputs")
    type_choice(lesson_page, "direction", "back")
    back = drawn(lesson_page, ERROR_FIGURE, "bfloat16, magnitude 100, opposite input, of the senders' gradients")
    assert back["lines"] != brain["lines"]
    type_choice(lesson_page, "input", "same")
    same = drawn(lesson_page, ERROR_FIGURE, "bfloat16, magnitude 100, same input")
    assert "library overflow" in same["title"], "an answer that does not fit cannot be helped by any form"
    type_choice(lesson_page, "number format", "float32")
    wide = drawn(lesson_page, ERROR_FIGURE, "float32, magnitude 100, same input")
    assert wide["lines"] != same["lines"]
    assert lesson_page.locator(".jp-Cell").count() == cells, "letters typed into a list do not edit the notebook"


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
