"""The hub: what `datasets` is asked for, and what it loads from folders of Parquet laid out like the hub's."""

import builtins
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from crn_lib.data import DataError, hub, sonnets, texts
from crn_lib.data.sentences import GLUE, glue, superglue
from crn_lib.data.texts import wikitext103

LINES = [line + "\n" for line in sonnets().train.tobytes().decode().splitlines()[:40]]
PARTS = {"train": LINES[:30], "validation": LINES[30:35], "test": LINES[35:]}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch):
    """Put a `datasets` in place whose `load_dataset` gives this, and notes what it was asked for."""
    asked: list[tuple[str, str]] = []

    def give(found):
        def load_dataset(name: str, config: str):
            asked.append((name, config))
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
        return asked

    return give


def test_wikitext_is_asked_for_by_name_and_joined_as_it_is(answers) -> None:
    asked = answers({name: {"text": lines} for name, lines in PARTS.items()})
    split = wikitext103(None)
    assert asked == [("Salesforce/wikitext", "wikitext-103-raw-v1")]
    assert [part.tobytes().decode() for part in split] == ["".join(lines) for lines in PARTS.values()]


@pytest.mark.parametrize(
    ("load", "name", "repository", "columns"),
    [
        (glue, "sst2", "nyu-mll/glue", ("sentence",)),
        (glue, "mrpc", "nyu-mll/glue", ("sentence1", "sentence2")),
        (superglue, "copa", "aps/super_glue", ("premise", "question", "choice1", "choice2")),
    ],
)
def test_the_columns_of_a_task_are_the_parts_of_its_sentences(answers, load, name, repository, columns) -> None:
    part = {column: [f"{column} {i}" for i in range(20)] for column in columns} | {"label": [0, 1] * 10}
    asked = answers({"train": part, "validation": part, "test": {"label": [-1]}})
    split = load(name, None, 0)
    assert asked == [(repository, name)]
    assert split.test.parts[3] == tuple(f"{column} 3" for column in columns) and split.test.classes == [0, 1] * 10
    assert [len(each.classes) for each in split] == [18, 2, 20]


PAIR = {"sentence1": ["a", "b", "c"], "sentence2": ["d", "e", "f"], "label": [0, 1, 0]}
NO_COLUMNS = "nyu-mll/glue (rte) does not have a part {} with the columns sentence1, sentence2, label (KeyError: "


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"train": PAIR}, NO_COLUMNS.format("validation")),
        ({"train": {"label": [0]}, "validation": PAIR}, NO_COLUMNS.format("train")),
        (
            {"train": PAIR, "validation": PAIR | {"label": [0, 1, -1]}},
            "validation: item 3 must have a class from 0 to 1",
        ),
        (
            {"train": PAIR, "validation": PAIR | {"label": [0, 1, 0.5]}},
            "validation: item 3 must have a class from 0 to 1",
        ),
        ({"train": PAIR | {"sentence2": ["d", None, "f"]}, "validation": PAIR}, "train: item 2 must have text in each"),
        (
            {"train": PAIR | {"sentence2": ["d"]}, "validation": PAIR},
            "train: its columns must be equally long; they have",
        ),
        (
            {"train": {name: [] for name in PAIR}, "validation": PAIR},
            "train must have a class for each sentence, and at",
        ),
    ],
)
def test_what_the_hub_has_otherwise_is_named_with_its_part(answers, found, says) -> None:
    answers(found)
    with pytest.raises(DataError, match=re.escape(says)) as error:
        glue("rte", None, 0)
    assert str(error.value).startswith("nyu-mll/glue (rte)") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"train": {"text": ["a"]}}, "does not have a part validation with the columns text (KeyError: "),
        ({"train": {"line": ["a"]}}, "does not have a part train with the columns text (KeyError: "),
        ({"train": {"text": ["a", None]}}, ", train: item 2 must have text in each part; it has None"),
        ({"train": {"text": [""]}}, ", train: it holds no text"),
    ],
)
def test_a_text_of_the_hub_that_is_otherwise_is_named_with_its_part(answers, parts, says) -> None:
    answers(parts)
    with pytest.raises(DataError, match="^" + re.escape(" ".join(texts.WIKITEXT)) + ".*" + re.escape(says)):
        wikitext103(None)


def test_mnli_is_tested_on_its_matched_half(answers) -> None:
    part = {name: [f"{name} {i}" for i in range(30)] for name in ("sentence1", "sentence2")} | {"label": [0, 1, 2] * 10}
    answers({"train": part, "validation_matched": part})
    assert glue("mnli", None, 0).test.classes == [0, 1, 2] * 10


def test_what_datasets_cannot_load_is_one_line(answers) -> None:
    answers(RuntimeError("Dataset scripts are no longer supported\nmore"))
    says = "datasets cannot load Salesforce/wikitext (wikitext-103-raw-v1): Dataset scripts are no longer supported; or"
    with pytest.raises(DataError, match="^" + re.escape(says)) as error:
        wikitext103(None)
    assert "\n" not in str(error.value)


def test_without_datasets_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest):
        if name == "datasets":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        DataError,
        match=r"^no path to nyu-mll/glue \(rte\), and no package datasets: "
        r"pip install -c requirements.txt -e '\.\[data\]'; or get",
    ):
        glue("rte", None, 0)


def written(folder: Path, config: str, parts: dict[str, dict[str, list]]) -> str:
    """A folder like a repository of the hub: Parquet a split, and a README that says which configuration has which."""
    import pyarrow  # it comes with datasets
    from pyarrow import parquet

    files = []
    for name, columns in parts.items():
        path = folder / config / f"{name}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pyarrow.table(columns), path)
        files.append(f"  - split: {name}\n    path: {config}/{name}-*\n")
    head = f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{''.join(files)}---\n"
    (folder / "README.md").write_text(head, encoding="utf-8")
    return str(folder)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package itself, with no network and a cache of its own; it reads these when it is imported."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache" / "datasets"))


@pytest.mark.slow
@pytest.mark.needs("datasets")
def test_datasets_itself_loads_wikitext_from_parquet(offline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path / "hub", texts.WIKITEXT[1], {name: {"text": lines} for name, lines in PARTS.items()})
    monkeypatch.setattr(texts, "WIKITEXT", (folder, texts.WIKITEXT[1]))
    assert [part.tobytes().decode() for part in wikitext103(None)] == ["".join(lines) for lines in PARTS.values()]


@pytest.mark.slow
@pytest.mark.needs("datasets")
def test_datasets_itself_loads_a_task_of_glue_from_parquet(
    offline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = {"sentence1": LINES[:20], "sentence2": LINES[20:], "label": [0, 1] * 10, "idx": [*range(20)]}
    folder = written(tmp_path / "hub", "rte", {"train": part, "validation": part})
    real = hub.load
    monkeypatch.setattr(hub, "load", lambda name, config, get: real(folder, config, get))
    split = glue("rte", None, 0)
    assert (
        split.test.parts == list(zip(LINES[:20], LINES[20:], strict=True)) and list(split.test.classes) == [0, 1] * 10
    )
    assert len(GLUE["rte"].labels) == 2 and len(split.train.classes) == 18


@pytest.mark.slow
@pytest.mark.needs("datasets")
def test_datasets_itself_says_what_it_cannot_find(offline) -> None:
    with pytest.raises(DataError, match=r"^datasets cannot load crn/no-such-set \(none\): .+; or ask$"):
        hub.load("crn/no-such-set", "none", "ask")
