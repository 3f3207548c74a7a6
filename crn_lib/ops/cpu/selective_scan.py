"""The selective scan on a CPU: its loops, compiled by Numba and cached on disk.

The innermost loop runs over the channels, which are many and contiguous, and not over the few states; `A` and
the hidden state are therefore laid out `(N, E)` here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crn_lib.ops.cpu import scalar_math
from crn_lib.ops.cpu.kernel_cache import kernel, unchanged
from crn_lib.ops.cpu.scalar_math import SCAN_OPTIONS, exponential
from crn_lib.ops.cpu.threads import kernel_threads, run_shares
from crn_lib.ops.second_order import gradients_with_graph

INLINED = (scalar_math,)
STAMP = "9ddbe505"
KEPT = unchanged(STAMP, *INLINED)


@kernel(KEPT, **SCAN_OPTIONS)
def advance(delta: Any, u: Any, A: Any, B: Any, h: Any) -> None:
    """`h = exp(delta * A) * h + delta * u * B` for one position, `(N, E)`."""
    for k in range(A.shape[0]):
        weight, row, rates = B[k], h[k], A[k]
        for e in range(row.size):
            row[e] = exponential(delta[e] * rates[e]) * row[e] + delta[e] * u[e] * weight


@kernel(KEPT, **SCAN_OPTIONS)
def scan_forward_kernel(
    share: int, shares: int, u: Any, delta: Any, A: Any, B: Any, C: Any, y: Any, hidden: Any
) -> None:
    """`y` `(batch, length, E)` and the last `hidden` `(batch, N, E)`, for every `shares`-th sequence."""
    batch, length, channels = u.shape
    for n in range(share, batch, shares):
        h = np.zeros(A.shape, u.dtype)
        for t in range(length):
            advance(delta[n, t], u[n, t], A, B[n, t], h)
            total = np.zeros(channels, u.dtype)
            for k in range(A.shape[0]):
                weight, row = C[n, t, k], h[k]
                for e in range(channels):
                    total[e] += row[e] * weight
            y[n, t] = total
        hidden[n] = h


@kernel(KEPT, **SCAN_OPTIONS)
def retreat(
    delta: Any,
    pushed: Any,
    A: Any,
    B: Any,
    C: Any,
    before: Any,
    after: Any,
    d_y: Any,
    d_h: Any,
    d_pushed: Any,
    d_delta: Any,
    d_A: Any,
) -> Any:
    """Undo one state's part of one position; every argument is `(E,)` but the scalars `B` and `C`.

    `pushed` is `delta * u`. `d_h` comes in as the gradient of the state after the position and leaves as that of the
    state before; `d_pushed`, `d_delta` and `d_A` are added to; the gradients of `B` and `C` are returned.
    Each loop writes one array only, since LLVM does not vectorise a loop over many arrays that might overlap.
    """
    d_B, d_C = delta.dtype.type(0), delta.dtype.type(0)
    for e in range(delta.size):
        d_h[e] += d_y[e] * C
        d_B += d_h[e] * pushed[e]
        d_C += d_y[e] * after[e]
    for e in range(delta.size):
        d_pushed[e] += d_h[e] * B
    for e in range(delta.size):
        d_h[e] *= exponential(delta[e] * A[e])
    for e in range(delta.size):
        d_delta[e] += d_h[e] * before[e] * A[e]
    for e in range(delta.size):
        d_A[e] += d_h[e] * before[e] * delta[e]
    return d_B, d_C


@kernel(KEPT, **SCAN_OPTIONS)
def scan_backward_kernel(
    share: int,
    shares: int,
    u: Any,
    delta: Any,
    A: Any,
    B: Any,
    C: Any,
    d_y: Any,
    d_u: Any,
    d_delta: Any,
    d_A: Any,
    d_B: Any,
    d_C: Any,
) -> None:
    """All gradients, for every `shares`-th sequence; `d_A` is `(shares, N, E)`, one part a share.

    A sequence's states are recomputed into one scratch array and then walked backwards.
    """
    batch, length, channels = u.shape
    h = np.zeros((length + 1, *A.shape), u.dtype)
    for n in range(share, batch, shares):
        for t in range(length):
            h[t + 1] = h[t]
            advance(delta[n, t], u[n, t], A, B[n, t], h[t + 1])
        d_h = np.zeros(A.shape, u.dtype)
        d_delta[n] = u.dtype.type(0)
        for t in range(length - 1, -1, -1):
            pushed = delta[n, t] * u[n, t]
            d_pushed = np.zeros(channels, u.dtype)
            for k in range(A.shape[0]):
                d_B[n, t, k], d_C[n, t, k] = retreat(
                    delta[n, t],
                    pushed,
                    A[k],
                    B[n, t, k],
                    C[n, t, k],
                    h[t, k],
                    h[t + 1, k],
                    d_y[n, t],
                    d_h[k],
                    d_pushed,
                    d_delta[n, t],
                    d_A[share, k],
                )
            for e in range(channels):
                d_u[n, t, e] = d_pushed[e] * delta[n, t, e]
                d_delta[n, t, e] += d_pushed[e] * u[n, t, e]


class CompiledSelectiveScan(torch.autograd.Function):
    """`selective_scan_reference`, which it is given, on the CPU. Saved: the inputs only; the states are made again."""

    @staticmethod
    def forward(
        ctx: Any, reference: Callable[..., Any], u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor
    ) -> tuple[Tensor, Tensor]:
        inputs = [x.detach().contiguous() for x in (u, delta, A.T, B, C)]
        y = np.empty(u.shape, inputs[0].numpy().dtype)
        hidden = np.empty((u.shape[0], *inputs[2].shape), y.dtype)
        run_shares(scan_forward_kernel, kernel_threads(), *(x.numpy() for x in inputs), y, hidden)
        ctx.save_for_backward(u, delta, A, B, C)
        ctx.reference = reference
        last = torch.from_numpy(hidden).transpose(1, 2)
        ctx.mark_non_differentiable(last)
        return torch.from_numpy(y), last

    @staticmethod
    def backward(ctx: Any, d_y: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return None, *gradients_with_graph(lambda *x: ctx.reference(*x)[0], ctx.saved_tensors, d_y)
        u, delta, A, B, C = ctx.saved_tensors
        inputs = [x.detach().contiguous().numpy() for x in (u, delta, A.T, B, C)]
        u, delta, A, B, C = inputs
        shares = kernel_threads()
        d_A = np.zeros((shares, *A.shape), A.dtype)
        d_u, d_delta, d_B, d_C = (np.empty_like(x) for x in (u, delta, B, C))
        gradient = d_y.contiguous().numpy()
        run_shares(scan_backward_kernel, shares, *inputs, gradient, d_u, d_delta, d_A, d_B, d_C)
        return None, *(torch.from_numpy(x) for x in (d_u, d_delta, d_A.sum(0).T, d_B, d_C))
