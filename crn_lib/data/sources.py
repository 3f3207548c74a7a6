"""The data sets that a task may name: where each comes from, and its shape, which is known before it is read."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from crn_lib.config import require, require_choice, shown
from crn_lib.data import committed, pictures, sentences, texts
from crn_lib.data.splits import Bytes, DataError, Images, Sentences, Split

COMMITTED, PATH, PATH_OR_HUB = "committed", "path", "path or hub"
"""Where data are: in the library; at a path; at a path, or if none is given on the Hugging Face hub."""


class TextSource(NamedTuple):
    """A text, and the bytes of its shortest part where they are known before it is read."""

    where: str
    load: Callable[[str | None], Split[Bytes]]
    shortest: int | None = None


class ImageSource(NamedTuple):
    """Images of so many pixels a side, and what is to be told apart; `load` takes a path and a seed for the split."""

    where: str
    load: Callable[[str | None, int], Split[Images]]
    side: int
    channels: int
    classes: int


class SentenceSource(NamedTuple):
    """Sentences, and how many classes they have; `load` takes a path and a seed for the split."""

    where: str
    load: Callable[[str | None, int], Split[Sentences]]
    classes: int


TEXTS = {
    "sonnets": TextSource(COMMITTED, lambda path: committed.sonnets(), 9_572),
    "bytes": TextSource(PATH, texts.text_files),
    "wikitext103": TextSource(PATH_OR_HUB, texts.wikitext103),
    "ptb": TextSource(PATH, texts.penn_treebank),
}
IMAGES = {
    "digits": ImageSource(COMMITTED, lambda path, seed: committed.digits(seed), 8, 1, 10),
    "mnist": ImageSource(PATH, pictures.mnist, 28, 1, 10),
    "cifar10": ImageSource(PATH, pictures.cifar10, 32, 3, 10),
    "cifar5m": ImageSource(PATH, pictures.cifar5m, 32, 3, 10),
}
SENTENCES = {
    "sentiment": SentenceSource(PATH, sentences.sentiment, 2),
    **{name: SentenceSource(PATH_OR_HUB, load, classes) for name, (load, classes) in sentences.LOADERS.items()},
}


def require_source(source: object, sources: Mapping[str, object]) -> None:
    """Raise `ConfigError` unless the source is one of these; of one that was left out it says why."""
    sentences.require_kept(source)
    require_choice("source", source, tuple(sources))


def require_classes(split: Split[Images] | Split[Sentences], what: str, source: str) -> None:
    """Refuse data that nothing can be learnt or tested from.

    Args:
        what: one of the things that are classified, in a word.
        source: where they are from, for the message.

    Raises:
        DataError: a part has none, or of one class only.
    """
    for name, part in split._asdict().items():
        if not len(part.classes):
            raise DataError(f"the {name} part of {source} has no {what}")
    for name, part in split._asdict().items():
        called = "training" if name == "train" else name
        if len(np.unique(part.classes)) < 2:
            raise DataError(f"all {called} {what}s of {source} are of one class")


def check_path(source: str, where: str, path: object) -> None:
    """Raise `ConfigError` unless a path is given where one is needed, and none where none is."""
    require(
        path is None or (isinstance(path, str) and path != ""), f"path must be text, or not given; got {shown(path)}"
    )
    require(where != COMMITTED or path is None, f"path must not be given for {source!r}, which the library has")
    require(where != PATH or path is not None, f"path must be given for {source!r}: the library does not have it")
