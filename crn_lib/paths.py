"""Where the workbook's own folders are."""

from pathlib import Path


class WorkbookNotFound(FileNotFoundError):
    """The lessons and stored rows are not where they were looked for; the message says where that was."""


def workbook_folder() -> Path:
    """The folder that holds `notebooks/` and `figures/`: around the current folder, else around this package.

    Raises:
        WorkbookNotFound: neither place has them.
    """
    here = Path.cwd()
    package = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, package):
        if (folder / "notebooks").is_dir() and (folder / "figures").is_dir():
            return folder
    raise WorkbookNotFound(
        f"no folder with notebooks/ and figures/ at or above {here}: run this inside a clone of the workbook"
    )


def data_file(name: str) -> Path:
    """A file of stored rows, `figures/data/<name>`."""
    return workbook_folder() / "figures" / "data" / name


def checkpoint_folder() -> Path:
    """Where runs of sweeps keep their checkpoints, `runs/sweeps`: a folder a sweep, in it one a run."""
    return workbook_folder() / "runs" / "sweeps"
