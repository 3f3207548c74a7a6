"""What computes in the pages of the static edition beside the copier, worked by keyboard, against the library."""

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from crn_lib.analysis import copy_without, influence, most_amplified
from crn_lib.course import frontend
from crn_lib.course.widgets.line import EDGES
from crn_lib.viz import draw_state_against_length
from tests.browser.accessibility import serious
from tests.browser.placed import assert_curves_are_the_librarys, placed, point
from tests.browser.reader import READY_FOR_AXE, Reader, lesson_pages
from tests.course.frontend.shipped import TASK, shipped

pytestmark = pytest.mark.browser

CUT = "parts => parts.filter(e => e.scrollWidth > e.clientWidth).map(e => [e.className, e.scrollWidth, e.clientWidth])"

TEXT = "thequickbrownfox"
MEGABYTE = 1_000_000

# Work instead of seconds: exponentials taken and rectangles painted since the last call.
COUNT_WORK = """() => {
  window.work = { exponentials: 0, rectangles: 0 };
  const { exp } = Math, { fillRect } = CanvasRenderingContext2D.prototype;
  Math.exp = x => (window.work.exponentials++, exp(x));
  CanvasRenderingContext2D.prototype.fillRect = function (...box) {
    if (this.canvas.closest(".crn-relation-map")) window.work.rectangles++;  // not of a widget that came near meanwhile
    fillRect.apply(this, box);
  };
}"""
WORK = "() => { const { work } = window; window.work = { exponentials: 0, rectangles: 0 }; return work; }"

# Cells of the CausalRN in which something is written, from now on.
COUNT_WRITTEN = """() => {
  window.written = 0;
  const look = new MutationObserver(records => window.written += records.length);
  look.observe(document.querySelector("[data-kind=causal_rn] .cells"), { childList: true, subtree: true });
}"""

WIDGETS = (
    ("04_normalise_first.html", "pair"),
    ("05_growing_memory.html", "memory"),
    ("08_how_it_retrieves.html", "plane"),
    ("08_how_it_retrieves.html", "relation_map"),
    ("01_copying_task.html", "sampled"),
    ("06_train_to_copy.html", "train"),
    ("10_beyond_copying.html", "line"),
)
"""Each module that computes in a page, and a lesson that has it."""


def widget(reader: Reader, lesson: str, name: str) -> Locator:
    """A widget on a lesson's page, once it is there."""
    reader.page.goto((reader.site / lesson).as_uri())
    place = reader.page.locator(f".crn-alive[data-module={name}]").first
    place.scroll_into_view_if_needed()
    place.and_(reader.page.locator("[data-state=alive]")).wait_for()
    reader.page.wait_for_function("!document.querySelector('.crn-alive[data-state=loading]')")
    return place.locator(".crn-widget")


def test_the_relation_map_shows_the_librarys_numbers_while_pairs_are_dropped_by_keyboard(reader: Reader) -> None:
    maps = widget(reader, "08_how_it_retrieves.html", "relation_map")
    maps.locator("input[type=text]").fill(TEXT)
    model = shipped("causal_rn").double()
    dropped: dict[tuple[int, int], int] = {}
    field = maps.locator("[data-block='1'] .field")
    for step in range(2):
        copied = copy_without(model, TASK, TEXT, dropped)
        assert "".join(maps.locator("[data-block='1'] .said").all_text_contents()).replace("✗", "") == (
            copied.written.replace(">", "■")
        )
        for block, pairs in enumerate(copied.pairs):
            rings = maps.locator(f"[data-block='{block}'] .ring").evaluate_all(
                "rings => rings.map(r => +r.getAttribute('cx') - 0.5)"
            )
            assert [round(ring) for ring in rings] == most_amplified(pairs)[0, 0].tolist()
        field.press("Home")
        for _ in range(4 + step):
            field.press("ArrowRight")
        row, sender = 2, 4 + step
        said = maps.locator(".status").inner_text()
        pairs = copied.pairs[1]
        scale, share = (float(v[0, 0, row, sender]) for v in (pairs.scale, influence(pairs).share))
        assert f"Hears position {sender} " in said
        assert f"scale {scale:.2f}, share {100 * share:.1f}%" in said
        field.press("Delete")
        dropped = {(1, row): sender}
    assert maps.locator(".cross").count() == 1, "one a row"
    maps.get_by_role("button", name="drop all rings").press("Enter")
    field.press("Home")
    ring = maps.locator("[data-block='1'] .ring").nth(row)
    for _ in range(round(float(ring.get_attribute("cx") or 0) - 0.5)):
        field.press("ArrowRight")
    assert "the ring" in maps.locator(".status").inner_text()
    maps.get_by_role("button", name="drop all rings").press("Enter")
    assert "dropped" in maps.locator(".status").inner_text(), "what is said follows what is done"
    maps.locator("input[type=text]").fill("")
    assert all(not button.is_enabled() for button in maps.get_by_role("button").all()), "none is silent"


