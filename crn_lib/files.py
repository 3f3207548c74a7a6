"""Files written whole or not at all, and held by one process at a time."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

TEMPORARY = ".tmp"
"""How the names of half-written files end; they begin with a dot."""


def replace_file(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, bring it to the disk, then rename it over `path`.

    Raises:
        OSError: the folder cannot be made or written; nothing at `path` has changed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        temporary.touch(exist_ok=False)  # its mode is what the user's umask makes of it
        write(temporary)
        # A rename can reach the disk before what the file holds: after a power failure it would be there, and empty.
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):  # a lost mount: what went wrong first is what counts
            temporary.unlink(missing_ok=True)


def replace_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def remove_half_written(folder: str | Path) -> None:
    """Remove what killed processes left of `replace_file`, in a folder that no other process writes to."""
    for left in Path(folder).glob(f".*{TEMPORARY}"):
        left.unlink(missing_ok=True)


@contextmanager
def locked(path: str | Path, busy: Exception, *, patience: float = 0.0) -> Iterator[None]:
    """Hold a lock file, which is made here and removed at the end; a killed process holds none.

    Args:
        busy: raised where another holds it, and still does after `patience` seconds.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=patience)
    except filelock.Timeout:
        raise busy from None
    try:
        yield
    finally:
        with suppress(OSError):  # where the folder is gone, so is the lock
            path.unlink(missing_ok=True)  # while it is held: whoever waits for this very file looks for a new one
            lock.release()
