"""What a model does when one pair of a block is taken away or changed: an edit of its pairs, then the rest as usual.

An edit is a function from a block's pairs to changed ones. Every edit here changes one pair of each receiving position,
in all sequences at once: `sender` is a tensor of positions, `(batch, heads, rows)`, and -1 leaves a receiver as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from crn_lib.analysis.capture import MixingBlock, block_pairs, mixed_by, own_mixing
from crn_lib.analysis.pairs import AttentionPairs, Pairs, RelationPairs
from crn_lib.models import SequenceModel

Edit = Callable[[RelationPairs | AttentionPairs], RelationPairs | AttentionPairs]


@torch.no_grad()
def run_edited(model: SequenceModel, tokens: Tensor, edits: Mapping[int, Edit], rows: Tensor) -> Tensor:
    """Logits of the model with the pairs of some blocks edited.

    A receiver whose pairs the edit left as they were keeps, bit for bit, what its block makes without any edit.

    Args:
        tokens: `(batch, length)`.
        edits: by the block's number. A later block sees what the earlier edits have done.
        rows: the receiving positions that are edited, `(rows,)`.

    Returns:
        `(batch, length, vocab_size)`.
    """

    def mixing(edit: Edit) -> Callable[[MixingBlock, tuple[Tensor, ...]], Tensor]:
        return lambda block, inputs: _edited(block, inputs, edit, rows)

    with mixed_by(model, {index: mixing(edit) for index, edit in edits.items()}):
        logits: Tensor = model(tokens)
    return logits


def drop(sender: Tensor) -> Edit:
    """The receiver does not see this sender; the mean (or the softmax) is over the others."""

    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs | AttentionPairs:
        return replace(pairs, weight=torch.where(_chosen(sender, pairs), 0.0, pairs.weight))

    return edit


def rescale(sender: Tensor, factor: float | Tensor) -> Edit:
    """The scale of this pair times a factor, one for all or `(batch, heads, rows)`."""
    factors = torch.as_tensor(factor)[..., None]

    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs:
        scaled = with_scale(pairs)
        return replace(scaled, scale=torch.where(_chosen(sender, scaled), scaled.scale * factors, scaled.scale))

    return edit


def level(sender: Tensor) -> Edit:
    """The scale of this one pair becomes the mean scale of the senders that its receiver sees."""

    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs:
        scaled = with_scale(pairs)
        mean = (scaled.scale * scaled.visible).sum(-1, keepdim=True) / scaled.visible.sum(-1, keepdim=True)
        return replace(scaled, scale=torch.where(_chosen(sender, scaled), mean, scaled.scale))

    return edit


def swap_scales(first: Tensor, second: Tensor) -> Edit:
    """Two pairs of a receiver exchange their scales; with -1 in either it is left as it is.

    (To exchange the senders themselves would change nothing: a mean has no order.)
    """

    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs:
        scaled = with_scale(pairs)
        both = (first >= 0) & (second >= 0)
        source = torch.arange(scaled.scale.shape[-1], device=first.device).expand_as(scaled.scale).clone()
        here, there = (torch.where(both, x, 0)[..., None] for x in (first, second))
        source.scatter_(-1, here, torch.where(both[..., None], there, here))
        source.scatter_(-1, there, torch.where(both[..., None], here, there))
        return replace(scaled, scale=scaled.scale.gather(-1, source))

    return edit


def freeze_scale(pairs: RelationPairs | AttentionPairs) -> RelationPairs:
    """Every pair of a sequence and head gets the mean scale of its visible pairs: then the relation factorises."""
    scaled = with_scale(pairs)
    seen = scaled.visible.to(scaled.scale.dtype)
    mean = (scaled.scale * seen).sum((-2, -1), keepdim=True) / seen.sum()
    return replace(scaled, scale=mean.expand_as(scaled.scale))


def freeze_others(sender: Tensor) -> Edit:
    """As `freeze_scale`, but these pairs keep their own scale: it is all that is left of the scales."""

    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs:
        frozen = freeze_scale(pairs)
        return replace(frozen, scale=torch.where(_chosen(sender, frozen), with_scale(pairs).scale, frozen.scale))

    return edit


def with_scale(pairs: Pairs) -> RelationPairs:
    """The same pairs, if they have a scale.

    Raises:
        ValueError: they are those of attention.
    """
    if not isinstance(pairs, RelationPairs):
        raise ValueError("the pairs of attention have no scale; drop one instead")
    return pairs


def _chosen(sender: Tensor, pairs: Pairs) -> Tensor:
    """The pairs of these senders, `(batch, heads, rows, length)`."""
    return torch.arange(pairs.weight.shape[-1], device=sender.device) == sender[..., None]


def _edited(block: MixingBlock, inputs: tuple[Tensor, ...], edit: Edit, rows: Tensor) -> Tensor:
    out = own_mixing(block, inputs).clone()
    before = block_pairs(block, inputs, rows)
    after = edit(before)
    changed = (after.weight != before.weight).any(-1)
    if isinstance(before, RelationPairs) and isinstance(after, RelationPairs):
        changed |= (after.scale != before.scale).any(-1)
    if not bool(changed.any()):
        return out
    mixed = after.mix()
    if isinstance(before, AttentionPairs):
        out[:, :, rows] = torch.where(changed[..., None], mixed, out[:, :, rows])
        return out
    heads = out.unflatten(-1, (block.heads, -1)).transpose(1, 2)  # a view of `out`
    heads[:, :, rows] = torch.where(changed[..., None], mixed, heads[:, :, rows])
    return out
