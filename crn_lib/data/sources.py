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
    """A text; of one in the library the bytes of its shortest part are known before it is read, and how large a share
    of the test part is the byte that the training part has most often.

    `get` says of all sources at a path how to come by them.
    """

    where: str
    load: Callable[[str | None], Split[Bytes]]
    shortest: int | None = None
    most_frequent: float | None = None
    get: str = ""


class ImageSource(NamedTuple):
    """Images of so many pixels a side, and what is to be told apart; `load` takes a path and a seed for the split."""

    where: str
    load: Callable[[str | None, int], Split[Images]]
    side: int
    channels: int
    classes: int
    get: str = ""


class SentenceSource(NamedTuple):
    """Sentences, and how many classes they have; `load` takes a path and a seed for the split."""

    where: str
    load: Callable[[str | None, int], Split[Sentences]]
    classes: int
    get: str = ""


TEXTS = {
    "sonnets": TextSource(COMMITTED, lambda path: committed.sonnets(), 9_572, 1_645 / 9_572),
    "bytes": TextSource(PATH, texts.text_files, get=texts.GET_TEXT),
    "wikitext103": TextSource(PATH_OR_HUB, texts.wikitext103),
    "ptb": TextSource(PATH, texts.penn_treebank, get=texts.GET_TREEBANK),
}
IMAGES = {
    "digits": ImageSource(COMMITTED, lambda path, seed: committed.digits(seed), 8, 1, 10),
    "mnist": ImageSource(PATH, pictures.mnist, 28, 1, 10, pictures.GET_MNIST),
    "cifar10": ImageSource(PATH, pictures.cifar10, 32, 3, 10, pictures.GET_CIFAR10),
    "cifar5m": ImageSource(PATH, pictures.cifar5m, 32, 3, 10, pictures.GET_CIFAR5M),
}
SENTENCES = {
    "sentiment": SentenceSource(PATH, sentences.sentiment, 2, sentences.GET_REVIEWS),
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
            found = f"all {len(part.classes):,} {called} {what}s of {source} are of one class, {part.classes[0]}"
            raise DataError(f"{found}; there must be two at least")


def check_path(source: str, own: TextSource | ImageSource | SentenceSource, path: object) -> None:
    """Raise `ConfigError` unless a path is given where one is needed, and none where none is."""
    require(
        path is None or (isinstance(path, str) and path != ""), f"path must be text, or not given; got {shown(path)}"
    )
    require(own.where != COMMITTED or path is None, f"path must not be given for {source!r}, which the library has")
    lacking = f"path must be given for {source!r}, which the library does not have; {own.get}"
    require(own.where != PATH or path is not None, lacking)
