"""A short causal convolution, one for each channel, and a block that puts one before any other.

The block is `block(x + conv(LN(x)))`: each place also has its share of the `short_conv` places before it. The taps
start as `U(-1/sqrt(k), 1/sqrt(k))` with `k = short_conv + 1`, as torch's own Conv1d does, so that a model with them
does not start as one without.

Reference: the Canon layers of Allen-Zhu 2025 (Physics of Language Models, part 4.1), of four taps with a residual
connection; BaseConv of Arora et al. 2023, arXiv 2312.04927. Differs in: one convolution a block, before all of it, on
the residual stream; nothing is gated.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crn_lib.models.block import NUMBER, Block, BlockState, init_uniform
from crn_lib.models.config import ModelConfig
from crn_lib.ops.normalise import layer_norm


def convolve(history: Tensor, taps: Tensor, bias: Tensor | float = 0.0) -> Tensor:
    """`bias + sum_k taps_k history_{t+k}`, each channel by itself.

    A sum of shifted products: torch's grouped Conv1d is slower on a CPU.

    Args:
        history: `(batch, k - 1 + length, channels)`, with the `k - 1` rows before the first place in front.
        taps: `(k, channels)`, that of the newest place last.
    """
    length = history.shape[1] - len(taps) + 1
    return cast(Tensor, sum((history[:, k : k + length] * tap for k, tap in enumerate(taps)), bias))


def last_rows(history: Tensor, count: int, lengths: Tensor | None) -> Tensor:
    """The `count` rows that end each sequence, `(batch, count, channels)`, in a buffer of their own.

    Args:
        history: as for `convolve`, with `count` rows in front.
        lengths: `(batch,)`, the places of each sequence that are real; all where it is not given.
    """
    batch, rows, _ = history.shape
    ends = torch.full((batch,), rows - count, device=history.device) if lengths is None else lengths
    places = ends[:, None] + torch.arange(count, device=history.device)
    return history[torch.arange(batch, device=history.device)[:, None], places]


@dataclass
class ConvolvedState(BlockState):
    """The convolution's last inputs, `(batch, short_conv, width)`, beside the state of the block behind it."""

    recent: Tensor
    inner: BlockState


class ConvolvedBlock(Block):
    """Any block with a short convolution before it."""

    def __init__(self, block: Block, config: ModelConfig) -> None:
        super().__init__()
        self.block = block
        self.taps = nn.Parameter(torch.empty(config.short_conv + 1, config.width))

    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        earlier = len(self.taps) - 1
        history = F.pad(layer_norm(x), (0, 0, earlier, 0))
        x = x + convolve(history, self.taps)
        if state is None:
            return cast(Tensor, self.block(x))
        held = cast(ConvolvedState, state)
        held.recent = last_rows(history, earlier, lengths)
        return cast(Tensor, self.block(x, held.inner, lengths))

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> ConvolvedState:
        recent = torch.zeros(batch, len(self.taps) - 1, self.taps.shape[1], device=device, dtype=dtype)
        return ConvolvedState(recent, self.block.init_state(batch, device, dtype))

    def predicted_bytes(self, rows: int) -> int:
        return (len(self.taps) - 1) * self.taps.shape[1] * NUMBER + self.block.predicted_bytes(rows)

    def step(self, x: Tensor, state: BlockState) -> Tensor:
        held = cast(ConvolvedState, state)
        history = torch.cat([held.recent, layer_norm(x)[:, None]], dim=1)
        held.recent = history[:, 1:].clone()  # a view would keep the oldest row alive too
        return self.block.step(x + convolve(history, self.taps)[:, 0], held.inner)

    def reset_parameters(self, generator: torch.Generator) -> None:
        self.block.reset_parameters(generator)
        init_uniform([self.taps], 1 / math.sqrt(len(self.taps)), generator)
