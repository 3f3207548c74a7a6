"""Loaders of classified sentences: sentiment, GLUE and SuperGLUE. Only the first has been used on the real thing.

The tests of GLUE and SuperGLUE have no published answers: their development sets are the test here, and validation is a
tenth of training.
"""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from crn_lib.config import Named, require, shown
from crn_lib.data import hub
from crn_lib.data.checks import checked_sentences
from crn_lib.data.files import find, find_parts, lines_of, read_bytes, read_lines, read_packed
from crn_lib.data.splits import DataError, Sentences, Split, first_line, require_seed, shown_path, split_sentences

REVIEWS = "movieReviewSnippets_GroundTruth.txt"
CLEAR, MOST = 1.0, 4.0
"""A review counts whose mean rating is at least this far from 0; none is further than the most."""


class SentenceSet(NamedTuple):
    """One task of GLUE or SuperGLUE.

    Attributes:
        folder: of its files, and in lower case the hub's name of it.
        columns: the parts of a sentence, in their order, as the files name them.
        label: the files' name of the class.
        labels: the classes as the files write them, in the hub's order.
        header: the names of the columns where the files have no line with them.
        hub_columns: the hub's names, where they are others.
        dev: of GLUE, the development set's file, without its ending.
        hub_dev: the hub's name of that set.
        broken: lines of the original that have a wrong number of columns, at most; a file with more is damaged.
    """

    folder: str
    columns: tuple[str, ...]
    label: str
    labels: tuple[str, ...]
    header: tuple[str, ...] | None = None
    hub_columns: tuple[str, ...] | None = None
    dev: str = "dev"
    hub_dev: str = "validation"
    broken: int = 0


BINARY, ENTAILED = ("0", "1"), ("entailment", "not_entailment")
PAIR = ("sentence1", "sentence2")
THREE_WAYS = ("entailment", "neutral", "contradiction")
GLUE_SETS = {
    "sst2": SentenceSet("SST-2", ("sentence",), "label", BINARY),
    "cola": SentenceSet("CoLA", ("sentence",), "label", BINARY, header=("source", "label", "star", "sentence")),
    "mrpc": SentenceSet("MRPC", ("#1 String", "#2 String"), "Quality", BINARY, hub_columns=PAIR),
    "qqp": SentenceSet("QQP", ("question1", "question2"), "is_duplicate", BINARY, broken=20),
    "qnli": SentenceSet("QNLI", ("question", "sentence"), "label", ENTAILED),
    "rte": SentenceSet("RTE", PAIR, "label", ENTAILED),
    "wnli": SentenceSet("WNLI", PAIR, "label", BINARY),
    "mnli": SentenceSet("MNLI", PAIR, "gold_label", THREE_WAYS, dev="dev_matched", hub_dev="validation_matched"),
}
SUPERGLUE_SETS = {
    "boolq": SentenceSet("BoolQ", ("question", "passage"), "label", ("False", "True")),
    "cb": SentenceSet("CB", ("premise", "hypothesis"), "label", ("entailment", "contradiction", "neutral")),
    "copa": SentenceSet("COPA", ("premise", "question", "choice1", "choice2"), "label", BINARY),
    "rte": SentenceSet("RTE", ("premise", "hypothesis"), "label", ENTAILED),
    "wic": SentenceSet("WiC", ("word", *PAIR), "label", ("False", "True")),
}
GLUE, SUPERGLUE = Named("the task of GLUE", GLUE_SETS), Named("the task of SuperGLUE", SUPERGLUE_SETS)
LEFT_OUT = {
    "glue/stsb": "its answers are numbers, not classes",
    "glue/ax": "it is a test without answers, and has no training part",
    "superglue/multirc": "its answers lie inside questions inside passages, and each question's are scored together",
    "superglue/record": "it asks for a name in the passage, not for a class",
    "superglue/wsc": "it asks about two marked places in a text, and no loader here marks places",
    "superglue/axb": "it is a test only, and has no training part",
    "superglue/axg": "it is a test only, and has no training part",
}
"""The other tasks of both, and why no loader reads them."""


