"""Lesson 03 in a real browser: its cost widget moved by keyboard, and what is drawn for it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, drawn, slider, type_choice
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the cost widget draws: its title, the rings' labels and places, and the number of marks. It is the figure below
# the slider whose label names tokens.
COST_FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'length (tokens)');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const rings = [...figure.querySelectorAll('.scatterlayer .trace')].filter(t => t.querySelector('.textpoint text'));
  return {
    title: title.textContent,
    labels: rings.map(t => t.querySelector('.textpoint text').textContent).join(' | '),
    places: rings.map(t => t.querySelector('.points path').getAttribute('transform')).join(' '),
    marks: [...figure.querySelectorAll('.scatterlayer .points path')].length,
    lines: [...figure.querySelectorAll('.scatterlayer .lines path')].map(p => p.getAttribute('d')).join(' '),
    axis: figure.querySelector('.ytitle').textContent,
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 03 with its controls, in the smoke profile."""
    with lab.lesson("03_exp_decomposition") as page:
        page.locator(".widget-label", has_text="length (tokens)").scroll_into_view_if_needed()
        page.wait_for_function(COST_FIGURE, polling=100)
        yield page


def test_the_length_slider_moves_the_rings_by_keyboard(lesson_page: Page) -> None:
    handle = slider(lesson_page, "length")
    handle.press("Home")
    shortest = drawn(lesson_page, COST_FIGURE, "2 tokens: ")
    handle.press("ArrowRight")
    next_one = drawn(lesson_page, COST_FIGURE, "3 tokens: ")
    assert "interpolated" in next_one["title"]
    handle.press("End")
    longest = drawn(lesson_page, COST_FIGURE, "8,192 tokens: ")
    assert "fitted line" in longest["title"]
    for one, other in ((shortest, next_one), (next_one, longest)):
        assert one["places"] != other["places"] and one["labels"] != other["labels"]
        assert one["lines"] == other["lines"], "the curves and axes stay where they are"


def test_the_cost_and_the_width_are_chosen_by_keyboard(lesson_page: Page) -> None:
    cells = lesson_page.locator(".jp-Cell").count()
    slider(lesson_page, "length").press("End")
    times = drawn(lesson_page, COST_FIGURE, "8,192 tokens: ")
    type_choice(lesson_page, "cost", "exp")
    counts = drawn(lesson_page, COST_FIGURE, "(counted)")
    assert counts["axis"] == "exponentials" and times["axis"] == "time of one call"
    assert int(counts["marks"]) < int(times["marks"]), "what is counted has no measured marks"
    type_choice(lesson_page, "width", "32")
    narrower = drawn(lesson_page, COST_FIGURE, "prefix sum 524,288 (counted)")
    assert narrower["labels"] != counts["labels"] and narrower["title"] != counts["title"]
    type_choice(lesson_page, "cost", "time")
    again = drawn(lesson_page, COST_FIGURE, "fitted slopes")
    assert again["marks"] == times["marks"] and again["lines"] != times["lines"]
    assert lesson_page.locator(".jp-Cell").count() == cells, "x in a list chooses, and does not cut the cell"


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
