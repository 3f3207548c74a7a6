"""What a trained model's blocks see on given tokens, and a way to put something else in place of their mixing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from crn_lib.analysis.pairs import AttentionPairs, RelationPairs, attention_pairs, relation_pairs
from crn_lib.models import SequenceModel
from crn_lib.models.causal_rn import RelationBlock
from crn_lib.models.convolution import ConvolvedBlock
from crn_lib.models.transformer import TransformerBlock

MixingBlock = RelationBlock | TransformerBlock
Mixing = Callable[[MixingBlock, tuple[Tensor, ...]], Tensor]
"""From a block and its mixing's inputs, `(a, b)` or `(query, key, value)`, to the mixing's output."""


def mixing_block(model: SequenceModel, index: int) -> MixingBlock:
    """A block whose pairs can be looked at.

    Raises:
        ValueError: no such block, one that does not mix pairs (of a state of fixed size), or one that does not see all.
    """
    if not 0 <= index < len(model.blocks):
        raise ValueError(f"the model has blocks 0 to {len(model.blocks) - 1}; got {index}")
    block = model.blocks[index]
    block = block.block if isinstance(block, ConvolvedBlock) else block
    # By the exact class: a linear Transformer's block is a Transformer's too, and has no attention weights.
    if type(block) is RelationBlock or type(block) is TransformerBlock:
        if block.window is not None:
            raise ValueError(f"block {index} sees the last {block.window} places only; its pairs cannot be looked at")
        return block
    raise ValueError(f"a {model.config.kind} has no pairs to look at; use causal_rn, linear_rn or transformer")


@contextmanager
def mixed_by(model: SequenceModel, mixings: Mapping[int, Mixing]) -> Iterator[None]:
    """While this lasts, `model(tokens)` mixes in these blocks as it is told to. Decoding by `step` is not changed."""
    blocks = [mixing_block(model, index) for index in mixings]
    for block, mixing in zip(blocks, mixings.values(), strict=True):
        # An attribute of the instance hides the method of its class, and goes away without a trace.
        vars(block)["mix"] = lambda *inputs, block=block, mixing=mixing: mixing(block, inputs)
    try:
        yield
    finally:
        for block in blocks:
            del vars(block)["mix"]


def own_mixing(block: MixingBlock, inputs: tuple[Tensor, ...]) -> Tensor:
    """What the block does when it is left alone."""
    out: Tensor = type(block).mix(block, *inputs)  # type: ignore[arg-type]
    return out


def block_pairs(block: MixingBlock, inputs: tuple[Tensor, ...], rows: Tensor) -> RelationPairs | AttentionPairs:
    """The pairs of a block, from its mixing's inputs, for these receiving positions."""
    if isinstance(block, TransformerBlock):
        query, key, value = inputs
        return attention_pairs(query, key, value, rows)
    a, b = inputs
    return relation_pairs(a, b, rows, norm=block.norm, activation=block.activation, heads=block.heads)


@torch.no_grad()
def capture_pairs(
    model: SequenceModel, tokens: Tensor, rows: Tensor | None = None
) -> list[RelationPairs | AttentionPairs]:
    """The pairs of every block, in a run of the model on these tokens.

    Args:
        tokens: `(batch, length)`.
        rows: receiving positions, `(rows,)`; all of them where it is not given.
    """
    wanted = torch.arange(tokens.shape[1], device=tokens.device) if rows is None else rows
    found: list[RelationPairs | AttentionPairs] = []

    def look(block: MixingBlock, inputs: tuple[Tensor, ...]) -> Tensor:
        found.append(block_pairs(block, inputs, wanted))
        return own_mixing(block, inputs)

    with mixed_by(model, dict.fromkeys(range(len(model.blocks)), look)):
        model(tokens)
    return found
