"""Lesson 00 as a reader opens it: JupyterLab in a real browser, a string typed, controls moved by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import OWN_IN_JUPYTERLAB, serious
from tests.browser.controls import assert_no_error, drawn
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the copy widget draws: its title, and the letters in its two rows. It is the figure that follows a text field.
COPY_FIGURE = """() => {
  const field = document.querySelector('.jp-OutputArea input[placeholder*="letters a to z"]');
  const figure = field && field.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const cells = [...figure.querySelectorAll('.heatmaplayer text')].map(t => t.textContent);
  return {title: title.textContent, cells: cells.join('')};
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 00 with its controls, in the smoke profile."""
    with lab.lesson("00_welcome") as page:
        page.locator('input[placeholder*="letters a to z"]').scroll_into_view_if_needed()
        page.wait_for_function(COPY_FIGURE)
        yield page


def type_string(page: Page, text: str) -> None:
    field = page.locator('input[placeholder*="letters a to z"]')
    field.scroll_into_view_if_needed()
    field.fill(text)
    field.press("Enter")


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
    assert lesson_page.locator(".js-plotly-plot").count() >= 3


def test_a_typed_string_is_what_the_figure_asks_the_model_to_copy(lesson_page: Page) -> None:
    type_string(lesson_page, "seven")
    assert "seven" in drawn(lesson_page, COPY_FIGURE, "6 of 6 tokens written")["cells"]


def test_the_slider_moves_by_keyboard_and_takes_written_tokens_away(lesson_page: Page) -> None:
    type_string(lesson_page, "abcde")
    before = drawn(lesson_page, COPY_FIGURE, "6 of 6 tokens written")
    handle = lesson_page.locator(".widget-slider .noUi-handle").last
    handle.scroll_into_view_if_needed()
    handle.focus()
    handle.press("Home")
    after = drawn(lesson_page, COPY_FIGURE, "0 of 6 tokens written")
    assert after["cells"] != before["cells"] and len(after["cells"]) < len(before["cells"])
    handle.press("ArrowRight")
    handle.press("ArrowRight")
    drawn(lesson_page, COPY_FIGURE, "2 of 6 tokens written")
    handle.press("End")
    drawn(lesson_page, COPY_FIGURE, "6 of 6 tokens written")


def test_a_string_that_cannot_be_copied_is_refused_in_words(lesson_page: Page) -> None:
    type_string(lesson_page, "No!")
    alert = lesson_page.locator('[role="alert"]')
    alert.wait_for()
    assert "only the letters a to z" in alert.inner_text()
    type_string(lesson_page, "yes")
    alert.wait_for(state="detached")


def test_a_quiz_option_folds_open_and_says_whether_it_is_right(lesson_page: Page) -> None:
    option = lesson_page.locator("summary", has_text="it grows with the string")
    option.scroll_into_view_if_needed()
    option.click()
    answer = lesson_page.locator("details[open]", has_text="it grows with the string")
    assert "Right." in answer.inner_text()


def test_axe_finds_nothing_serious_in_the_text_and_the_controls(lesson_page: Page) -> None:
    assert lesson_page.locator(".noUi-handle").count() >= 2
    assert serious(lesson_page, include=OWN_IN_JUPYTERLAB) == []
