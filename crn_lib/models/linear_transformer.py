"""The linear Transformer: attention without the softmax.

With the feature map `phi(x) = elu(x) + 1`, attention is `phi(q_i) S_i / (phi(q_i) z_i)`, where
`S_i = sum_{j<=i} phi(k_j) v_j^T` and `z_i = sum_{j<=i} phi(k_j)`: a state of fixed size. Over whole sequences the
sums are taken a chunk at a time, so that time and memory grow linearly and no `length x length` matrix is made.

Reference: Katharopoulos et al. 2020, arXiv 2006.16236, equations 7 to 12; `attention/causal_linear_attention.py` of
github.com/idiap/fast-transformers. Differs in: chunks of matrix products, not a loop in C++ over positions; nothing is
added to the denominator (the code adds 1e-6); the rest of the block is `transformer.py`.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.models.block import NUMBER, BlockState, kind
from crn_lib.models.transformer import TransformerBlock

CHUNK = 64


def feature_map(x: Tensor) -> Tensor:
    """`elu(x) + 1`, positive everywhere.

    Example:
        >>> feature_map(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([0.3679, 1.0000, 3.0000])
    """
    return F.elu(x) + 1


def linear_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal linear attention of already mapped queries and keys.

    Shape: `(batch, heads, length, head width)` each, and out. Within a chunk of at most `CHUNK` positions the scores
    are written out; everything before the chunk comes from prefix sums over the chunks.
    """
    length = query.shape[2]
    chunk = min(CHUNK, length)
    padding = -length % chunk
    query, key, value = (F.pad(x, (0, 0, 0, padding)).unflatten(2, (-1, chunk)) for x in (query, key, value))
    scores = (query @ key.transpose(-1, -2)).tril()
    top, bottom = scores @ value, scores.sum(dim=-1, keepdim=True)
    if length > chunk:
        sums = key.transpose(-1, -2) @ value
        counts = key.sum(dim=-2)[..., None]
        top = top + query @ (sums.cumsum(dim=2) - sums)
        bottom = bottom + query @ (counts.cumsum(dim=2) - counts)
    # The padding's features are zero, so its rows would divide 0 by 0: cut them off first.
    return top.flatten(2, 3)[:, :, :length] / bottom.flatten(2, 3)[:, :, :length]


@dataclass
class LinearAttentionState(BlockState):
    """`S`, `(batch, heads, head width, head width)`, beside `z`, kept as one more column of it; in float32 at least."""

    sums: Tensor


@kind("linear_transformer")
class LinearTransformerBlock(TransformerBlock):
    """The Transformer block with linear attention in place of softmax attention."""

    windowed = False

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> LinearAttentionState:
        head = self.width // self.heads
        wide = torch.promote_types(dtype, torch.float32)  # in bfloat16 `z` would stop to count at 512: 512 + 1 is 512
        return LinearAttentionState(torch.zeros(batch, self.heads, head, head + 1, device=device, dtype=wide))

    def predicted_bytes(self, rows: int) -> int:
        return self.width * (self.width // self.heads + 1) * NUMBER

    def mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return linear_attention(feature_map(query), feature_map(key), value)

    def mix_step(self, query: Tensor, key: Tensor, value: Tensor, state: BlockState) -> Tensor:
        held = cast(LinearAttentionState, state)
        dtype = query.dtype
        query, key, value = (self._split(x[:, None]) for x in (query, key, value))
        held.sums = held.sums + self._outer(key, value)
        with torch.autocast(query.device.type, enabled=False):
            out = feature_map(query.to(held.sums.dtype)) @ held.sums
        return (out[..., :-1] / out[..., -1:]).flatten(1).to(dtype)

    def _remember(self, key: Tensor, value: Tensor, state: BlockState, lengths: Tensor | None) -> None:
        key, value = self._split(key), self._split(value)
        real = None
        if lengths is not None:
            real = torch.arange(key.shape[2], device=key.device) < lengths[:, None]
        cast(LinearAttentionState, state).sums = self._outer(key, value, real)

    def _outer(self, key: Tensor, value: Tensor, real: Tensor | None = None) -> Tensor:
        """`sum_j phi(k_j) [v_j, 1]^T` over the (real) positions, in float32 at least."""
        wide = torch.promote_types(key.dtype, torch.float32)
        key, value = feature_map(key.to(wide)), value.to(wide)
        if real is not None:
            key = key * real[:, None, :, None]
        value = torch.cat([value, torch.ones_like(value[..., :1])], dim=-1)
        with torch.autocast(key.device.type, enabled=False):
            return key.transpose(-1, -2) @ value