def test_a_relation_map_says_what_its_colours_are_and_shows_one_sign_for_the_end(reader: Reader) -> None:
    maps = widget(reader, "08_how_it_retrieves.html", "relation_map")
    maps.locator("input[type=text]").fill(TEXT)
    keys = maps.locator(".colours")
    maps.get_by_role("radio", name="correlation").press("Space")
    assert keys.all_inner_texts() == ["opposed, −1\n+1, aligned"] * 2
    scales = [
        float(pairs.scale.nan_to_num().max())
        for pairs in copy_without(shipped("causal_rn").double(), TASK, TEXT, {}).pairs
    ]
    maps.get_by_role("radio", name="scale").press("Space")
    assert keys.all_inner_texts() == [f"0\n{scale:.2f}, the largest scale of this block" for scale in scales]
    maps.get_by_role("radio", name="share of the output").press("Space")
    assert keys.all_inner_texts() == ["against the output, −100%\n+100%, all of the output"] * 2
    maps.get_by_role("radio", name="correlation").press("Space")
    maps.get_by_role("slider", name="receivers").press("End")  # now it ends too early, and reads that itself
    heard = "".join(maps.locator("[data-block='0'] .heard").all_text_contents())
    assert heard.startswith(f"<{TEXT}|") and heard.endswith("■") and ">" not in heard
    assert "■: the token that ends the copy" in maps.locator(".foot").inner_text()


