"""What some tests need of the machine beyond Python's packages, and what becomes of them where it is missing.

A test says `@pytest.mark.needs("compiler")`. Where there is none it is skipped; where the environment variable
CRN_REQUIRE names it, as `.ci/run` does, it fails instead, so that green means tested.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from crn_lib.doctor import BROWSERS

MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str | None:
    """The browser's program, or `None`."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found or next((path for path in MAC_BROWSERS if Path(path).exists()), None)


def find_pip() -> str | None:
    """Its version, or `None`. Not by `find_spec`: setuptools takes that for pip at work and gives up its `distutils`,
    so that whatever imports setuptools later in this process fails.
    """
    try:
        return metadata.version("pip")
    except metadata.PackageNotFoundError:
        return None


NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (find_browser, "no Chromium or Chrome on this machine"),
    "triton": (lambda: importlib.util.find_spec("triton"), "Triton is not installed"),
    "compiler": (lambda: shutil.which("g++"), "torch.compile needs the C++ compiler g++"),
    "nbgrader": (lambda: importlib.util.find_spec("nbgrader"), "nbgrader (the extra course) is not installed"),
    "ray": (lambda: importlib.util.find_spec("ray"), "Ray (the extra cluster) is not installed"),
    "packages": (find_pip, "pip is not installed"),
    "datasets": (lambda: importlib.util.find_spec("datasets"), "datasets (the extra data) is not installed"),
}
"""What a test may need: how it is found, and what is said where it is not there."""

FETCHED = {"packages", "datasets"}
"""Of these what CI does not ask for: they want a package index, or 40 MB that nothing else uses."""


def required() -> set[str]:
    """What CRN_REQUIRE names.

    Raises:
        pytest.UsageError: it names something that no test needs.
    """
    names = {name.strip() for name in os.environ.get("CRN_REQUIRE", "").split(",")} - {""}
    if unknown := names - set(NEEDS):
        raise pytest.UsageError(f"CRN_REQUIRE takes {', '.join(NEEDS)}; got {', '.join(sorted(unknown))}")
    return names


def give_up(name: str, missing: str) -> NoReturn:
    """Skip the test that is running for want of something, or fail it where CRN_REQUIRE names that."""
    if name in required():
        pytest.fail(f"{missing}, and CRN_REQUIRE names {name}", pytrace=False)
    pytest.skip(missing)


def pytest_configure() -> None:
    required()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test that needs what is not here, before anything is made for it."""
    needs = [name for mark in item.iter_markers("needs") for name in mark.args]
    needs += ["browser"] if item.get_closest_marker("browser") else []
    for name in needs:
        find, missing = NEEDS[name]
        if not find():
            give_up(name, missing)
