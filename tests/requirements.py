"""What some tests need of the machine beyond Python's packages, and what becomes of them where it is missing.

A test says `@pytest.mark.needs("compiler")`. Where there is none it is skipped; where the environment variable
CRN_REQUIRE names it, as `.ci/run` does, it fails instead, so that green means tested.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from crn_lib.doctor import BROWSERS

MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str | None:
    """The browser's program, or `None`."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found or next((path for path in MAC_BROWSERS if Path(path).exists()), None)


NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (find_browser, "no Chromium or Chrome on this machine"),
    "triton": (lambda: importlib.util.find_spec("triton"), "Triton is not installed"),
    "compiler": (lambda: shutil.which("g++"), "torch.compile needs the C++ compiler g++"),
    "ray": (lambda: importlib.util.find_spec("ray"), "Ray (the extra cluster) is not installed"),
}
"""What a test may need: how it is found, and what is said where it is not there."""


def required() -> set[str]:
    """What CRN_REQUIRE names.

    Raises:
        ValueError: it names something that no test needs.
    """
    names = {name.strip() for name in os.environ.get("CRN_REQUIRE", "").split(",")} - {""}
    if unknown := names - set(NEEDS):
        raise ValueError(f"CRN_REQUIRE takes {', '.join(NEEDS)}; got {', '.join(sorted(unknown))}")
    return names


def missing(name: str) -> str:
    """What is said where this is not there, or nothing."""
    find, words = NEEDS[name]
    return "" if find() else words