@pytest.fixture
def finger(reader: Reader) -> Iterator[Callable[..., float]]:
    """Touches a part of a phone's page and may move; returns by how much the page has scrolled."""
    touch = reader.page.context.new_cdp_session(reader.page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    reader.page.set_viewport_size({"width": 390, "height": 844})

    def move(part: Locator, at: tuple[float, float], x: int = 0, y: int = 0) -> float:
        part.evaluate("p => scrollTo(0, p.getBoundingClientRect().top + scrollY - 300)")
        before, box = reader.page.evaluate("scrollY"), part.bounding_box()
        assert box is not None
        for step in range(9 if x or y else 1):
            place = box["x"] + at[0] * box["width"] + step * x / 8, box["y"] + at[1] * box["height"] + step * y / 8
            event = {"type": "touchMove" if step else "touchStart", "touchPoints": [{"x": place[0], "y": place[1]}]}
            touch.send("Input.dispatchTouchEvent", event)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        return float(reader.page.evaluate("scrollY") - before)

    yield move
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_a_first_touch_looks_a_second_one_drops_and_a_map_scrolls_under_its_name(
    reader: Reader, finger: Callable[..., float]
) -> None:
    maps = widget(reader, "08_how_it_retrieves.html", "relation_map")
    place = maps.locator("[data-block='1']")
    canvas = place.locator("canvas")
    box = canvas.bounding_box()
    assert box is not None and box["width"] / 26 >= 24 and box["height"] / 13 >= 24, "for a finger"
    for crosses in (0, 1, 0):
        finger(canvas, (4.5 / 26, 5.5 / 13))
        expect(maps.locator(".status")).to_contain_text("Block 1, token 6")
        expect(maps.locator(".cross")).to_have_count(crosses)
    assert finger(canvas, (0.3, 0.5), y=-100) > 40
    finger(canvas, (0.3, 0.5), x=-150)
    reader.page.wait_for_function("m => m.scrollLeft > 60", arg=place.element_handle())
    name, own = place.locator(".name").bounding_box(), place.bounding_box()
    assert name and own and abs(name["x"] - own["x"]) < 2


def test_a_finger_on_a_figure_scrolls_the_page_and_the_figure(reader: Reader, finger: Callable[..., float]) -> None:
    sampled = widget(reader, "01_copying_task.html", "sampled").locator(".plot")
    for drawing in (sampled, reader.page.locator("figure.stored-figure .plot").last):
        drawing.scroll_into_view_if_needed()
        drawing.locator(".main-svg").first.wait_for()
        assert finger(drawing, (0.3, 0.5), y=-100) > 40
        assert drawing.locator(".modebar-btn").count() == 0, "no tools over the figure"
    finger(drawing, (0.3, 0.5), x=-150)
    reader.page.wait_for_function("p => p.parentElement.scrollLeft > 60", arg=drawing.element_handle())


def test_a_look_computes_nothing_and_a_dropped_pair_one_copy(reader: Reader) -> None:
    maps = widget(reader, "08_how_it_retrieves.html", "relation_map")
    maps.locator("input[type=text]").fill(TEXT)
    reader.page.evaluate(COUNT_WORK)
    field = maps.locator("[data-block='0'] .field")
    field.focus()
    field.press("ArrowDown")
    field.press("ArrowRight")
    assert reader.page.evaluate(WORK) == {"exponentials": 0, "rectangles": 0}
    field.press("Delete")
    work = reader.page.evaluate(WORK)
    length, rows, blocks, width = 2 * len(TEXT) + 2, len(TEXT) + 1, 2, 48
    changed = 3  # the row of the pair: those before it are neither copied nor compared anew
    pairs = sum(length - row for row in range(rows - changed))
    model = blocks * width * pairs - width  # its own; those of the maps' shares are as many at most
    assert model <= work["exponentials"] <= 2 * model + 30 * rows  # and softmaxes of what is written
    assert 0 < work["rectangles"] <= blocks * pairs - 1


def test_a_letter_more_writes_the_cells_that_change_and_no_others(reader: Reader) -> None:
    copier = widget(reader, "00_welcome.html", "copier")
    field = copier.locator("input[type=text]")
    field.fill(TEXT[:-1])
    reader.page.evaluate(COUNT_WRITTEN)
    field.press("End")
    field.press(TEXT[-1])
    written = "".join(copier.locator("[data-kind=causal_rn] .said").all_text_contents())
    assert written == f"{TEXT}■"
    assert reader.page.evaluate("window.written") == 4, "the letter and the end, asked and said"


def test_a_figure_shows_its_picture_until_it_is_drawn(reader: Reader) -> None:
    held: list[Route] = []
    reader.page.route("**/plotly.min.js", lambda route: held.append(route))  # and never answered: the page never loads
    reader.page.goto((reader.site / "01_copying_task.html").as_uri(), wait_until="domcontentloaded")
    for figure in ("figure.stored-figure", ".crn-alive[data-module=sampled]"):
        place = reader.page.locator(figure).first
        place.scroll_into_view_if_needed()
        picture = place.locator(".plot img")
        reader.page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
        assert picture.is_visible() and len(picture.get_attribute("alt") or "") > 20
    assert len(held) == 1, "fetched once for both"


def test_the_front_page_brings_what_its_copier_needs_and_no_other_page_does(site: Path) -> None:
    names = frontend.carried_for("copier", frontend.SHIPPED)
    for page in ("index.html", "00_welcome.html"):
        head, _ = (site / page).read_text().split("</head>")
        tags = re.findall(r"<script async[^>]* src=\"_static/([^?\"]+)", head)
        assert tags == ([f"alive/{name}.carried.js" for name in names] if page == "index.html" else []) + ["host.js"]


def test_a_page_offers_the_recorded_settings_and_draws_what_python_draws(reader: Reader) -> None:
    sampled = widget(reader, "01_copying_task.html", "sampled")
    assert "Sampled: 196 settings (of 288)" in sampled.locator(".note").inner_text()
    numbers, bits, letters = sampled.locator("input[type=range]").all()
    numbers.press("End")
    bits.press("Home")
    letters.press("Home")
    title = draw_state_against_length(256, 8, 4).layout.title.text.replace("<br>", "")
    drawn = sampled.locator(".gtitle")
    drawn.and_(reader.page.get_by_text(title)).wait_for()
    curve = reader.page.evaluate("[...document.querySelector('.crn-sampled .plot').data[0].y]")
    assert curve == pytest.approx(list(draw_state_against_length(256, 8, 4).data[0].y), rel=1e-5)


@pytest.fixture
def refused(reader: Reader) -> Iterator[str]:
    """A page of lesson 12 whose drawing refuses one setting: every control at its lowest."""
    page = (reader.site / "12_scaling_out.html").read_text()
    (packed,) = re.findall(r'"packed": ?"([^"]+)"', page)
    record = json.loads(gzip.decompress(base64.b64decode(packed)))
    record["settings"][0] = "longest must be at least 17; got 16"
    other = base64.b64encode(gzip.compress(json.dumps(record).encode())).decode()
    made = reader.site / "refused.html"
    made.write_text(page.replace(packed, other))
    yield made.name
    made.unlink()


def test_a_refused_setting_is_said_in_words_and_another_one_is_drawn_again(reader: Reader, refused: str) -> None:
    sampled = widget(reader, refused, "sampled")
    plot, status = sampled.locator(".plot-frame"), sampled.locator(".said")
    sliders = sampled.locator("input[type=range]").all()
    assert len(sliders) == sampled.locator("input, select").count()
    for slider in sliders:
        slider.press("Home")
    expect(status).to_have_text("Cannot draw this: longest must be at least 17; got 16")
    expect(plot).to_be_hidden()
    assert status.get_attribute("data-refused") == ""
    sliders[0].press("End")
    expect(plot).to_be_visible()
    expect(status).not_to_contain_text("Cannot draw")
    assert status.get_attribute("data-refused") is None and not reader.errors


FIGURE = "p => JSON.stringify([p.data, p.layout.title, p.layout.shapes, p.layout.xaxis.type])"


def test_every_lessons_recorded_controls_move_and_draw_another_figure(reader: Reader) -> None:
    lessons = [
        name for name in lesson_pages(reader.site) if 'data-module="sampled"' in (reader.site / name).read_text()
    ]
    assert len(lessons) >= 8
    for name in lessons:
        sampled = widget(reader, name, "sampled")
        plot = sampled.locator(".plot")
        for control in sampled.locator("input:not([type=radio]), input[type=radio]:not(:checked), select").all():
            before = plot.evaluate(FIGURE)
            first = control.evaluate("c => c.value === c.min || c.selectedIndex === 0")
            box = control.get_attribute("type") in ("checkbox", "radio")
            control.press("Space" if box else "End" if first else "Home")
            reader.page.wait_for_function(
                f"([p, before]) => ({FIGURE})(p) !== before", arg=[plot.element_handle(), before]
            )
        assert sampled.locator("text=Cannot draw").count() == 0, name


def test_points_are_moved_by_keys_and_by_dragging(reader: Reader) -> None:
    pair = widget(reader, "04_normalise_first.html", "pair")
    pair.get_by_role("button", name="nearly opposite").press("Enter")
    exact = pair.locator("[data-norm=exact] td").last
    assert exact.inner_text() == "1.00" and float(pair.locator("[data-norm=none] td").last.inner_text()) < 0.2
    before = pair.locator(".status").inner_text()
    handle = pair.get_by_role("button", name="row b")
    assert re.fullmatch(
        r"row b, at −?\d\.\d\d, −?\d\.\d\d; arrow keys move it", handle.get_attribute("aria-label") or ""
    )
    assert "−" in (handle.get_attribute("aria-label") or "")
    handle.press("ArrowRight")
    moved = pair.locator(".status").inner_text()
    assert moved != before and exact.inner_text() == "1.00"
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    reader.page.mouse.move(box["x"] + 13, box["y"] + 13)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 60, box["y"] - 30, steps=3)
    reader.page.mouse.up()
    after = handle.bounding_box()
    assert after is not None and abs(after["x"] - box["x"] - 45) < 3 and abs(after["y"] - box["y"] + 45) < 3
    assert pair.locator(".status").inner_text() != moved


