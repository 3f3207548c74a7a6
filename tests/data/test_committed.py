"""The data that come with the library: the bytes that NOTICE names, whole, in the wheel, and split without overlap."""

import fnmatch
import hashlib
import re
import tomllib

import numpy as np
import pytest

from crn_lib.data import digits, sonnets
from crn_lib.data.committed import HERE
from crn_lib.data.splits import split_at_random, split_text
from crn_lib.paths import workbook_folder

COMMITTED = sorted(path.name for path in HERE.iterdir() if path.is_file() and path.suffix != ".py")
NOTICED = dict(re.findall(r"^(\S+)\n +sha256 +([0-9a-f]{64})$", (HERE / "NOTICE").read_text(), re.MULTILINE))


def test_the_bytes_are_those_that_the_notice_names() -> None:
    assert sorted([*NOTICED, "NOTICE"]) == COMMITTED, "a file without a notice, or a notice without a file"
    assert {name: hashlib.sha256((HERE / name).read_bytes()).hexdigest() for name in NOTICED} == NOTICED


def test_a_wheel_has_them() -> None:
    project = tomllib.loads((workbook_folder() / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["crn_lib"]
    for name in COMMITTED:
        assert any(fnmatch.fnmatch(f"data/{name}", pattern) for pattern in patterns), name
    assert "crn_lib/data/NOTICE" in project["project"]["license-files"]


def test_the_sonnets_are_split_from_beginning_to_end() -> None:
    split = sonnets()
    whole = np.concatenate(split).tobytes()
    assert whole == (HERE / "sonnets.txt").read_bytes() and whole.isascii()
    assert [len(part) for part in split] == [76_584, 9_572, 9_572]
    numerals = re.findall(rb"^[IVXLC]+$", whole, re.MULTILINE)
    assert len(numerals) == 154 and numerals[-1] == b"CLIV"


def test_the_digits_are_all_there_once_and_look_like_digits() -> None:
    split = digits()
    rows = np.concatenate([np.c_[part.pixels.reshape(-1, 64), part.classes] for part in split])
    table = np.loadtxt(HERE / "digits.csv.gz", delimiter=",")
    assert np.array_equal(np.sort(rows, axis=0), np.sort(table, axis=0)) and len(rows) == 1797
    assert split.train.pixels.dtype == np.uint8 and split.train.pixels.max() == 16
    assert {*np.bincount(rows[:, -1].astype(int))} <= {*range(174, 184)}
    nought = split.train.pixels[split.train.classes == 0].mean(axis=0)[..., 0]
    assert nought[3:5, 3:5].max() < 3 < nought[2, 2], "a nought is hollow"


def test_another_seed_is_another_split_and_the_same_seed_the_same() -> None:
    one, same, other = (digits(seed).test.pixels for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 105])
def test_every_item_is_in_one_part(count: int) -> None:
    for parts in (2, 3):
        split = split_at_random(count, 0, parts)
        assert len(split) == parts and sorted(np.concatenate(split)) == list(range(count))
        assert [len(part) for part in split[1:]] == [count // 10] * (parts - 1)
    text = np.arange(count, dtype=np.uint8)
    assert np.array_equal(np.concatenate(split_text(text)), text)
