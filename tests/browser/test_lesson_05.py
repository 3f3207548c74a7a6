"""Lesson 05 in a real browser: its memory and rank widgets moved by keyboard, and what is drawn for them."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, drawn, once, slider
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

LENGTH, TOLERANCE = "length (tokens)", "tolerance (of the largest)"

# What the figure below the slider with a given label shows: its title, the rings' labels and places, and its curves.
FIGURE = """label => {
  const found = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === label);
  const figure = found && found.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const rings = [...figure.querySelectorAll('.scatterlayer .trace')].filter(t => t.querySelector('.textpoint text'));
  return {
    title: title.textContent,
    labels: rings.map(t => t.querySelector('.textpoint text').textContent).join(' | '),
    places: rings.map(t => t.querySelector('.points path').getAttribute('transform')).join(' '),
    lines: [...figure.querySelectorAll('.scatterlayer .lines path')].map(p => p.getAttribute('d')).join(' '),
    faint: [...figure.querySelectorAll('.scatterlayer .trace')].filter(t => +getComputedStyle(t).opacity < 1).length,
    shapes: [...figure.querySelectorAll('.shapelayer path')].map(p => p.getAttribute('d')).join(' '),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 05 with its controls, in the smoke profile."""
    with lab.lesson("05_growing_memory") as page:
        for label in (LENGTH, TOLERANCE):
            page.locator(".widget-label", has_text=label).scroll_into_view_if_needed()
            page.wait_for_function(FIGURE, arg=label, polling=100)
        yield page


def test_the_length_slider_moves_the_ring_over_still_curves_by_keyboard(lesson_page: Page) -> None:
    handle = slider(lesson_page, LENGTH)
    handle.press("Home")
    shortest = drawn(lesson_page, FIGURE, "CausalRN, 1 token: holds 1,064 bytes, as predicted", of=LENGTH)
    handle.press("ArrowRight")
    next_one = drawn(lesson_page, FIGURE, "CausalRN, 2 tokens: holds 2,088 bytes, as predicted", of=LENGTH)
    handle.press("End")
    longest = drawn(lesson_page, FIGURE, "CausalRN, 256 tokens: holds 262,184 bytes, as predicted", of=LENGTH)
    for one, other in ((shortest, next_one), (next_one, longest)):
        assert one["places"] != other["places"] and one["labels"] != other["labels"]
        assert one["lines"] == other["lines"], "the curves and axes stay where they are"


def test_model_and_axes_are_chosen_by_keyboard(lesson_page: Page) -> None:
    slider(lesson_page, LENGTH).press("End")
    pool = drawn(lesson_page, FIGURE, "CausalRN, 256 tokens", of=LENGTH)
    model, axes = (slider(lesson_page, label) for label in ("model", "axes"))
    model.press("ArrowRight")
    model.press("ArrowRight")
    cache = drawn(lesson_page, FIGURE, "Transformer, 256 tokens: holds 524,360 bytes, as predicted", of=LENGTH)
    assert cache["places"] != pool["places"] and cache["labels"] != pool["labels"]
    assert int(cache["faint"]) == int(pool["faint"]) >= 10, "the other models are faint"
    axes.press("End")
    once(lesson_page, FIGURE, f"s.lines !== {json.dumps(cache['lines'])}", of=LENGTH)
    axes.press("Home")
    once(lesson_page, FIGURE, f"s.lines === {json.dumps(cache['lines'])}", of=LENGTH)
    model.press("Home")
    drawn(lesson_page, FIGURE, "CausalRN, 256 tokens", of=LENGTH)


def test_a_stricter_tolerance_counts_more_singular_values(lesson_page: Page) -> None:
    handle = slider(lesson_page, TOLERANCE)
    handle.press("Home")
    coarse = drawn(lesson_page, FIGURE, "Rank at tolerance 1e-01", of=TOLERANCE)
    handle.press("End")
    fine = drawn(
        lesson_page, FIGURE, "Rank at tolerance 1e-09: exact 64 of 64, exact, cancelling 64 of 64", of=TOLERANCE
    )
    assert fine["places"] != coarse["places"] and fine["shapes"] != coarse["shapes"]
    assert fine["lines"] == coarse["lines"], "the singular values are the same"
    slider(lesson_page, "width (numbers per row)").press("ArrowLeft")
    once(lesson_page, FIGURE, f"s.lines !== {json.dumps(fine['lines'])}", of=TOLERANCE)


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
