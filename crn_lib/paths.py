"""Where the workbook's own folders are."""

from pathlib import Path


class WorkbookNotFound(FileNotFoundError):
    """The lessons and stored rows are not where they were looked for; the message says where that was."""


def workbook_folder() -> Path:
    """The folder of the workbook: around the current folder, else around this package.

    Raises:
        WorkbookNotFound: it is neither place.
    """
    here = Path.cwd()
    package = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, package):
        if _is_workbook(folder):
            return folder
    raise WorkbookNotFound(
        f"no workbook at or above {here} (a folder with notebooks/, figures/ and the pyproject.toml of crn_lib): "
        "run this inside a clone of it"
    )


def _is_workbook(folder: Path) -> bool:
    """Whether this is the workbook, not one of the many folders with notebooks/ and figures/."""
    project = folder / "pyproject.toml"
    try:
        ours = 'name = "crn_lib"' in project.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return ours and (folder / "notebooks").is_dir() and (folder / "figures").is_dir()


def data_file(name: str) -> Path:
    """A file of stored rows, `figures/data/<name>`."""
    return workbook_folder() / "figures" / "data" / name


def checkpoint_folder() -> Path:
    """Where runs of sweeps keep their checkpoints, `runs/sweeps`: a folder a sweep, in it one a run."""
    return workbook_folder() / "runs" / "sweeps"
