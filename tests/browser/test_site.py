"""The static edition as a reader opens it: files in a browser, with no kernel and no network."""

import base64
import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Locator

from crn_lib.course import frontend
from crn_lib.paths import workbook_folder
from crn_lib.tasks import trace_copy
from crn_lib.workbook.site.stage import MOVED
from tests.browser.accessibility import serious
from tests.browser.reader import READY_FOR_AXE, Reader, lesson_pages
from tests.course.frontend.shipped import TASK, shipped
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

EQUATIONS = """async () => {
  await MathJax.startup.promise;
  return {
    written: document.querySelectorAll('span.math, div.math').length,
    typeset: document.querySelectorAll('.math mjx-container svg path').length &&
             document.querySelectorAll('.math mjx-container').length,
    failed: document.querySelectorAll('mjx-merror, [data-mml-node="merror"], .MathJax_Error').length,
    left: [...document.querySelectorAll('.math')].filter(m => /\\\\\\(|\\\\\\[/.test(m.textContent)).length,
  };
}"""

# The contrast of what these selectors show, text against the nearest background that is not transparent (WCAG 2.1).
CONTRASTS = """(selectors) => {
  const numbers = color => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = color => {
    const [r, g, b] = numbers(color).slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const paper = e.matches('.svg-container') ? e.querySelector('.main-svg') : e; // of a figure: its lowest layer's
      const color = getComputedStyle(paper).backgroundColor;
      if ((numbers(color)[3] ?? 1) > 0.99) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  return selectors.map(selector => {
    const found = [...document.querySelectorAll(selector)].filter(e => e.getClientRects().length);
    return found.length && Math.min(...found.map(e => {
      const style = getComputedStyle(e);
      return contrast(light(e instanceof SVGElement ? style.fill : style.color), light(behind(e)));
    }));
  });
}"""

# When the page stands at its new width, its sidebars too, and every figure is drawn anew for it.
REDRAWN = """async () => {
  await Promise.all(document.getAnimations().map(animation => animation.finished));
  const fits = () => [...document.querySelectorAll('.plot')].every(
    plot => Math.abs(plot.clientWidth - plot.querySelector('.main-svg').getBoundingClientRect().width) < 1);
  for (let quiet = 0; quiet < 3; ) {
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 50)));
    quiet = fits() ? quiet + 1 : 0;
  }
}"""

# Words of code, shorter than a line, that stand on two.
BROKEN = """codes => codes.flatMap(code => [...code.querySelectorAll('.pre')])
  .filter(word => word.textContent.length < 20)
  .filter(word => {
    const range = document.createRange();
    range.selectNodeContents(word);
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
  })
  .map(word => word.textContent)"""

DRAWN = ".scatterlayer .trace, .barlayer .trace, .heatmaplayer image, .shapelayer path"

# A model that ships, run by the modules as the page carries them: all logits for these tokens.
LOGITS_IN_THE_PAGE = """async ([text, weights, tokens]) => {
  const bytes = encoded => Uint8Array.from(atob(encoded), character => character.charCodeAt(0));
  const blob = new Blob([bytes(text)], { type: 'text/javascript' });
  const { SequenceModel } = await import(URL.createObjectURL(blob));
  return new SequenceModel(bytes(weights)).forward(tokens).map(row => [...row]);
}"""

# Where the panels begin below the copier's top, and how high they are.
PANELS = """() => {
  const [copier, panels] = ['.crn-copier', '.panels'].map(s => document.querySelector(s).getBoundingClientRect());
  return [panels.top - copier.top, panels.height].map(Math.round);
}"""


def test_the_page_of_a_lesson_that_moved_leads_on(reader: Reader) -> None:
    for old, new in MOVED.items():
        reader.page.goto((reader.site / f"{old}.html").as_uri())
        reader.page.wait_for_url(f"**/{new}.html")