def test_the_nearest_sender_is_read_and_memories_fill(reader: Reader) -> None:
    plane = widget(reader, "08_how_it_retrieves.html", "plane")
    assert plane.locator("tr.read th").inner_text() == "c"
    assert re.search(r"A reads c: distance 0\.\d+, scale 2\.\d+", plane.locator(".status").inner_text())
    memory = widget(reader, "05_growing_memory.html", "memory")
    assert "After 128 tokens the Transformer holds most, 262,216 bytes" in memory.locator(".status").inner_text()
    memory.locator("input[type=range]").press("Home")
    assert memory.get_by_text("1,064 bytes in use, 15,360 more set aside").count() == 1


FAR_OFF = [(-1.2, -1.56), (0.4, 0.52), (1.0, 1.3), (1.8, -2.0)]
NUMBERS_AT_1 = r"At x = 1: CausalRN 1\.31, Transformer 1\.04, least squares −0\.04, .* 3 nearest neighbours −0\.06\.$"


def test_placed_points_are_moved_by_keys_and_by_dragging_and_every_curve_is_the_librarys(reader: Reader) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    assert placed(line) == FAR_OFF
    assert_curves_are_the_librarys(line)
    assert re.match(f"4 points. {NUMBERS_AT_1}", line.locator("[aria-live=polite]").inner_text())
    point(line, 4).press("ArrowUp")
    point(line, 4).press("Shift+ArrowLeft")
    assert placed(line) == [*FAR_OFF[:3], (1.79, -1.9)]
    handle, plane = point(line, 2), line.locator(".plane")
    handle.scroll_into_view_if_needed()
    box, whole = handle.bounding_box(), plane.bounding_box()
    assert box is not None and whole is not None
    reader.page.mouse.move(box["x"] + 13, box["y"] + 13)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 73, box["y"] + 93, steps=3)
    reader.page.mouse.up()
    moved = placed(line)
    assert len(moved) == 4, "the end of a drag is no click on the plane"
    assert moved[1][0] == pytest.approx(0.4 + 60 * 5 / whole["width"], abs=0.02)
    assert moved[1][1] == pytest.approx(0.52 - 80 * 8 / whole["height"], abs=0.03)
    assert_curves_are_the_librarys(line)
    reader.page.mouse.move(box["x"] + 70, box["y"] + 88, steps=2)
    assert placed(line) == moved, "it was let go"
    for _ in range(60):
        point(line, 1).press("ArrowUp")
    assert placed(line)[0] == (-1.2, 3.8), "it stays within the plane"


