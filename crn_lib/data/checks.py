"""What every loader asks of what it has read, in one place: how many, of which shape and type, and of which classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crn_lib.config import LARGEST, shown
from crn_lib.data.splits import Bytes, DataError, Images, Sentences, shown_path


def check_bytes(name: str, text: object, least: int = 1) -> None:
    """Raise `DataError` unless the text, an argument of that name, is an array of so many bytes or more."""
    good = isinstance(text, np.ndarray) and text.dtype == np.uint8 and text.ndim == 1
    if not good or len(text) < least:  # type: ignore[arg-type]
        wanted = "bytes, an array of uint8 in one dimension" + (", and not empty" if least else "")
        raise DataError(f"{name} must be {wanted}; got {_found(text)}")


def check_words(name: str, text: Bytes) -> None:
    """Raise `DataError` unless the text, an argument of that name, has a word: something besides blanks."""
    check_bytes(name, text)
    if not text.tobytes().split():
        raise DataError(f"{name} must have a word; all its {len(text):,} bytes are blanks")


def checked_classes(name: str, classes: object) -> NDArray[np.int64]:
    """Classes, an argument of that name, as an array `(n,)`.

    Raises:
        DataError: there are none, or one is no whole number from 0 on.
    """
    try:
        found = np.asarray(classes)
    except ValueError:  # lists of several lengths
        found = np.array(None)
    if found.dtype.kind not in "iub" or found.ndim != 1 or not len(found) or (found < 0).any():
        raise DataError(f"{name} must be classes, whole numbers >= 0, and at least one; got {_found(classes)}")
    return found.astype(np.int64)


def check_alike(train: Images, test: Images) -> None:
    """Raise `DataError` unless both are images with their classes, at least one, and all of one size."""
    for name, images in (("train", train), ("test", test)):
        if not isinstance(images, Images):
            raise DataError(f"{name} must be Images; got {_found(images)}")
        pixels, classes = images
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 4:
            raise DataError(f"{name}.pixels must be uint8 of shape (n, side, side, channels); got {_found(pixels)}")
        if not isinstance(classes, np.ndarray) or classes.dtype.kind not in "iu":
            raise DataError(f"{name}.classes must be an array of whole numbers; got {_found(classes)}")
        if len(pixels) != len(checked_classes(f"{name}.classes", classes)):
            raise DataError(f"{name} must have a class for each image; got {len(pixels):,} and {len(classes):,}")
    if train.pixels.shape[1:] != test.pixels.shape[1:]:
        sizes = (" x ".join(map(str, images.pixels.shape[1:])) for images in (test, train))
        raise DataError("test must have images of the size of train's; got {} and {}".format(*sizes))


def checked_images(
    file: str | Path,
    pixels: NDArray[Any],
    classes: NDArray[Any],
    shape: tuple[int, int, int],
    known: int,
    labels: str | Path,
) -> Images:
    """Pixels `(n, side, side, channels)`, bytes, and classes `(n,)`, as they should be.

    Args:
        file: where the pixels are from, for the message.
        shape: `(side, side, channels)` of each.
        known: classes are whole numbers below this.
        labels: where the classes are from; often the same file.

    Raises:
        DataError: they are not.
    """
    file, labels = shown_path(file), shown_path(labels)
    size = " x ".join(map(str, shape))
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != shape:
        raise DataError(f"{file} must hold images of {size} bytes; it holds {_kind(pixels)}")
    if classes.dtype.kind not in "iu" or classes.ndim != 1:
        raise DataError(f"{labels} must hold classes, one whole number an image; it holds {_kind(classes)}")
    if len(pixels) != len(classes) or not len(classes):
        raise DataError(
            f"there must be a class for each image, and an image: {file} holds {len(pixels):,} images, and {labels} "
            f"{len(classes):,} classes"
        )
    wrong = (classes < 0) | (classes >= known)
    if wrong.any():
        raise _class_error(labels, int(wrong.argmax()), classes[wrong][0], known)
    return Images(pixels, classes.astype(np.int64))


def checked_sentences(source: object, parts: Sequence[Sequence[Any]], classes: Sequence[Any], known: int) -> Sentences:
    """The parts of each sentence, text that UTF-8 can write, and its class, as they should be.

    Args:
        source: where they are from, for the message.
        known: classes are whole numbers below this.

    Raises:
        DataError: they are not.
    """
    source = shown_path(source)
    if len(parts) != len(classes) or not len(classes):
        raise DataError(
            f"{source} must have a class for each sentence, and at least one; it has {len(parts):,} sentences and "
            f"{len(classes):,} classes"
        )
    for item, (texts, label) in enumerate(zip(parts, classes, strict=True)):
        if not isinstance(texts, tuple | list) or not texts:  # text alone would be taken letter by letter
            raise DataError(
                f"{source}: item {item + 1} must be a tuple of parts, of one at least; it is {shown(texts)}"
            )
        for text in texts:
            check_text(source, item, text)
        if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < known:
            raise _class_error(source, item, label, known)
    return Sentences([tuple(texts) for texts in parts], [int(label) for label in classes])


def check_sentences(name: str, sentences: Sentences, known: int = LARGEST) -> Sentences:
    """The sentences of an argument of that name, as `checked_sentences` of a file.

    Raises:
        DataError: they are no `Sentences`, or what `checked_sentences` refuses.
    """
    if not isinstance(sentences, Sentences):
        raise DataError(f"{name} must be Sentences; got {_found(sentences)}")
    return checked_sentences(name, *sentences, known)


def check_text(source: object, item: int, text: object) -> None:
    """Raise `DataError` unless the item, counted from 0, is text that UTF-8 can write."""
    if not isinstance(text, str):
        raise DataError(f"{shown_path(source)}: item {item + 1} must have text in each part; it has {shown(text)}")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # half a pair of surrogates, which JSON can write
        found = text[error.start]
        raise DataError(f"{shown_path(source)}: item {item + 1} has {found!a}, which is no character") from None


def _found(value: object) -> str:
    """What was given, for a message: an array, which may be large, by its type and shape."""
    return f"an array of {_kind(value)}" if isinstance(value, np.ndarray) else shown(value)


def _kind(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _class_error(source: str, item: int, label: object, known: int) -> DataError:
    found = shown(label.item() if isinstance(label, np.generic) else label)
    return DataError(f"{source}: item {item + 1} must have a class from 0 to {known - 1}; it has {found}")
