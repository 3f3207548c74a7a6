"""What a stored lesson becomes on its way to a page: figures, links, notes where a control stood, folded code."""

import base64
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crn_lib import course
from crn_lib.course.cards import ACCENTS, Card, table
from crn_lib.paths import workbook_folder
from crn_lib.workbook.runner import find_lessons
from crn_lib.workbook.site.pages import make_page, makes_control
from crn_lib.workbook.site.stage import build, link_figures, link_lessons, list_lessons

PICTURE = b"not really a picture"
FIGURE = {"data": [{"type": "scatter", "x": [1, 2], "name": "</script>"}], "layout": {"height": 300}}


def lesson(folder: Path, *cells: Any) -> Path:
    path = folder / "00_small.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), path)
    return path


def code(source: str, **data: Any) -> Any:
    outputs = [nbformat.v4.new_output("display_data", data)] if data else []
    return nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1)


def page_of(folder: Path, *cells: Any) -> list[Any]:
    (folder / "pictures").mkdir()
    made: list[Any] = make_page(lesson(folder, *cells), folder / "pictures").cells
    return made


def test_a_figure_becomes_its_data_a_picture_and_words(tmp_path: Path) -> None:
    stored = {
        "application/vnd.plotly.v1+json": FIGURE,
        "image/jpeg": base64.b64encode(PICTURE).decode(),
        "text/plain": "a line that <rises>",
    }
    ((output,),) = [cell.outputs for cell in page_of(tmp_path, code("course.show(figure)", **stored))]
    page = output.data["text/html"]
    assert list(output.data) == ["text/html"]
    script = re.search(r'<script type="application/json">(.*?)</script>', page)
    assert script is not None and json.loads(script[1]) == FIGURE, "the name of a trace cannot end the script"
    picture = re.search(r'src="_static/pictures/([^"]+)"', page)
    assert picture is not None and (tmp_path / "pictures" / picture[1]).read_bytes() == PICTURE
    assert page.count(html.escape("a line that <rises>")) == 2 and "height:300px" in page


def test_links_in_outputs_lead_to_pages_and_their_headings(tmp_path: Path) -> None:
    links = '<a href="06_train_to_copy.ipynb#What-we-measured">06</a> <a href="01_copying_task.ipynb">01</a>'
    (cell,) = page_of(tmp_path, code("table()", **{"text/html": links, "text/plain": "06 01"}))
    made = cell.outputs[0].data["text/html"]
    assert made == '<a href="06_train_to_copy.html#what-we-measured">06</a> <a href="01_copying_task.html">01</a>'


def test_a_link_from_a_lessons_text_to_docs_leads_to_the_page_beside_it(tmp_path: Path) -> None:
    (cell,) = page_of(tmp_path, nbformat.v4.new_markdown_cell("the [glossary](../docs/glossary.md)"))
    assert cell.source == "the [glossary](glossary.md)"


def test_a_control_leaves_a_note_and_code_that_gives_none_does_not(tmp_path: Path) -> None:
    cells = page_of(tmp_path, code("course.bind(draw, n=slider)"), code("course.show(draw(3))"))
    (note,) = cells[0].outputs
    assert "make lab NOTEBOOK=notebooks/00_small.ipynb" in note.data["text/html"] and cells[1].outputs == []
    assert all(makes_control(f"x = course.{name}(1)") for name in ("predict", "predict_choice", "copy_widget", "bind"))
    assert not any(makes_control(f"course.{name}(1)") for name in ("quiz", "check", "claim", "train_live", "nothing"))


def test_a_control_that_computes_in_the_page_is_mounted_there_in_its_stored_state(tmp_path: Path) -> None:
    stored = {"module": "copier", "state": {"text": "</script>"}}
    outputs = {"application/vnd.crn-alive+json": stored, "text/plain": "a copier"}
    (cell,) = page_of(tmp_path, code("course.Copier('abc')", **outputs))
    (mounted,) = (output.data["text/html"] for output in cell.outputs)
    assert 'class="crn-alive" data-module="copier"' in mounted and "make lab" not in mounted
    (state,) = re.findall(r'<script type="application/json">(.*)</script>', mounted)
    assert "</script>" not in state and json.loads(state) == stored["state"]


def test_the_code_of_quizzes_and_claims_is_folded_and_what_jupyterlab_folds(tmp_path: Path) -> None:
    sources = ('course.quiz("?", answer="a")', "course.claim(lesson='00')", "print(1)")
    in_lab = code("print(2)")
    in_lab.metadata = {"jupyter": {"source_hidden": True}}
    cells = page_of(tmp_path, *(code(source) for source in sources), in_lab)
    assert [cell.metadata.get("tags", []) for cell in cells] == [["hide-input"], ["hide-input"], [], ["hide-input"]]


def test_what_is_printed_between_two_tables_stays_between_them(tmp_path: Path) -> None:
    printed = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("one, ", "two\n", "three\n")]
    tables = [nbformat.v4.new_output("display_data", {"text/html": f"<table>{n}</table>"}) for n in range(2)]
    cell = code("for task in tasks: show(task)")
    cell.outputs = [*printed[:2], tables[0], printed[2], tables[1]]
    (made,) = page_of(tmp_path, cell)
    shown = [output.get("text") or output.data["text/html"] for output in made.outputs]
    assert shown == ["one, two\n", "<table>0</table>", "three\n", "<table>1</table>"]


