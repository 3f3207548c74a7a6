"""Lesson 00 as a reader opens it: JupyterLab in a real browser, a string typed, controls moved by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import OWN_IN_JUPYTERLAB, serious
from tests.browser.controls import assert_no_error
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

FIELD = ".crn-copier input[type=text]"


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 00 with its controls, in the smoke profile."""
    with lab.lesson("00_welcome") as page:
        page.locator(FIELD).scroll_into_view_if_needed()
        yield page


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
    assert lesson_page.locator(".crn-copier .panel").count() == 3


def test_the_copier_runs_the_models_just_trained_beside_those_that_ship(lesson_page: Page) -> None:
    notes = lesson_page.locator(".crn-copier .note").all_text_contents()
    assert ["trained in this lesson" in note for note in notes] == [True, False, True]
    assert lesson_page.locator(FIELD).get_attribute("placeholder") == "1 to 16 letters"


def test_what_is_typed_is_copied_and_what_cannot_be_is_said(lesson_page: Page) -> None:
    lesson_page.locator(FIELD).fill("Seven!")
    answer = lesson_page.locator(".crn-copier .answer").inner_text()
    assert "Left out: “!”" in answer and "Capitals" in answer
    assert written(lesson_page, "transformer") == "seven■" and len(written(lesson_page, "causal_rn")) == 6


def test_the_slider_moves_by_keyboard_and_the_notebook_does_not_take_the_keys(lesson_page: Page) -> None:
    lesson_page.locator(FIELD).fill("abcde")
    slider = lesson_page.locator(".crn-copier input[type=range]")
    slider.press("Home")
    assert written(lesson_page, "transformer") == "" and held(lesson_page) == ["0 bytes"] * 3
    for _ in range(9):
        slider.press("ArrowRight")
    assert written(lesson_page, "transformer") == "ab"
    assert held(lesson_page) == ["2,304 bytes", "6,912 bytes", "256 bytes"]  # nine rows: 2 blocks of 32, 48, 32 columns
    slider.press("End")
    assert written(lesson_page, "transformer") == "abcde■"


def written(page: Page, kind: str) -> str:
    return "".join(page.locator(f".crn-copier [data-kind={kind}] .said").all_text_contents())


def held(page: Page) -> list[str]:
    return page.locator(".crn-copier .bytes").all_text_contents()


def test_a_quiz_option_folds_open_and_says_whether_it_is_right(lesson_page: Page) -> None:
    option = lesson_page.locator("summary", has_text="it grows with the string")
    option.scroll_into_view_if_needed()
    option.click()
    answer = lesson_page.locator("details[open]", has_text="it grows with the string")
    assert "Right." in answer.inner_text()


def test_axe_finds_nothing_serious_in_the_text_and_the_controls(lesson_page: Page) -> None:
    assert lesson_page.locator(FIELD).is_visible()
    assert serious(lesson_page, include=OWN_IN_JUPYTERLAB) == []
