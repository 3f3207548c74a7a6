"""A file of measured rows, filled up: what is there is kept, what is missing is measured and added as it comes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from crn_lib.config import require
from crn_lib.sweeps.rows import Row, append_row, lock_rows, newest_rows
from crn_lib.tasks.registry import DEFAULT


@dataclass(frozen=True)
class Measurement:
    """Rows that are measured together, with one model, say.

    Attributes:
        keys: of all its rows.
        measure: takes the keys that are missing and yields their rows, each with its `key`, as soon as it has them.
    """

    keys: Sequence[str]
    measure: Callable[[set[str]], Iterable[Row]]


def require_copying(sweep: str, tasks: Iterable[str]) -> None:
    """What studies of copies refuse.

    Args:
        tasks: the names of those that the sweep's runs are on.

    Raises:
        ConfigError: one of them is not copying.
    """
    others = sorted(set(tasks) - {DEFAULT})
    require(not others, f"this study is of models that copy; the sweep {sweep!r} trains on {' and '.join(others)}")


def fill_rows(path: str | Path, measurements: Iterable[Measurement], *, what: str) -> dict[str, Row]:
    """Measure what has no row yet. Killed at any moment, the next call goes on where this one ended.

    Args:
        path: the file, `data_file(ROWS)` of a study.
        what: in a word, what is counted by the progress bar.

    Returns:
        All rows of the file by key, the newest of each.

    Raises:
        RowsBusy: another process is adding rows to the same file.
    """
    with lock_rows(path):
        rows = newest_rows(path)
        waiting = [(each, missing) for each in measurements if (missing := set(each.keys) - rows.keys())]
        for each, missing in tqdm(waiting, desc=f"measuring {Path(path).stem}", unit=what):
            for row in each.measure(missing):
                append_row(path, row)
                rows[row["key"]] = row
    return rows
