"""Lesson 04 in a real browser: the norm moved to every place by keyboard, and what is drawn for it."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from crn_lib.viz import NORM_PLACES
from tests.browser.controls import assert_no_error, once, press
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the widget draws: its title and panel titles, the bars, the boxes of the circuit and its words. It is the figure
# below the slider whose label names a letter.
PLACE_FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'asked for (letter)');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const paths = selector => [...figure.querySelectorAll(selector)].map(p => p.getAttribute('d')).join(' ');
  return {
    title: title.textContent,
    panels: [...figure.querySelectorAll('.annotation-text')].map(t => t.textContent).join(' | '),
    bars: paths('.barlayer .point path'),
    boxes: paths('.shapelayer path'),
    words: [...figure.querySelectorAll('.textpoint text')].map(t => t.textContent).join(' '),
    lines: paths('.scatterlayer .lines path'),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 04 with its controls, in the smoke profile."""
    with lab.lesson("04_normalise_first") as page:
        page.locator(".widget-label", has_text="asked for (letter)").scroll_into_view_if_needed()
        page.wait_for_function(PLACE_FIGURE, polling=100)
        yield page


def drawn(page: Page, words: str) -> dict[str, str]:
    """What the figure shows, once one of its titles has these words."""
    return once(page, PLACE_FIGURE, f"(s.title + s.panels).includes({json.dumps(words)})")


def choose_norm(page: Page, norm: str) -> None:
    """Move the slider of the norm to one of its three places."""
    press(page, "norm (where)", "Home", *["ArrowRight"] * NORM_PLACES.index(norm))


def test_the_answer_follows_the_letter_asked_for_under_the_exact_norm(lesson_page: Page) -> None:
    choose_norm(lesson_page, "exact")
    press(lesson_page, "off by (standard deviations)", "Home")
    press(lesson_page, "asked for (letter)", "Home")
    first = drawn(lesson_page, "asked a: read a, right; 16 of 16")
    press(lesson_page, "asked for (letter)", "ArrowRight")
    second = drawn(lesson_page, "asked b: read b, right; 16 of 16")
    assert first["bars"] != second["bars"] and first["boxes"] == second["boxes"]
    press(lesson_page, "off by (standard deviations)", "End")
    once(lesson_page, PLACE_FIGURE, f"s.bars !== {json.dumps(second['bars'])}")
    off = drawn(lesson_page, "asked b: ")
    assert "16 of 16 right" not in off["panels"]
    press(lesson_page, "off by (standard deviations)", "Home")
    assert drawn(lesson_page, "asked b: read b, right; 16 of 16")["bars"] == second["bars"]


def test_another_place_of_the_norm_is_another_circuit_rank_and_time(lesson_page: Page) -> None:
    press(lesson_page, "asked for (letter)", "Home")
    choose_norm(lesson_page, "exact")
    exact = drawn(lesson_page, "asked a: read a, right; 16 of 16")
    choose_norm(lesson_page, "approx")
    approx = drawn(lesson_page, "approx: exp(LN(a) + LN(b))")
    assert "every pair" in exact["words"] and "every pair" not in approx["words"]
    assert "16 senders: 16 sums" in exact["panels"] and "16 senders: 1 sum a channel" in approx["panels"]
    assert "16 of 16" not in approx["panels"]
    for part in ("bars", "boxes", "lines"):
        assert exact[part] != approx[part]
    choose_norm(lesson_page, "none")
    none = drawn(lesson_page, "none: exp(a + b)")
    assert none["boxes"] != approx["boxes"]


def test_post_norm_is_ticked_by_keyboard(lesson_page: Page) -> None:
    choose_norm(lesson_page, "exact")
    before = drawn(lesson_page, "exact: exp LN(a + b)")
    assert "post-norm" not in before["title"]
    box = lesson_page.locator(".widget-checkbox", has_text="post-norm").locator("input")
    box.focus()
    box.press("Space")
    after = drawn(lesson_page, "then post-norm")
    assert after["boxes"] != before["boxes"] and after["bars"] != before["bars"]
    assert after["words"].count("LN") == before["words"].count("LN") + 1
    box.press("Space")
    once(lesson_page, PLACE_FIGURE, "!s.title.includes('post-norm')")


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
