"""nbgrader's own formgrader, as a teacher opens it, on the course that `crn course build` writes."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from crn_lib.paths import workbook_folder
from crn_lib.workbook.editions.lesson import read_lesson
from crn_lib.workbook.editions.nbgrader_folder import write_course
from crn_lib.workbook.editions.notebooks import nbgrader_notebook
from crn_lib.workbook.runner import find_lessons
from tests.browser.lab import jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.needs("nbgrader")]

FORMGRADER = "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True"


def test_the_formgrader_lists_every_lesson_and_makes_the_students_version(
    browser: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = [read_lesson(path) for path in find_lessons(workbook_folder() / "notebooks", ["00", "03"])]
    write_course(tmp_path, lessons, nbgrader_notebook)
    monkeypatch.setenv("PATH", os.defpath)  # an environment that is not activated
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")  # of all the extensions that are installed, load this one
    with jupyterlab(tmp_path, "jupyter_server", FORMGRADER) as address, browser.new_page() as page:
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/formgrader/manage_assignments")
        rows = page.locator("#main-table tr", has=page.locator("td.status"))
        rows.nth(1).wait_for()
        assert [name.split()[0] for name in rows.locator("td.name").all_inner_texts()] == [x.path.stem for x in lessons]
        rows.first.locator("td.assign a").click()
        said = page.locator("#success-modal, #error-modal")
        said.wait_for()
        assert "Successfully created" in said.inner_text()
        released = tmp_path / "release" / lessons[0].path.stem / lessons[0].path.name
        assert "raise course.NotAttempted" in released.read_text(encoding="utf-8") and not wrong
