"""Which lessons a change can have touched, as git sees it: for continuous integration."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from crn_lib.config import ConfigError

EVERY_LESSON = re.compile(r"(crn_lib|figures/data)/|(pyproject\.toml|requirements\.txt)$")
BASES = ("origin/main", "main")


def changed_lessons(lessons: Sequence[Path], root: Path, base: str | None = None) -> tuple[list[Path], str]:
    """Those of the lessons that differ from a base, or use what does, committed or not; and the base.

    A lesson's notebook and its exercises touch that lesson; any other file of the library, a stored row and a version
    touch all of them; nothing else touches any.

    Args:
        lessons: the candidates.
        root: the clone.
        base: a branch or commit, whose last common ancestor is compared with; `origin/main`, else `main`, where not
            given.

    Raises:
        ConfigError: git does not know the base, or this is no clone.
    """
    ancestor = ""
    for name in (base,) if base else BASES:
        ancestor = _git(root, "merge-base", name, "HEAD").strip()
        if ancestor:
            base = name
            break
    if not ancestor:
        named = base or " or ".join(BASES)
        raise ConfigError(f"git finds no common ancestor with {named} in {root}: --base names a branch or commit here")
    differ = _git(root, "diff", "--name-only", "--relative", "-z", ancestor)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    files = [name for name in f"{differ}\0{new}".split("\0") if name]
    own = {number for name in files if (number := _lesson_of(name))}
    all_of_them = any(EVERY_LESSON.match(name) and not _lesson_of(name) for name in files)
    return [lesson for lesson in lessons if all_of_them or lesson.name[:2] in own], str(base)


def _lesson_of(file: str) -> str:
    found = re.match(r"(?:notebooks/|crn_lib/course/exercises/lesson_)(\d\d)[_.]", file)
    return found[1] if found else ""


def _git(root: Path, *arguments: str) -> str:
    try:
        ran = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConfigError("--changed asks git, which is not installed") from None
    return ran.stdout if ran.returncode == 0 else ""
