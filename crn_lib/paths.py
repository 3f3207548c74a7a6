"""Where the workbook's own folders are, and where what a user makes goes."""

import os
import shutil
from functools import partial
from pathlib import Path

from crn_lib.errors import RunFailed
from crn_lib.files import locked, replace_file


class WorkbookNotFound(FileNotFoundError):
    """The lessons and stored rows are not where they were looked for; the message says where that was."""


def workbook_folder() -> Path:
    """The folder of the workbook: a clone around the current folder or around this package, else what came with pip.

    Raises:
        WorkbookNotFound: it is in none of these places.
    """
    here = Path.cwd()
    package = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, package):
        if _is_workbook(folder):
            return folder
    if (_carried() / "notebooks").is_dir():
        return _carried()
    raise WorkbookNotFound(
        f"no workbook at or above {here} (a folder with notebooks/, figures/ and the pyproject.toml of crn_lib): "
        "run this inside a clone of it"
    )


def clone_folder() -> Path:
    """The same for what changes the workbook itself: only a clone.

    Raises:
        WorkbookNotFound: there is none, or only what came with pip.
    """
    folder = workbook_folder()
    if folder == _carried():
        raise WorkbookNotFound(f"no clone of the workbook at or above {Path.cwd()}: this needs one")
    return folder


def _carried() -> Path:
    """Lessons and stored rows as a wheel carries them (setup.py)."""
    return Path(__file__).resolve().parent / "carried"


def _is_workbook(folder: Path) -> bool:
    """Whether this is the workbook, not one of the many folders with notebooks/ and figures/."""
    project = folder / "pyproject.toml"
    try:
        ours = 'name = "crn_lib"' in project.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return ours and (folder / "notebooks").is_dir() and (folder / "figures").is_dir()


def own_folder() -> Path:
    """Where rows and runs of one's own go: `CRN_HOME`, else the clone, or with pip's workbook the current folder."""
    if home := os.environ.get("CRN_HOME"):
        return Path(home)
    folder = workbook_folder()
    return Path.cwd() if folder == _carried() else folder


def output(name: str) -> Path:
    """Where a command writes that was told no place: `name` in `CRN_HOME`, else in the current folder."""
    return Path(os.environ.get("CRN_HOME", "")) / name


def data_file(name: str) -> Path:
    """A file of stored rows, `figures/data/<name>`: one's own, where there is one of that name."""
    own = own_folder() / "figures" / "data" / name
    return own if own.is_file() else workbook_folder() / "figures" / "data" / name


def own_data_file(name: str) -> Path:
    """The same, to be added to: where one's own is not the workbook's, it begins as a copy with its histories.

    Raises:
        OSError: it cannot be written.
        RunFailed: another process has been making it for ten seconds.
    """
    own = own_folder() / "figures" / "data" / name
    stored = workbook_folder() / "figures" / "data" / name
    if own.is_file():
        return own
    busy = RunFailed(f"another process is making {own}; wait for it")
    with locked(own.with_name(f".{own.name}.begin"), busy, patience=10.0):
        if own.is_file():  # another process was first, and may have added to it
            return own
        for path in sorted(stored.parent.glob(f"{stored.stem}.*jsonl")):  # the rows last: they are complete then
            replace_file(own.with_name(path.name), partial(shutil.copyfile, path))
    return own


def checkpoint_folder() -> Path:
    """Where runs of sweeps keep their checkpoints, `runs/sweeps`: a folder a sweep, in it one a run."""
    return own_folder() / "runs" / "sweeps"
