"""What commands print, and whether what they write can be written."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that takes its name when it is complete, and is gone where that fails.

    Raises:
        ConfigError: there is something of that name.
    """
    require(not out.exists() or (out.is_dir() and not any(out.iterdir())), f"{out} is not empty: name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    draft.mkdir()
    try:
        yield draft
        if out.exists():
            out.rmdir()
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
