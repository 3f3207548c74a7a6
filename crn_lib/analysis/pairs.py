"""The pairs of one block: every receiver with every sender it sees, and what the block makes of them.

Both kinds of block that keep the whole past, the CausalRN and the Transformer, take a weighted mean over senders:

    out_i = sum_j weight_ij * value_ij / sum_j weight_ij        weight_ij = 0 where j > i

In a CausalRN all weights are 1 and the value belongs to the pair, `f(scale_ij * (A_i + B_j))`. In a Transformer the
value belongs to the sender, and the weight is that of attention. Change a weight or a scale, mix again, and see what
the model makes of it (`interventions.py`).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.normalise import EPSILON, PAIR_NORMS, centre, layer_norm

TILE_ELEMENTS = 8_000_000
"""Numbers of pairs made at once: 32 MB in float32."""


@dataclass(frozen=True)
class Pairs(ABC):
    """Some receiving positions of one block, each with all senders.

    Attributes:
        rows: the receiving positions, `(rows,)`.
        weight: `(batch, heads, rows, length)`; exactly zero for a sender that is not seen.
    """

    rows: Tensor
    weight: Tensor

    @property
    def visible(self) -> Tensor:
        """Which senders each receiver sees, `(rows, length)`."""
        return torch.arange(self.weight.shape[-1], device=self.rows.device) <= self.rows[:, None]

    def mix(self) -> Tensor:
        """The weighted mean over the senders, `(batch, heads, rows, head width)`; 0 where every weight is 0."""
        total = self.weight.sum(-1, keepdim=True)
        return torch.where(total > 0, self._weighted_sum() / total, 0.0)

    @abstractmethod
    def _weighted_sum(self) -> Tensor: ...


@dataclass(frozen=True)
class RelationPairs(Pairs):
    """Pairs of a relation block.

    Attributes:
        receivers: what a receiver brings to the sum, `(batch, heads, rows, head width)`: with the exact norm the
            centred `A`, otherwise what the norm makes of the row by itself (`LN(a)` with `approx`, else `a`).
        senders: the same of the senders, `(batch, heads, length, head width)`.
        scale: what their sum is multiplied by, `(batch, heads, rows, length)`: with the exact norm `1/sqrt(var_ij)`; 1
            where a norm does nothing to a sum.
        activation: its name.
    """

    receivers: Tensor
    senders: Tensor
    scale: Tensor
    activation: str

    @property
    def correlation(self) -> Tensor:
        """Of each receiver's row with each sender's, -1 to 1, `(batch, heads, rows, length)`."""
        return layer_norm(self.receivers) @ layer_norm(self.senders).mT / self.receivers.shape[-1]

    def tiles(self) -> Iterator[tuple[slice, Tensor]]:
        """A few sequences at a time, what the activation sees: `(sequences, heads, rows, length, head width)`."""
        batch, heads, rows, width = self.receivers.shape
        at_once = max(1, TILE_ELEMENTS // (heads * rows * self.senders.shape[2] * width))
        for first in range(0, batch, at_once):
            part = slice(first, first + at_once)
            sums = self.receivers[part, :, :, None] + self.senders[part, :, None]
            # A pair that does not count must not overflow either: 0 * inf is NaN.
            counts = torch.where(self.weight[part] > 0, self.scale[part], 0.0)
            yield part, sums.mul_(counts[..., None])

    def values(self, tile: Tensor) -> Tensor:
        """The activation of a tile."""
        return ACTIVATION_FUNCTIONS[self.activation](tile)

    def _weighted_sum(self) -> Tensor:
        out = torch.empty_like(self.receivers)
        for part, tile in self.tiles():
            out[part] = (self.weight[part, :, :, None] @ self.values(tile))[:, :, :, 0]
        return out


@dataclass(frozen=True)
class AttentionPairs(Pairs):
    """Pairs of a Transformer block; `weight` is the softmax of the scores.

    Attributes:
        senders: the senders' values, `(batch, heads, length, head width)`.
    """

    senders: Tensor

    def _weighted_sum(self) -> Tensor:
        return self.weight @ self.senders


def relation_pairs(a: Tensor, b: Tensor, rows: Tensor, *, norm: str, activation: str, heads: int) -> RelationPairs:
    """The pairs that `crn_lib.ops.relation` takes its mean over.

    Args:
        a, b: receivers and senders, `(batch, length, width)`.
        rows: receiving positions, `(rows,)`.
    """
    received, senders = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (a[:, rows], b))
    if norm == "exact":  # LN(a + b) is LN(A + B): the mean is better taken from each row, once
        received, senders = centre(received), centre(senders)
    else:
        received, senders = (PAIR_NORMS[norm].of_row(x) for x in (received, senders))
    scale = pair_scale(received, senders, norm)
    visible = torch.arange(b.shape[1], device=rows.device) <= rows[:, None]
    weight = visible.to(scale.dtype).expand_as(scale)
    return RelationPairs(rows, weight, received, senders, scale, activation)


def pair_scale(receivers: Tensor, senders: Tensor, norm: str) -> Tensor:
    """What a norm multiplies the sum of each pair of rows by, `(..., receivers, senders)`.

    The root of the variance is the distance from `A_i` to `-B_j` over `sqrt(width)`. It is taken from the differences
    themselves: the expansion with the dot product loses its digits where a pair cancels.
    """
    if PAIR_NORMS[norm].of_sum is None:
        return receivers.new_ones(*receivers.shape[:-1], senders.shape[-2])
    centred = (centre(receivers), centre(senders)) if norm == "variance" else (receivers, senders)
    squares = torch.cdist(centred[0], -centred[1], compute_mode="donot_use_mm_for_euclid_dist").square()
    if norm == "unit":
        return (squares + EPSILON).rsqrt()
    variance = squares / receivers.shape[-1]
    if norm == "variance":  # as `unit_variance`: a row whose values are all equal stays as it is
        mean = receivers.mean(-1)[..., :, None] + senders.mean(-1)[..., None, :]
        rounding = (10 * torch.finfo(mean.dtype).eps * mean).square()
        return torch.where(variance <= rounding, 1.0, variance).rsqrt()
    return (variance + EPSILON).rsqrt()


def attention_pairs(query: Tensor, key: Tensor, value: Tensor, rows: Tensor) -> AttentionPairs:
    """The pairs that `scaled_dot_product_attention` takes its mean over.

    Args:
        query, key, value: `(batch, heads, length, head width)`.
        rows: receiving positions, `(rows,)`.
    """
    scores = query[:, :, rows] @ key.mT / math.sqrt(query.shape[-1])
    future = torch.arange(key.shape[2], device=rows.device) > rows[:, None]
    return AttentionPairs(rows, scores.masked_fill(future, -math.inf).softmax(-1), value)
