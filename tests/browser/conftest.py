"""One JupyterLab and one browser for all tests of this folder that a process runs: each takes seconds to start."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.lab import Lab, chromium, open_lab


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