def test_every_lesson_opens_with_its_equations_and_figures(reader: Reader) -> None:
    lessons = lesson_pages(reader.site)
    assert len(lessons) == len(list((workbook_folder() / "notebooks").glob("[0-9]*.ipynb")))
    for name in lessons:
        page = reader.open(name)
        found = page.evaluate(EQUATIONS)
        assert found["written"] > 0 and found["typeset"] == found["written"], name
        assert found["failed"] == found["left"] == 0, name
        assert page.locator("figure.stored-figure").count() >= 1
        for plot in page.locator("figure.stored-figure .plot").all():
            assert plot.locator("svg.main-svg").count() >= 1
            assert plot.locator(DRAWN).count() >= 1, name


def test_a_click_in_a_legend_takes_the_curve_away_and_brings_it_back(reader: Reader) -> None:
    page = reader.open("00_welcome.html")
    plot = page.locator(".plot", has=page.locator(".legendtoggle")).first
    plot.scroll_into_view_if_needed()
    entries = plot.locator(".legendtoggle")
    curves = plot.locator(".scatterlayer .trace")
    before = curves.count()
    assert before >= entries.count() >= 2
    entries.first.click()
    wait_until(lambda: curves.count() < before)
    page.wait_for_timeout(500)  # two clicks in a row would be a double-click, which means something else
    entries.first.click()
    wait_until(lambda: curves.count() == before)


def test_hovering_over_a_mark_shows_its_value(reader: Reader) -> None:
    page = reader.open("03_exp_decomposition.html")
    seconds = re.compile(r"^[\d.]+ ?(ns|µs|ms)$")
    plot = page.locator(".plot", has=page.locator(".ytick text", has_text=seconds)).first
    point = plot.locator(".scatterlayer .points path").nth(3)
    label = plot.locator(".hoverlayer .hovertext")
    assert label.count() == 0

    def hovered() -> bool:
        # A page that was scrolled a moment ago may still move, and take the mark away again.
        point.evaluate("mark => mark.scrollIntoView({ block: 'center', behavior: 'instant' })")
        mark = point.bounding_box()
        assert mark is not None
        page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2, steps=4)
        page.wait_for_timeout(200)
        return label.count() > 0

    wait_until(hovered)
    assert any(unit in (label.first.text_content() or "") for unit in ("ns", "µs", "ms"))


def test_every_page_names_its_authors(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts and path.stem not in MOVED]
    assert len(pages) > 20
    for path in pages:
        (author,) = re.findall(r'<p class="component-author">\s*(.*?)\s*</p>', path.read_text(encoding="utf-8"))
        assert author == "By the crn_lib authors", path.name


def test_folded_code_shows_the_three_dots_that_lessons_name(site: Path) -> None:
    for name in lesson_pages(site):
        page = (site / name).read_text(encoding="utf-8")
        assert "··· show the code" in page and "Show code cell source" not in page, name


@pytest.mark.parametrize("name", ["00_welcome.html", "03_exp_decomposition.html"])
def test_quiz_answers_hints_and_folded_code_open_without_a_kernel(name: str, reader: Reader) -> None:
    page = reader.open(name)
    quiz = page.locator(".cell_output", has_text="Quiz.").first
    for option in quiz.locator("details").all():
        assert not option.locator("div").is_visible()
        option.locator("summary").click()
        assert option.locator("div").is_visible()
    verdicts = [option.locator("div b").inner_text() for option in quiz.locator("details").all()]
    assert verdicts.count("Right.") == 1 and set(verdicts) == {"Right.", "No."}

    hint = page.locator("details", has=page.locator("summary", has_text="Solution")).first
    hint.locator("summary").click()
    assert "def " in hint.inner_text()

    code = page.locator(".cell", has=quiz).first.locator("details.hide").first
    assert not code.locator("pre").is_visible()
    code.locator("summary").click()
    assert "course.quiz(" in code.locator("pre").inner_text()


