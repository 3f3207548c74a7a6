"""The shape of a model: what it completes by itself and what it refuses."""

import dataclasses
import re

import pytest

from crn_lib.config import ConfigError
from crn_lib.models import BLOCKS, ModelConfig
from crn_lib.ops import ACTIVATIONS, NORMS


@pytest.mark.parametrize(
    ("kind", "norm", "activation"),
    [("causal_rn", "exact", "exp"), ("linear_rn", "approx", "exp"), ("transformer", None, None), ("ssm", None, None)],
)
def test_norm_and_activation_are_completed_for_relation_networks_only(kind, norm, activation):
    config = ModelConfig(kind=kind)
    assert (config.norm, config.activation) == (norm, activation)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "gru"}, f"kind must be one of {', '.join(BLOCKS)}; got 'gru'"),
        ({"width": 0}, "width must be a whole number >= 1; got 0"),
        ({"width": 64.0}, "width must be a whole number >= 1; got 64.0"),
        ({"blocks": True}, "blocks must be a whole number >= 1; got True"),
        ({"max_length": "34"}, "max_length must be a whole number >= 1; got '34'"),
        ({"vocab_size": -1}, "vocab_size must be a whole number >= 1; got -1"),
        ({"heads": 3, "width": 64}, "heads must divide width 64; got 3"),
        ({"kind": "lstm", "heads": 2}, "heads must be 1 for kind 'lstm', which has none; got 2"),
        ({"kind": "ssm", "heads": 2}, "heads must be 1 for kind 'ssm', which has none; got 2"),
        ({"norm": "group"}, f"norm must be one of {', '.join(NORMS)}; got 'group'"),
        ({"activation": "tanh"}, f"activation must be one of {', '.join(ACTIVATIONS)}; got 'tanh'"),
        ({"kind": "transformer", "norm": "exact"}, "norm belongs to causal_rn and linear_rn, not to 'transformer'"),
        ({"kind": "ssm", "activation": "exp"}, "activation belongs to causal_rn and linear_rn, not to 'ssm'"),
        ({"kind": "lstm", "post_norm": False}, "post_norm belongs to causal_rn and linear_rn, not to 'lstm'"),
        ({"expansion": 0}, "expansion must be a whole number >= 1; got 0"),
        (
            {"kind": "transformer", "expansion": 4},
            "expansion belongs to causal_rn and linear_rn, not to 'transformer'; got 4",
        ),
        ({"heads": 3, "width": 8, "expansion": 2}, "heads must divide the inner width 16; got 3"),
        ({"heads": 8, "width": 2, "expansion": 4}, "expansion times width must be at least 16 for norm 'exact'"),
        ({"positions": "sine"}, "positions must be one of learned, none, random; got 'sine'"),
        ({"short_conv": -1}, "short_conv must be a whole number >= 0; got -1"),
        ({"short_conv": 16, "max_length": 16}, "short_conv must be less than max_length 16; got 16"),
        ({"first_window": 17, "max_length": 16}, "first_window must be at most max_length 16; got 17"),
        ({"first_window": 0}, "first_window must be a whole number >= 1; got 0"),
        (
            {"kind": "delta_net", "first_window": 4},
            "first_window must be null for kind 'delta_net', which keeps no places to choose from; got 4",
        ),
        ({"post_norm": 1}, "post_norm must be true or false; got 1"),
        ({"kind": "linear_rn", "norm": "exact"}, "got activation 'exp' with norm 'exact' (use kind 'causal_rn')"),
        ({"kind": "linear_rn", "norm": "rms"}, "needs activation 'exp' with norm 'approx' or 'none' or 'mean', which"),
        ({"kind": "linear_rn", "activation": "relu"}, "got activation 'relu' with norm 'approx'"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_in_one_line(fields, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        ModelConfig(**fields)
    assert "\n" not in str(error.value)


def test_a_shape_is_frozen_and_an_unknown_field_an_error():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().width = 3
    with pytest.raises(TypeError, match="widht"):
        ModelConfig(widht=3)
