"""The sequence models, all behind one frame. A new kind is one file and one line here."""

from dataclasses import replace

import torch

from crn_lib.config import require
from crn_lib.models import (  # noqa: F401  each of these files brings its kinds
    additive,
    causal_rn,
    delta_net,
    linear_transformer,
    recurrent,
    sigmoid_transformer,
    ssm,
    transformer,
)
from crn_lib.models.block import BLOCKS, Block
from crn_lib.models.config import ModelConfig
from crn_lib.models.convolution import ConvolvedBlock
from crn_lib.models.linear_transformer import feature_map
from crn_lib.models.relation_network import ObjectNetwork, RelationNetwork
from crn_lib.models.sequence_model import DecodingState, SequenceModel
from crn_lib.ops.backends import fused_cpu_missing

KINDS = ("causal_rn", "linear_rn", "transformer", "linear_transformer", "lstm", "ssm")
# The six of lesson 06, beside which lessons 01, 09 and 10 set DeltaNet; `BLOCKS` has every kind. (docs/api/models.md
# describes it: a docstring here would be a second description, of which Sphinx warns.)


def make_blocks(config: ModelConfig) -> list[Block]:
    """The blocks of a model, before their weights are drawn: only the first has a window."""
    later = replace(config, first_window=None)
    blocks = [BLOCKS[config.kind](config if index == 0 else later) for index in range(config.blocks)]
    return [ConvolvedBlock(block, config) for block in blocks] if config.short_conv else blocks


def build_model(config: ModelConfig, *, generator: torch.Generator | None = None) -> SequenceModel:
    """Make a model, on the CPU in float32.

    Args:
        config: kind and shape.
        generator: where the initial weights are drawn from; a new one with seed 0 where it is not given.

    Example:
        >>> model = build_model(ModelConfig(kind="causal_rn", width=16, blocks=2, max_length=10))
        >>> model(torch.tensor([[0, 3, 4, 5, 1]])).shape  # a score for each of the 29 tokens, at each of the 5 places
        torch.Size([1, 5, 29])
    """
    require(isinstance(config, ModelConfig), f"config must be a ModelConfig; got a {type(config).__name__}")
    if config.norm is not None:
        fused_cpu_missing()  # loads Numba: half a second here, and none in the first call
    with torch.random.fork_rng(devices=[]):  # torch's layers draw once when made; keep that from the outside
        model = SequenceModel(config, make_blocks(config))
    model.reset_parameters(generator or torch.Generator().manual_seed(0))
    return model


__all__ = [
    "BLOCKS",
    "KINDS",
    "DecodingState",
    "ModelConfig",
    "ObjectNetwork",
    "RelationNetwork",
    "SequenceModel",
    "build_model",
    "feature_map",
]