def test_the_claims_table_folds_open_and_leads_to_the_cell_that_tests_a_statement(reader: Reader) -> None:
    page = reader.open("00_welcome.html")
    row = page.locator("tr", has=page.get_by_role("link", name="03 · Measuring"))
    measured_on = row.get_by_text("cpu, float32").first
    assert not row.is_visible(), "the tables are folded as a whole: they tell what later lessons ask"
    page.locator("summary", has_text="Open the tables").click()
    assert not measured_on.is_visible()
    row.locator("summary").click()
    assert measured_on.is_visible()
    row.get_by_role("link", name="03 · Measuring").click()
    page.wait_for_url("**/03_exp_decomposition.html#measuring")
    page.wait_for_function("Math.abs(document.querySelector('#measuring').getBoundingClientRect().top) < 200")


@pytest.mark.parametrize("name", ["00_welcome.html", "03_exp_decomposition.html"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_in_both_themes(name: str, theme: str, reader: Reader) -> None:
    reader.page.emulate_media(color_scheme=theme)
    page = reader.open(name)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    wanted = {
        "article p": 7.0,
        "article pre": 7.0,
        "article td": 4.5,
        ".cell_output summary": 4.5,
        ".needs-kernel": 4.5,
        ".plot .xtick text, .plot .ytick text, .plot .gtitle": 4.5,  # on white paper in both themes
    }
    found = dict(zip(wanted, page.evaluate(CONTRASTS, list(wanted)), strict=True))
    assert all(found[selector] >= least for selector, least in wanted.items()), found
    assert page.locator("article .math svg").first.evaluate("e => getComputedStyle(e).color") == page.locator(
        "article p"
    ).first.evaluate("e => getComputedStyle(e).color")


def test_on_a_narrow_screen_only_code_and_figures_scroll_sideways(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 320, "height": 800})
    for name in ("index.html", "00_welcome.html", "03_exp_decomposition.html"):
        page = reader.open(name)
        assert page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth") <= 0, name
    frame = page.locator(".plot-frame").first
    assert frame.evaluate("e => e.scrollWidth - e.clientWidth") > 0, "the panels keep a size they can be read at"
    assert page.locator(".gtitle").count() == 0, "no title is cut at the figure's edge"


def test_on_a_phone_a_figure_of_one_panel_fits_and_what_scrolls_says_so_under_its_title(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 400, "height": 800})
    page = reader.open("03_exp_decomposition.html")
    fits = page.locator(".crn-sampled")
    fits.locator(".main-svg").first.wait_for()
    assert fits.locator(".plot-frame").evaluate("f => f.scrollWidth - f.clientWidth") <= 0
    said = fits.locator(".said")
    assert said.is_visible() and said.inner_text().startswith("512 tokens: every pair")
    before = fits.locator(".plot").evaluate("p => [p.clientWidth, p.clientHeight]")
    fits.locator("input[type=range]").press("End")
    page.wait_for_function("s => s.textContent.startsWith('65,536')", arg=said.element_handle())
    assert fits.locator(".plot").evaluate("p => [p.clientWidth, p.clientHeight]") == before, "it keeps its size"

    panels = page.locator("figure.stored-figure", has=page.locator(".plot:not(.fits)")).first
    frame = panels.locator(".plot-frame")
    assert "product" in panels.locator(".plot-title").inner_text()
    assert frame.get_attribute("data-more") == "right"
    frame.evaluate("f => f.scrollTo(40, 0)")
    frame.and_(page.locator("[data-more='left right']")).wait_for()
    frame.evaluate("f => f.scrollTo(999, 0)")
    frame.and_(page.locator("[data-more='left']")).wait_for()


