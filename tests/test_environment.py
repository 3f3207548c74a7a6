"""pyproject.toml, requirements.txt, environment.yml, .ci/run and the README describe one environment."""

import re
import runpy
import shlex
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

from tests.requirements import FETCHED, NEEDS

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = [Requirement(line) for line in PROJECT["dependencies"] + EXTRAS["dev"] + EXTRAS["site"]]
PIN_LINES = [
    line
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA_SPECS = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
CONDA_PIP = next(entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))


def table(requirements: Iterable[Requirement]) -> dict[str, tuple[SpecifierSet, frozenset[str], str]]:
    return {canonicalize_name(r.name): (r.specifier, frozenset(r.extras), str(r.marker)) for r in requirements}


def pins() -> dict[str, Version]:
    found = {}
    for line in PIN_LINES:
        pin = Requirement(line)
        (specifier,) = pin.specifier
        assert specifier.operator == "==", f"{line}: a pin is NAME==VERSION"
        found[canonicalize_name(pin.name)] = Version(specifier.version)
    return found


# --- environment.yml ---


def test_conda_file_has_the_parts_conda_knows():
    assert set(CONDA) <= {"name", "channels", "dependencies", "variables"}
    assert any(MatchSpec(spec).name.normalized == "pip" for spec in CONDA_SPECS)


def test_conda_specs_parse_and_leave_packages_to_pip():
    assert {MatchSpec(spec).name.normalized for spec in CONDA_SPECS} == {"python", "pip"}


def test_conda_pip_section_is_pyprojects_dependencies_and_the_extras_dev_and_site():
    listed = [Requirement(line) for line in CONDA_PIP]
    assert len(listed) == len(DIRECT)
    assert table(listed) == table(DIRECT)


def test_conda_python_agrees_with_requires_python():
    ours = SpecifierSet(PROJECT["requires-python"])
    (spec,) = (s.removeprefix("python") for s in CONDA_SPECS if re.match(r"python\b", s))
    conda = SpecifierSet(spec)
    versions = [f"3.{minor}.0" for minor in range(6, 30)]
    allowed_by_conda = [v for v in versions if v in conda]
    assert allowed_by_conda and all(v in ours for v in allowed_by_conda)
    assert allowed_by_conda[0] == next(v for v in versions if v in ours), "the oldest Python differs"


# --- requirements.txt ---


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda r: r.name)
def test_every_direct_dependency_is_pinned_within_its_range(requirement: Requirement):
    pin = pins().get(canonicalize_name(requirement.name))
    assert pin is not None, f"{requirement.name} has no line in requirements.txt: run `make pins`"
    assert pin in requirement.specifier


def test_pins_are_one_line_a_package_for_any_machine():
    assert len(pins()) == len(PIN_LINES), "a package is pinned twice"
    torch = runpy.run_path(str(ROOT / "scripts" / "make_pins.py"))["TORCH"]
    assert torch in PIN_LINES, "the one that the two commands install"
    for name, version in pins().items():
        assert version.local is None, f"{name}=={version}: a local version exists on some machines only"
        assert not re.match(r"nvidia-|cuda-", name), f"{name} comes with CUDA builds only"


def test_pins_agree_with_each_other():
    """What each pinned package that is installed here asks of the others, the pins give."""
    pinned, checked = pins(), 0
    for name, version in pinned.items():
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        if Version(Version(installed.version).public) != version:
            continue
        checked += 1
        for line in installed.requires or []:
            needs = Requirement(line)
            other = pinned.get(canonicalize_name(needs.name))
            if other is None or (needs.marker and not needs.marker.evaluate({"extra": ""})):
                continue
            assert needs.specifier.contains(other, prereleases=True), f"{name}=={version} needs {needs}"
    if not checked:
        pytest.skip("no pinned package is installed here at its pinned version")


def test_an_environment_that_has_torch_keeps_it():
    """Colab and course images bring theirs, and a new one is gigabytes; the cell for Colab asks for none at all."""
    (ours,) = (requirement.specifier for requirement in DIRECT if requirement.name == "torch")
    assert all(version in ours for version in ("2.6.0", "2.9.1", "2.14.1")) and "3.0.0" not in ours
    page = (ROOT / "docs" / "ways_in.md").read_text(encoding="utf-8")
    _, cell = re.findall(r"^%pip install -q (.*)$", page, re.MULTILINE)
    own = {
        "torch",
        "jupyterlab",
        "papermill",
        "ipykernel",
        "ipython",
        "jupyter-client",
        "jupyter-core",
        "pyzmq",
        "kaleido",
    }
    asked = table(map(Requirement, shlex.split(cell)))
    wanted = table(map(Requirement, PROJECT["dependencies"]))
    assert asked == {name: what for name, what in wanted.items() if name not in own | {"llvmlite", "traitlets"}}


# --- .ci/run and the README ---


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert script[0] == "#!/usr/bin/env bash" and "set -euo pipefail" in script
    commands = [s for s in script if s and not s.startswith(("#", "set ", "cd "))]
    assert commands == [f"export CRN_REQUIRE={','.join(name for name in NEEDS if name not in FETCHED)}", "make test"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^\s*(\$ )?make test\b", readme, re.MULTILINE), "the README has no line `make test`"
    assert re.search(r"^test:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
