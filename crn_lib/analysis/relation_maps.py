"""Who a receiver listens to: maps over its pairs, and the senders that stand out in them.

Maps are `(batch, heads, rows, length)`. What they hold of a sender that is not seen means nothing: see `Pairs.visible`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.analysis.pairs import AttentionPairs, Pairs, RelationPairs


def most_opposed(pairs: RelationPairs) -> Tensor:
    """The visible sender whose row is most anti-correlated with the receiver's, `(batch, heads, rows)`."""
    return smallest(pairs.correlation, pairs)


def most_aligned(pairs: RelationPairs) -> Tensor:
    """The visible sender whose row is most correlated with the receiver's, `(batch, heads, rows)`."""
    return largest(pairs.correlation, pairs)


def most_amplified(pairs: RelationPairs) -> Tensor:
    """The visible sender with the largest pair scale, `(batch, heads, rows)`."""
    return largest(pairs.scale, pairs)


def most_attended(pairs: AttentionPairs) -> Tensor:
    """The sender with the largest attention weight, `(batch, heads, rows)`."""
    return largest(pairs.weight, pairs)


def largest(values: Tensor, pairs: Pairs) -> Tensor:
    """The visible sender with the largest value of a map."""
    return values.masked_fill(~pairs.visible, -math.inf).argmax(-1)


def smallest(values: Tensor, pairs: Pairs) -> Tensor:
    """The visible sender with the smallest value of a map."""
    return values.masked_fill(~pairs.visible, math.inf).argmin(-1)


def random_sender(pairs: Pairs, excluded: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """A visible sender other than the excluded ones, each equally likely; -1 where there is none.

    Args:
        excluded: positions, `(batch, heads, rows)` each.
        generator: on the CPU.
    """
    draw = torch.rand(pairs.weight.shape, generator=generator).to(pairs.weight.device)
    place = torch.arange(draw.shape[-1], device=draw.device)
    allowed = pairs.visible.expand(draw.shape)
    for sender in excluded:
        allowed = allowed & (place != sender[..., None])
    chosen = draw.masked_fill(~allowed, -1.0).argmax(-1)
    return torch.where(allowed.any(-1), chosen, -1)


@dataclass(frozen=True)
class Influence:
    """How much each sender of a relation has to do with the output, `(batch, heads, rows, length)` each.

    The LayerNorm behind the relation takes away the mean over the width and the length of the row. So what counts of a
    sender is its contribution less the contribution's mean: a vector `c_ij`, and `c_i = sum_j c_ij` is what is read.
    With several heads each is looked at by itself, although that LayerNorm joins them.

    Attributes:
        share: how far it goes in the direction of their sum, `<c_ij, c_i> / |c_i|^2`. Adds up to 1; below 0 for a
            sender that pulls the other way.
        strength: `|c_ij|`, its length.
        peak: the largest number that the activation sees of the pair.
    """

    share: Tensor
    strength: Tensor
    peak: Tensor


def influence(pairs: RelationPairs) -> Influence:
    """What each sender has to do with the output."""
    share, strength, peak = (torch.zeros_like(pairs.scale) for _ in range(3))
    for part, tile in pairs.tiles():
        peak[part] = tile.amax(-1)
        values = pairs.values(tile)
        each = (values - values.mean(-1, keepdim=True)) * pairs.weight[part, ..., None]
        whole = each.sum(-2, keepdim=True)
        share[part] = (each * whole).sum(-1) / whole.square().sum(-1).clamp(min=torch.finfo(whole.dtype).tiny)
        strength[part] = each.norm(dim=-1)
    return Influence(share, strength, peak)


def effective_senders(parts: Tensor) -> Tensor:
    """How many senders matter: the participation ratio `(sum_j p_j)^2 / sum_j p_j^2`.

    `n` if `n` senders matter equally and the others not at all; 1 if one does.

    Args:
        parts: numbers of at least 0, `(..., length)`: attention weights, or the strengths of an `Influence`.

    Returns:
        `(...)`; NaN where all are 0.
    """
    return parts.sum(-1).square() / parts.square().sum(-1)
