"""Keys that a control cannot take yet are not lost: tests wait for it, as a reader would."""

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.controls import choose, press, push, tick

pytestmark = pytest.mark.browser

# A page's four kinds of controls, which can be held as `course.working` holds them while something long runs, and set
# free a moment later.
HELD = """
<div class="widget-dropdown"><span class="widget-label">task</span>
  <select disabled><option>recall</option><option>hops</option></select></div>
<div class="widget-hslider"><span class="widget-label">letters</span>
  <div class="noUi-target" disabled><div class="noUi-handle" tabindex="0"></div></div></div>
<div class="widget-checkbox"><label><input type="checkbox" disabled>post-norm</label></div>
<button disabled>train</button>
<script>
  window.taken = [];
  document.querySelector('.noUi-handle').onkeydown = event => {
    if (!event.target.closest('[disabled]')) window.taken.push(event.key);
  };
  document.querySelector('button').onclick = () => window.taken.push('train');
  const free = () => document.querySelectorAll('[disabled]').forEach(held => held.removeAttribute('disabled'));
  window.hold = () => document.querySelectorAll('select, .noUi-target, input, button').forEach(
    control => control.setAttribute('disabled', ''));
  window.freeSoon = () => setTimeout(free, 300);
</script>
"""


def test_a_control_that_is_held_is_waited_for(browser: BrowserContext) -> None:
    with browser.new_page() as page:
        page.set_content(HELD)
        for work in (
            lambda: choose(page, "task", "hops"),
            lambda: press(page, "letters", "End"),
            lambda: tick(page, "post-norm"),
            lambda: push(page, "train"),
        ):
            page.evaluate("window.hold(), window.freeSoon()")
            work()
        assert page.locator("select").input_value() == "hops"
        assert page.locator("input").is_checked()
        assert page.evaluate("window.taken") == ["End", "train"]
