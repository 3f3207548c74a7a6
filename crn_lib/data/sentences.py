"""Loaders of classified sentences: sentiment, GLUE and SuperGLUE. Only the first has been used on the real thing.

The tests of GLUE and SuperGLUE have no published answers: their development sets are the test here, and validation is a
tenth of training.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from crn_lib.data import hub
from crn_lib.data.files import find, read_bytes, read_packed
from crn_lib.data.splits import DataError, Sentences, Split, split_sentences

REVIEWS = "movieReviewSnippets_GroundTruth.txt"
CLEAR = 1.0
"""A review counts whose mean rating, from -4 to 4, is at least this far from 0."""


class SentenceSet(NamedTuple):
    """One task of GLUE or SuperGLUE.

    Attributes:
        folder: of its files, and in lower case the hub's name of it.
        columns: the parts of a sentence, in their order, as the files name them.
        label: the files' name of the class.
        labels: the classes as the files write them, in the hub's order.
        header: the names of the columns where the files have no line with them.
        hub_columns: the hub's names, where they are others.
    """

    folder: str
    columns: tuple[str, ...]
    label: str
    labels: tuple[str, ...]
    header: tuple[str, ...] | None = None
    hub_columns: tuple[str, ...] | None = None


BINARY, ENTAILED = ("0", "1"), ("entailment", "not_entailment")
PAIR = ("sentence1", "sentence2")
GLUE = {
    "sst2": SentenceSet("SST-2", ("sentence",), "label", BINARY),
    "cola": SentenceSet("CoLA", ("sentence",), "label", BINARY, header=("source", "label", "star", "sentence")),
    "mrpc": SentenceSet("MRPC", ("#1 String", "#2 String"), "Quality", BINARY, hub_columns=PAIR),
    "qqp": SentenceSet("QQP", ("question1", "question2"), "is_duplicate", BINARY),
    "qnli": SentenceSet("QNLI", ("question", "sentence"), "label", ENTAILED),
    "rte": SentenceSet("RTE", PAIR, "label", ENTAILED),
    "wnli": SentenceSet("WNLI", PAIR, "label", BINARY),
}
SUPERGLUE = {
    "boolq": SentenceSet("BoolQ", ("question", "passage"), "label", ("False", "True")),
    "cb": SentenceSet("CB", ("premise", "hypothesis"), "label", ("entailment", "contradiction", "neutral")),
    "copa": SentenceSet("COPA", ("premise", "question", "choice1", "choice2"), "label", BINARY),
    "rte": SentenceSet("RTE", ("premise", "hypothesis"), "label", ENTAILED),
    "wic": SentenceSet("WiC", ("word", *PAIR), "label", ("False", "True")),
}


def sentiment(path: str | Path | None, seed: int) -> Split[Sentences]:
    """Sentences of film reviews (Pang and Lee's, rated anew by Hutto and Gilbert 2014): liked, 1, or not, 0.

    Args:
        path: the source distribution of vaderSentiment, the archive inside it, or the file of the reviews.

    Raises:
        DataError: they are not there, or a line is not a number, a rating and a sentence.
    """
    get = "get them by: pip download --no-deps --no-binary :all: vaderSentiment==3.3.2"
    file = find(
        path or "", [REVIEWS, "hutto_ICWSM_2014.tar.gz", "vaderSentiment-*.tar.gz", "vadersentiment-*.tar.gz"], get
    )
    text = (read_packed(file, REVIEWS) if file.name.endswith(".gz") else read_bytes(file)).decode("utf-8")
    parts, classes = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            _, rating, sentence = line.split("\t")
            liked = float(rating)
        except ValueError:
            raise DataError(f"{file}: line {number} of the reviews is not an id, a rating and a sentence") from None
        if abs(liked) >= CLEAR:
            parts.append((sentence,))
            classes.append(int(liked > 0))
    return split_sentences(Sentences(parts, classes), seed)


def glue(name: str, path: str | Path | None, seed: int) -> Split[Sentences]:
    """A task of GLUE, from `<folder>/train.tsv` and `dev.tsv` at or below the path; without a path, from the hub.

    Raises:
        DataError: it is neither here nor there, or a line is not what it should be.
    """
    kind = GLUE[name]
    get = f"get {kind.folder}/train.tsv and dev.tsv of GLUE and give the path of their folder"
    if path is None:
        return _from_hub("nyu-mll/glue", name, kind, get, seed)
    train, dev = (_table(_file(path, kind.folder, f"{part}.tsv", get), kind) for part in ("train", "dev"))
    return split_sentences(train, seed, dev)


def superglue(name: str, path: str | Path | None, seed: int) -> Split[Sentences]:
    """A task of SuperGLUE, from `<folder>/train.jsonl` and `val.jsonl` at or below the path; without one, from the hub.

    Raises:
        DataError: it is neither here nor there, or a line is not what it should be.
    """
    kind = SUPERGLUE[name]
    get = f"get {kind.folder}/train.jsonl and val.jsonl of SuperGLUE and give the path of their folder"
    if path is None:
        return _from_hub("aps/super_glue", name, kind, get, seed)
    train, dev = (_json_lines(_file(path, kind.folder, f"{part}.jsonl", get), kind) for part in ("train", "val"))
    return split_sentences(train, seed, dev)


LOADERS = {
    **{f"glue/{name}": (partial(glue, name), len(kind.labels)) for name, kind in GLUE.items()},
    **{f"superglue/{name}": (partial(superglue, name), len(kind.labels)) for name, kind in SUPERGLUE.items()},
}
"""By the names that a task takes: the loader and the number of classes."""


def _file(path: str | Path, folder: str, name: str, get: str) -> Path:
    """A file of a task in the task's folder, which the path is, or lies above."""
    place = Path(path).expanduser()
    return find(place.parent if place.name == folder else place, [f"{folder}/{name}"], get)


def _table(file: Path, kind: SentenceSet) -> Sentences:
    lines = read_bytes(file).decode("utf-8-sig").splitlines()  # MRPC begins with a byte order mark
    rows = csv.DictReader(lines, kind.header, delimiter="\t", quoting=csv.QUOTE_NONE)
    return _sentences(file, rows, kind)


def _json_lines(file: Path, kind: SentenceSet) -> Sentences:
    try:
        rows = [json.loads(line) for line in read_bytes(file).decode("utf-8").splitlines()]
    except ValueError as error:
        raise DataError(f"{file} is not JSON lines ({error})") from None
    return _sentences(file, rows, kind)


def _sentences(file: Path, rows: Iterable[Mapping[str, Any]], kind: SentenceSet) -> Sentences:
    parts, classes = [], []
    for number, row in enumerate(rows, start=1):
        try:
            parts.append(tuple(str(row[column]) for column in kind.columns))
            classes.append(kind.labels.index(str(row[kind.label])))
        except (KeyError, ValueError, TypeError):
            wanted = f"{', '.join(kind.columns)} and {kind.label} (one of {', '.join(kind.labels)})"
            raise DataError(f"{file}: item {number} does not have {wanted}") from None
    return Sentences(parts, classes)


def _from_hub(repository: str, name: str, kind: SentenceSet, get: str, seed: int) -> Split[Sentences]:
    found = hub.load(repository, name, get)
    train, dev = (
        Sentences(list(zip(*(part[column] for column in kind.hub_columns or kind.columns), strict=True)), part["label"])
        for part in (found["train"], found["validation"])
    )
    return split_sentences(train, seed, dev)
