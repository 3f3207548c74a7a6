"""The LSTM baseline: torch's own LSTM, one layer a block, in the same pre-normalised residual frame.

Reference: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000, as `torch.nn.LSTM` has it.
Differs in: layers are separate blocks, each with a layer normalisation before it and a residual connection around it.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crn_lib.models.block import NUMBER, Block, BlockState, init_uniform, kind
from crn_lib.models.config import ModelConfig
from crn_lib.ops.normalise import layer_norm


@dataclass
class LSTMState(BlockState):
    """Hidden and cell vector, `(1, batch, width)` each, as `torch.nn.LSTM` takes them."""

    hidden: Tensor
    cell: Tensor


@kind("lstm")
class LSTMBlock(Block):
    """`x + LSTM(LN(x))`."""

    single_headed = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(config.width, config.width, batch_first=True)
        self.width = config.width

    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        normalised = layer_norm(x)
        if lengths is None:
            out, last = self.lstm(normalised)
        else:
            # Packing stops each sequence at its own end, so that the state is not run on over padding.
            packed = pack_padded_sequence(normalised, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_out, last = self.lstm(packed)
            out, _ = pad_packed_sequence(packed_out, batch_first=True, total_length=x.shape[1])
        if state is not None:
            held = cast(LSTMState, state)
            held.hidden, held.cell = last
        mixed: Tensor = x + out
        return mixed

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> LSTMState:
        return LSTMState(*(torch.zeros(1, batch, self.width, device=device, dtype=dtype) for _ in range(2)))

    def predicted_bytes(self, rows: int) -> int:
        return 2 * self.width * NUMBER

    def step(self, x: Tensor, state: BlockState) -> Tensor:
        held = cast(LSTMState, state)
        out, (held.hidden, held.cell) = self.lstm(layer_norm(x)[:, None], (held.hidden, held.cell))
        mixed: Tensor = x + out[:, 0]
        return mixed

    def reset_parameters(self, generator: torch.Generator) -> None:
        init_uniform(list(self.lstm.parameters()), 1 / math.sqrt(self.width), generator)
