"""Every public function takes a path as text too."""

import importlib
import inspect
import typing
from pathlib import Path

import pytest

ROOMS = "analysis bench config course device experiments files models ops sweeps tasks training viz".split()


def public_functions():
    for room in ROOMS:
        module = importlib.import_module(f"crn_lib.{room}")
        for name in getattr(module, "__all__", vars(module)):
            value = getattr(module, name)
            if not name.startswith("_") and callable(value) and getattr(value, "__module__", "").startswith("crn_lib"):
                yield pytest.param(value, id=f"{room}.{name}")


@pytest.mark.parametrize("function", public_functions())
def test_where_a_path_is_taken_text_is_too(function):
    try:
        hints = typing.get_type_hints(function.__init__ if inspect.isclass(function) else function)
    except (NameError, TypeError, AttributeError):
        pytest.skip("its hints are for the type checker alone")
    hints.pop("return", None)
    for name, hint in hints.items():
        options = set(typing.get_args(hint)) | {hint}
        assert Path not in options or str in options, f"{name} takes a Path and no text"
