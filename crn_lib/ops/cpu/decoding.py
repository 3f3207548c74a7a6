"""One more token of the exact relation on a CPU, compiled by Numba: its newest row, and a whole block of a CausalRN.

    out = 1/n * sum_{j<n} exp( LN(a + b_j) )                                  `newest_row`
    x + W3 LN(out) + c3,  a = W1 LN(x) + c1,  b_n = W2 LN(x)                  `block_step`

A pair is added before it is centred, so that where the two rows nearly cancel every digit is kept. A call takes the
place of a dozen of torch's, or of some thirty, which cost more than the arithmetic.
"""

import math
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from crn_lib.ops.cpu import scalar_math
from crn_lib.ops.cpu.kernel_cache import HELPER, kernel, unchanged
from crn_lib.ops.cpu.scalar_math import exponential
from crn_lib.ops.cpu.threads import kernel_threads, run_shares
from crn_lib.ops.normalise import EPSILON

INLINED = (scalar_math,)
STAMP = "9ddbe505"
KEPT = unchanged(STAMP, *INLINED)

OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy"}
"""Sums may be reordered. NaN stays NaN: a model that has diverged must not decode as if nothing were wrong."""

ALONE = 200_000
"""Numbers in the pool that one thread sums up before the others would have woken up."""

TILE = 32
"""Senders that are normalised before the exponentials of any of them."""


@njit(fastmath={"nsz"}, **HELPER)  # a set of its own: without one it would take the caller's
def added(x: Any, y: Any) -> Any:
    """`x + y` before anything else is done to the sum: reordered, what is left where they cancel would be lost."""
    return x + y


@njit(**OPTIONS, **HELPER)
def moments(row: Any, shift: Any, epsilon: Any) -> tuple[Any, Any]:
    """The mean of `row + shift`, and the factor that makes its variance 1.

    Nothing is stored here. LLVM compiles a loop that both sums and stores twice, in two orders of summing, and which of
    them runs would hang on where in memory a short result lies: the same numbers could differ in their last digit.
    """
    summed, squared = row.dtype.type(0), row.dtype.type(0)
    for d in range(row.size):
        summed += added(row[d], shift[d])
    mean = summed / row.dtype.type(row.size)
    for d in range(row.size):
        centred = added(row[d], shift[d]) - mean
        squared += centred * centred
    return mean, row.dtype.type(1) / math.sqrt(squared / row.dtype.type(row.size) + epsilon)


@njit(**OPTIONS, **HELPER)
def normalise(row: Any, shift: Any, epsilon: Any, result: Any) -> Any:
    """`result` is `row + shift` less its mean; returned is the factor that makes its variance 1."""
    mean, scale = moments(row, shift, epsilon)
    for d in range(row.size):
        result[d] = added(row[d], shift[d]) - mean
    return scale


@njit(**OPTIONS, **HELPER)
def mean_activation(a: Any, senders: Any, heads: int, epsilon: Any, out: Any) -> None:
    """`out` `(width,)` from one receiver and its senders `(rows, width)`.

    The moments of a tile of senders are taken before the exponentials of any of them, so that none waits for another's
    sums.
    """
    head = a.size // heads
    means, scales = np.empty(TILE, a.dtype), np.empty(TILE, a.dtype)
    part, total = np.empty(head, a.dtype), np.empty(head, np.float64)
    for first in range(0, a.size, head):
        receiver, result = a[first : first + head], out[first : first + head]
        total[:] = 0.0
        for start in range(0, len(senders), TILE):
            rows = min(TILE, len(senders) - start)
            part[:] = 0
            for k in range(rows):
                means[k], scales[k] = moments(senders[start + k, first : first + head], receiver, epsilon)
                if math.isnan(scales[k]):  # which `exponential` does not know
                    part[:] = np.nan
            for k in range(rows):
                row, mean, scale = senders[start + k, first : first + head], means[k], scales[k]
                for d in range(head):
                    part[d] += exponential(scale * (added(row[d], receiver[d]) - mean))
            for d in range(head):
                total[d] += part[d]
        for d in range(head):
            result[d] = total[d] / len(senders)


