"""Pictures of figures: there for whatever opens a notebook, and in words for who cannot see them."""

import base64
from pathlib import Path
from typing import Any

import nbconvert
import nbformat
import plotly.graph_objects as go
import pytest
from bs4 import BeautifulSoup

from crn_lib.course.figures import PLOTLY_MIME
from crn_lib.paths import workbook_folder
from crn_lib.workbook.pictures import add_pictures, add_pictures_to
from crn_lib.workbook.runner import find_lessons
from crn_lib.workbook.stored_lessons import problems
from tests.workbooks import write_lesson

WORDS = 'A line that "rises" < 3'
LESSONS = find_lessons(workbook_folder() / "notebooks")


def with_figure(path: Path, **layout: Any) -> Path:
    notebook = nbformat.read(write_lesson(path, "profile = 'laptop'", "show(figure)"), 4)
    figure = go.Figure({"type": "scatter", "x": [1, 2], "y": [1, 2]}, {"height": 300, **layout}).to_plotly_json()
    notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", data={PLOTLY_MIME: figure})]
    nbformat.write(notebook, path)
    return path


@pytest.mark.needs("browser")
@pytest.mark.slow
def test_a_figure_has_a_picture_and_its_words_wherever_it_is_opened(tmp_path: Path) -> None:
    path = with_figure(tmp_path / "00_figure.ipynb", meta={"description": WORDS})
    assert add_pictures_to(path) == ""
    output = nbformat.read(path, 4).cells[1].outputs[0]
    assert base64.b64decode(output.data["image/jpeg"]).startswith(b"\xff\xd8")
    assert output.metadata["image/jpeg"]["alt"] == WORDS
    assert "image/png" not in output.data  # JupyterLab would show it in place of the figure, as wide as it is
    page, _ = nbconvert.HTMLExporter().from_filename(path)
    image = BeautifulSoup(page, "html.parser").find("img")
    assert image is not None and image["alt"] == WORDS and str(image["src"]).startswith("data:image/webp;base64,")


def test_where_nothing_can_draw_it_the_reason_is_given_and_the_copy_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_browser(*_: Any, **__: Any) -> None:
        raise RuntimeError("\nKaleido needs Chrome\nget it")

    monkeypatch.setattr("plotly.io.write_images", no_browser)
    path = with_figure(tmp_path / "00_figure.ipynb")
    before = path.read_bytes()
    assert add_pictures_to(path) == "Kaleido needs Chrome" and path.read_bytes() == before
    add_pictures(nbformat.read(write_lesson(tmp_path / "00_none.ipynb", "seed = 0"), 4))  # no browser is asked for


def test_an_image_without_a_description_is_named(tmp_path: Path) -> None:
    path = write_lesson(tmp_path / "00_images.ipynb", "seed = 0", "1")
    clean = nbformat.read(path, 4)
    good = "![a map](a.png) <img src='a.png' alt='a map'>"
    for count, cell in enumerate(clean.cells, start=1):
        cell.execution_count = count
    for text in (good, "![](a.png)", "<img src='a.png'>", "<img alt='' src='a.png'>"):
        notebook = nbformat.from_dict({**clean, "cells": [*clean.cells, nbformat.v4.new_markdown_cell(text)]})
        nbformat.write(notebook, path)
        assert any("image in the text" in problem for problem in problems(path)) is (text != good), text
    for metadata, missing in (({"image/png": {"alt": "a map"}}, False), ({}, True)):
        clean.cells[1].outputs = [nbformat.v4.new_output("display_data", {"image/png": "aGk="}, metadata=metadata)]
        nbformat.write(clean, path)
        assert any("without a description" in problem for problem in problems(path)) is missing
    beside = {PLOTLY_MIME: {}, "text/html": "", "image/jpeg": "aGk=", "image/png": "aGk="}
    clean.cells[1].outputs = [nbformat.v4.new_output("display_data", beside)]
    nbformat.write(clean, path)
    assert any("PNG beside it" in problem for problem in problems(path))


def test_a_stored_lesson_converts_to_a_page_with_descriptions() -> None:
    """One for all: that every lesson has what this takes, `problems` says of each."""
    page, _ = nbconvert.HTMLExporter().from_filename(LESSONS[0])
    outputs = (output for cell in nbformat.read(LESSONS[0], 4).cells for output in cell.get("outputs", []))
    # Each has the same picture as WebP in its HTML.
    stored = sum("image/jpeg" in output.get("data", {}) for output in outputs)
    assert page.count('src="data:image/webp') == stored > 0 and "No description has been provided" not in page
    assert "widget-view+json" not in page


@pytest.mark.parametrize("lesson", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_stored_lesson_converts_to_python(lesson: Path) -> None:
    code, made = nbconvert.ScriptExporter().from_filename(lesson)
    assert made["output_extension"] == ".py" and "course.begin(" in code