def test_points_are_added_and_removed_from_one_to_ten(reader: Reader) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    plane, status = line.locator(".plane"), line.locator(".status")
    whole = plane.bounding_box()
    assert whole is not None
    corner = {"x": 0.3 * whole["width"], "y": 0.25 * whole["height"]}
    plane.click(position=corner)
    x, y = placed(line)[-1]
    assert len(placed(line)) == 5 and (x, y) == (pytest.approx(-1.0, abs=0.02), pytest.approx(2.0, abs=0.03))
    assert point(line, 5).evaluate("p => p === document.activeElement"), "arrow keys go on with it"
    assert_curves_are_the_librarys(line)
    point(line, 2).press("Delete")
    assert placed(line) == [FAR_OFF[0], *FAR_OFF[2:], (x, y)] and "4 points" in status.inner_text()
    assert point(line, 2).evaluate("p => p === document.activeElement"), "the next one has the focus"
    assert_curves_are_the_librarys(line)
    more = line.get_by_role("button", name="add a point")
    while more.is_enabled():
        before = placed(line)
        more.press("Enter")
        assert placed(line)[:-1] == before
    assert len(placed(line)) == 10 and len({x for x, _ in placed(line)}) == 10, "each has a place of its own"
    assert_curves_are_the_librarys(line)
    plane.click(position={"x": 4, "y": 4})
    assert len(placed(line)) == 10 and "trained to read 10 points, and no more" in status.inner_text()
    point(line, 3).focus()
    before = placed(line)
    line.get_by_role("button", name="remove point 3").press("Enter")
    assert placed(line) == [*before[:2], *before[3:]]
    assert "Delete removes it" in (point(line, 1).get_attribute("aria-label") or "")
    for left in range(8, 0, -1):
        reader.page.keyboard.press("Enter")  # where the focus is: the button has it
        assert len(placed(line)) == left
        focused = reader.page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        )
        assert re.match(r"remove point \d$" if left > 1 else "point 1, at", focused), left
    assert "Delete" not in (point(line, 1).get_attribute("aria-label") or "")
    assert_curves_are_the_librarys(line)
    assert not line.get_by_role("button", name="remove point 1").is_enabled()
    point(line, 1).press("Delete")
    assert len(placed(line)) == 1 and status.inner_text().startswith("The last point stays. 1 point.")


