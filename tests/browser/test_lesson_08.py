"""Lesson 08 in a real browser: pairs hovered and clicked in the relation map, and the copy that follows."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.controls import assert_no_error, once, press, tick
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# The widget's figure is the one below the slider that chooses a block.
FIGURE = """() => {
  const label = [...document.querySelectorAll('.widget-label')].find(l => l.textContent === 'block');
  return label && label.closest('.jp-OutputArea-output').querySelector('.js-plotly-plot');
}"""
STATE = f"""() => {{
  const figure = ({FIGURE})();
  if (!figure || !figure.querySelector('.gtitle')) return null;
  return {{
    title: figure.querySelector('.gtitle').textContent,
    crosses: figure.data[2].x.length,
    said: [...figure.querySelectorAll('.textpoint text')].map(t => t.textContent).join(' '),
    bars: figure.querySelectorAll('.barlayer .point path').length,
    looked: figure.layout.shapes[0].y0 + 0.5,
    rings: [...figure.data[1].x].join(' '),
    top: figure.data[0].zmax,
  }};
}}"""
# Where on the page the pair of a row and a sender is drawn, with the figure in the middle of the page: cells above are
# drawn when they come near, and push it away.
PLACE = f"""([row, sender]) => {{
  const figure = ({FIGURE})();
  figure.scrollIntoView({{block: 'center'}});
  const box = figure.getBoundingClientRect(), axes = figure._fullLayout;
  return [box.left + axes.xaxis._offset + axes.xaxis.d2p(sender), box.top + axes.yaxis._offset + axes.yaxis.d2p(row)];
}}"""


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 08 with its controls, in the smoke profile, and the widget in view."""
    with lab.lesson("08_how_it_retrieves") as page:
        page.wait_for_function(STATE, polling=100)
        at(page, 0, 0)
        yield page


def state(page: Page) -> dict[str, object]:
    found: dict[str, object] = page.evaluate(STATE)
    return found


def wait(page: Page, condition: str) -> dict[str, object]:
    """The widget's state `s`, once this holds for it and nothing moves any more."""
    found: dict[str, object] = once(page, STATE, condition)
    return found


def at(page: Page, row: int, sender: int) -> tuple[float, float]:
    """Where to point at a pair, once the page has come to rest."""
    x, y = once(page, PLACE, of=[row, sender])
    return x, y


def click(page: Page, row: int, sender: int) -> None:
    """Click a pair. Coming near it draws its bars, and a click during that would be lost."""
    place = at(page, row, sender)
    page.mouse.move(*place)
    wait(page, f"s.looked === {row}")
    page.mouse.click(*place)


def test_hovering_a_pair_frames_its_letter_and_shows_its_bars(lesson_page: Page) -> None:
    before = state(lesson_page)
    lesson_page.mouse.move(*at(lesson_page, 5, 3))
    after = wait(lesson_page, "s.looked === 5")
    assert after["rings"] == before["rings"]
    lesson_page.mouse.move(*at(lesson_page, 2, 7))
    wait(lesson_page, "s.looked === 2")
    hover = lesson_page.locator(".hoverlayer text").first
    assert "hears position 7" in hover.text_content()


def test_a_click_drops_a_pair_and_a_second_click_brings_it_back(lesson_page: Page) -> None:
    before = state(lesson_page)
    assert before["crosses"] == 0
    click(lesson_page, 4, 2)
    wait(lesson_page, "s.crosses === 1")
    click(lesson_page, 6, 3)
    wait(lesson_page, "s.crosses === 2")
    for left, row, sender in ((1, 4, 2), (0, 6, 3)):
        click(lesson_page, row, sender)
        after = wait(lesson_page, f"s.crosses === {left}")
    assert after["said"] == before["said"]


def test_the_buttons_drop_every_ring_and_restore_them(lesson_page: Page) -> None:
    lesson_page.get_by_role("button", name="drop all rings").click()
    wait(lesson_page, "s.crosses === 13")
    lesson_page.get_by_role("button", name="restore all").click()
    wait(lesson_page, "s.crosses === 0")
    lesson_page.get_by_role("button", name="drop the ring").click()
    wait(lesson_page, "s.crosses === 1")
    lesson_page.get_by_role("button", name="restore all").click()
    wait(lesson_page, "s.crosses === 0")


def test_block_map_and_letter_are_chosen_by_keyboard(lesson_page: Page) -> None:
    first = wait(lesson_page, "s.title.startsWith('Block 0')")
    press(lesson_page, "block", "ArrowRight")
    second = wait(lesson_page, "s.title.startsWith('Block 1')")
    assert second["rings"] != first["rings"]
    assert second["top"] == 1
    press(lesson_page, "colour shows", "ArrowRight")  # the scale, the one map whose colours do not end at 1
    wait(lesson_page, "s.top !== 1")
    press(lesson_page, "looked at", "End")
    wait(lesson_page, "s.looked === 12")
    press(lesson_page, "colour shows", "Home")
    press(lesson_page, "block", "Home")
    wait(lesson_page, "s.title.startsWith('Block 0') && s.top === 1")


def test_moved_receivers_redraw_the_map_and_come_back(lesson_page: Page) -> None:
    before = wait(lesson_page, "s.title.startsWith('Block 0')")
    press(lesson_page, "receivers of the row so many further", "ArrowRight")
    moved = wait(lesson_page, "s.title.includes('moved by 1 (')")
    assert moved["rings"] != before["rings"]
    tick(lesson_page, "receivers of another string")
    wait(lesson_page, f"s.rings !== {moved['rings']!r} || s.said !== {moved['said']!r}")
    tick(lesson_page, "receivers of another string")
    press(lesson_page, "receivers of the row so many further", "ArrowLeft")
    after = wait(lesson_page, "!s.title.includes('moved by')")
    assert after["rings"] == before["rings"] and after["said"] == before["said"]


def test_another_string_is_copied(lesson_page: Page) -> None:
    box = lesson_page.locator(".widget-text", has_text="string").locator("input").last
    box.fill("zebra")
    box.press("Enter")
    ticks = (
        f"() => [...({FIGURE})().querySelectorAll('.ytick text')].map(t => t.textContent).join('').startsWith('zebra')"
    )
    lesson_page.wait_for_function(ticks, polling=100)


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)