def test_on_a_desktop_no_figure_scrolls_nor_fades_also_after_the_window_was_wider(reader: Reader) -> None:
    page = reader.page
    for wide in (1400, 1199):  # from 1200 on a second sidebar stands beside the text
        page.set_viewport_size({"width": wide, "height": 800})
        reader.open("03_exp_decomposition.html")
        page.locator(".crn-sampled .main-svg").first.wait_for()  # the one that is computed in the page comes last
        assert page.locator(".plot-frame").count() == 3
        for width in (wide, 1300, 1200, 1000, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(REDRAWN)
            frames = page.locator(".plot-frame").evaluate_all(
                "frames => frames.map(f => [f.scrollWidth - f.clientWidth, f.dataset.more])"
            )
            assert all(frame == [0, ""] for frame in frames), (wide, width, frames)


def test_code_in_a_line_is_not_broken_inside_a_word(reader: Reader) -> None:
    for name, widths in (("00_welcome.html", range(700, 1300, 20)), ("glossary.html", (400,))):
        page = reader.page
        page.goto((reader.site / name).as_uri())
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.locator("article code.literal").evaluate_all(BROKEN) == [], (name, width)
    table = page.locator(".pst-scrollable-table-container").first
    assert table.get_attribute("data-more") == "right", "its last column is there, and says so"


def test_columns_that_are_printed_scroll_and_rows_of_a_table_have_a_line_between_them(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 400, "height": 800})
    reader.page.goto((reader.site / "10_beyond_copying.html").as_uri())
    printed = reader.page.locator(".output.stream pre", has_text="place     0   1   2").first
    assert printed.evaluate("p => p.scrollHeight / parseFloat(getComputedStyle(p).lineHeight)") < 5, "three lines"
    assert printed.get_attribute("data-more") == "right"
    cell = reader.page.locator(".cell_output .text_html td:not(.crn-widget *)").first
    assert cell.evaluate("c => getComputedStyle(c).borderBottomWidth") == "1px"


def test_the_index_leads_to_every_lesson_and_the_search_finds_words_in_them(reader: Reader) -> None:
    page = reader.open("index.html")
    lessons = set(lesson_pages(reader.site))
    linked = page.locator("article a").evaluate_all("links => links.map(link => link.href.split('/').pop())")
    assert lessons <= set(linked)
    page.goto((reader.site / "search.html").as_uri() + "?q=cauchy")
    page.locator("#search-results a", has_text="The exp decomposition").first.wait_for()


def test_axe_finds_nothing_serious_on_any_page(reader: Reader) -> None:
    pages = [path for path in sorted(reader.site.rglob("*.html")) if "_static" not in path.parts]
    pages = [path for path in pages if path.stem not in MOVED]  # these show for no time
    assert len(pages) > 20
    # What is left out, equations and figures, need not be typeset and drawn either.
    reader.page.route("**/tex-svg.js", lambda route: route.fulfill(body=""))
    reader.page.route("**/figures.js", lambda route: route.fulfill(body=""))
    for path in pages:
        reader.page.goto(path.as_uri())
        reader.page.evaluate(READY_FOR_AXE)
        assert serious(reader.page, contrast=False) == [], path.name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_the_contrast_of_a_lesson_and_of_a_table_good(theme: str, reader: Reader) -> None:
    """They share their styles with all other pages."""
    reader.page.emulate_media(color_scheme=theme)
    for name in ("00_welcome.html", "claims.html"):
        reader.page.goto((reader.site / name).as_uri())
        reader.page.evaluate(READY_FOR_AXE)
        assert serious(reader.page) == [], name


@pytest.fixture
def copier(reader: Reader) -> Locator:
    """The copier on the front page."""
    reader.open("index.html")
    reader.page.locator(".crn-alive[data-state=alive]").wait_for()
    return reader.page.locator(".crn-copier")


@pytest.mark.parametrize("kind", frontend.SHIPPED)
def test_the_models_on_a_page_give_the_librarys_logits(kind: str, copier: Locator) -> None:
    model = shipped(kind)
    tokens = torch.randint(29, (1, 50), generator=torch.Generator().manual_seed(5))
    text = frontend.module_text("model")
    carried = [base64.b64encode(data).decode() for data in (text.encode(), frontend.shipped_model(kind))]
    found = copier.page.evaluate(LOGITS_IN_THE_PAGE, [*carried, tokens[0].tolist()])
    torch.testing.assert_close(torch.tensor(found), model.double()(tokens)[0].float(), rtol=1e-4, atol=1e-4)


