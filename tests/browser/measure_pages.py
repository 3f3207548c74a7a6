"""Measures what the pages of the static edition are allowed: first drawing, a key, dragging, bytes.

`python -m tests.browser.measure_pages SITE`, on a quiet machine: times are by the wall. It is no test, since a test
never asserts seconds. It prints what was measured beside the budgets of `BUDGETS`.
"""

import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import Locator, Page
from rich.console import Console
from rich.table import Table

from tests.browser.lab import chromium
from tests.browser.reader import lesson_pages

BUDGETS = {"first drawing": "300 ms", "key": "50 ms", "frame": "16.7 ms", "page": "3 MB", "site": "30 MB"}
LOADS, FRAMES = 5, 90
MEGABYTE = 1_000_000

# When the host asked for a widget, when it was first painted, and when a recorded figure's picture was, which stands
# there until plotly has drawn.
WATCH = """() => {
  window.firstDrawn = [];
  const asked = new Map();
  const painted = (name, place) => requestAnimationFrame(() => setTimeout(() => firstDrawn.push(
    [name, asked.get(place), performance.now()])));
  new MutationObserver(records => {
    for (const { target, addedNodes } of records) {
      if (target.dataset?.state === 'loading') asked.has(target) || asked.set(target, performance.now());
      if (target.dataset?.state === 'alive') painted(target.dataset.module, target);
      for (const added of addedNodes) {
        const place = added.parentElement?.closest('.crn-alive[data-module=sampled]');
        const picture = place && (added.matches?.('img') ? added : added.querySelector?.('img'));
        if (picture && asked.has(place)) picture.decode().then(() => painted('picture of sampled', place));
      }
    }
  }).observe(document, { subtree: true, childList: true, attributeFilter: ['data-state'] });
}"""
# From a key going down to the answer's being painted: the frame after the one in which it was drawn has begun.
KEYS = """() => {
  window.keys = [];
  addEventListener('keydown', event => {
    requestAnimationFrame(() => setTimeout(() => keys.push(performance.now() - event.timeStamp)));
  }, true);
}"""
FRAME_TIMES = """() => {
  window.frames = [];
  const next = now => { frames.push(now); window.running && requestAnimationFrame(next); };
  window.running = true;
  requestAnimationFrame(next);
}"""
STOP_FRAMES = "() => { window.running = false; return frames.slice(1).map((at, frame) => at - frames[frame]); }"

LETTERS = "thequickbrownfoxjumpsoverthelazy"
DRAGS = (
    ("04_normalise_first.html", "pair", "button.point", ""),
    ("05_growing_memory.html", "memory", "input[type=range]", ""),
    ("08_how_it_retrieves.html", "plane", "button.point", ""),
    ("08_how_it_retrieves.html", "relation_map", "[data-block='1'] .gutter", LETTERS[:16]),
    ("08_how_it_retrieves.html", "relation_map", "[data-block='1'] .gutter", LETTERS),
    ("01_copying_task.html", "sampled", "input[type=range]", ""),
    ("10_beyond_copying.html", "line", "button.point", ""),
)
"""What is dragged: a lesson, a module in it, the part taken hold of, and what is typed before."""


def main(site: Path) -> None:
    table = Table("what", "where", "smallest", "middle", "largest", "budget")
    with chromium() as context, context.new_page() as page:
        page.goto("about:blank")  # the browser's own start is not the pages'
        first_drawings(page, site, table)
        keys(page, site, table)
        for drag in DRAGS:
            frames(page, site, table, *drag)
    sizes(site, table)
    Console(width=120).print(table)


def first_drawings(page: Page, site: Path, table: Table) -> None:
    """From navigation for what stands at the top, from coming within reach for what is further down."""
    page.add_init_script(f"({WATCH})()")
    for name in ("index.html", *lesson_pages(site)):
        found: dict[tuple[str, str], list[float]] = {}
        for _ in range(LOADS):
            page.goto((site / name).as_uri())
            places = page.locator(".crn-alive")
            for number in range(places.count()):
                places.nth(number).scroll_into_view_if_needed()
                places.nth(number).and_(page.locator("[data-state=alive]")).wait_for()
            page.wait_for_function(f"firstDrawn.length >= {places.count()}")
            for module, asked, drawn in page.evaluate("firstDrawn"):
                top = name == "index.html"
                came = "from navigation" if top else "once near"
                found.setdefault((module, came), []).append(drawn - (0 if top else asked))
        for (module, came), times in found.items():
            add(table, f"first drawing, {came}", f"{name}: {module}", times, BUDGETS["first drawing"])


def keys(page: Page, site: Path, table: Table) -> None:
    """Letters typed into the copier, and into the relation map."""
    for name, module in (("00_welcome.html", "copier"), ("08_how_it_retrieves.html", "relation_map")):
        widget = there(page, site, name, module)
        page.evaluate(KEYS)
        field = widget.locator("input[type=text]").first
        field.fill("")
        for number, letter in enumerate(LETTERS):
            field.press(letter)
            page.wait_for_function(f"keys.length > {number}")
        times = page.evaluate("keys")
        add(table, "key, letters 1 to 16", f"{name}: {module}", times[:16], BUDGETS["key"])
        add(table, "key, letters 17 to 32", f"{name}: {module}", times[16:], BUDGETS["key"])


def frames(page: Page, site: Path, table: Table, name: str, module: str, part: str, text: str) -> None:
    """A handle dragged to and fro, one step a frame; a map's row moves up and down."""
    widget = there(page, site, name, module)
    if text:
        widget.locator("input[type=text]").fill(text)
    handle = widget.locator(part).first
    handle.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = handle.bounding_box()
    assert box is not None
    slides = "range" in part
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAME_TIMES)
    for step in range(FRAMES):
        away = 60 * abs((step % 40) / 20 - 1) - 30
        page.mouse.move(x + (3 * away if slides else away), y if slides else y + away)
        page.wait_for_function(f"frames.length > {step}", polling="raf")
    times = page.evaluate(STOP_FRAMES)
    page.mouse.up()
    letters = f", {len(text)} letters" if text else ""
    add(table, "frame while dragging", f"{name}: {module}{letters}", times, BUDGETS["frame"])


def there(page: Page, site: Path, name: str, module: str) -> Locator:
    page.goto((site / name).as_uri())
    place = page.locator(f".crn-alive[data-module={module}]").first
    place.scroll_into_view_if_needed()
    place.and_(page.locator("[data-state=alive]")).wait_for()
    page.wait_for_timeout(1500)  # for what else the page still loads
    return place.locator(".crn-widget")


def sizes(site: Path, table: Table) -> None:
    pages = {name: (site / name).stat().st_size for name in lesson_pages(site)}
    largest = max(pages, key=lambda name: pages[name])
    table.add_row("page", largest, "", "", f"{pages[largest] / MEGABYTE:.2f} MB", BUDGETS["page"])
    total = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    table.add_row("site", str(site), "", "", f"{total / MEGABYTE:.1f} MB", BUDGETS["site"])


def add(table: Table, what: str, where: str, times: list[float], budget: str) -> None:
    shown = (f"{time:.1f} ms" for time in (min(times), median(times), max(times)))
    table.add_row(what, where, *shown, budget)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
