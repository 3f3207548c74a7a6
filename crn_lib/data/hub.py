"""Data sets of the Hugging Face hub, through the package `datasets`: the extra `data`, imported when it is needed.

Only repositories that hold Parquet, CSV, JSON or text can be read: since its version 4 `datasets` runs no scripts.
"""

from collections.abc import Sequence
from typing import Any

from crn_lib.data.splits import DataError, first_line


def load(name: str, config: str, get: str) -> Any:
    """All splits of a data set, by name, each a sequence of mappings from columns to values.

    Args:
        name: of the repository, or a folder laid out like one.
        config: which of its configurations.
        get: where else it is to be had, for the message.

    Raises:
        DataError: `datasets` is not installed, or it cannot load this.
    """
    try:
        from datasets import load_dataset
    except ImportError:
        raise DataError(
            f"no path to {name} ({config}), and no package datasets: pip install -c requirements.txt -e '.[data]'; "
            f"or {get}"
        ) from None
    try:
        return load_dataset(name, config)
    except Exception as error:  # it has many of its own, and those of what it reads and of the network
        raise DataError(f"datasets cannot load {name} ({config}): {first_line(error)}; or {get}") from None


def columns(found: Any, part: str, names: Sequence[str], where: str) -> list[list[Any]]:
    """Columns of one part of what `load` gave, each as a list, equally long.

    Args:
        where: what it was loaded from, for the message.

    Raises:
        DataError: it has no such part or column, or they cannot be read.
    """
    try:
        read = [list(found[part][name]) for name in names]
    except (KeyError, TypeError, ValueError, OSError) as error:  # what Arrow and Parquet raise is one of these
        wanted = f"a part {part} with the columns {', '.join(names)}"
        raise DataError(f"{where} does not have {wanted} ({type(error).__name__}: {first_line(error)})") from None
    if len(lengths := {len(column) for column in read}) > 1:
        raise DataError(f"{where}, {part}: its columns must be equally long; they have {lengths} rows")
    return read


def or_hub(name: str) -> str:
    """What to do instead of giving a path, for the message where nothing is at the path."""
    return f"; or give no path: {name} of the Hugging Face hub is then loaded by the package datasets"
