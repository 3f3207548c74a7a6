"""The loops of `selective_scan`, compiled by Numba and cached on disk.

The innermost loop runs over the channels, which are many and contiguous, and not over the few states; `decay` and
the hidden state are therefore laid out `(N, E)` here.
"""

from typing import Any

import numpy as np
from numba import njit

from crn_lib.ops import compiled
from crn_lib.ops.compiled import SCAN_OPTIONS, exponential
from crn_lib.ops.kernel_cache import unchanged

INLINED = (compiled,)
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
