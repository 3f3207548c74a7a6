"""What is right of the reviews' test part without a model: the more frequent class, and counted n-grams (lesson 10).

The reviews are not ours to ship, so these numbers are rows, as those of the models are: `crn measure review_baselines`
fills them in where the data of the sweep `sentences` is.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from crn_lib import data
from crn_lib.config import to_mapping
from crn_lib.data import Sentences
from crn_lib.provenance import circumstances
from crn_lib.sweeps import fill
from crn_lib.sweeps.fill import Measurement
from crn_lib.sweeps.rows import Row, key_of
from crn_lib.tasks.sentences import SentencesConfig, SentencesTask

ROWS = "review_baselines.jsonl"
MAJORITY, COUNTED = "majority", "3- to 5-grams counted"

BASELINES: Mapping[str, Callable[[Sentences, Sentences, int], float]] = {
    MAJORITY: lambda train, test, _: data.majority_accuracy(train.classes, test.classes),
    "bytes counted": lambda train, test, longest: data.ngram_bayes_accuracy(train, test, (1,), longest),
    COUNTED: lambda train, test, longest: data.ngram_bayes_accuracy(train, test, (3, 4, 5), longest),
}
"""By name: the share of the test part that is right, from training and test part and the most bytes read of each."""


def row_key(config: SentencesConfig, name: str) -> str:
    """Of the row of one baseline: it hangs on the reviews, their split and how much is read, not on where they lie."""
    return key_of(f"{name} of {config.source}, split {config.split_seed}, {config.longest} bytes")


def fill_rows(config: SentencesConfig, path: str | Path) -> dict[str, Row]:
    """Measure every baseline that has no row yet.

    Raises:
        DataError: the sentences are not there.
    """
    task = SentencesTask(config)
    own = [Measurement([row_key(config, name)], partial(_measured, task, name)) for name in BASELINES]
    return fill.fill_rows(path, own, what="baseline")


def _measured(task: SentencesTask, name: str, _: set[str]) -> Iterable[Row]:
    train, test, longest = task.split.train, task.split.test, task.config.longest
    return [
        {
            "key": row_key(task.config, name),
            "baseline": name,
            "accuracy": BASELINES[name](train, test, longest),
            "trained_on": len(train.classes),
            "tested_on": len(test.classes),
            "task": {**to_mapping(task.config), "path": None},
            **circumstances("cpu", "float64"),
        }
    ]


def accuracies(rows: Iterable[Row]) -> dict[str, float]:
    """By the baselines' names, from stored rows."""
    return {row["baseline"]: row["accuracy"] for row in rows}
