"""What commands print, and whether what they write can be written."""

from pathlib import Path
from typing import Any

import typer

from crn_lib.config import require


def check_folder(folder: Path) -> None:
    """Find out before a long run whether its results can be written.

    Raises:
        OSError: they cannot; the message names the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process of the same run may have been faster
    except OSError as error:
        raise OSError(f"cannot write into {folder} ({error.strerror}); choose another with --out") from None


def check_file(file: Path) -> None:
    """The same for a file: its folder can be written, and it is none itself.

    Raises:
        ConfigError, OSError: it cannot; the message names it.
    """
    require(not file.is_dir(), f"{file} is a folder; a file is wanted, as in {file / 'rows.jsonl'}")
    check_folder(file.parent)


def print_table(headings: tuple[str, ...], rows: list[Any]) -> None:
    lines = [headings, *rows] if any(headings) else rows
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
