"""Every function of the library takes a path as text too."""

import importlib
import inspect
import pkgutil
import typing
from pathlib import Path

import pytest

import crn_lib

# What belongs to the command alone is handed paths by Typer.
OWN = ("crn_lib.commands", "crn_lib.workbook", "crn_lib.cli", "crn_lib.ops.cuda")


def functions():
    found = {}
    for module in pkgutil.walk_packages(crn_lib.__path__, "crn_lib."):
        if not module.name.startswith(OWN):
            for name, value in vars(importlib.import_module(module.name)).items():
                home = getattr(value, "__module__", None)
                if home == module.name and not name.startswith("_") and (inspect.isfunction(value)):
                    found[f"{home}.{name}"] = value
    return found


FUNCTIONS = functions()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_where_a_path_is_taken_text_is_too(name):
    for argument, hint in typing.get_type_hints(FUNCTIONS[name]).items():
        options = [hint, *typing.get_args(hint)]
        assert argument == "return" or Path not in options or str in options, f"{argument} takes no text"
