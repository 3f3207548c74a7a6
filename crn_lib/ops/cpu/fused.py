"""The exact relation on a CPU: one pass over the causal pairs, forward and backward, in Numba.

Per pair `(i, j)` and head, with `z = a_i + b_j - mean(a_i) - mean(b_j)`:

    u = s_ij * z,   s_ij = 1 / sqrt(mean(z**2) + epsilon),   out_i += f(u)
    dz = s_ij * (q - u * mean(q * u)),   q = g_i * f'(u)      then centre dA and dB over the width

`rms` is the same with nothing centred, `unit` is `rms` with sums in place of the means, and `none` has `u = a_i + b_j`.
Nothing of size `length**2` is ever stored: `u` is made again in the backward pass. With `A` and `B` the centred rows,
`mean(z**2) = (|A_i|^2 + |B_j|^2 + 2<A_i, B_j>) / width` is a small matrix product, except where `B_j` nearly cancels
`A_i`: trained copiers retrieve there, and there the expansion loses its digits. Such pairs are summed from `z` itself.

The kernels run on `kernel_threads()` threads (see `threads.py`).
"""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crn_lib.ops.cpu.fused_kernels import ROWS_AT_ONCE, backward_kernel, centre_kernel, forward_kernel
from crn_lib.ops.cpu.simd import BYTES
from crn_lib.ops.cpu.threads import kernel_threads, run_tasks
from crn_lib.ops.cpu.vector_math import ACTIVATION_CODES
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.normalise import EPSILON, PAIR_NORMS, merge_heads, normalise_heads, split_heads
from crn_lib.ops.second_order import gradients_with_graph

FUSED_ACTIVATIONS = tuple(ACTIVATION_CODES)

ALONE = 200_000
"""Numbers that one thread centres before the others would have woken up."""

FEW = 2_000_000
"""Elements of pairs that one thread takes in a millisecond, or little more: a second one gains nothing worth naming
there, and where other programs run, the wait for its last task can cost several times as much."""

TASKS = 8
"""Parts of a backward pass at least, so that threads that are halted now and then still share it evenly."""


