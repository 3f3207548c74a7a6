"""Lesson 07 in a real browser: two variants chosen by keyboard, and any variant trained live beside its stored runs."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from crn_lib.experiments import GRID
from tests.browser.controls import assert_no_error, choose, once, press, push, tick
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What is drawn below the control with this label: the title, the lines and the marks.
DRAWN = """label => {
  const found = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === label);
  const figure = found && found.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const paths = selector => [...figure.querySelectorAll(selector)].map(p => p.getAttribute('d')).join(' ');
  return {
    title: title.textContent,
    axis: figure.querySelector('.ytitle').textContent,
    lines: paths('.scatterlayer .lines path'),
    marks: figure.querySelectorAll('.scatterlayer .points path').length,
  };
}"""
PAIR, LIVE = "■ second variant", "activation to train"


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 07 with its controls, in the smoke profile."""
    with lab.lesson("07_ablations") as page:
        page.locator(".widget-label", has_text=LIVE).scroll_into_view_if_needed()
        page.wait_for_function(DRAWN, arg=LIVE, polling=100)
        page.locator(".widget-label", has_text=PAIR).scroll_into_view_if_needed()
        page.wait_for_function(DRAWN, arg=PAIR, polling=100)
        yield page


def drawn(page: Page, label: str, *words: str) -> dict[str, str]:
    """What the figure shows, once its title or axis has all these words."""
    return once(page, DRAWN, f"{json.dumps(words)}.every(word => (s.title + s.axis).includes(word))", of=label)


def test_two_variants_are_chosen_and_compared(lesson_page: Page) -> None:
    first, second = str(GRID[0]), str(GRID[4])
    press(lesson_page, "letters in a string", "Home")
    choose(lesson_page, "● first variant", first)
    choose(lesson_page, PAIR, first)
    twice = drawn(lesson_page, PAIR, f"● {first}: ", f"■ {first}: ")
    choose(lesson_page, PAIR, second)
    apart = drawn(lesson_page, PAIR, f"● {first}: ", f"■ {second}: ")
    assert twice["lines"] != apart["lines"] and int(apart["marks"]) > 0
    choose(lesson_page, "curves show", "strings right")
    strings = drawn(lesson_page, PAIR, "strings right")
    assert strings["lines"] != apart["lines"]
    choose(lesson_page, "curves show", "letters right")
    assert drawn(lesson_page, PAIR, "letters right", f"■ {second}: ")["lines"] == apart["lines"]


def test_another_length_shows_its_own_runs(lesson_page: Page) -> None:
    choose(lesson_page, "● first variant", str(GRID[0]))
    choose(lesson_page, PAIR, str(GRID[1]))
    press(lesson_page, "letters in a string", "Home")
    short = drawn(lesson_page, PAIR, f"■ {GRID[1]}: ")
    press(lesson_page, "letters in a string", "End")
    once(lesson_page, DRAWN, f"s.lines !== {json.dumps(short['lines'])}", of=PAIR)
    press(lesson_page, "letters in a string", "Home")
    once(lesson_page, DRAWN, f"s.lines === {json.dumps(short['lines'])}", of=PAIR)


def trained_to_the_end(page: Page) -> None:
    """The figure shows a run from its first evaluation on; what is chosen while it trains may not reach the kernel."""
    page.get_by_text(re.compile(r"^step (\d+) of \1, ")).last.wait_for()


def test_a_variant_is_trained_live(lesson_page: Page) -> None:
    choose(lesson_page, "norm to train", "none")
    choose(lesson_page, LIVE, "softplus")
    tick(lesson_page, "post-norm to train")
    before = drawn(lesson_page, LIVE, "now, seed 0: no row yet", "none · softplus")
    push(lesson_page, "train")
    trained_to_the_end(lesson_page)
    after = drawn(lesson_page, LIVE, "now, seed 0: 0 of 1 copy", "none · softplus")
    assert int(after["marks"]) > int(before["marks"])
    choose(lesson_page, LIVE, "ELU")
    drawn(lesson_page, LIVE, "now, seed 0: no row yet", "none · ELU")


def test_length_seed_and_budget_of_the_live_run_are_chosen(lesson_page: Page) -> None:
    press(lesson_page, "letters", "Home", "ArrowRight")
    press(lesson_page, "seed", "End")
    chosen = drawn(lesson_page, LIVE, "5 letters", "now, seed 9: no row yet")
    assert not chosen["lines"], "no run of 5 letters is stored"
    press(lesson_page, "training steps, at most", "Home")
    push(lesson_page, "train")
    trained_to_the_end(lesson_page)
    assert drawn(lesson_page, LIVE, "5 letters", "now, seed 9: 0 of 1 copy")["lines"]


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
