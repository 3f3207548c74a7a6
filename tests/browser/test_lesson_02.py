"""Lesson 02 in a real browser: its pair widget moved by keyboard, and what is drawn for it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import OWN_IN_JUPYTERLAB, serious
from tests.browser.controls import assert_no_error, drawn, once, slider
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# What the pair widget draws: its title, the numbers in its cells, the rows' names, the frames and the bars' colours.
PAIR_FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'receiver i (position)');
  const figure = label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
  const title = figure && figure.querySelector('.gtitle');
  if (!title) return null;
  const texts = selector => [...figure.querySelectorAll(selector)].map(t => t.textContent).join(' ');
  return {
    title: title.textContent,
    cells: texts('.heatmaplayer text'),
    rows: texts('.scatterlayer .textpoint text'),
    frames: [...figure.querySelectorAll('.shapelayer path')].map(p => p.getAttribute('d')).join(' '),
    bars: [...figure.querySelectorAll('.barlayer .point path')].map(p => p.style.fill).join(' '),
  };
}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 02 with its controls, in the smoke profile."""
    with lab.lesson("02_relation_networks") as page:
        page.locator(".widget-label", has_text="receiver i (position)").scroll_into_view_if_needed()
        page.wait_for_function(PAIR_FIGURE, polling=100)
        yield page


def test_the_sliders_move_the_pair_by_keyboard(lesson_page: Page) -> None:
    slider(lesson_page, "receiver i").press("End")
    slider(lesson_page, "sender j").press("Home")
    last_and_first = drawn(lesson_page, PAIR_FIGURE, "receiver i = 5, sender j = 0", "relu(2 − 3) = relu(−1) = 0")
    slider(lesson_page, "sender j").press("ArrowRight")
    next_sender = drawn(lesson_page, PAIR_FIGURE, "receiver i = 5, sender j = 1", "relu(2 − 1) = relu(1) = 1")
    for what in ("cells", "frames", "bars", "rows"):
        assert last_and_first[what] != next_sender[what], what
    slider(lesson_page, "receiver i").press("Home")
    future = drawn(lesson_page, PAIR_FIGURE, "receiver i = 0, sender j = 1", "counts as 0")
    assert "counts 0" in future["rows"] and future["frames"] != next_sender["frames"]
    assert future["cells"].count("·") == 15


def test_activation_column_and_senders_are_chosen_by_keyboard(lesson_page: Page) -> None:
    slider(lesson_page, "receiver i").press("Home")
    slider(lesson_page, "sender j").press("Home")
    relu = drawn(lesson_page, PAIR_FIGURE, "receiver i = 0, sender j = 0", "relu(3 − 3) = relu(0) = 0")
    slider(lesson_page, "activation").press("Home")
    exp = drawn(lesson_page, PAIR_FIGURE, "exp(3 − 3) = exp(0) = 1")
    assert exp["cells"] != relu["cells"] and "exp(sum)" in exp["rows"]
    slider(lesson_page, "channel").press("ArrowRight")
    other_column = drawn(lesson_page, PAIR_FIGURE, "channel “j over i”")
    assert other_column["cells"] != exp["cells"] and other_column["frames"] != exp["frames"]
    assert "mean, j ≤ 0" in other_column["rows"]
    slider(lesson_page, "senders seen").press("End")
    once(lesson_page, PAIR_FIGURE, "s.rows.includes('mean, all j')")
    everyone = drawn(lesson_page, PAIR_FIGURE, "receiver i = 0")
    assert "·" not in everyone["cells"] and everyone["cells"] != other_column["cells"]
    slider(lesson_page, "senders seen").press("Home")
    once(lesson_page, PAIR_FIGURE, "s.rows.includes('mean, j ≤ 0')")
    slider(lesson_page, "activation").press("ArrowRight")
    slider(lesson_page, "channel").press("Home")
    assert drawn(lesson_page, PAIR_FIGURE, "relu(3 − 3)", "channel “i over j”")["cells"] == relu["cells"]


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)


def test_axe_finds_nothing_serious_in_the_text_and_the_controls(lesson_page: Page) -> None:
    assert lesson_page.locator(".noUi-handle").count() >= 2
    assert serious(lesson_page, include=OWN_IN_JUPYTERLAB) == []
