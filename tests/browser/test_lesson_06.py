"""Lesson 06 in a real browser: a model is chosen and trained, its curve grows, and it copies a string that is typed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, choose, once, press, push
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What stands below the training widget's sliders: the curve's title and marks, and the copy's title once there is one.
TRAINER = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'letters, at most');
  const output = label && label.closest('.jp-OutputArea-output');
  const [curve, copy] = output ? output.querySelectorAll('.js-plotly-plot') : [];
  const title = figure => figure && figure.querySelector('.gtitle') ? figure.querySelector('.gtitle').textContent : '';
  return title(curve) && {
    title: title(curve),
    copy: title(copy),
    marks: curve.querySelectorAll('.scatterlayer .points path').length,
    ticks: [...curve.querySelectorAll('.xtick text')].map(t => t.textContent).join(' '),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 06 with its controls, in the smoke profile."""
    with lab.lesson("06_train_to_copy") as page:
        page.locator(".widget-label", has_text="letters, at most").scroll_into_view_if_needed()
        page.wait_for_function(TRAINER, polling=100)
        yield page


def test_a_model_is_trained_and_copies_what_is_typed(lesson_page: Page) -> None:
    assert not once(lesson_page, TRAINER, "s.marks === 0")["copy"], "nothing is trained yet"
    choose(lesson_page, "model", "LSTM")
    press(lesson_page, "letters, at most", "Home", "ArrowRight")
    press(lesson_page, "training steps", "Home", "ArrowRight")
    push(lesson_page, "train")
    lesson_page.get_by_text("step 40 of 40, ").wait_for()
    trained = once(lesson_page, TRAINER, "s.marks === 20 && s.copy")
    assert "strings of 1 to 3 letters" in trained["title"]
    assert trained["ticks"].startswith("0 ") and trained["ticks"].endswith(" 40")
    field = lesson_page.locator('input[placeholder*="letters a to z"]').last
    field.fill("no")
    field.press("Enter")
    once(lesson_page, TRAINER, "s.copy.includes('3 of 3 tokens written')")


def test_a_copier_is_trained_by_the_page_itself(lesson_page: Page) -> None:
    training = lesson_page.locator(".crn-train")
    start = training.locator("button.play")
    start.press("Enter")
    training.get_by_text(re.compile(r"Run 1, step \d+0: loss \d\.\d\d")).wait_for()
    start.press("Enter")
    assert "Run 1 was stopped after" in training.locator(".status").inner_text()


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
