"""The selective scan on a CPU: its loops, compiled by Numba and cached on disk.

The innermost loop runs over the channels, which are many and contiguous, and not over the few states; `decay` and
the hidden state are therefore laid out `(N, E)` here.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from crn_lib.ops.cpu import scalar_math
from crn_lib.ops.cpu.kernel_cache import unchanged
from crn_lib.ops.cpu.scalar_math import SCAN_OPTIONS, exponential
from crn_lib.ops.cpu.threads import run_shares

INLINED = (scalar_math,)
STAMP = "9ddbe505"
KERNEL_OPTIONS: dict[str, Any] = {**SCAN_OPTIONS, "cache": unchanged(STAMP, *INLINED)}


@njit(**KERNEL_OPTIONS)
def advance(delta: Any, u: Any, decay: Any, into: Any, h: Any) -> None:
    """`h = exp(delta * decay) * h + delta * u * into` for one position, `(N, E)`."""
    for k in range(decay.shape[0]):
        weight, row, rates = into[k], h[k], decay[k]
        for e in range(row.size):
            row[e] = exponential(delta[e] * rates[e]) * row[e] + delta[e] * u[e] * weight


@njit(**KERNEL_OPTIONS)
def scan_forward_kernel(
    share: int, shares: int, u: Any, delta: Any, decay: Any, into: Any, out_of: Any, y: Any, hidden: Any
) -> None:
    """`y` `(batch, length, E)` and the last `hidden` `(batch, N, E)`, for every `shares`-th sequence."""
    batch, length, channels = u.shape
    for n in range(share, batch, shares):
        h = np.zeros(decay.shape, u.dtype)
        for t in range(length):
            advance(delta[n, t], u[n, t], decay, into[n, t], h)
            total = np.zeros(channels, u.dtype)
            for k in range(decay.shape[0]):
                weight, row = out_of[n, t, k], h[k]
                for e in range(channels):
                    total[e] += row[e] * weight
            y[n, t] = total
        hidden[n] = h


@njit(**KERNEL_OPTIONS)
def retreat(
    delta: Any,
    pushed: Any,
    decay: Any,
    push: Any,
    pull: Any,
    before: Any,
    after: Any,
    d_y: Any,
    d_h: Any,
    d_pushed: Any,
    d_delta: Any,
    d_decay: Any,
) -> Any:
    """Undo one state's part of one position; every argument is `(E,)` but the scalars `push` (B) and `pull` (C).

    `pushed` is `delta * u`. `d_h` comes in as the gradient of the state after the position and leaves as that of the
    state before; `d_pushed`, `d_delta` and `d_decay` are added to; the gradients of `push` and `pull` are returned.
    Each loop writes one array only, since LLVM does not vectorise a loop over many arrays that might overlap.
    """
    d_push, d_pull = delta.dtype.type(0), delta.dtype.type(0)
    for e in range(delta.size):
        d_h[e] += d_y[e] * pull
        d_push += d_h[e] * pushed[e]
        d_pull += d_y[e] * after[e]
    for e in range(delta.size):
        d_pushed[e] += d_h[e] * push
    for e in range(delta.size):
        d_h[e] *= exponential(delta[e] * decay[e])
    for e in range(delta.size):
        d_delta[e] += d_h[e] * before[e] * decay[e]
    for e in range(delta.size):
        d_decay[e] += d_h[e] * before[e] * delta[e]
    return d_push, d_pull


@njit(**KERNEL_OPTIONS)
def scan_backward_kernel(
    share: int,
    shares: int,
    u: Any,
    delta: Any,
    decay: Any,
    into: Any,
    out_of: Any,
    d_y: Any,
    d_u: Any,
    d_delta: Any,
    d_decay: Any,
    d_into: Any,
    d_out_of: Any,
) -> None:
    """All gradients, for every `shares`-th sequence; `d_decay` is `(shares, N, E)`, one part a share.

    A sequence's states are made again into one scratch array and then walked backwards.
    """
    batch, length, channels = u.shape
    h = np.zeros((length + 1, *decay.shape), u.dtype)
    for n in range(share, batch, shares):
        for t in range(length):
            h[t + 1] = h[t]
            advance(delta[n, t], u[n, t], decay, into[n, t], h[t + 1])
        d_h = np.zeros(decay.shape, u.dtype)
        d_delta[n] = u.dtype.type(0)
        for t in range(length - 1, -1, -1):
            pushed = delta[n, t] * u[n, t]
            d_pushed = np.zeros(channels, u.dtype)
            for k in range(decay.shape[0]):
                d_into[n, t, k], d_out_of[n, t, k] = retreat(
                    delta[n, t],
                    pushed,
                    decay[k],
                    into[n, t, k],
                    out_of[n, t, k],
                    h[t, k],
                    h[t + 1, k],
                    d_y[n, t],
                    d_h[k],
                    d_pushed,
                    d_delta[n, t],
                    d_decay[share, k],
                )
            for e in range(channels):
                d_u[n, t, e] = d_pushed[e] * delta[n, t, e]
                d_delta[n, t, e] += d_pushed[e] * u[n, t, e]


class CompiledSelectiveScan(torch.autograd.Function):
    """`selective_scan_reference` on the CPU. Saved for backward: the inputs only; the states are made again."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, delta: Tensor, decay: Tensor, into: Tensor, out_of: Tensor
    ) -> tuple[Tensor, Tensor]:
        inputs = [x.detach().contiguous() for x in (u, delta, decay.T, into, out_of)]
        y = np.empty(u.shape, inputs[0].numpy().dtype)
        hidden = np.empty((u.shape[0], *inputs[2].shape), y.dtype)
        run_shares(scan_forward_kernel, torch.get_num_threads(), *(x.numpy() for x in inputs), y, hidden)
        ctx.save_for_backward(*inputs)
        last = torch.from_numpy(hidden).transpose(1, 2)
        ctx.mark_non_differentiable(last)
        return torch.from_numpy(y), last

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_y: Tensor, _: Tensor) -> tuple[Tensor, ...]:
        inputs = [x.numpy() for x in ctx.saved_tensors]
        u, delta, decay, into, out_of = inputs
        shares = torch.get_num_threads()
        d_decay = np.zeros((shares, *decay.shape), decay.dtype)
        d_u, d_delta, d_into, d_out_of = (np.empty_like(x) for x in (u, delta, into, out_of))
        gradient = d_y.contiguous().numpy()
        run_shares(scan_backward_kernel, shares, *inputs, gradient, d_u, d_delta, d_decay, d_into, d_out_of)
        return tuple(torch.from_numpy(x) for x in (d_u, d_delta, d_decay.sum(0).T, d_into, d_out_of))
