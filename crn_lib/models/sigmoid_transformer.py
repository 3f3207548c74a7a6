"""The Transformer with a sigmoid in place of the softmax: positions do not compete for weight.

The weight of position `j` for `i` is `sigmoid(q_i . k_j / sqrt(d) - log n_i)`, where `i` sees `n_i` positions: about
`1 / n_i` each at the start, as in the CausalRN's mean.

Reference: Ramapuram et al. 2024, arXiv 2409.04431. Differs in: `n_i = i + 1`, not one `n` for all positions, so that
what follows changes nothing and the state need not know the length; plain matrix products, no kernel; the rest of the
block is `transformer.py`.
"""

import math

import torch
from torch import Tensor

from crn_lib.models.block import kind
from crn_lib.models.transformer import KeyValueCache, TransformerBlock
from crn_lib.ops.window import in_window


def sigmoid_weights(query: Tensor, key: Tensor, seen: Tensor) -> Tensor:
    """Weights `(..., queries, keys)` of keys for queries that see so many positions; `seen` broadcasts against them."""
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    return (scores - seen.log().to(scores.dtype)).sigmoid()


@kind("sigmoid_transformer")
class SigmoidTransformerBlock(TransformerBlock):
    """The Transformer block with sigmoid attention."""

    def mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        length = query.shape[2]
        window = self.window or length
        seen = torch.arange(1, length + 1, device=query.device)[:, None].clamp(max=window)
        return sigmoid_weights(query, key, seen) * in_window(length, window, query.device) @ value

    def read(self, query: Tensor, cache: KeyValueCache) -> Tensor:
        weights = sigmoid_weights(query, self._split(cache.keys.rows), cache.keys.lengths[:, None, None, None])
        return weights * cache.keys.visible[:, None, None, :] @ self._split(cache.values.rows)
