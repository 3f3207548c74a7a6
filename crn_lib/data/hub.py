"""Data sets of the Hugging Face hub, through the package `datasets`: the extra `data`, imported when it is needed.

Only repositories that hold Parquet, CSV, JSON or text can be read: since its version 4 `datasets` runs no scripts.
"""

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
            f"no path to {name} ({config}), and no package datasets: pip install datasets; or {get}"
        ) from None
    try:
        return load_dataset(name, config)
    except Exception as error:  # it has many of its own, and those of what it reads and of the network
        raise DataError(f"datasets cannot load {name} ({config}): {first_line(error)}; or {get}") from None
