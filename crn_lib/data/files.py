"""Finding and reading the files of a data set that is not in the library."""

import gzip
import io
import tarfile
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from crn_lib.data.splits import Bytes, DataError, first_line


def find(path: str | Path, names: Sequence[str], get: str) -> Path:
    """The first of the files `names` that is at or anywhere below the path.

    Args:
        names: in the order in which they are looked for; they may have `*` in them, and folders.
        path: a folder, or the file itself.
        get: where it is to be had, for the message.

    Raises:
        DataError: none is.
    """
    place = Path(path).expanduser()
    if place.is_file() and any(fnmatch(place.name, name) for name in names):
        return place
    for name in names:
        if found := sorted(place.rglob(name), key=lambda file: (len(file.parts), file)):
            return found[0]
    raise DataError(f"no {' or '.join(names)} at or below {path}; {get}")


def read_bytes(path: str | Path) -> bytes:
    """What a file holds, unpacked if its name ends in `.gz`.

    Raises:
        DataError: it cannot be read, or is empty.
    """
    path = Path(path)
    try:
        held = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({first_line(error)})") from None
    if not held:
        raise DataError(f"{path} is empty")
    return held


def read_array(path: str | Path) -> Bytes:
    """A file's bytes as an array; they stay on the disk until they are used.

    Raises:
        DataError: it cannot be read, or is empty.
    """
    try:
        return np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:  # a ValueError where it is empty
        raise DataError(f"{path} cannot be read ({first_line(error)})") from None


def read_packed(path: str | Path, wanted: str) -> bytes:
    """The member of a tar archive whose name ends so; also of an archive inside the archive.

    Raises:
        DataError: it is no tar archive, or has no such member.
    """
    try:
        held = _member(Path(path).read_bytes(), wanted)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DataError(f"{path} is no tar archive that can be read ({first_line(error)})") from None
    if held is None:
        raise DataError(f"{path} holds no {wanted}")
    return held


def _member(archive: bytes, wanted: str) -> bytes | None:
    inner = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((wanted, ".tar.gz")):
                held: Any = tar.extractfile(member)
                if member.name.endswith(wanted):
                    return bytes(held.read())
                inner.append(bytes(held.read()))
    return next((found for each in inner if (found := _member(each, wanted)) is not None), None)
