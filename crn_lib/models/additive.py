"""Additive attention: a pair is a sum, as in the CausalRN, but its channels become one score, and a softmax follows.

The score of position `j` for `i` is `v . tanh(a_i + b_j)`, with a vector `v` for each head.

Reference: Bahdanau, Cho and Bengio 2014, arXiv 1409.0473, section 3.1 and appendix A.1.2. Differs in: a sequence
attends to itself, causally, where theirs is a decoder that attends to its encoder; heads; values of their own, not the
rows that the senders are made of; the rest of the block is `transformer.py`: only the score is another.
"""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from crn_lib.models.block import INIT_STD, kind
from crn_lib.models.config import ModelConfig
from crn_lib.models.transformer import KeyValueCache, TransformerBlock
from crn_lib.ops.window import in_window

TILE = 2**22
"""Numbers of `tanh(a_i + b_j)` held at once: as many receivers as that allows, and at least one."""


@kind("additive")
class AdditiveBlock(TransformerBlock):
    """The Transformer block with additive attention; `a` and `b` have the place of query and key."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.score = nn.Parameter(torch.empty(config.heads, config.width // config.heads))

    def reset_parameters(self, generator: torch.Generator) -> None:
        super().reset_parameters(generator)
        nn.init.normal_(self.score, std=INIT_STD, generator=generator)

    def mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        length = query.shape[2]
        tile = max(1, TILE // key.numel())
        mixed = []
        for start in range(0, length, tile):
            end = min(start + tile, length)
            # Pairs are computed again in the backward pass, not kept: they are width times as many as the scores.
            scores = checkpoint(
                self.scores, query[:, :, start:end], key[:, :, :end], use_reentrant=False, preserve_rng_state=False
            )
            hidden = ~in_window(end, self.window or end, query.device, first=start)
            mixed.append(scores.masked_fill(hidden, -torch.inf).softmax(dim=-1).to(value.dtype) @ value[:, :, :end])
        return torch.cat(mixed, dim=2)

    def read(self, query: Tensor, cache: KeyValueCache) -> Tensor:
        scores = self.scores(query, self._split(cache.keys.rows))
        hidden = ~cache.keys.visible[:, None, None, :]
        weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
        return weights @ self._split(cache.values.rows)

    def scores(self, receivers: Tensor, senders: Tensor) -> Tensor:
        """`v . tanh(a_i + b_j)` for every pair: `(batch, heads, n, head width)` of each to `(batch, heads, n, m)`."""
        pairs = (receivers[:, :, :, None] + senders[:, :, None]).tanh()
        return torch.einsum("bhnmd,hd->bhnm", pairs, self.score)
