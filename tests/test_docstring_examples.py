"""Every public function and class of the core shows an example, and it gives what its docstring says."""

import doctest
import importlib
import inspect

import numpy as np
import pytest
import torch

PACKAGES = [importlib.import_module(f"crn_lib.{name}") for name in ("ops", "models", "data", "tasks")]
PUBLIC = {name: getattr(package, name) for package in PACKAGES for name in package.__all__}
SHOWN = [name for name, value in PUBLIC.items() if inspect.isclass(value) or inspect.isfunction(value)]


@pytest.mark.parametrize("name", SHOWN)
def test_the_example_in_the_docstring_holds(name: str) -> None:
    (test,) = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={"np": np, "torch": torch, **PUBLIC})
    assert test.examples, f"the docstring of {name} has no example"
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert not said, "".join(said)
