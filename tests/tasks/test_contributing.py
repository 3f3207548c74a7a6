"""The task that CONTRIBUTING.md adds, added as it says: one file, one line, and it trains, sweeps and resumes."""

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import crn_lib.tasks
from crn_lib.config import ConfigError, from_mapping, to_mapping
from crn_lib.paths import workbook_folder
from crn_lib.sweeps import config_key, expand, newest_rows, run_sweep, sweep_state
from crn_lib.sweeps.progress import headings, lines
from crn_lib.sweeps.rows import plain_config
from crn_lib.sweeps.stored_runs import read_runs
from crn_lib.sweeps.sweep import configure
from crn_lib.tasks import TASKS, CopyingConfig, Task, TaskConfig, build_task
from crn_lib.tasks.registry import task_configs
from crn_lib.training import TrainConfig, train
from crn_lib.workbook.results_table import HEADINGS, _lines
from tests.sweeps.sweep_cases import sweep
from tests.tiny import quick, run

NAME = "first_letter"
BASE = {"steps": 4, "batch": 4, "evaluate_every": 2, "evaluation_strings": 8, "model": {"kind": "lstm", "width": 8}}


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of the new task, while the test runs."""
    text = (workbook_folder() / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Add a task\n")[2].partition("\n## ")[0]
    file, line = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert f"`crn_lib/tasks/{NAME}.py`" in section and line.count("\n") == 1
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / f"{NAME}.py").write_text(file, encoding="utf-8")
    monkeypatch.setattr(crn_lib.tasks, "__path__", [*crn_lib.tasks.__path__, str(folder)])
    importlib.invalidate_caches()
    exec(line, {})
    yield getattr(crn_lib.tasks, NAME)
    TASKS.pop(NAME)
    sys.modules.pop(f"crn_lib.tasks.{NAME}")
    delattr(crn_lib.tasks, NAME)


def test_it_is_what_a_task_must_be(added):
    config = added.FirstLetterConfig(context=3)
    task = build_task(config)
    assert isinstance(config, TaskConfig) and isinstance(task, Task) and type(task) is added.FirstLetterTask
    assert config.chance == 1 / 5
    tokens, targets = task.sample(4, torch.Generator().manual_seed(0))
    assert torch.equal(targets[:, -1], tokens[:, 0])
    assert task.metrics(targets, targets) == {"accuracy": 1.0}
    assert task.metrics(tokens[:, :1].expand(-1, 3) + 1, targets) == {"accuracy": 0.0}


def test_a_model_learns_it_and_stops_at_its_main_metric(added):
    config = configure(
        {**BASE, "steps": 300, "batch": 16, "evaluate_every": 20, "learning_rate": 1e-2, "warmup": 0, "stop_at": 0.99},
        {"task.name": NAME, "task.context": 3, "model.width": 16},
    )
    result = run(config)
    assert result.stopped == "target" and result.history[-1]["accuracy"] >= 0.99 > result.history[0]["accuracy"]
    assert set(result.teacher_forced) == {"accuracy"} and result.free_running == {}


def test_the_bar_shows_its_main_metric(added, capsys):
    result = train(configure(BASE, {"task.name": NAME}), device="cpu")
    assert f", accuracy={result.history[-1]['accuracy']:.0%}]" in capsys.readouterr().err


def test_a_main_metric_that_it_does_not_give_is_named(added, monkeypatch):
    monkeypatch.setattr(added.FirstLetterTask, "main_metric", "error")
    with pytest.raises(ConfigError, match=r"^the main metric 'error' is not among those .* gives: \['accuracy'\]$"):
        run(configure(BASE, {"task.name": NAME}))


def test_its_runs_are_rows_that_bring_their_configuration_back(added, tmp_path):
    configs = expand(BASE, [{"task.name": ["copying", NAME], "seed": [0, 1]}])
    assert len({config_key(config) for config in configs}) == 4
    copying, own = configs[:2]
    assert config_key(replace(copying, task=own.task)) != config_key(copying), "the name counts, all else being default"
    assert "name" not in to_mapping(copying)["task"] and to_mapping(own)["task"]["name"] == NAME
    one = sweep(tmp_path, *configs)
    state = run_sweep(one, device="cpu", checkpoints=tmp_path / "runs")
    assert not state.failed
    row = newest_rows(one.rows)[config_key(own)]
    assert 0 <= row["accuracy"] <= 1 and from_mapping(TrainConfig, plain_config(row)) == own

    shown = {line[0]: line for line in lines(sweep_state(one, checkpoints=tmp_path / "runs"))}
    assert headings(state) == ("run", "state", "steps", "main metric", "seconds")
    assert list(shown) == ["copying, seed 0", "first_letter, seed 0", "copying, seed 1", "first_letter, seed 1"]
    assert shown["first_letter, seed 0"][1:4] == ("done", "4", f"accuracy {row['accuracy']:.1%}")
    assert shown["copying, seed 0"][3].startswith("string accuracy ")

    runs = read_runs(one.rows)
    table = _lines(runs)
    assert all(len(line) == len(HEADINGS) for line in table)
    assert {line[0] for line in table} == {"16", "first letter"}


def test_its_checkpoint_goes_on_where_it_ended(added, tmp_path):
    config = configure(BASE, {"task.name": NAME})
    run(config, folder=tmp_path)
    longer = run(replace(config, steps=6), folder=tmp_path, resume=True)
    assert [point["step"] for point in longer.history] == [2, 4, 6]


def test_what_it_cannot_be_is_one_line(added):
    known = rf"^task\.name must be one of {', '.join(task_configs())}; got 'last_letter'$"
    with pytest.raises(ConfigError, match=known):
        configure(BASE, {"task.name": "last_letter"})
    with pytest.raises(ConfigError, match=known):
        from_mapping(TrainConfig, {"task": {"name": "last_letter"}})
    with pytest.raises(ConfigError, match=r"^FirstLetterConfig has no field 'string_length'; its fields are context, "):
        configure(BASE, {"task.name": NAME, "task.string_length": 4})
    with pytest.raises(ConfigError, match=r"^context must be a whole number >= 1; got 0$"):
        configure(BASE, {"task.name": NAME, "task.context": 0})
    with pytest.raises(ConfigError, match=r"^this is for runs of the copying task only; got FirstLetterConfig\("):
        _ = configure(BASE, {"task.name": NAME}).copying


def test_a_configuration_that_is_not_registered_is_refused():
    assert NAME not in TASKS, "the test before left it there"
    message = r"^TASKS has no task of a ClosePairsConfig; it has .*\bcopying \(CopyingConfig\)"
    with pytest.raises(ConfigError, match=message):
        build_task(crn_lib.tasks.ClosePairsConfig())
    with pytest.raises(
        ConfigError, match=r"^task must be the configuration of a task \(.*\) or its fields; got ClosePairsConfig\("
    ):
        replace(quick(), task=crn_lib.tasks.ClosePairsConfig())


def test_copying_may_be_named_and_is_the_same_run():
    named = configure(BASE, {"task.name": "copying", "task.string_length": 4})
    assert named.task == CopyingConfig(string_length=4)
    assert config_key(named) == config_key(configure(BASE, {"task.string_length": 4}))
