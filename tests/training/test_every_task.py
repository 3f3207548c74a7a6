"""Every task trains on every kind of model: two steps, an evaluation, and a row that brings the configuration back."""

import json
import math
from pathlib import Path

import pytest

from crn_lib.config import from_mapping, to_mapping
from crn_lib.models import BLOCKS, ModelConfig
from crn_lib.sweeps import config_key
from crn_lib.tasks import (
    TASKS,
    ImagesConfig,
    RegressionConfig,
    SentencesConfig,
    TaskConfig,
    TextConfig,
    build_task,
)
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
"""Tasks of vectors and of the data that come with the library; `sentences` has none, and gets some."""

REVIEWS = "".join(f"{i}\t{2.5 if i % 3 else -2.5}\t{'good' if i % 3 else 'dull'} film {i}\n" for i in range(60))


def own_inputs(name: str, folder: Path) -> TaskConfig:
    if name != "sentences":
        return OWN_INPUTS[name]
    (folder / "movieReviewSnippets_GroundTruth.txt").write_text(REVIEWS, encoding="utf-8")
    return SentencesConfig(path=str(folder), longest=16)


def test_no_task_is_left_out():
    assert {*SMALL, *OWN_INPUTS, "sentences"} == set(TASKS)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("name", [*OWN_INPUTS, "sentences"])
def test_two_steps_on_vectors_and_on_data(name, kind, tmp_path):
    task = own_inputs(name, tmp_path)
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
