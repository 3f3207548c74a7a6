"""Finding and reading the files of a data set that is not in the library."""

import errno
import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crn_lib.config import shown
from crn_lib.data.splits import Bytes, DataError, first_line, shown_path

PACKED = (OSError, EOFError, zlib.error)
"""What reading a file raises that is missing, cut or damaged, packed by gzip or not."""


def place_of(path: str | Path | None, wanted: str, get: str) -> Path:
    """The path, which may have a `~` in it; whether anything is there is not asked.

    Args:
        wanted: what is looked for.
        get: where it is to be had; both for the message.

    Raises:
        DataError: no path is given, it is neither text nor a `Path` or none that a file can have, or what is there is
            neither a file nor a folder: a pipe, which would be read for ever, or a device.
    """
    if path is None or (isinstance(path, str) and not path):
        raise DataError(f"no path is given to look for {wanted}; {get}")
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise DataError(f"the path to look for {wanted} must be text or a pathlib.Path; got {shown(path)}; {get}")
    try:
        place = Path(path).expanduser()
        mode = place.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return place
    except (OSError, RuntimeError, ValueError) as error:  # no such home; a zero byte, half a surrogate pair
        raise DataError(
            f"the path {shown(os.fspath(path))} cannot be that of {wanted} ({first_line(error)}); {get}"
        ) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(f"the path {shown_path(path)} is neither a file nor a folder; {get}")
    return place


def files_below(folder: str | Path) -> Iterator[Path]:
    """All that is below a folder but folders, also through links to folders; nothing where it is no folder.

    A folder is entered once for each name that it has, its own or a link's: links in a circle have an end.

    Raises:
        DataError: a folder cannot be read, or what is in it cannot be reached. It might belong to the data.
    """

    def refuse(error: OSError) -> None:
        raise DataError(
            f"the folder {shown_path(error.filename)} cannot be read ({error.strerror}); mend that, or give the path "
            "of the file, or of a folder without it"
        )

    entered = set()
    if not Path(folder).is_dir():
        return
    for here, inner, names in os.walk(folder, followlinks=True, onerror=refuse):
        found = Path(here).stat()
        key = found.st_dev, found.st_ino, Path(here).name
        if key in entered:
            inner.clear()
            continue
        entered.add(key)
        if (inner or names) and not os.access(here, os.X_OK):  # its files have names, and would be none for `isfile`
            refuse(PermissionError(errno.EACCES, os.strerror(errno.EACCES), here))
        inner.sort()  # which of two ways to a folder is taken must not depend on the disk
        yield from (Path(here, name) for name in sorted(names))


def each_once(found: Iterable[str | Path]) -> list[Path]:
    """The paths in order; of several that links make of one, the first."""
    return sorted({os.path.realpath(path): path for path in sorted(map(Path, found), reverse=True)}.values())


def _in_its_folder(file: Path) -> Path:
    """The file behind the name of its folder, which paths such as `.`, `..` and `train.tsv` do not say."""
    return Path(os.path.realpath(file.parent), file.name) if file.parent.name in ("", "..") else file


def find_parts(path: str | Path | None, forms: Sequence[Sequence[str]], get: str) -> list[Path]:
    """The files of a data set that has several: all of one form and in one folder, at or anywhere below the path.

    It is the folder that has the first file of a form: the path itself, or else what is below it. Of two forms there it
    is the one named first. Files of other names do not matter.

    Args:
        forms: each the names of all its files; they may have the name of their folder and a slash before them.
        path: a folder, or the first file of a form.
        get: where they are to be had, for the message.

    Raises:
        DataError: no folder has a first file, several have, or the others are not all beside it; or a folder below the
            path cannot be read.
    """
    firsts = " or ".join(form[0] for form in forms)
    place = place_of(path, firsts, get)
    known = {Path(name).name for form in forms for name in form}
    files = [file for file in ([place] if place.is_file() else files_below(place)) if file.name in known]
    found: dict[Path, Sequence[str]] = {}
    for form in forms:
        for file in files:
            if _in_its_folder(file).match(form[0]):
                found.setdefault(file.parent, form)
    folders = [place] if place in found else each_once(found)
    if not folders:
        named = [*map(_in_its_folder, files)]
        others = [name for form in forms for name in form[1:] if any(file.match(name) for file in named)]
        only = f", only {', '.join(others)}" if others else ""
        raise DataError(f"no {firsts} at or below {shown_path(path)}{only}; {get}")
    if len(folders) > 1:
        raise DataError(f"several folders have {firsts}; give the path of one: {', '.join(map(shown_path, folders))}")
    parts = [folders[0] / Path(name).name for name in found[folders[0]]]
    there = [part.name for part in filter(os.path.isfile, parts)]
    if len(there) < len(parts):
        names = ", ".join(part.name for part in parts)
        raise DataError(
            f"{shown_path(folders[0])} must have the files {names}; it has {', '.join(there) or 'none of them'}; {get}"
        )
    return parts