def test_the_copier_shows_the_librarys_letters_probabilities_and_bytes(copier: Locator) -> None:
    text = "thequickbrownfox"
    copier.locator("input[type=text]").fill(text)
    copier.get_by_text("every token in numbers").click()
    copier.locator("tbody tr").nth(len(text)).wait_for()
    rows = copier.locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent))")
    assert [row[0] for row in rows] == [*text, "end"]
    for place, kind in enumerate(frontend.SHIPPED):
        trace = trace_copy(shipped(kind), TASK, text)
        letters, sure, held = ([row[1 + 3 * place + part] for row in rows] for part in range(3))
        assert letters == ["end" if letter == ">" else letter for letter in trace.written], kind
        assert [float(words.rstrip("%")) for words in sure] == pytest.approx(
            [100 * probability for probability in trace.probabilities], abs=0.06
        ), kind
        rows_held = 1 if kind == "linear_rn" else 2 if kind == "transformer" else 1
        expected = [
            4 * 48 * 2 * rows_held * (1 if kind == "linear_rn" else len(text) + 2 + n) for n in range(len(rows))
        ]
        assert [int(words.replace(",", "")) for words in held] == expected, kind


def test_the_copier_plays_pauses_and_steps_from_the_keyboard(copier: Locator) -> None:
    page, field, slider = copier.page, copier.locator("input[type=text]"), copier.locator("input[type=range]")
    said = copier.locator("[data-kind=transformer] .said")
    field.fill("abc")
    assert "".join(said.all_text_contents()) == "abc■"
    field.press("Enter")
    page.wait_for_function("document.querySelector('.crn-copier .said').textContent === 'a'")
    copier.get_by_role("button", name="Pause").press("Enter")
    before = int(slider.input_value())
    copier.get_by_role("button", name="Step").press("Enter")
    copier.get_by_role("button", name="Back").press("Enter")
    copier.get_by_role("button", name="Back").press("Enter")
    assert int(slider.input_value()) == before - 1
    slider.press("Home")
    assert "".join(said.all_text_contents()) == "" and "Nothing is read yet" in copier.locator(".status").inner_text()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert "Reading token 2 of 5: a." in copier.locator(".status").inner_text()
    assert copier.locator(".bytes").all_text_contents() == ["768 bytes", "1,536 bytes", "384 bytes"]
    copier.get_by_role("checkbox", name="Transformer").press("Space")
    assert not copier.locator("[data-kind=transformer]").is_visible()
    slider.press("End")
    copier.get_by_role("checkbox", name="CausalRN").press("Space")
    copier.get_by_role("checkbox", name="linear RN").press("Space")
    assert copier.locator(".status").inner_text().endswith("no model is shown.")


@pytest.mark.parametrize("width", [320, 700, 1600])
def test_no_string_moves_the_layout_or_makes_the_page_scroll_sideways(width: int, copier: Locator) -> None:
    page, places = copier.page, {}
    page.set_viewport_size({"width": width, "height": 900})
    for text in ("", "a", "Hello, World", "🎉", "x" * 300, "Capitals 12345" + 40 * "y"):
        copier.locator("input[type=text]").fill(text)
        assert len(copier.locator(".answer").inner_text()) > 10
        assert page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth") <= 0
        for moment in ("Home", "End") if text.strip("🎉") else ():
            copier.locator("input[type=range]").press(moment)
            places[text[:20], moment] = page.evaluate(PANELS)
    assert len({tuple(place) for place in places.values()}) == 1, places


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_the_contrast_of_the_copier_good(theme: str, reader: Reader) -> None:
    reader.page.emulate_media(color_scheme=theme)
    page = reader.open("index.html")
    page.locator(".crn-alive[data-state=alive]").wait_for()
    page.locator(".crn-copier input[type=text]").fill("quagga")
    page.evaluate(READY_FOR_AXE)
    assert serious(page, include=[".crn-copier"]) == []
