"""Every task trains on every kind of model: two steps, an evaluation, and a row that brings the configuration back."""

import json
import math

import pytest

from crn_lib.config import from_mapping, to_mapping
from crn_lib.models import BLOCKS, ModelConfig
from crn_lib.sweeps import config_key
from crn_lib.tasks import ImagesConfig, RegressionConfig, TextConfig, build_task
from crn_lib.tasks.registry import input_width
from crn_lib.training import TrainConfig
from tests.tasks.small_tasks import SMALL
from tests.tiny import run


def two_steps(name: str, kind: str) -> TrainConfig:
    task = SMALL[name]
    model = ModelConfig(kind=kind, width=8, blocks=1, vocab_size=task.vocab_size, max_length=task.context)
    return TrainConfig(model=model, task=task, steps=2, batch=4, evaluate_every=1, evaluation_strings=16)


OWN_INPUTS = {
    "regression": RegressionConfig(dims=2, points=3),
    "images": ImagesConfig(),
    "text": TextConfig(window=8),
}
"""Tasks of vectors and of the data that come with the library. `sentences` has none; its own tests train on it."""


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("name", OWN_INPUTS)
def test_two_steps_on_vectors_and_on_data(name, kind):
    task = OWN_INPUTS[name]
    shape = {"vocab_size": task.vocab_size, "max_length": task.context, "input_width": input_width(task)}
    model = ModelConfig(kind=kind, width=8, blocks=1, **shape)
    result = run(TrainConfig(model=model, task=task, steps=2, batch=4, evaluate_every=1, evaluation_strings=16))
    assert all(math.isfinite(point["loss"]) for point in result.history)
    assert build_task(task).main_metric in result.teacher_forced


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("name", SMALL)
def test_two_steps_and_their_scores(name, kind):
    result = run(two_steps(name, kind))
    assert [point["step"] for point in result.history] == [1, 2]
    assert all(math.isfinite(point["loss"]) for point in result.history)
    assert build_task(SMALL[name]).main_metric in result.teacher_forced
    assert bool(result.free_running) == (name == "copying"), "the others are not asked to write"
    if name.endswith("hops"):
        assert {"accuracy_1_hops", "accuracy_2_hops"} <= set(result.teacher_forced) & set(result.history[-1])
        assert "accuracy_2_hops" in result.row()


def test_every_task_has_keys_of_its_own_and_comes_back_from_a_row():
    configs = [two_steps(name, "lstm") for name in SMALL]
    assert len({config_key(config) for config in configs}) == len(SMALL)
    for config in configs:
        assert from_mapping(TrainConfig, json.loads(json.dumps(to_mapping(config)))) == config
