"""Loaders of texts: any files, WikiText-103, and the Penn Treebank. Only the first has been used on the real thing."""

from pathlib import Path

import numpy as np

from crn_lib.data import hub
from crn_lib.data.files import find, read_array, read_bytes
from crn_lib.data.splits import Bytes, DataError, Split, split_text

WIKITEXT = "Salesforce/wikitext", "wikitext-103-raw-v1"


def text_files(path: str | Path | None) -> Split[Bytes]:
    """The bytes of a file, or of all files of a folder in the order of their names, split from beginning to end.

    Raises:
        DataError: no such file, or an empty one.
    """
    place = Path(path or "").expanduser()
    files = sorted(file for file in place.rglob("*") if file.is_file()) if place.is_dir() else [place]
    if not files:
        raise DataError(f"no file in the folder {path}; give the path of a text, or of a folder of texts")
    return split_text(np.concatenate([np.frombuffer(read_bytes(file), dtype=np.uint8) for file in files]))


def wikitext103(path: str | Path | None) -> Split[Bytes]:
    """WikiText-103: `wiki.{train,valid,test}.raw` or `.tokens`, or the `{train,val,test}.mmap` of the authors' code, at
    or below the path; without a path, from the hub.

    Raises:
        DataError: it is neither here nor there.
    """
    get = "get wiki.train.raw, wiki.valid.raw and wiki.test.raw of WikiText-103 and give the path of their folder"
    if path is None:
        parts = hub.load(*WIKITEXT, get)
        return Split(*(_joined(parts[name]["text"]) for name in ("train", "validation", "test")))
    names = (("train", "train"), ("valid", "val"), ("test", "test"))
    kinds = [[f"wiki.{long}.raw", f"wiki.{long}.tokens", f"{short}.mmap"] for long, short in names]
    return Split(*(read_array(find(path, kind, get)) for kind in kinds))


def penn_treebank(path: str | Path | None) -> Split[Bytes]:
    """The Penn Treebank's `ptb.{train,valid,test}.txt`, lower case with `<unk>` and `N`, at or below the path.

    Raises:
        DataError: they are not there.
    """
    get = "they are not on the hub in a form that can be read: get Mikolov's files and give the path of their folder"
    return Split(*(read_array(find(path or "", [f"ptb.{name}.txt"], get)) for name in ("train", "valid", "test")))


def _joined(lines: list[str]) -> Bytes:
    return np.frombuffer("".join(lines).encode(), dtype=np.uint8)
