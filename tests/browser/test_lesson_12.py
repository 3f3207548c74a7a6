"""Lesson 12 in JupyterLab: the sweep's table is filled by pressing its buttons, with both executors."""

import pytest

from tests.browser.controls import assert_no_error, choose, press
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

# How many runs the live table, the one with a start button above it, says are done.
DONE = """() => {
  const button = [...document.querySelectorAll('button')].find(b => b.textContent.trim() === 'start');
  const table = button && button.closest('.jp-OutputArea-output').querySelector('table');
  return table ? [...table.querySelectorAll('td')].filter(cell => cell.textContent === 'done').length : null;
}"""


def test_a_sweep_is_started_forgotten_and_done_again(lab: Lab) -> None:
    with lab.lesson("12_scaling_out") as page:
        page.locator(".jp-MarkdownOutput h2", has_text="Watch a sweep").scroll_into_view_if_needed()
        page.wait_for_function(f"({DONE})() !== null", polling=100)
        for executor in ("inline", "processes"):
            page.locator("button", has_text="forget all rows").click()
            page.wait_for_function(f"({DONE})() === 0", polling=100)
            choose(page, "executor", executor)
            page.locator("button", has_text="start").first.press("Enter")
            page.wait_for_function(f"({DONE})() === 4", polling=100)
        press(page, "seeds a run", "End")
        page.wait_for_function(
            "() => [...document.querySelectorAll('.gtitle')].some(t => t.textContent.includes('50 runs'))",
            polling=100,
        )
        assert_no_error(page)
