"""Small workbooks, for tests of what is done with lessons."""

from pathlib import Path
from typing import Any

import nbformat

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def make_workbook(folder: Path, **lessons: list[str]) -> Path:
    """Make the folder a workbook that `crn` knows for its own.

    Args:
        lessons: name to the sources of its code cells, the first of which is that of the parameters.
    """
    for name in ("notebooks", "figures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "crn_lib"\n')
    for name, sources in lessons.items():
        write_lesson(folder / "notebooks" / f"{name}.ipynb", *sources)
    return folder


def write_lesson(path: Path, *sources: str, metadata: dict[str, Any] | None = None) -> Path:
    """A notebook of these code cells, the first of which is that of the parameters."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata or {"kernelspec": KERNEL}), path)
    return path