@njit(**OPTIONS)
def multiply(weight: Any, row: Any, scale: Any, result: Any) -> None:
    """`result = scale * weight @ row`."""
    for k in range(result.size):
        weights, summed = weight[k], row.dtype.type(0)
        for d in range(row.size):
            summed += weights[d] * row[d]
        result[k] = scale * summed


@kernel(KEPT, **OPTIONS)
def newest_row_kernel(
    share: int, shares: int, a: Any, rows: Any, lengths: Any, heads: int, epsilon: Any, out: Any
) -> None:
    """`newest_row` of every `shares`-th sequence."""
    for n in range(share, len(a), shares):
        mean_activation(a[n], rows[n, : lengths[n]], heads, epsilon, out[n])


@kernel(KEPT, **OPTIONS)
def block_step_kernel(
    x: Any,
    receiver: Any,
    receiver_bias: Any,
    sender: Any,
    readout: Any,
    readout_bias: Any,
    rows: Any,
    lengths: Any,
    heads: int,
    post_norm: bool,
    epsilon: Any,
    out: Any,
) -> None:
    """`block_step`."""
    inner, width = receiver.shape
    normalised, read, nothing = np.empty(width, x.dtype), np.empty(width, x.dtype), np.zeros(max(width, inner), x.dtype)
    a, mixed = np.empty(inner, x.dtype), np.empty(inner, x.dtype)
    for n in range(len(x)):
        scale = normalise(x[n], nothing, epsilon, normalised)
        multiply(receiver, normalised, scale, a)
        for k in range(inner):
            a[k] += receiver_bias[k]
        multiply(sender, normalised, scale, rows[n, lengths[n] - 1])
        mean_activation(a, rows[n, : lengths[n]], heads, epsilon, mixed)
        scale = normalise(mixed, nothing, epsilon, mixed) if post_norm else x.dtype.type(1)
        multiply(readout, mixed, scale, read)
        for k in range(width):
            out[n, k] = x[n, k] + (read[k] + readout_bias[k])


def newest_row(a: Tensor, rows: Tensor, lengths: Tensor, heads: int) -> Tensor:
    """The mean over each sequence's first `lengths` senders, `(batch, width)`, without a graph.

    Args:
        a: the newest receivers, `(batch, width)`, float32 or float64.
        rows: senders, `(batch, capacity, width)`, of the same dtype and contiguous; what is behind a sequence's length
            is not read.
        lengths: `(batch,)`, int64.
    """
    receivers, senders = a.contiguous().numpy(), rows.numpy()
    out = np.empty_like(receivers)
    shares = kernel_threads() if rows.numel() > ALONE else 1
    epsilon = out.dtype.type(EPSILON)
    run_shares(newest_row_kernel, shares, receivers, senders, lengths.numpy(), heads, epsilon, out)
    return torch.from_numpy(out)


def block_step(
    x: Tensor, weights: tuple[Tensor, ...], rows: Tensor, lengths: Tensor, heads: int, post_norm: bool
) -> Tensor:
    """A block's output for the newest token, `(batch, width)` in and out, without a graph.

    Args:
        weights: receiver and its bias, sender, readout and its bias, as `nn.Linear` holds them.
        rows, lengths: as for `newest_row`; the last row of each sequence is written here.
        post_norm: whether the relation's row is normalised before the readout.
    """
    inputs = x.contiguous().numpy()
    out = np.empty_like(inputs)
    epsilon = out.dtype.type(EPSILON)
    arrays = (weight.detach().numpy() for weight in weights)
    block_step_kernel(inputs, *arrays, rows.numpy(), lengths.numpy(), heads, post_norm, epsilon, out)
    return torch.from_numpy(out)