def test_a_point_is_dragged_from_where_it_is_taken_by_the_first_button_alone_and_as_far_to_each_side(
    reader: Reader,
) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    mouse, handle = reader.page.mouse, point(line, 2)
    handle.scroll_into_view_if_needed()
    box, whole = handle.bounding_box(), line.locator(".plane").bounding_box()
    assert box is not None and whole is not None
    taken = (box["x"] + 20, box["y"] + 18)  # 7 pixels to the right of its middle, 5 below
    mouse.move(*taken)
    mouse.down(button="right")
    mouse.move(taken[0] + 40, taken[1] + 40)
    mouse.up(button="right")
    assert placed(line) == FAR_OFF
    mouse.move(*taken)
    mouse.down()
    mouse.move(taken[0] + 1, taken[1])
    assert placed(line)[1] == (pytest.approx(0.4 + 5 / whole["width"], abs=0.0051), 0.52)
    for side in (1, -1):
        mouse.move(taken[0] + side * whole["width"], taken[1] - side * whole["height"])
        assert placed(line)[1] == (side * EDGES["x"], side * EDGES["y"])
    mouse.move(*taken)
    mouse.up()
    assert placed(line) == FAR_OFF


def test_a_moved_point_has_nothing_written_anew_but_what_changes(reader: Reader) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    handle = point(line, 3)
    handle.evaluate("""handle => {
      window.changes = [];
      const look = new MutationObserver(records => window.changes.push(...records.map(record => record.type)));
      look.observe(handle, { childList: true, attributes: true, attributeFilter: ["aria-label"] });
    }""")
    for key, times in (("ArrowUp", 25), ("ArrowUp", 10)):
        for _ in range(times):
            handle.press(key)
        assert placed(line)[2] == (1, 3.8)
        assert reader.page.evaluate("window.changes") == ["attributes"] * 25, "no name, and at the edge no label"


def test_a_new_point_is_not_put_where_it_tells_no_slope(reader: Reader) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    line.get_by_role("button", name="one point", exact=True).press("Enter")
    assert placed(line) == [(1.0, 1.2)]
    for key, times in (("ArrowLeft", 26), ("Shift+ArrowLeft", 7)):
        for _ in range(times):
            point(line, 1).press(key)
    line.get_by_role("button", name="add a point").press("Enter")
    assert placed(line) == [(-1.67, 1.2), (0.83, -0.6)]
    assert "tells no slope" not in line.locator(".status").inner_text()
    assert_curves_are_the_librarys(line)


def test_settings_and_check_boxes_and_a_point_that_tells_no_slope(reader: Reader) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    for words, count in (("one point", 1), ("four points of a line", 4), ("ten points of a line", 10)):
        line.get_by_role("button", name=words, exact=True).press("Enter")
        assert len(placed(line)) == count
        assert_curves_are_the_librarys(line)
    box = line.get_by_role("checkbox", name="averaged projections")
    curve = line.locator("polyline[data-curve='averaged projections']")
    assert curve.is_visible()
    box.press("Space")
    assert not curve.is_visible() and line.locator("polyline:visible").count() == 5
    line.get_by_role("button", name="reset").press("Enter")
    assert placed(line) == FAR_OFF and curve.is_visible() and box.is_checked()
    for _ in range(10):
        point(line, 3).press("ArrowLeft")
    assert placed(line)[2] == (0, 1.3)
    assert "Point 3 has x = 0 and tells no slope: averaged projections has no answer." in (
        line.locator(".status").inner_text()
    )
    assert_curves_are_the_librarys(line)
    point(line, 3).press("ArrowLeft")
    assert "tells no slope" not in line.locator(".status").inner_text()
    assert_curves_are_the_librarys(line)


