"""The sequence models, all behind one frame. A new kind is one file, one line in `KINDS` and one here."""

import torch

from crn_lib.models.block import Block
from crn_lib.models.causal_rn import RelationBlock
from crn_lib.models.config import KINDS, ModelConfig
from crn_lib.models.linear_transformer import LinearTransformerBlock, feature_map
from crn_lib.models.recurrent import LSTMBlock
from crn_lib.models.relation_network import ObjectNetwork, RelationNetwork
from crn_lib.models.sequence_model import DecodingState, SequenceModel
from crn_lib.models.ssm import SSMBlock
from crn_lib.models.transformer import TransformerBlock

BLOCKS: dict[str, type[Block]] = {
    "causal_rn": RelationBlock,
    "linear_rn": RelationBlock,
    "transformer": TransformerBlock,
    "linear_transformer": LinearTransformerBlock,
    "lstm": LSTMBlock,
    "ssm": SSMBlock,
}


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
    with torch.random.fork_rng(devices=[]):  # torch's layers draw once when made; keep that from the outside
        blocks = [BLOCKS[config.kind](config) for _ in range(config.blocks)]
        model = SequenceModel(config, blocks)
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
