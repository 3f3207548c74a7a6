"""What a test needs and does not find: skipped for a reader, failed where CRN_REQUIRE says that it must be there."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import requirements

TESTS = """
import pytest

@pytest.fixture
def started():
    raise RuntimeError("nothing is started for a test that cannot run")

@pytest.mark.browser
def test_in_a_browser(started): ...

@pytest.mark.needs("compiler")
def test_with_a_compiler(started): ...

@pytest.mark.needs("ray")
def test_with_ray(): ...
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], pytest.RunResult]:
    """Those three tests on a machine that has Ray alone, by what CRN_REQUIRE names."""
    for name, found in (("browser", ""), ("compiler", ""), ("ray", "here")):
        monkeypatch.setitem(requirements.NEEDS, name, (lambda found=found: found, f"there is no {name}"))
    pytester.makepyfile(TESTS)

    def run(require: str) -> pytest.RunResult:
        monkeypatch.setenv("CRN_REQUIRE", require)
        return pytester.runpytest_inprocess("-rs", plugins=[requirements])

    return run


def test_what_is_missing_is_skipped_with_its_name(run: Callable[[str], pytest.RunResult]) -> None:
    found = run("")
    found.assert_outcomes(skipped=2, passed=1)
    found.stdout.fnmatch_lines(["*there is no browser", "*there is no compiler"])


def test_what_is_missing_and_required_fails_in_one_line(run: Callable[[str], pytest.RunResult]) -> None:
    found = run("ray, browser")
    found.assert_outcomes(errors=1, skipped=1, passed=1)
    found.stdout.fnmatch_lines(["there is no browser, and CRN_REQUIRE names browser"])


def test_what_is_found_missing_only_by_trying_is_skipped_or_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRN_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^no index$"):
        requirements.give_up("packages", "no index")
    monkeypatch.setenv("CRN_REQUIRE", "datasets,packages")
    with pytest.raises(pytest.fail.Exception, match=r"^no index, and CRN_REQUIRE names packages$"):
        requirements.give_up("packages", "no index")


def test_a_requirement_that_no_test_has_is_refused(run: Callable[[str], pytest.RunResult]) -> None:
    found = run("browser,gpu")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(
        ["ERROR: CRN_REQUIRE takes browser, triton, compiler, nbgrader, ray, packages, datasets; got gpu"]
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="browsers of macOS are found without the PATH")
@pytest.mark.parametrize(("require", "status"), [("", 0), ("triton,compiler", 0), ("triton,browser", 1)])
def test_setting_up_without_a_browser_fails_only_where_it_is_required(
    require: str, status: int, tmp_path: Path
) -> None:
    script = Path(__file__).resolve().parents[1] / "scripts/ensure_browser.sh"
    environment = {"PATH": str(tmp_path), "CRN_REQUIRE": require}
    ran = subprocess.run(["/bin/sh", str(script)], env=environment, capture_output=True, text=True)
    assert ran.returncode == status
    assert (ran.stdout + ran.stderr).count("\n") == 1 and "No Chromium for the browser tests: none is" in ran.stdout


def test_looking_for_what_tests_need_leaves_setuptools_whole() -> None:
    code = (
        "from tests.requirements import NEEDS\nfor find, _ in NEEDS.values():\n    find()\n"
        "import setuptools, distutils.core\nassert '_distutils' in distutils.core.__file__"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
