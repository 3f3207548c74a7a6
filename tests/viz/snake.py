"""Every setting of several controls, in an order that moves one control at a time."""

from collections.abc import Iterator, Sequence
from typing import Any


def snake(*choices: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """All that `itertools.product` gives, each in one place other than the one before: one figure is drawn for it."""
    if not choices:
        yield ()
        return
    first, *others = choices
    rest = list(snake(*others))
    for number, value in enumerate(first):
        for setting in reversed(rest) if number % 2 else rest:
            yield value, *setting
