"""DeltaNet: linear attention that takes away what a key has in store before it writes the new value.

With keys and queries `silu(.)` of length 1, values `silu(.)` and a rate `beta = sigmoid(.)` for each head,

    S_t = S_{t-1} - beta_t (S_{t-1} k_t - v_t) k_t^T        out_t = W_o RMSNorm(S_t q_t)

`S` is the sum of `u_t k_t^T` with the changes `u_t = beta_t (v_t - S_{t-1} k_t)`. Those of a chunk solve a triangular
system; from chunk to chunk goes `S` alone.

Reference: Yang et al. 2024, arXiv 2406.06484, section 3; `fla/layers/delta_net.py` of
github.com/fla-org/flash-linear-attention. Differs in: no convolution in front of queries, keys and values (that is
`ModelConfig.short_conv`, once a block); one matrix with a bias makes them; RMSNorm without a gain; torch's triangular
solve in place of a kernel; the rest of the block is `transformer.py`, whose MLP has GELU where theirs has SwiGLU.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crn_lib.models.block import NUMBER, BlockState, init_linear, kind
from crn_lib.models.config import ModelConfig
from crn_lib.models.transformer import TransformerBlock
from crn_lib.ops.normalise import layer_norm, root_mean_square, unit_length

CHUNK = 64


def delta_rule(query: Tensor, key: Tensor, value: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
    """What every place reads, and the memory that is left.

    Shape: `(batch, heads, length, head width)` in and out, `rate` `(batch, heads, length, 1)`; the memory is `S^T`,
    `(batch, heads, head width, head width)`. Chunks are equally long, of at most `CHUNK` places.
    """
    length, width = query.shape[2:]
    chunks = -(-length // CHUNK)
    chunk = -(-length // chunks)
    padding = chunks * chunk - length  # at rate 0 with key 0: it changes nothing
    query, key, value, rate = (
        F.pad(x, (0, 0, 0, padding)).unflatten(2, (chunks, chunk)) for x in (query, key, value, rate)
    )
    # (1 + tril(beta K K^T, -1)) U = beta V - beta K S^T, solved for both terms at once, before S is known.
    # The first chunk finds S = 0.
    weighted = rate * key
    system = (weighted @ key.mT).tril(-1)
    sides = rate * value if chunks == 1 else torch.cat([rate * value, weighted], dim=-1)
    both = torch.linalg.solve_triangular(system, sides, upper=False, unitriangular=True)
    scores = (query @ key.mT).tril()
    change = both[:, :, 0, :, :width]
    out, memory = [scores[:, :, 0] @ change], key[:, :, 0].mT @ change
    for c in range(1, chunks):
        written, erased = both[:, :, c].chunk(2, dim=-1)
        change = written - erased @ memory
        out.append(query[:, :, c] @ memory + scores[:, :, c] @ change)
        memory = memory + key[:, :, c].mT @ change
    return torch.cat(out, dim=2)[:, :, :length], memory


@dataclass
class DeltaState(BlockState):
    """`S^T`, `(batch, heads, head width, head width)`, in float32 at least."""

    memory: Tensor


@kind("delta_net")
class DeltaNetBlock(TransformerBlock):
    """The Transformer block with the delta rule in place of attention."""

    windowed = False

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.rate = nn.Linear(config.width, config.heads, bias=False)

    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        query, key, value, rate = self._prepare(x)
        if lengths is not None:
            real = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
            rate = rate * real[:, None, :, None]
        with torch.autocast(x.device.type, enabled=False):  # nothing of it is precise enough in 16 bits
            out, memory = delta_rule(query, key, value, rate)
        if state is not None:
            cast(DeltaState, state).memory = memory
        return self._finish(x, out)

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> DeltaState:
        head = self.width // self.heads
        wide = torch.promote_types(dtype, torch.float32)
        return DeltaState(torch.zeros(batch, self.heads, head, head, device=device, dtype=wide))

    def predicted_bytes(self, rows: int) -> int:
        return self.width * (self.width // self.heads) * NUMBER

    def step(self, x: Tensor, state: BlockState) -> Tensor:
        held = cast(DeltaState, state)
        query, key, value, rate = self._prepare(x[:, None])
        held.memory = held.memory + key.mT @ (rate * (value - key @ held.memory))
        return self._finish(x[:, None], query @ held.memory)[:, 0]

    def reset_parameters(self, generator: torch.Generator) -> None:
        super().reset_parameters(generator)
        init_linear(self.rate, generator)

    def _prepare(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Query, key, value and rate of every place, as `delta_rule` takes them."""
        normalised = layer_norm(x)
        rate = self.rate(normalised).sigmoid().transpose(1, 2)[..., None]
        parts = F.silu(self.query_key_value(normalised)).chunk(3, dim=-1)
        if x.dtype.itemsize < 4 or parts[0].dtype.itemsize < 4:
            rate, parts = rate.float(), tuple(part.float() for part in parts)
        query, key, value = (self._split(part) for part in parts)
        return unit_length(query), unit_length(key), value, rate

    def _finish(self, x: Tensor, out: Tensor) -> Tensor:
        """The residual stream behind the block, `(batch, length, width)`."""
        mixed = root_mean_square(out).transpose(1, 2).flatten(-2)
        x = x + self.projection(mixed.to(self.projection.weight.dtype))
        return x + self._mlp(x)
