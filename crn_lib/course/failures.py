"""What a reader sees of an answer that fails: the message and the reader's own lines, and none of the check's."""

import itertools
import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython import get_ipython

import crn_lib

MOST_LINES = 6
"""Of the reader's own, where calls go deep."""

PACKAGES = tuple(
    str(Path(place).resolve())
    for place in {*(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")), *crn_lib.__path__}
)
"""Folders of files whose lines say nothing about the reader's answer; the check's own hold the right one."""


class CheckFailed(AssertionError):
    """An answer that does not meet a requirement; the message says which one, for which input, and at which index.

    Attributes:
        lines: the reader's own, of an answer that stopped with an error.
    """

    def __init__(self, message: str, lines: list[str] | None = None) -> None:
        super().__init__(message)
        self.lines = lines or []

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback."""
        return [*self.lines, f"\x1b[31mNot yet: {self}\x1b[0m"]


OTHER_NUMBERS = (
    "If this assert is the lesson's: its words were written about other numbers than came out here. There are rows of "
    "your own, or this machine computes otherwise, or the lesson is wrong. Believe the outputs; cells below still run."
)


def explain_assertions() -> None:
    """From now on a lesson's own `assert` that fails says what that means for who reads it, behind its traceback."""
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((AssertionError,), _show_assertion)


def _show_assertion(
    shell: Any, kind: type[BaseException], error: BaseException, trace: Any, tb_offset: int | None = None
) -> None:
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    if kind is AssertionError:  # not what checks raise, which say more
        print(OTHER_NUMBERS, file=sys.stderr)


class Interrupted(KeyboardInterrupt):
    """A check that was stopped by hand: an answer that takes too long, or never ends."""

    def _render_traceback_(self) -> list[str]:
        return ["\x1b[31mStopped by hand. Where an answer takes long, try it on a small case first.\x1b[0m"]


def own_lines(trace: TracebackType | None) -> list[str]:
    """The lines of a traceback that are the reader's, the last ones; the same line many times over once."""
    frames = [
        frame
        for frame in traceback.extract_tb(trace)
        if not str(Path(frame.filename).resolve()).startswith(PACKAGES)
        and not frame.filename.startswith(("<frozen", "<__array"))
    ]
    places = [f"line {frame.lineno} of {frame.name}: {frame.line}" for frame in frames]
    folded = [(place, len(list(same))) for place, same in itertools.groupby(places)]
    return [f"{place} ({count} times)" if count > 1 else place for place, count in folded[-MOST_LINES:]]
