"""The pages of the public names: each package's functions and classes are found by Sphinx, its constants are listed."""

import importlib
import inspect
import re

import pytest

from crn_lib.paths import workbook_folder

PAGES = workbook_folder() / "docs" / "api"
PACKAGES = ("ops", "models", "data", "tasks", "training", "analysis", "viz")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_page_shows_its_package_and_lists_each_constant(package: str) -> None:
    page = (PAGES / f"{package}.md").read_text(encoding="utf-8")
    module = importlib.import_module(f"crn_lib.{package}")
    assert f".. automodule:: crn_lib.{package}\n" in page
    listed = re.findall(r"py:data:: (\w+)$", page, re.MULTILINE)
    found = {name: getattr(module, name) for name in module.__all__}
    assert sorted(listed) == sorted(
        name for name, value in found.items() if not inspect.isclass(value) and not inspect.isroutine(value)
    )


def test_the_index_leads_to_every_page() -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    assert all(re.search(rf"^{package}$", index, re.MULTILINE) for package in PACKAGES)
    assert {path.stem for path in PAGES.iterdir()} == {"index", *PACKAGES}
