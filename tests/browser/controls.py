"""Controls of a widget, found by their label and worked by keyboard, as a reader without a mouse would; its figure."""

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError

# What the page's own controls say, and whether the kernel is at work: tells a lost key from a lost answer.
CHOSEN = """() => [
  ...[...document.querySelectorAll('.widget-hslider, .widget-dropdown')].map(row => {
    const label = row.querySelector('.widget-label'), list = row.querySelector('select');
    const value = list ? list.selectedOptions[0]?.textContent : row.querySelector('.widget-readout')?.textContent;
    return `${label?.textContent}: ${value}`;
  }),
  `kernel ${window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status}`,
]"""


def slider(page: Page, label: str) -> Locator:
    """The handle of the slider with this label (a unit in brackets behind it may be left out), ready for keys."""
    row = page.locator(".widget-hslider, .widget-inline-hbox", has=_labelled(page, label)).last
    return _ready(row.locator(".noUi-handle"))


def press(page: Page, label: str, *keys: str) -> None:
    """Press keys on the slider with this label."""
    handle = slider(page, label)
    for key in keys:
        handle.press(key)


def choose(page: Page, label: str, option: str) -> None:
    """Choose the option of this name from the drop-down list with this label, by arrow keys."""
    box = _drop_down(page, label)
    # Not `all_inner_texts`: that is empty for a list that has scrolled out of sight meanwhile.
    options = [text.replace("\xa0", " ").strip() for text in box.locator("option").all_text_contents()]
    box.press("Home")
    for _ in range(options.index(option)):
        box.press("ArrowDown")


def type_choice(page: Page, label: str, beginning: str) -> None:
    """Choose from the drop-down list with this label by typing how an option begins.

    Unlike arrows, letters would do something else where they are not kept from the notebook: `x` cuts a cell.
    """
    _drop_down(page, label).press_sequentially(beginning)


def tick(page: Page, label: str) -> None:
    """Tick the box with this label, or take the tick away."""
    _ready(page.locator(".widget-checkbox", has_text=label).locator("input")).press("Space")


def push(page: Page, name: str) -> None:
    """Push the last button of this name."""
    _ready(page.get_by_role("button", name=name, exact=True).last).press("Enter")


def once(page: Page, script: str, condition: str = "true", *, of: object = None) -> Any:
    """What a script finds on the page, once it is as awaited and nothing of it moves any more.

    Args:
        script: JavaScript, a function of `of` that gives an object, or null while there is nothing yet.
        condition: JavaScript about that object, `s`.
    """
    try:
        found = page.wait_for_function(
            f"""of => {{
              const s = ({script})(of), now = JSON.stringify(s), still = now === window.foundBefore;
              window.foundBefore = now;
              return still && s && ({condition}) && s;
            }}""",
            arg=of,
            polling=100,  # milliseconds between two looks
        )
    except TimeoutError as error:
        there, chosen = page.evaluate(script, of), page.evaluate(CHOSEN)
        raise AssertionError(f"waited in vain for {condition}; there is {there}, chosen are {chosen}") from error
    return found.json_value()


def drawn(page: Page, figure: str, *words: str, of: str | None = None) -> dict[str, str]:
    """What a script finds in a figure, once the `title` it finds there has all these words (see `once`)."""
    found: dict[str, str] = once(page, figure, f"{json.dumps(words)}.every(word => s.title.includes(word))", of=of)
    return found


def assert_no_error(page: Page) -> None:
    """No cell has failed, and no control refuses what it was given."""
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator('[role="alert"]').count() == 0


def _labelled(page: Page, label: str) -> Locator:
    return page.locator(".widget-label", has_text=re.compile(rf"^{re.escape(label)}($| \()"))


def _drop_down(page: Page, label: str) -> Locator:
    return _ready(page.locator(".widget-dropdown", has=_labelled(page, label)).last.locator("select"))


def _ready(control: Locator) -> Locator:
    """In sight, with focus, and no longer held: a live run's last words come before its controls are free again."""
    control.scroll_into_view_if_needed()
    control.page.wait_for_function("control => !control.closest('[disabled]')", arg=control.element_handle())
    control.focus()
    return control
