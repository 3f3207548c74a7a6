"""A selective state-space block: the S6 layer of Mamba.

With `E = 2 * width` channels and `N = 16` states a channel, for every channel

    h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t          y_t = C_t h_t + D u_t

where `u` is the convolved input and `delta`, `B`, `C` are made from it (the selection). `exp(delta A)` is the
zero-order hold for a diagonal A; `delta B` replaces its own hold, the simplification Mamba's code makes too. Parameters
have the names of that code: `in_proj`, `conv`, `x_proj` (delta, B and C), `dt_proj`, `A_log`, `D`, `out_proj`.

Reference: Gu and Dao 2023, arXiv 2312.00752, algorithm 2 and section 3.4; `mamba_ssm/modules/mamba_simple.py` of
github.com/state-spaces/mamba. Differs in: no hardware-aware kernel (`ops/selective_scan.py` runs the recurrence); plain
layer normalisation where the code's models have RMSNorm with a gain; the convolution's weights are `(4, E)`, not
`(E, 1, 4)`; `in_proj`, `x_proj` and `out_proj` start as in this library's other blocks; weight decay spares nothing,
where the code spares `A_log` and `D`.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crn_lib.models.block import NUMBER, Block, BlockState, init_linear, init_uniform, kind, residual_std
from crn_lib.models.config import ModelConfig
from crn_lib.models.convolution import convolve, last_rows
from crn_lib.ops.normalise import layer_norm
from crn_lib.ops.selective_scan import selective_scan, selective_step

EXPANSION = 2
STATES = 16
KERNEL = 4
SMALLEST_DELTA, LARGEST_DELTA = 1e-3, 1e-1


@dataclass
class SSMState(BlockState):
    """The last `KERNEL - 1` inputs of the convolution, `(batch, KERNEL - 1, E)`, and `h`, `(batch, E, N)`."""

    recent: Tensor
    hidden: Tensor


@kind("ssm")
class SSMBlock(Block):
    """`x + W_out( S6(silu(conv(W_u LN(x)))) * silu(W_gate LN(x)) )`."""

    single_headed = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.width, self.blocks = config.width, config.blocks
        self.channels = EXPANSION * config.width
        self.delta_rank = math.ceil(config.width / 16)
        self.in_proj = nn.Linear(config.width, 2 * self.channels, bias=False)
        self.conv_weight = nn.Parameter(torch.empty(KERNEL, self.channels))
        self.conv_bias = nn.Parameter(torch.empty(self.channels))
        self.x_proj = nn.Linear(self.channels, self.delta_rank + 2 * STATES, bias=False)
        self.dt_proj = nn.Linear(self.delta_rank, self.channels)
        self.A_log = nn.Parameter(torch.empty(self.channels, STATES))
        self.D = nn.Parameter(torch.empty(self.channels))
        self.out_proj = nn.Linear(self.channels, config.width, bias=False)

    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        u, gate = self.in_proj(layer_norm(x)).chunk(2, dim=-1)
        history = F.pad(u, (0, 0, KERNEL - 1, 0))
        u = F.silu(convolve(history, self.conv_weight, self.conv_bias))
        delta, B, C = self._selection(u)
        if lengths is not None:
            # delta = 0 leaves the state as it is: exp(0) = 1 and nothing is added.
            delta = delta * (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[:, :, None]
        y, hidden = selective_scan(u, delta, -self.A_log.exp(), B, C)
        if state is not None:
            held = cast(SSMState, state)
            held.recent = last_rows(history, KERNEL - 1, lengths)
            held.hidden = hidden
        out: Tensor = self.out_proj((y + self.D * u) * F.silu(gate))
        return x + out

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> SSMState:
        return SSMState(
            torch.zeros(batch, KERNEL - 1, self.channels, device=device, dtype=dtype),
            torch.zeros(batch, self.channels, STATES, device=device, dtype=torch.promote_types(dtype, torch.float32)),
        )

    def predicted_bytes(self, rows: int) -> int:
        return self.channels * (KERNEL - 1 + STATES) * NUMBER

    def step(self, x: Tensor, state: BlockState) -> Tensor:
        held = cast(SSMState, state)
        u, gate = self.in_proj(layer_norm(x)).chunk(2, dim=-1)
        window = torch.cat([held.recent, u[:, None]], dim=1)
        held.recent = window[:, 1:].clone()  # a view would keep the oldest row alive too
        u = F.silu((window * self.conv_weight).sum(dim=1) + self.conv_bias)
        y, held.hidden = selective_step(u, held.hidden, -self.A_log.exp(), *self._selection(u))
        out: Tensor = self.out_proj((y + self.D * u) * F.silu(gate))
        return x + out

    def reset_parameters(self, generator: torch.Generator) -> None:
        init_linear(self.in_proj, generator)
        init_linear(self.x_proj, generator)
        init_linear(self.out_proj, generator, residual_std(self.blocks, branches=1))
        init_uniform([self.conv_weight, self.conv_bias], 1 / math.sqrt(KERNEL), generator)
        init_uniform([self.dt_proj.weight], 1 / math.sqrt(self.delta_rank), generator)
        with torch.no_grad():
            # softplus(bias) starts log-uniform in [1e-3, 1e-1] (Mamba, section 3.6); A starts at -1 ... -N.
            span = torch.rand(self.channels, generator=generator)
            delta = SMALLEST_DELTA * (LARGEST_DELTA / SMALLEST_DELTA) ** span
            self.dt_proj.bias.copy_(delta + torch.log(-torch.expm1(-delta)))
            self.A_log.copy_(torch.arange(1, STATES + 1).log().expand(self.channels, STATES))
            self.D.fill_(1.0)

    def _selection(self, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`delta` `(..., E)`, `B` and `C` `(..., N)`, made from `u` `(..., E)`."""
        low, B, C = self.x_proj(u).split([self.delta_rank, STATES, STATES], dim=-1)
        return F.softplus(self.dt_proj(low)), B, C