GET_REVIEWS = "get them by: pip download --no-deps --no-binary :all: vaderSentiment==3.3.2"


def sentiment(path: str | Path | None, seed: int) -> Split[Sentences]:
    """Sentences of film reviews (Pang and Lee's, rated anew by Hutto and Gilbert 2014): liked, 1, or not, 0.

    Args:
        path: the source distribution of vaderSentiment, the archive inside it, or the file of the reviews.

    Raises:
        ConfigError: a seed that is no whole number from 0 on.
        DataError: they are not there, or a line is not a number, a rating and a sentence.
    """
    require_seed(seed)
    file = find(
        path, [REVIEWS, "hutto_ICWSM_2014.tar.gz", "vaderSentiment-*.tar.gz", "vadersentiment-*.tar.gz"], GET_REVIEWS
    )
    held = read_packed(file, REVIEWS) if file.name.endswith(".gz") else read_bytes(file)
    parts, classes = [], []
    for number, line in enumerate(lines_of(held, file), start=1):
        try:
            _, rating, sentence = line.split("\t")
            liked = float(rating)
        except ValueError:
            raise DataError(
                f"{shown_path(file)}: line {number} of the reviews is not an id, a rating and a sentence"
            ) from None
        if not abs(liked) <= MOST:  # nor is NaN
            raise DataError(
                f"{shown_path(file)}: line {number} must have a rating from -{MOST:g} to {MOST:g}; it has {liked:g}"
            )
        if abs(liked) >= CLEAR:
            parts.append((sentence,))
            classes.append(int(liked > 0))
    return split_sentences(checked_sentences(file, parts, classes, 2), seed)


def glue(name: str, path: str | Path | None, seed: int) -> Split[Sentences]:
    """A task of GLUE, from `<folder>/train.tsv` and `dev.tsv` at or below the path; without a path, from the hub.

    The original of QQP was not seen here. A few of its lines are said to have too few columns, as a question with a
    line feed in it leaves two (github.com/nyu-mll/GLUE-baselines, issue 5). Up to 20 such lines of a file are passed
    over, with a warning that says how many.

    Raises:
        ConfigError: no such task, one that was left out, or a seed that is no whole number from 0 on.
        DataError: it is neither here nor there, or a line is not what it should be.
    """
    require_seed(seed)
    require_kept(f"glue/{name}")
    kind = GLUE[name]
    files = "train.tsv", f"{kind.dev}.tsv"
    get = _get("GLUE", kind, files, "https://gluebenchmark.com/tasks")
    if path is None:
        return _from_hub("nyu-mll/glue", name, kind, get, seed)
    get += hub.or_hub("nyu-mll/glue")
    train, dev = (_table(file, kind) for file in _files(path, kind.folder, files, get))
    return split_sentences(train, seed, dev)


def superglue(name: str, path: str | Path | None, seed: int) -> Split[Sentences]:
    """A task of SuperGLUE, from `<folder>/train.jsonl` and `val.jsonl` at or below the path; without one, from the hub.

    Raises:
        ConfigError: no such task, one that was left out, or a seed that is no whole number from 0 on.
        DataError: it is neither here nor there, or a line is not what it should be.
    """
    require_seed(seed)
    require_kept(f"superglue/{name}")
    kind = SUPERGLUE[name]
    files = "train.jsonl", "val.jsonl"
    get = _get("SuperGLUE", kind, files, "https://super.gluebenchmark.com/tasks")
    if path is None:
        return _from_hub("aps/super_glue", name, kind, get, seed)
    get += hub.or_hub("aps/super_glue")
    train, dev = (_json_lines(file, kind) for file in _files(path, kind.folder, files, get))
    return split_sentences(train, seed, dev)


LOADERS = {
    **{f"glue/{name}": (partial(glue, name), len(kind.labels)) for name, kind in GLUE.items()},
    **{f"superglue/{name}": (partial(superglue, name), len(kind.labels)) for name, kind in SUPERGLUE.items()},
}
"""By the names that a task takes: the loader and the number of classes."""


