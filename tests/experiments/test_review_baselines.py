"""What is right of reviews without a model, on reviews that were written here."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from crn_lib.cli import app
from crn_lib.experiments import review_baselines
from crn_lib.experiments.review_baselines import BASELINES, COUNTED, MAJORITY, ROWS, accuracies, row_key
from crn_lib.paths import data_file
from crn_lib.sweeps import newest_rows, read_rows
from crn_lib.tasks.sentences import SentencesConfig
from tests.tasks.test_sentences import config_in


def test_every_baseline_gets_one_row_and_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config_in(tmp_path).path
    monkeypatch.setenv("CRN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(review_baselines, "ROWS", "made_here.jsonl")  # of the real ones a copy would be there already
    for _ in range(2):
        ran = CliRunner().invoke(app, ["measure", "review_baselines", str(path)])
        assert ran.exit_code == 0, ran.output
    rows = read_rows(tmp_path / "home/figures/data/made_here.jsonl")
    assert [row["baseline"] for row in rows] == list(BASELINES)
    assert all(row["task"]["path"] is None for row in rows), "where it lay is nobody's business"
    found = accuracies(rows)
    assert found[MAJORITY] <= found[COUNTED] <= 1


def test_stored_rows_are_of_the_reviews_that_the_models_read() -> None:
    rows = newest_rows(data_file(ROWS))
    (read,) = {
        tuple(sorted((name, value) for name, value in run["task"].items() if name != "name"))
        for run in read_rows(data_file("runs/sentences.jsonl"))
    }
    config = SentencesConfig(**dict(read))
    assert set(rows) == {row_key(config, name) for name in BASELINES}
    assert {row["tested_on"] for row in rows.values()} == {917}
    assert 0.5 < accuracies(rows.values())[MAJORITY] < 0.55
