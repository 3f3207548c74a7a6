"""Which notebooks of a folder are lessons. Apart from `runner`, whose imports take seconds."""

from collections.abc import Sequence
from pathlib import Path


def find_lessons(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """The notebooks of a folder, all of them or those named, in order.

    Args:
        names: file names with or without `.ipynb`, or the number they start with.

    Raises:
        ValueError: no such lesson, and the message names those there are; or the folder has none.
    """
    lessons = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not lessons:
        raise ValueError(f"there are no lessons in {folder}")
    if not names:
        return lessons
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        matches = [path for path in lessons if stem in (path.stem, path.stem[:2])]
        if not matches:
            raise ValueError(f"there is no lesson {name!r}; there are {', '.join(path.stem for path in lessons)}")
        chosen += matches
    return list(dict.fromkeys(chosen))
