"""The CausalRN block: `x + W3 LN(relation(W1 LN(x) + c1, W2 LN(x))) + c3`.

With `norm="exact"` this is the CausalRN, whose memory is a growing pool of `b` rows. With `norm="approx"` and the
exponential it is the linear relation network, whose memory is one running sum. The code is the same. `expansion` makes
the relation wider than the residual stream (the authors' language models have 4), and the memory with it.

Reference: Cui et al. 2024, arXiv 2406.16168, section 3; github.com/kerner-lab/causal-relation-networks. Differs in: no
array of all pairs (`ops/README.md`); future pairs are masked after the activation too, where the code masks before it
only; where rows are rescaled, all heads share one factor, where the code divides each by its own largest entry.
"""

from typing import cast

import torch
from torch import Tensor, nn

from crn_lib.models.block import COUNTER, NUMBER, Block, BlockState, init_linear, kind, residual_std
from crn_lib.models.config import ModelConfig
from crn_lib.ops import factorises, relation
from crn_lib.ops.backends import float64_missing
from crn_lib.ops.normalise import layer_norm, normalise_heads
from crn_lib.ops.pool import Pool, RunningSum, pool_step, running_step
from crn_lib.ops.window import pool_of, window_relation

FEW_SEQUENCES = 8
"""Up to so many, a compiled step may read the weights again for each; with more, matrix products are faster."""


@kind("causal_rn", "linear_rn")
class RelationBlock(Block):
    """Receivers and senders from the same input, their relation, a readout, a residual connection.

    Letters: `receiver` is the paper's W1 (with bias), `sender` its W2 (without), `readout` its W3 (with bias).
    """

    windowed = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.receiver = nn.Linear(config.width, config.inner_width)
        self.sender = nn.Linear(config.width, config.inner_width, bias=False)
        self.readout = nn.Linear(config.inner_width, config.width)
        self.inner_width, self.blocks, self.heads = config.inner_width, config.blocks, config.heads
        self.norm, self.activation = str(config.norm), str(config.activation)
        self.post_norm = config.post_norm
        self.window = config.first_window
        self.running = factorises(self.norm, self.activation) and self.window is None
        """Whether one running sum is all that must be kept: it cannot let go of a sender that leaves a window."""
        self.backend = "auto"
        """Passed on to `relation`; `naive` runs the whole model on the definition."""

    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        a, b = self._pair(x)
        if state is not None:
            self._remember(b, cast(Pool | RunningSum, state), lengths)
        return x + self._read(self.mix(a, b))

    def mix(self, a: Tensor, b: Tensor) -> Tensor:
        """The relation of receivers and senders, `(batch, length, inner width)` in and out."""
        if self.window is not None:
            return window_relation(
                a,
                b,
                window=self.window,
                norm=self.norm,
                activation=self.activation,
                heads=self.heads,
                rescale=self.post_norm,
            )
        return relation(
            a,
            b,
            norm=self.norm,
            activation=self.activation,
            heads=self.heads,
            backend=self.backend,
            rescale=self.post_norm,
        )

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> Pool | RunningSum:
        if not self.running:
            return pool_of(batch, self.inner_width, self.window, device=device, dtype=dtype)
        if lacking := float64_missing(device, self.norm, self.activation, self.inner_width // self.heads):
            raise ValueError(lacking)
        # Senders that nothing scales can be large, and a large logarithm needs the digits of float64.
        wide = dtype if self.norm == "approx" else torch.float64
        return RunningSum(batch, self.inner_width, device=device, dtype=wide)

    def predicted_bytes(self, rows: int) -> int:
        if not self.running:
            rows = rows if self.window is None else self.window
            return rows * self.inner_width * NUMBER + COUNTER
        return self.inner_width * (NUMBER if self.norm == "approx" else 2 * NUMBER) + COUNTER

    def step(self, x: Tensor, state: BlockState) -> Tensor:
        if isinstance(state, Pool) and self._is_compiled(x, state):
            from crn_lib.ops.cpu.decoding import block_step

            weights = (
                self.receiver.weight,
                self.receiver.bias,
                self.sender.weight,
                self.readout.weight,
                self.readout.bias,
            )
            state.lengthen()
            return block_step(x, weights, state.buffer, state.lengths, self.heads, self.post_norm)
        a, b = self._pair(x)
        if isinstance(state, RunningSum):
            out = running_step(a, b, state, norm=self.norm, heads=self.heads, rescale=self.post_norm)
        else:
            out = pool_step(
                a,
                b,
                cast(Pool, state),
                norm=self.norm,
                activation=self.activation,
                heads=self.heads,
                rescale=self.post_norm,
            )
        return x + self._read(out)

    def reset_parameters(self, generator: torch.Generator) -> None:
        init_linear(self.receiver, generator)
        init_linear(self.sender, generator)
        init_linear(self.readout, generator, residual_std(self.blocks, branches=1))

    def _is_compiled(self, x: Tensor, pool: Pool) -> bool:
        """Whether the whole step is one compiled call: for a few sequences, where nobody looks into the block."""
        layers = (self.receiver, self.sender, self.readout)
        return (
            len(x) <= FEW_SEQUENCES
            and self.backend == "auto"
            and x.dtype == self.receiver.weight.dtype
            and not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
            and pool.has_kernel(x, self.norm, self.activation, self.heads)
        )

    def _pair(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Receivers and senders, `(..., inner width)`; those of 16 bits, as under autocast, widened to float32.

        The relation and its steps would widen them too, yet round their result, up to `exp(sqrt(width))`, before the
        LayerNorm, and float16 ends at 65,504.
        """
        normalised = layer_norm(x)
        a, b = self.receiver(normalised), self.sender(normalised)
        return (a.float(), b.float()) if a.dtype.itemsize < 4 else (a, b)

    def _remember(self, b: Tensor, state: Pool | RunningSum, lengths: Tensor | None) -> None:
        if lengths is None:
            lengths = torch.full((b.shape[0],), b.shape[1], device=b.device)
        if isinstance(state, RunningSum):
            b = normalise_heads(b.to(state.log_sum.dtype), self.heads, self.norm)
        state.fill(b, lengths)

    def _read(self, out: Tensor) -> Tensor:
        if self.post_norm:
            out = layer_norm(out)
        read: Tensor = self.readout(out.to(self.readout.weight.dtype))
        return read