def _padded(rows: Tensor, fill: Tensor | None = None) -> np.ndarray:
    """The rows, filled up to whole vectors with zeros or with a number a row, `(sequences, length)`."""
    missing = -rows.shape[-1] % (BYTES // rows.element_size())
    if missing:
        behind = rows.new_zeros(()) if fill is None else fill.to(rows.dtype)[..., None]
        rows = torch.cat([rows, behind.expand(*rows.shape[:-1], missing)], dim=-1)
    return rows.numpy()


def _threads(sequences: int, length: int, width: int) -> int:
    """How many to compute on; no result depends on it."""
    return 1 if sequences * length * (length + 1) // 2 * width < FEW else kernel_threads()


Prepared = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Padded rows of every head, the same centred over the width, their means in float64, and `|centred|^2`."""


def _prepared(a: Tensor, b: Tensor, heads: int, norm: str) -> tuple[Prepared, Prepared]:
    """Receivers and senders as the kernels take them.

    The rows' padding repeats the mean, so that what the kernel adds up there for the variance is nothing. Where nothing
    is centred the means are zeros and `centred` holds the rows as they are. Where nothing is normalised `centred` and
    the squares stand for nothing.
    """
    rows = [split_heads(x.detach(), heads).contiguous() for x in (a, b)]
    sequences, length, width = rows[0].shape
    padded = width + -width % (BYTES // a.element_size())
    centred = [torch.empty((sequences, length, padded), dtype=a.dtype) for _ in rows]
    means = [torch.zeros((sequences, length), dtype=torch.float64) for _ in rows]
    squares = [torch.empty((sequences, length), dtype=a.dtype) for _ in rows]
    if norm != "none":
        each = [tuple(x.flatten(0, 1).numpy() for x in (rows[k], centred[k], means[k], squares[k])) for k in range(2)]
        run_tasks(centre_kernel, kernel_threads() if a.numel() > ALONE else 1, *each, norm == "exact")
    first, second = (
        (_padded(rows[k], means[k]), centred[k].numpy(), means[k].numpy(), squares[k].numpy()) for k in range(2)
    )
    return first, second


def _row_weights(length: int, causal: bool, like: Tensor) -> np.ndarray:
    seen = (
        torch.arange(1, length + 1, dtype=torch.float64)
        if causal
        else torch.full((length,), length, dtype=torch.float64)
    )
    return (1.0 / seen).to(like.dtype).numpy()


class FusedRelation(torch.autograd.Function):
    """`exact`, `rms` or `unit` (scale per pair) or `none` (no scale), any activation in `FUSED_ACTIVATIONS`."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, activation: str, norm: str, causal: bool, heads: int) -> Tensor:
        receivers, senders = _prepared(a, b, heads, norm)
        out = torch.empty(receivers[0].shape, dtype=a.dtype)
        width = a.shape[-1] // heads
        averaged = 1 if norm == "unit" else width
        options = (averaged, ACTIVATION_CODES[activation], norm != "none", causal, receivers[0].dtype.type(EPSILON))
        weights = _row_weights(a.shape[1], causal, a)
        run_tasks(forward_kernel, _threads(*out.shape), receivers, senders, weights, out.numpy(), *options)
        ctx.save_for_backward(a, b)
        ctx.definition = partial(naive_relation, norm=norm, activation=activation, causal=causal, heads=heads)
        ctx.weights, ctx.options, ctx.heads, ctx.norm = weights, options, heads, norm
        return merge_heads(out[..., :width], heads)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        a, b = ctx.saved_tensors
        if torch.is_grad_enabled():
            return *gradients_with_graph(ctx.definition, (a, b), gradient), *4 * [None]
        receivers, senders = _prepared(a, b, ctx.heads, ctx.norm)
        upstream = _padded(split_heads(gradient, ctx.heads).contiguous())
        joined, length, padded = receivers[0].shape
        # With few sequences the rows of each are shared out, and every part sums its senders' gradient in a buffer of
        # its own: no write is contended, and the order of sums depends neither on the threads nor on who comes first.
        parts = min(-(-TASKS // joined), -(-length // ROWS_AT_ONCE))
        d_receivers = torch.empty((joined, length, padded), dtype=gradient.dtype)
        d_senders = torch.empty((parts, joined, length, padded), dtype=gradient.dtype)
        pulls = torch.empty((parts, joined, length), dtype=gradient.dtype)
        sums = (d_receivers.numpy(), d_senders.numpy(), pulls.numpy())
        options = *ctx.options, ctx.norm == "exact"
        threads = _threads(joined, length, padded)
        run_tasks(backward_kernel, threads, receivers, senders, ctx.weights, upstream, *sums, *options)
        summed = (d_receivers, d_senders[0] if parts == 1 else torch.from_numpy(d_senders.numpy().sum(0)))
        gradients = [merge_heads(x[..., : a.shape[-1] // ctx.heads], ctx.heads) for x in summed]
        return *gradients, None, None, None, None


def fused_relation(a: Tensor, b: Tensor, *, norm: str, activation: str, causal: bool, heads: int) -> Tensor:
    """The relation, `(batch, length, width)` in and out, on the CPU, in float32 or float64.

    Rows are normalised first, where the norm does that; then it is `none` for the kernels.
    """
    if torch.compiler.is_compiling():
        from crn_lib.ops.graph_break import outside_graph

        options = {"activation": activation, "norm": norm, "causal": causal, "heads": heads}
        whole: Tensor = outside_graph(fused_relation, a, b, **options)
        return whole
    a, b = normalise_heads(a, heads, norm), normalise_heads(b, heads, norm)
    of_sum = norm if PAIR_NORMS[norm].of_sum else "none"
    result: Tensor = FusedRelation.apply(a, b, activation, of_sum, causal, heads)
    return result