def require_kept(source: object) -> None:
    """Raise `ConfigError` that says why, for a task of GLUE or SuperGLUE that was left out."""
    why = LEFT_OUT.get(source) if isinstance(source, str) else None
    require(why is None, f"source {source!r} was left out: {why}")


def _get(benchmark: str, kind: SentenceSet, files: tuple[str, str], address: str) -> str:
    train, dev = files
    return f"get {kind.folder}/{train} and {dev} of {benchmark} from {address} and give the path of their folder"


def _files(path: str | Path, folder: str, names: Sequence[str], get: str) -> list[Path]:
    """The files of a task in the task's folder, which the path is, or lies above."""
    return find_parts(path, [[f"{folder}/{name}" for name in names]], get)


def _table(file: Path, kind: SentenceSet) -> Sentences:
    """What tabs part, with no quotes: the module `csv` would refuse fields above 128 KiB."""
    rows = [line.split("\t") for line in read_lines(file)]
    header = list(kind.header) if kind.header else rows.pop(0) if rows else []
    missing = [column for column in (*kind.columns, kind.label) if column not in header]
    if missing:
        wanted = f"the first line must name the columns {', '.join(missing)}, between tabs"
        raise DataError(f"{shown_path(file)}: {wanted}; it has {shown(header)}")
    wrong = [number for number, row in enumerate(rows, start=1) if len(row) != len(header)]
    if len(wrong) > kind.broken:
        row, line = rows[wrong[0] - 1], wrong[0] if kind.header else wrong[0] + 1
        wanted = f"{len(header)} columns, {shown(header)}; it has {len(row)}, {shown(row)}"
        known = f"; {len(wrong)} lines are wrong, where {kind.broken} may be" if kind.broken else ""
        raise DataError(f"{shown_path(file)}: item {wrong[0]} (line {line}) must have {wanted}{known}")
    if wrong:
        passed = f"{len(wrong)} of {len(rows):,} lines, which do not have {len(header)} columns"
        warnings.warn(f"{shown_path(file)}: passed over {passed}", stacklevel=2)
        rows = [row for row in rows if len(row) == len(header)]
    return _sentences(file, (dict(zip(header, row, strict=True)) for row in rows), kind)


def _json_lines(file: Path, kind: SentenceSet) -> Sentences:
    rows = []
    for number, line in enumerate(read_lines(file), start=1):
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{shown_path(file)} is not JSON lines (line {number}: {first_line(error)})") from None
    return _sentences(file, rows, kind)


def _sentences(file: Path, rows: Iterable[Mapping[str, Any]], kind: SentenceSet) -> Sentences:
    parts, classes = [], []
    for number, row in enumerate(rows, start=1):
        try:
            parts.append([row[column] for column in kind.columns])
            classes.append(kind.labels.index(str(row[kind.label])))
        except (KeyError, ValueError, TypeError):
            wanted = f"{', '.join(kind.columns)} and {kind.label} (one of {', '.join(kind.labels)})"
            known = (*kind.columns, kind.label)
            held = {name: row[name] for name in known if name in row} if isinstance(row, Mapping) else row
            raise DataError(f"{shown_path(file)}: item {number} does not have {wanted}; it has {shown(held)}") from None
    return checked_sentences(file, parts, classes, len(kind.labels))


def _from_hub(repository: str, name: str, kind: SentenceSet, get: str, seed: int) -> Split[Sentences]:
    found, where = hub.load(repository, name, get), f"{repository} ({name})"
    wanted = [*(kind.hub_columns or kind.columns), "label"]
    read = []
    for part in ("train", kind.hub_dev):
        *texts, classes = hub.columns(found, part, wanted, where)
        sentences = list(zip(*texts, strict=True))
        read.append(checked_sentences(f"{where}, {part}", sentences, classes, len(kind.labels)))
    return split_sentences(read[0], seed, read[1])
