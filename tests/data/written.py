"""What the tests of loaders write: files in the formats of the real ones, of the digits that come with the library."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from crn_lib.data import DataError, Images, digits, names
from crn_lib.data.pictures import cifar5m, cifar10, mnist
from crn_lib.data.sentences import glue, sentiment, superglue
from crn_lib.data.texts import penn_treebank, text_files, wikitext103

LOADERS: dict[str, Callable[[str | None], object]] = {
    "bytes": text_files,
    "wikitext103": wikitext103,
    "ptb": penn_treebank,
    "mnist": lambda path: mnist(path, 0),
    "cifar10": lambda path: cifar10(path, 0),
    "cifar5m": lambda path: cifar5m(path, 0),
    "sentiment": lambda path: sentiment(path, 0),
    "glue": lambda path: glue("rte", path, 0),
    "superglue": lambda path: superglue("cb", path, 0),
    "names": lambda path: names(path),  # type: ignore[arg-type]
}

LEVELS = np.array([1.0, 0.5, 0.25])
"""How bright red, green and blue are of a digit in colour, so that no channel passes for another."""


def write(path: Path, held: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(held if isinstance(held, bytes) else held.encode())
    return path


def larger(count: int, side: int, channels: int, start: int = 0) -> Images:
    """Committed digits of 8 x 8, each pixel a square of equal ones, in the middle of `side` x `side`."""
    train, times = digits().train, side // 8
    pixels, classes = (each[start : start + count] for each in train)
    edge = (side - 8 * times) // 2
    square = 15 * pixels.repeat(times, axis=1).repeat(times, axis=2)
    framed = np.pad(square, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    return Images((framed * LEVELS[:channels]).astype(np.uint8), classes)


def idx(shape: Sequence[int], held: bytes) -> bytes:
    """An IDX file of bytes."""
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, dtype=">i4").tobytes() + held


def write_idx(folder: Path, part: str, images: Images, end: str = "", pack=bytes) -> None:
    """The two files of one part of MNIST."""
    pixels, classes = images.pixels[..., 0], images.classes.astype(np.uint8)
    write(folder / f"{part}-images-idx3-ubyte{end}", pack(idx(pixels.shape, pixels.tobytes())))
    write(folder / f"{part}-labels-idx1-ubyte{end}", pack(idx(classes.shape, classes.tobytes())))


def records(images: Images) -> bytes:
    """CIFAR-10's binary version."""
    return b"".join(
        bytes([label]) + pixels.transpose(2, 0, 1).tobytes()
        for pixels, label in zip(images.pixels, images.classes, strict=True)
    )


def shares(images: Images, digit: int) -> str:
    """npm's file of one digit."""
    return json.dumps({"data": (images.pixels[images.classes == digit] / 255).flatten().tolist()})


def npz(**arrays: object) -> bytes:
    """A part of CIFAR-5M."""
    held = io.BytesIO()
    np.savez(held, **arrays)  # type: ignore[arg-type]
    return held.getvalue()


def refused(source: str, path: str | Path | None) -> str:
    """What a loader says of what is at the path, in one line."""
    with pytest.raises(DataError) as error:
        LOADERS[source](None if path is None else str(path))
    assert "\n" not in str(error.value)
    return str(error.value)
