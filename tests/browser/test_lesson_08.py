"""Lesson 08 in a real browser: pairs looked at, dropped and moved in the relation maps, and the copy that follows."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.accessibility import OWN_IN_JUPYTERLAB, serious
from tests.browser.controls import assert_no_error
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

MAPS = ".crn-relation-map"


@pytest.fixture(scope="module")
def lesson_page(lab: Lab) -> Iterator[Page]:
    """Lesson 08 with its controls, in the smoke profile, and the widget in view."""
    with lab.lesson("08_how_it_retrieves") as page:
        page.locator(f"{MAPS} .field").first.scroll_into_view_if_needed()
        yield page


@pytest.fixture
def maps(lesson_page: Page) -> Locator:
    """The widget with nothing dropped."""
    found = lesson_page.locator(MAPS)
    found.get_by_role("button", name="restore all").press("Enter")
    return found


def test_it_has_the_model_just_trained_with_its_four_blocks_and_the_one_that_ships(maps: Locator) -> None:
    assert maps.locator(".field").count() == 4 and maps.locator(".ring").count() == 4 * 13
    names = maps.get_by_role("group", name="model:").locator("label").all_inner_texts()
    assert ["trained in this lesson, 12 letters" in names[0], "ships" in names[1], len(names)] == [True, True, 2]
    maps.get_by_role("radio", name="ships").press("Space")
    assert maps.locator(".field").count() == 2 and "13 of 13 tokens right" in maps.locator(".written").inner_text()
    maps.get_by_role("radio", name="trained").press("Space")
    assert maps.locator(".field").count() == 4


def test_a_short_string_is_filled_up_for_a_model_of_one_length(maps: Locator) -> None:
    field = maps.locator("input[type=text]")
    field.fill("zebra")
    assert "Filled up to 12 letters" in maps.locator(".answer").inner_text()
    wanted = maps.locator("[data-block='0'] .wanted").all_text_contents()
    assert "".join(wanted) == "zebrazyxwvut■"
    field.fill("cancellation")


def test_keys_drop_a_pair_and_move_a_receiver_and_the_notebook_does_not_take_them(maps: Locator) -> None:
    cells = maps.page.locator(".jp-Cell").count()
    field = maps.locator("[data-block='1'] .field")
    field.focus()
    for key in ("Home", "ArrowRight", "Delete"):
        field.press(key)
    assert "Hears position 1 (c)" in maps.locator(".status").inner_text()
    assert maps.locator("[data-block='1'] .cross").count() == 1 and maps.locator(".cross").count() == 1
    field.press("Shift+ArrowDown")
    assert maps.locator("[data-block='1'] .moved").all_text_contents() == ["+1"]
    field.press("Shift+ArrowUp")
    field.press("Home")
    field.press("ArrowRight")
    field.press("Delete")
    assert maps.locator(".moved, .cross").count() == 0
    assert maps.page.locator(".jp-Cell").count() == cells, "Delete is the map's"


def test_the_mouse_drops_pairs_and_drags_receivers(maps: Locator) -> None:
    canvas = maps.locator("[data-block='0'] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    side = box["height"] / 13
    maps.page.mouse.move(box["x"] + 4.5 * side, box["y"] + 2.5 * side)
    assert "Block 0, token 3" in maps.locator(".status").inner_text()
    assert "Hears position 4 (c)" in maps.locator(".status").inner_text()
    maps.page.mouse.down()
    maps.page.mouse.up()
    assert maps.locator("[data-block='0'] .cross").count() == 1
    maps.page.mouse.move(box["x"] - 0.5 * side, box["y"] + 5.5 * side)
    maps.page.mouse.down()
    maps.page.mouse.move(box["x"] - 0.5 * side, box["y"] + 7.5 * side, steps=4)
    maps.page.mouse.up()
    assert maps.locator("[data-block='0'] .moved").all_text_contents() == ["+2"]


def test_every_cell_ran_without_an_error(lesson_page: Page) -> None:
    assert_no_error(lesson_page)


def test_axe_finds_nothing_serious_in_the_text_and_the_controls(lesson_page: Page) -> None:
    assert serious(lesson_page, include=OWN_IN_JUPYTERLAB) == []