def find(path: str | Path | None, names: Sequence[str], get: str) -> Path:
    """The first of the files `names` that is at or anywhere below the path, for data that are in one file.

    Args:
        names: in the order in which they are looked for; they may have `*` in them.
        path: a folder, or the file itself.
        get: where it is to be had, for the message.

    Raises:
        DataError: none is, or a folder below the path cannot be read.
    """
    wanted = " or ".join(names)
    place = place_of(path, wanted, get)
    files = [place] if place.is_file() else sorted(files_below(place), key=lambda file: (len(file.parts), file))
    for name in names:
        for file in filter(os.path.isfile, (file for file in files if file.match(name))):
            return file
    raise DataError(f"no {wanted} at or below {shown_path(path)}; {get}")


def read_bytes(path: str | Path) -> bytes:
    """What a file holds, unpacked if its name ends in `.gz`.

    Raises:
        DataError: it cannot be read, or is empty.
    """
    path = Path(path)
    try:
        held = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except PACKED as error:
        raise DataError(f"{shown_path(path)} cannot be read ({first_line(error)})") from None
    if not held:
        raise DataError(f"{shown_path(path)} is empty")
    return held


def read_lines(path: str | Path, encoding: str = "utf-8-sig") -> list[str]:
    """The lines of a file of text, unpacked if its name ends in `.gz`.

    Raises:
        DataError: it cannot be read, is empty, or has bytes that are no such text.
    """
    return lines_of(read_bytes(path), path, encoding)


def lines_of(held: bytes, path: str | Path, encoding: str = "utf-8-sig") -> list[str]:
    """Bytes as lines of text, without a mark at their head and blank ones at their end. Only a line feed ends one, or
    one behind a carriage return: `splitlines` also ends them at U+2028 and seven more, which may stand in a sentence.

    Args:
        path: where they are from, for the message.

    Raises:
        DataError: they are no such text.
    """
    try:
        lines = held.decode(encoding).split("\n")
    except UnicodeDecodeError as error:
        number, byte = error.object[: error.start].count(b"\n") + 1, error.object[error.start]
        wanted = encoding.removesuffix("-sig").upper()
        raise DataError(
            f"{shown_path(path)} is not text in {wanted}: line {number} has the byte 0x{byte:02x}"
        ) from None
    while lines and not lines[-1].strip(" \r"):
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def read_array(path: str | Path) -> Bytes:
    """A file's bytes as an array; they stay on the disk until they are used.

    Raises:
        DataError: it cannot be read, or is empty.
    """
    try:
        if not Path(path).stat().st_size:
            raise DataError(f"{shown_path(path)} is empty")
        return np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"{shown_path(path)} cannot be read ({first_line(error)})") from None


def read_packed(path: str | Path, wanted: str) -> bytes:
    """The member of a tar archive whose name ends so; also of an archive inside the archive. Both are packed by gzip.

    Raises:
        DataError: it is no tar archive, or has no such member.
    """
    try:
        held = _member(Path(path).read_bytes(), wanted, inside=True)
    except (*PACKED, ValueError, tarfile.TarError) as error:  # a ValueError where a head is not of numbers
        raise DataError(f"{shown_path(path)} is no tar archive that can be read ({first_line(error)})") from None
    if held is None:
        raise DataError(f"{shown_path(path)} holds no {wanted}")
    return held


def _member(archive: bytes, wanted: str, inside: bool = False) -> bytes | None:
    """A member's bytes; `inside`, also of the archives that the archive holds, but of none that those hold."""
    inner = []
    whole = gzip.decompress(archive)  # tarfile stops at the member, before the checksum
    with tarfile.open(fileobj=io.BytesIO(whole), mode="r:") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((wanted, ".tar.gz")):
                held: Any = tar.extractfile(member)
                if member.name.endswith(wanted):
                    return bytes(held.read())
                inner.append(bytes(held.read()))
    return next((found for each in inner if inside and (found := _member(each, wanted)) is not None), None)