def test_what_is_printed_in_columns_is_marked_as_such_and_sentences_are_not(tmp_path: Path) -> None:
    sentence = "steps  " + 12 * "and accuracies "
    printed = [
        "token    1  2\ntarget  13  .\n",
        "one line  of two words\n",
        "no columns\nat all\n",
        f"{sentence}\n{sentence}\n",
    ]
    cells = [code("print(words)") for _ in printed]
    for cell, text in zip(cells, printed, strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    assert [cell.metadata.get("tags", []) for cell in page_of(tmp_path, *cells)] == [["aligned"], [], [], []]


@pytest.mark.parametrize(
    ("measured", "words"), [("right", "right"), (["left", "right"], "left and right, a tie"), (7, "7 letters")]
)
def test_of_a_revealed_prediction_a_page_shows_what_was_measured_and_no_guess_that_nobody_made(
    measured: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards: list[Card] = []
    monkeypatch.setattr(Card, "show", lambda card: cards.append(card))
    if measured == 7:
        course.predict("Is it < 10?", low=0, high=10, default=7, unit="letters").reveal(measured)
    else:
        course.predict_choice("Is it < 10?", options=["left", "right"], default="right").reveal(measured)
    (cell,) = page_of(tmp_path, code("guess.reveal(answer)", **cards[0].bundle()))
    page = cell.outputs[0].data["text/html"]
    assert "guess" not in page and "you said" not in page and ACCENTS["right"] not in page
    assert page.count("<div") == page.count("</div>") == 3 and "Is it &lt; 10?</b>" in page
    assert re.sub("<[^>]*>", " ", page.split("measured")[1]).strip() == words


def test_a_page_names_the_workbooks_folder_as_such_and_not_the_machine_that_stored_it(tmp_path: Path) -> None:
    rows = [
        ["ok", "kernels", "kept in /home/me/book/ops/__pycache__"],
        ["ok", "own", "rows and runs go to /home/me/book"],
    ]
    (cell,) = page_of(tmp_path, code("course.show_findings()", **{"text/html": table([], rows), "text/plain": "ok"}))
    page = cell.outputs[0].data["text/html"]
    assert "/home" not in page and ">kept in the workbook&#x27;s folder, ops/__pycache__<" in page
    assert ">rows and runs go to the workbook&#x27;s folder<" in page


def test_the_stored_lesson_is_left_as_it_was_and_every_one_makes_a_page(tmp_path: Path) -> None:
    lessons = find_lessons(workbook_folder() / "notebooks")
    for path in lessons:
        before = path.read_bytes()
        outputs = [output for cell in make_page(path, tmp_path).cells for output in cell.get("outputs", [])]
        assert path.read_bytes() == before
        pages = [output.get("data", {}).get("text/html", "") for output in outputs]
        assert any('class="stored-figure"' in page for page in pages)
        assert not any("your guess" in page or str(workbook_folder()) in page for page in pages), path.name
    listed = list_lessons(lessons)
    assert all(f"]({path.name})** · " in listed for path in lessons)


def test_a_lesson_that_does_not_say_what_one_can_do_after_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"00_small\.ipynb: its first cell has no title"):
        list_lessons([lesson(tmp_path, nbformat.v4.new_markdown_cell("# 00 · Small"))])


OPENING = "# 00 · Small\n\n**After this lesson you can**\n\n- follow [a link]({link}).\n\n**Minutes** 1"


def run_build(notebooks: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crn_lib.cli", "site", "--notebooks", str(notebooks), "--out", str(site)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_a_link_to_no_lesson_fails_the_build_and_the_site_there_stays(tmp_path: Path) -> None:
    """That a build without such a link replaces the site, the browser's tests show, which look at one."""
    site = tmp_path / "site"
    site.mkdir()
    (site / ".buildinfo").write_text("of an earlier build")
    (site / "index.html").write_text("an earlier site")
    lesson(tmp_path, nbformat.v4.new_markdown_cell(OPENING.format(link="99_no_lesson.ipynb")))
    ran = run_build(tmp_path, site)
    assert ran.returncode == 1 and "Sphinx warned" in ran.stderr and "'99_no_lesson.ipynb'" in ran.stderr
    assert (site / "index.html").read_text() == "an earlier site"


def test_a_folder_that_holds_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="is no site built by Sphinx"):
        build(workbook_folder() / "notebooks", tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_links_of_a_page_lead_to_the_lessons_of_the_site_and_no_others() -> None:
    text = "see [00](../notebooks/00_a.ipynb), [01](../notebooks/01_b.ipynb) and [code](../crn_lib)"
    assert link_lessons(text, [Path("00_a.ipynb")]) == "see [00](00_a.ipynb), 01 and [code](../crn_lib)"


def test_a_figure_on_a_written_page_is_copied_beside_it(tmp_path: Path) -> None:
    assert link_figures("![words](../figures/bench.png)", tmp_path) == "![words](static/pictures/bench.png)"
    assert (tmp_path / "bench.png").read_bytes() == (workbook_folder() / "figures/bench.png").read_bytes()
