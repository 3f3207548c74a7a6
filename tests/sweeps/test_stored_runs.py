"""The rows that figures and lessons cite: whole, each of a run that its sweep still asks for, and with its history."""

from collections import Counter
from pathlib import Path

import pytest

from crn_lib.config import ConfigError, from_mapping
from crn_lib.experiments.lengths import best_learning_rates
from crn_lib.paths import data_file
from crn_lib.sweeps import config_key, load_sweep, newest_rows, own_sweeps, read_histories, read_rows
from crn_lib.sweeps.rows import plain_config
from crn_lib.sweeps.stored_runs import history_file, read_runs
from crn_lib.tasks import CopyingConfig, build_task
from crn_lib.training import TrainConfig

RUNS = data_file("runs")
FILES = [path for path in sorted(RUNS.glob("*.jsonl")) if ".history" not in path.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_row_has_the_key_of_its_own_configuration_and_a_history(path: Path) -> None:
    for row in read_rows(path):
        config = from_mapping(TrainConfig, plain_config(row))
        assert row["key"] == config_key(config) and row["seed"] == config.seed and row["sweep"] == path.stem
        if row["error"]:
            continue
        history = read_histories(path.with_name(history_file(row)))[row["key"]]
        assert history[-1]["step"] == row["steps"] <= config.steps
        main = build_task(config.task).main_metric
        reached = config.stop_at is not None and history[-1][main] >= config.stop_at
        assert row["stopped"] == ("target" if reached else "steps")
        assert 0 <= row[main] <= 1
        for name in ("character_accuracy", "string_accuracy") if isinstance(config.task, CopyingConfig) else ():
            assert 0 <= row[name] <= 1 and 0 <= row[f"free_running_{name}"] <= 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_run_is_stored_twice_without_a_failure_between(path: Path) -> None:
    counts = Counter(row["key"] for row in read_rows(path) if not row["error"])
    assert max(counts.values(), default=1) == 1


@pytest.mark.parametrize("name", own_sweeps())
def test_stored_rows_are_of_runs_that_the_sweep_asks_for(name: str) -> None:
    sweep = load_sweep(name)
    assert set(newest_rows(sweep.rows)) <= {config_key(config) for config in sweep.configs}


def test_the_lengths_are_trained_at_the_learning_rates_that_the_stored_sweep_chose() -> None:
    chosen = best_learning_rates(read_runs(RUNS / "learning_rates.jsonl"))
    used = {(config.model.kind, config.model.width): config.learning_rate for config in load_sweep("lengths").configs}
    assert used == chosen


def test_a_history_whose_key_is_no_text_is_refused_in_one_line(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"key": [], "history": []}\n')
    with pytest.raises(ConfigError, match="a row's key must be text; got \\[\\]"):
        read_histories(tmp_path / "rows.jsonl")
