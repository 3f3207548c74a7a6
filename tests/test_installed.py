"""The workbook as a wheel brings it, outside a clone, in a folder that its users cannot write to."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crn_lib.course.frontend import carried_names
from crn_lib.paths import workbook_folder

ROOT = workbook_folder()
PARTS = ("crn_lib", "notebooks", "figures/data", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
NOBODY = "65534"

# What a user does: takes the lessons, twice, opens them, adds a row to stored ones; and where Numba would keep kernels.
USER = """
import os, sys
from crn_lib.cli import main
def crn(*words):
    sys.argv = ["crn", *words]
    try: main()
    except SystemExit as ended: print("code", ended.code)
crn("lessons", "copy", "mine")
crn("lessons", "copy", "mine")
os.execv = lambda program, command: print("opens", *command[-2:])
crn("lab", "--no-browser")
from crn_lib.paths import checkpoint_folder, data_file, output, own_data_file, workbook_folder
name = "runs/lengths.jsonl"
before = data_file(name).read_bytes()
with own_data_file(name).open("ab") as file: file.write(b"{}")
print("added", data_file(name).read_bytes() == before + b"{}", own_data_file(name))
print("history", own_data_file(name).with_name("lengths.history.jsonl").is_file())
print("stored", (workbook_folder() / "figures/data" / name).read_bytes() == before, data_file("memory.jsonl"))
print("runs", checkpoint_folder(), output("out"))
print("kernels", os.environ.get("NUMBA_CACHE_DIR"))
from crn_lib.course.frontend import carried, carried_names
print("pages carry", sum(len(carried(name)) > 2000 for name in carried_names()), "of", len(carried_names()))
"""


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """Where a wheel's files lie, which nobody may write to; not below pytest's own folder, which other users cannot
    enter."""
    folder = Path(tempfile.mkdtemp(prefix="crn-"))
    folder.chmod(0o755)
    source = folder / "source"
    for part in PARTS:
        place = source / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, place)
    program = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", program], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("crn_lib-*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    for path in (folder / "site").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (folder / "site").chmod(0o555)
    yield folder / "site"
    shutil.rmtree(folder)


def snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def without_privileges() -> list[str]:
    """What a command is begun with so that file modes bind it: nothing, but for root where that can be given up."""
    command = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    if os.name != "posix" or os.getuid() or not shutil.which("setpriv"):
        return []
    return command if subprocess.run([*command, sys.executable, "-c", "import json"]).returncode == 0 else []


def use(installed: Path, home: Path, **environment: str) -> "subprocess.Popen[str]":
    home.mkdir()
    home.chmod(0o777)
    quiet = {name: value for name, value in os.environ.items() if name not in ("CRN_HOME", "NUMBA_CACHE_DIR")}
    return subprocess.Popen(
        [*without_privileges(), sys.executable, "-c", USER],
        cwd=home,
        env=quiet | {"PYTHONPATH": str(installed), "HOME": str(home)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_users_share_what_neither_can_write_to_and_have_all_of_their_own(installed: Path) -> None:
    before = snapshot(installed)
    carried = installed / "crn_lib" / "carried"
    assert len(list(carried.glob("notebooks/*.ipynb"))) == len(list(ROOT.glob("notebooks/*.ipynb"))) > 0
    homes = {installed.parent / "ada": "", installed.parent / "bob": "~/own"}
    users = {home: use(installed, home, CRN_HOME=own) for home, own in homes.items()}
    for home, user in users.items():
        said, errors = user.communicate()
        own = home / "own" if homes[home] else home  # where nothing is set, the folder that it is run in
        lines = said.splitlines()
        assert lines[0].startswith(f"{len(list(carried.glob('notebooks/*.ipynb')))} lessons in mine"), errors
        assert errors == "error: mine is not empty: name a new folder\n"
        assert f"opens --no-browser {own / 'lessons' / '00_welcome.ipynb'}" in lines
        assert f"added True {own / 'figures/data/runs/lengths.jsonl'}" in lines and "history True" in lines
        assert f"stored True {carried / 'figures/data/memory.jsonl'}" in lines
        assert f"runs {own / 'runs/sweeps'} {own / 'out' if homes[home] else 'out'}" in lines
        assert f"kernels {own / 'kernels' if homes[home] else None}" in lines
        assert f"pages carry {len(carried_names())} of {len(carried_names())}" in lines
        copied = {path.name: path.read_bytes() for path in (home / "mine").iterdir()}
        assert copied == {path.name: path.read_bytes() for path in ROOT.glob("notebooks/*.ipynb")}
    assert snapshot(installed) == before, "something was written into the shared folder"
