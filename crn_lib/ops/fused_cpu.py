"""The exact relation on a CPU: one pass over the causal pairs, forward and backward, in Numba.

Per pair `(i, j)` and head, with `z = a_i + b_j - mean(a_i) - mean(b_j)`:

    u = s_ij * z,   s_ij = 1 / sqrt(mean(z**2) + epsilon),   out_i += f(u)
    dz = s_ij * (q - u * mean(q * u)),   q = g_i * f'(u)      then centre dA and dB over the width

Nothing of size `length**2` is ever stored: `u` is made again in the backward pass. The variance is summed
from `z` itself instead of from the expanded `|A|^2 + |B|^2 + 2<A, B>`, because trained copiers retrieve where
`B_j` nearly cancels `A_i`, which is exactly where the expansion loses its digits.

The kernels run on `torch.get_num_threads()` threads (see `threads.py`).
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crn_lib.ops.fused_cpu_kernels import ACTIVATION_CODES, backward_kernel, forward_kernel
from crn_lib.ops.normalise import EPSILON
from crn_lib.ops.threads import run_shares

FUSED_ACTIVATIONS = tuple(ACTIVATION_CODES)


def _split_heads(x: Tensor, heads: int) -> np.ndarray:
    """`(batch, length, width)` to a contiguous numpy `(batch * heads, length, width / heads)`."""
    batch, length, width = x.shape
    x = x.detach().reshape(batch, length, heads, width // heads).transpose(1, 2)
    return x.reshape(batch * heads, length, width // heads).contiguous().numpy()


def _merge_heads(x: np.ndarray, heads: int) -> Tensor:
    joined, length, width = x.shape
    merged = torch.from_numpy(x).reshape(joined // heads, heads, length, width).transpose(1, 2)
    return merged.reshape(joined // heads, length, heads * width)


def _means(rows: np.ndarray, normalised: bool) -> np.ndarray:
    """Each row's mean over the width, in float64; zeros where nothing is normalised."""
    if not normalised:
        return np.zeros(rows.shape[:-1])
    return torch.from_numpy(rows).mean(-1, dtype=torch.float64).numpy()


def _row_weights(length: int, causal: bool, dtype: np.dtype) -> np.ndarray:
    seen = np.arange(1, length + 1) if causal else np.full(length, length)
    return (1.0 / seen).astype(dtype)


class FusedRelation(torch.autograd.Function):
    """`exact` (scale per pair) or `none` (no scale), any activation in `FUSED_ACTIVATIONS`."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, activation: str, normalised: bool, causal: bool, heads: int) -> Tensor:
        receivers, senders = _split_heads(a, heads), _split_heads(b, heads)
        out = np.empty_like(receivers)
        rows = _means(receivers, normalised), _means(senders, normalised), _row_weights(a.shape[1], causal, out.dtype)
        options = (ACTIVATION_CODES[activation], normalised, causal, out.dtype.type(EPSILON))
        run_shares(forward_kernel, torch.get_num_threads(), receivers, senders, *rows, out, *options)
        ctx.save_for_backward(a, b)
        ctx.rows, ctx.options, ctx.heads = rows, options, heads
        return _merge_heads(out, heads)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        receivers, senders = (_split_heads(saved, ctx.heads) for saved in ctx.saved_tensors)
        upstream = _split_heads(gradient, ctx.heads)
        joined = len(receivers)
        shares = torch.get_num_threads()
        # With few sequences the rows of each are shared out, and every part sums its senders' gradient in a
        # buffer of its own: no write is contended, and the order of sums depends on the thread count alone.
        parts = 1 if joined >= 4 * shares else shares // math.gcd(joined, shares)
        d_receivers = np.empty_like(receivers)
        d_senders = np.zeros((parts, *senders.shape), senders.dtype)
        run_shares(
            backward_kernel, shares, receivers, senders, *ctx.rows, upstream, d_receivers, d_senders, *ctx.options
        )
        summed = torch.from_numpy(d_senders)
        summed = summed[0] if parts == 1 else summed.sum(0)
        normalised = ctx.options[1]
        if normalised:
            summed -= summed.mean(-1, keepdim=True)
        heads = ctx.heads
        return _merge_heads(d_receivers, heads), _merge_heads(summed.numpy(), heads), None, None, None, None


@torch.compiler.disable
def fused_relation(a: Tensor, b: Tensor, *, activation: str, normalised: bool, causal: bool, heads: int) -> Tensor:
    """The mean over pairs of `f(LN(a_i + b_j))` (`normalised`) or `f(a_i + b_j)`.

    Args:
        a, b: `(batch, length, width)` on the CPU, float32 or float64.
    """
    result: Tensor = FusedRelation.apply(a, b, activation, normalised, causal, heads)
    return result
