"""Data in three parts, and what is said where there are none."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from crn_lib.config import require_whole, shown
from crn_lib.errors import RunFailed

T = TypeVar("T")
Bytes = NDArray[np.uint8]

HELD_OUT = 0.1
"""Share of the data that is held out for validation, and as much again for the test, where no split is given."""


class DataError(RunFailed):
    """Data that are not there, or not what they should be: what was looked for, and where it is to be had.

    Example:
        >>> str(DataError("no ptb.train.txt at or below here"))
        'no ptb.train.txt at or below here'
    """


class Split(NamedTuple, Generic[T]):
    """What a model learns from, what is looked at while it learns, and what is looked at once, at the end.

    Example:
        >>> Split("most", "a tenth", "another tenth").test
        'another tenth'
    """

    train: T
    validation: T
    test: T


class Images(NamedTuple):
    """Pixels `(n, side, side, channels)`, uint8, and classes `(n,)`, int64.

    Example:
        >>> digits().test.pixels.dtype, digits().test.classes.shape
        (dtype('uint8'), (179,))
    """

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]


class Sentences(NamedTuple):
    """What is to be classified, each in one part or in several (a question and a passage, say), and its class.

    Example:
        >>> Sentences([("is it wet?", "water is wet"), ("is it dry?", "water is wet")], [1, 0]).parts[0][1]
        'water is wet'
    """

    parts: Sequence[tuple[str, ...]]
    classes: Sequence[int]


def require_seed(seed: object) -> None:
    """Raise `ConfigError` unless a split can be drawn from the seed. A loader asks before it reads."""
    require_whole("seed", seed, least=0, most=10**18)


def split_text(text: Bytes) -> Split[Bytes]:
    """A text from its beginning to its end: the last tenth is the test, the tenth before it for validation."""
    held = int(len(text) * HELD_OUT)
    return Split(text[: len(text) - 2 * held], text[len(text) - 2 * held : len(text) - held], text[len(text) - held :])


def split_at_random(count: int, seed: int, parts: int = 3) -> list[NDArray[np.int64]]:
    """The numbers below `count` in random order, in `parts` parts: all but the first hold `HELD_OUT` each."""
    order = np.random.default_rng(seed).permutation(count)
    held = int(count * HELD_OUT)
    cuts = [count - held * left for left in range(parts - 1, 0, -1)]
    return [np.sort(part) for part in np.split(order, cuts)]


def split_images(images: Images, seed: int, test: Images | None = None) -> Split[Images]:
    """Images at random in three parts, or in two beside a test of their own."""
    parts = split_at_random(len(images.classes), seed, 3 - bool(test))
    found = [Images(images.pixels[part], images.classes[part]) for part in parts]
    return Split(found[0], found[1], test or found[2])


def split_sentences(sentences: Sentences, seed: int, test: Sentences | None = None) -> Split[Sentences]:
    """Sentences at random in three parts, or in two beside a test of their own."""
    found = [
        Sentences([sentences.parts[i] for i in part], [sentences.classes[i] for i in part])
        for part in split_at_random(len(sentences.classes), seed, 3 - bool(test))
    ]
    return Split(found[0], found[1], test or found[2])


def shown_path(path: object) -> str:
    """A path for a message, in one line: as it is, or as Python writes it where it has line breaks and the like."""
    text = str(path)
    return text if text.isprintable() else shown(text)


def first_line(error: Any) -> str:
    """What an error says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
