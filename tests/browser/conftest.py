"""One JupyterLab and one browser for all tests of this folder that a process runs: each takes seconds to start."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import BrowserContext, Page

from tests.browser.lab import Lab, chromium, open_lab
from tests.browser.reader import Reader


@pytest.fixture(scope="package")
def browser() -> Iterator[BrowserContext]:
    with chromium() as context:
        yield context


@pytest.fixture(scope="package")
def lab(
    browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory, kernel_environment: dict[str, str]
) -> Iterator[Lab]:
    with open_lab(tmp_path_factory.mktemp("workbooks"), browser, kernel_environment) as lab:
        yield lab


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the lessons as they are stored, as `make site` builds it: once for all processes of a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    place = folder / "static" / "site"
    with FileLock(folder / "site.lock"):
        if not (place / "index.html").exists():
            place.mkdir(parents=True)
            for name in (".buildinfo", "of_an_earlier_build.html"):
                (place / name).touch()
            command = [sys.executable, "-m", "crn_lib.cli", "site", "--out", str(place)]
            ran = subprocess.run(command, capture_output=True, text=True)
            assert ran.returncode == 0 and str(place / "index.html") in ran.stdout, ran.stderr
            assert not (place / "of_an_earlier_build.html").exists(), "the site there is replaced"
            assert list(place.parent.iterdir()) == [place], "nothing else is left"
    return place


@pytest.fixture(scope="package")
def site_page(browser: BrowserContext) -> Iterator[Page]:
    """One page for all tests of the site that a process runs."""
    with browser.new_page() as page:
        yield page


@pytest.fixture
def reader(site_page: Page, site: Path) -> Iterator[Reader]:
    """A reader who met no error and asked the network for nothing, whatever else the test looks at."""
    site_page.set_viewport_size({"width": 1200, "height": 1000})
    site_page.emulate_media(color_scheme="light")
    reader = Reader(site_page, site)
    yield reader
    site_page.unroute_all()
    assert reader.asked == [] and reader.errors == []