def test_a_finger_drags_a_point_adds_one_and_scrolls_the_page_over_the_plane(
    reader: Reader, finger: Callable[..., float]
) -> None:
    line = widget(reader, "10_beyond_copying.html", "line")
    finger(line.locator(".plane"), (0.2, 0.8))
    expect(line.locator("button.point")).to_have_count(5)
    assert placed(line)[4] == (pytest.approx(-1.5, abs=0.05), pytest.approx(-2.4, abs=0.1))
    assert finger(point(line, 4), (0.5, 0.5), x=-60, y=-100) == 0
    dragged = placed(line)
    assert len(dragged) == 5 and dragged[:3] == FAR_OFF[:3] and dragged[3][0] < 1 and dragged[3][1] > 0
    assert_curves_are_the_librarys(line)
    assert finger(line.locator(".plane"), (0.2, 0.6), y=-100) > 40
    assert placed(line) == dragged, "to scroll adds nothing"


# Of a run's curve of the loss: its first three points once the loss is below this part of its start.
LOSSES = """([curve, run, part]) => {
  const [line] = [...curve.querySelectorAll("polyline")].slice(run - 1);
  const points = line ? line.getAttribute("points").split(" ") : [];
  const heights = points.map(point => Number(point.split(",")[1]));
  const [bottom] = [...curve.querySelectorAll(".grid")].map(line => Number(line.getAttribute("y1")));
  const falls = points.length > 2 && bottom - heights.at(-1) < part * (bottom - heights[0]);
  return falls && points.slice(0, 3);
}"""


def test_a_copier_learns_in_the_page_and_another_norm_makes_another_run_of_it(reader: Reader) -> None:
    training = widget(reader, "06_train_to_copy.html", "train")
    start, status = training.locator("button.play"), training.locator(".status")
    curve = training.get_by_role("img", name=re.compile("^loss")).element_handle()
    training.get_by_role("slider", name="letters").press("Home")
    training.get_by_role("slider", name="learning rate").press("ArrowRight")

    def losses(run: int, part: float) -> list[str]:
        start.press("Enter")
        found: list[str] = reader.page.wait_for_function(LOSSES, arg=[curve, run, part]).json_value()
        start.press("Enter")
        assert f"Run {run} was stopped after" in status.inner_text()
        return found

    first = losses(1, 0.5)
    assert losses(2, 1) == first
    assert "The settings are those of run 1." in status.inner_text()
    training.get_by_role("radio", name="exact").press("ArrowRight")
    assert losses(3, 1) != first
    assert "norm approx in place of exact" in status.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_widgets(theme: str, reader: Reader) -> None:
    reader.page.emulate_media(color_scheme=theme)
    for lesson, name in WIDGETS:
        widget(reader, lesson, name)
        reader.page.evaluate(READY_FOR_AXE)
        assert serious(reader.page, include=[f".crn-alive[data-module={name}]"]) == [], name


@pytest.mark.parametrize("width", [320, 1600])
def test_no_widget_makes_a_page_scroll_sideways(width: int, reader: Reader) -> None:
    reader.page.set_viewport_size({"width": width, "height": 900})
    for lesson, name in WIDGETS:
        widget(reader, lesson, name)
        assert reader.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth") <= 0, name
        assert reader.page.locator(".crn-alive .scrolled").evaluate_all(CUT) == [], name
        assert width < 600 or reader.page.locator(".crn-alive .map").evaluate_all(CUT) == [], name


def test_the_site_and_its_pages_are_small(site: Path) -> None:
    assert not list(site.rglob("*.map"))
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 30 * MEGABYTE
    for name in lesson_pages(site):
        assert (site / name).stat().st_size < 3 * MEGABYTE, name
