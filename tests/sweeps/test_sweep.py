"""Sweeps as YAML and as functions: what they expand to, and what they refuse."""

import re
from pathlib import Path

import pytest

from crn_lib.config import ConfigError
from crn_lib.experiments.beyond import PANELS
from crn_lib.models import BLOCKS, ModelConfig
from crn_lib.paths import data_file
from crn_lib.sweeps import load_sweep, own_sweeps
from crn_lib.sweeps.sweep import configure, expand
from crn_lib.tasks import RegressionConfig

GOOD = """
about: two models and two lengths
base:
  steps: 10
  model: {width: 16, blocks: 1}
grids:
  - seed: [0, 1]
    task.string_length: [4, 8]
    model.kind: [causal_rn, lstm]
    learning_rate: 2e-3
  - model.kind: lstm
    task.string_length: 4
    learning_rate: [2e-3, 1]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_a_yaml_grid_is_every_combination_once_seed_after_seed_the_last_field_changing_fastest(tmp_path: Path) -> None:
    sweep = load_sweep(write(tmp_path, GOOD))
    assert sweep.name == "mine" and sweep.about == "two models and two lengths"
    assert sweep.rows == data_file("runs/mine.jsonl")
    assert sweep.histories == data_file("runs/mine.history.jsonl")
    named = [(c.seed, c.task.string_length, c.model.kind, c.learning_rate) for c in sweep.configs]
    assert named[:3] == [(0, 4, "causal_rn", 0.002), (0, 4, "lstm", 0.002), (0, 8, "causal_rn", 0.002)]
    assert len(named) == 9 and named[4] == (0, 4, "lstm", 1)  # the run of both grids stands once
    assert [seed for seed, *_ in named] == [0] * 5 + [1] * 4
    assert all(c.model.max_length == c.task.context and c.model.width == 16 and c.steps == 10 for c in sweep.configs)


def test_a_base_is_not_changed_by_the_runs_made_from_it() -> None:
    base = {"model": {"width": 16}}
    configs = expand(base, [{"task.string_length": [8, 4], "model.width": [32, 16]}])
    assert [(c.model.width, c.model.max_length) for c in configs] == [(32, 18), (16, 18), (32, 10), (16, 10)]
    assert base == {"model": {"width": 16}}


def test_a_max_length_that_is_given_stays() -> None:
    assert expand({}, [{"task.string_length": 4, "model.max_length": 99}])[0].model.max_length == 99


@pytest.mark.parametrize(
    ("task", "vocab_size", "input_width", "max_length"),
    [
        ({"name": "regression"}, 1, RegressionConfig().dims, RegressionConfig().context),
        ({"name": "images", "layout": "pixels"}, 10, 1, 65),
        ({"name": "images"}, 10, 4, 17),
        ({"name": "text", "window": 8}, 256, None, 8),
        ({"string_length": 3, "vocab": 5}, 29, None, 8),
    ],
)
def test_what_follows_from_the_task_is_filled_in(
    task: dict[str, object], vocab_size: int, input_width: int | None, max_length: int
) -> None:
    model = configure({}, {"task": task}).model
    assert (model.vocab_size, model.input_width, model.max_length) == (vocab_size, input_width, max_length)


def test_what_is_given_of_a_task_of_vectors_stays() -> None:
    given = {"task.name": "images", "model.vocab_size": 12, "model.max_length": 99}
    model = configure({}, given).model
    assert (model.vocab_size, model.max_length) == (12, 99)
    with pytest.raises(ConfigError, match=r"^input_width of the model must be 4: ImagesConfig\(.* got 3$"):
        configure({}, given | {"model.input_width": 3})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grids: [", "{path} is not valid YAML (while parsing a flow node)"),
        ("- a", "{path} must hold the fields about, base and grids; got ['a']"),
        ("grid: []\nand: 1", "{path} has the field and, grid; a sweep has about, base and grids"),
        ("base: 3\ngrids: [{seed: 0}]", "base in {path} must be a mapping of a TrainConfig's fields; got 3"),
        ("grids: []", "grids in {path} must be a list of mappings; got []"),
        ("grids: {seed: 0}", "grids in {path} must be a list of mappings; got {'seed': 0}"),
        ("grids: [3]", "{path}: a grid must be a mapping of fields to values; got 3"),
        ("grids: [{seed: []}]", "{path}: every list of a grid must hold a value; got {'seed': []}"),
        ("grids: [{sead: 0}]", "{path}: TrainConfig has no field 'sead' (did you mean seed?); its fields are model, "),
        ("grids: [{model.wide: 3}]", "{path}: ModelConfig has no field 'wide' (did you mean width?); its fields are "),
        ("grids: [{modul.width: 3}]", "{path}: TrainConfig has no field 'modul' (did you mean model?); its fields "),
        (
            "grids: [{steps.of: 3}]\nbase: {steps: 3}",
            "{path}: steps is not made of fields, so steps.of cannot be set; it is 3",
        ),
        ("grids: [{task: 3}]", "{path}: task must be a mapping of fields; got 3"),
        ("grids: [{learning_rate: fast}]", "{path}: learning_rate must be a number from 1e-09 to 10; got 'fast'"),
        (
            "grids: [{model.max_length: 4}]",
            "{path}: max_length of the model must be at least 34 to hold the longest sequence ",
        ),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load_sweep(path)
    wanted = says.replace("{path}", str(path))
    assert str(error.value).startswith(wanted) if says.endswith(" ") else str(error.value) == wanted


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere.yaml", "there is no sweep file nowhere.yaml"),
        ("nowhere.yml", "there is no sweep file nowhere.yml"),
        ("no_such_sweep", "a sweep is one of .*, learning_rates, .*, or a .yaml file; got 'no_such_sweep'"),
        ("module:function", "a sweep is one of .*, or a .yaml file; got 'module:function'"),
    ],
)
def test_a_source_that_is_none_is_refused_in_words(source: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^{says}$"):
        load_sweep(source)


CLAIM = re.compile(r"(\w+) kinds? at (\w+) learning rates")
COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "every": len(BLOCKS)}


@pytest.mark.parametrize("name", [name for name in own_sweeps() if CLAIM.search(load_sweep(name).about)])
def test_a_sweep_asks_for_as_many_kinds_and_learning_rates_as_it_says(name: str) -> None:
    """Of plain models, at the depth and with the convolution at which a panel compares kinds."""
    sweep, asked = load_sweep(name), set()
    for panel in PANELS.values():
        tried: dict[str, set[float]] = {}
        for config in sweep.configs if panel.sweep == name else ():
            model = config.model
            of_task = {"max_length": model.max_length, "vocab_size": model.vocab_size, "input_width": model.input_width}
            plain = ModelConfig(model.kind, width=64, blocks=panel.blocks, short_conv=panel.short_conv, **of_task)
            if model == plain and panel.fields.items() <= vars(config.task).items():
                tried.setdefault(model.kind, set()).add(config.learning_rate)
        if tried:
            asked.add((len(tried), min(map(len, tried.values()))))
    assert {(COUNTS[kinds], COUNTS[rates]) for kinds, rates in CLAIM.findall(sweep.about)} == asked


@pytest.mark.parametrize("name", own_sweeps())
def test_each_of_the_workbooks_own_sweeps_loads_and_says_what_it_is_for(name: str) -> None:
    sweep = load_sweep(name)
    assert sweep.configs and len(set(sweep.configs)) == len(sweep.configs)
    assert len(sweep.about) > 20
