"""The configuration of a run: what it refuses, and the learning rate it prescribes."""

import re
from dataclasses import replace

import pytest

from crn_lib.config import ConfigError, from_mapping, to_mapping
from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.tasks.registry import task_configs
from crn_lib.training import TrainConfig
from tests.tiny import tiny


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, "steps must be a whole number >= 1; got 0"),
        ({"batch": 1.0}, "batch must be a whole number >= 1; got 1.0"),
        ({"warmup": -1}, "warmup must be a whole number >= 0; got -1"),
        ({"seed": -1}, "seed must be a whole number from 0 to 1000000000000000000; got -1"),
        ({"seed": True}, "seed must be a whole number from 0 to 1000000000000000000; got True"),
        ({"evaluate_every": 0}, "evaluate_every must be a whole number >= 1; got 0"),
        ({"evaluation_strings": 0}, "evaluation_strings must be a whole number >= 1; got 0"),
        ({"checkpoint_every": 0}, "checkpoint_every must be a whole number >= 1; got 0"),
        ({"learning_rate": 0}, "learning_rate must be a number from 1e-09 to 10; got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number from 1e-09 to 10; got nan"),
        ({"learning_rate": "fast"}, "learning_rate must be a number from 1e-09 to 10; got 'fast'"),
        ({"clip": 0}, "clip must be a number >= 1e-09; got 0"),
        ({"clip": float("inf")}, "clip must be a number >= 1e-09; got inf"),
        ({"weight_decay": -0.1}, "weight_decay must be a number >= 0; got -0.1"),
        ({"stop_at": 1.1}, "stop_at must be a number from 0 to 1; got 1.1"),
        ({"schedule": "linear"}, "schedule must be one of constant, cosine; got 'linear'"),
        (
            {"precision": "float64"},
            (
                "precision must be one of float32, bfloat16, float16, float16-unscaled, bfloat16-weights, "
                "float16-weights; got 'float64'"
            ),
        ),
        ({"model": "causal_rn"}, "model must be a ModelConfig or its fields; got 'causal_rn'"),
        (
            {"task": None},
            f"task must be the configuration of a task ({', '.join(task_configs())}) or its fields; got None",
        ),
        (
            {"model": ModelConfig(vocab_size=8, max_length=9)},
            (
                "max_length of the model must be at least 10 to hold the longest sequence of "
                "CopyingConfig(string_length=4, shortest=None, vocab=5); got 9"
            ),
        ),
        (
            {"model": ModelConfig(vocab_size=8, max_length=10, positions="random")},
            (
                "max_length of the model must be more than 10 for positions 'random', which are drawn among more "
                "places than the longest sequence of CopyingConfig(string_length=4, shortest=None, vocab=5) takes; "
                "got 10"
            ),
        ),
        (
            {"model": ModelConfig(vocab_size=7, max_length=10)},
            (
                "vocab_size of the model must be at least 8 for all token ids of "
                "CopyingConfig(string_length=4, shortest=None, vocab=5); got 7"
            ),
        ),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_one_line(fields, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        replace(tiny(), **fields)


def test_the_defaults_fit_each_other():
    config = TrainConfig()
    assert config.model.max_length == config.task.context == 34
    assert config.model.vocab_size == config.task.vocab_size == 29


def test_warm_up_is_linear_and_then_constant():
    config = tiny(learning_rate=1e-2, warmup=4, steps=10)
    assert [config.learning_rate_at(step) for step in range(6)] == pytest.approx(
        [0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01]
    )
    assert tiny(warmup=0).learning_rate_at(0) == 1e-2


def test_a_cosine_starts_at_the_learning_rate_and_ends_at_zero():
    config = tiny(learning_rate=1e-2, warmup=10, steps=110, schedule="cosine")
    rates = [config.learning_rate_at(step) for step in range(10, 111)]
    assert rates[0] == 1e-2 and rates[50] == pytest.approx(5e-3) and rates[100] == pytest.approx(0, abs=1e-9)
    assert rates == sorted(rates, reverse=True)
    assert rates[25] == pytest.approx(1e-2 * (1 + 0.5**0.5) / 2)  # cos(pi / 4)


def test_a_warm_up_longer_than_the_run_never_divides_by_zero():
    config = tiny(warmup=50, steps=30, schedule="cosine")
    assert config.learning_rate_at(29) == pytest.approx(1e-2 * 30 / 50)


def test_a_configuration_goes_to_a_mapping_and_back():
    config = tiny("linear_rn", stop_at=0.5, seed=7)
    assert from_mapping(TrainConfig, to_mapping(config)) == config


def test_an_inner_mapping_is_checked_as_strictly():
    plain = to_mapping(tiny())
    plain["model"]["widht"] = 3
    with pytest.raises(ConfigError, match=r"^ModelConfig has no field 'widht' \(did you mean width.*fields are kind"):
        from_mapping(TrainConfig, plain)
    with pytest.raises(ConfigError, match=r"^model must be a ModelConfig or its fields; got 'causal_rn'$"):
        from_mapping(TrainConfig, {"model": "causal_rn"})
    short = from_mapping(TrainConfig, {"task": {"string_length": 8}})
    assert short.task == CopyingConfig(string_length=8)
