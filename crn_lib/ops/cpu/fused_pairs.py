"""Loops of the fused CPU kernels that take one receiver against a tile of senders, from the rows as they are.

They keep every digit: two rows are added first and centred then, so where they nearly cancel their sum is exact.
A tile goes through phases: the scales of all its pairs first, then the exponentials, then (backward) the gradients. So
no pair waits for the sum of the one before it.
"""

from typing import Any

import numpy as np
from numba import njit

from crn_lib.ops.cpu.kernel_cache import HELPER
from crn_lib.ops.cpu.simd import fma, lanes, load, splat, store
from crn_lib.ops.cpu.simd_sums import total
from crn_lib.ops.cpu.vector_math import activate, slope


@njit(**HELPER)
def add_square(a: Any, sender: Any, d: int, shift: Any, squares: Any) -> Any:
    """`squares + (a + b + shift)**2`: the two rows first, since where they nearly cancel their sum is exact."""
    z = (a + load(sender, d)) + splat(shift)
    return fma(z, z, squares)


@njit(**HELPER)
def pair_scales(
    receiver: Any,
    senders: Any,
    receiver_mean: float,
    sender_means: Any,
    width: Any,
    normalised: bool,
    unit: Any,
    epsilon: Any,
    scales: Any,
    shifts: Any,
) -> None:
    """`scales[k]` and `shifts[k]` so that the pre-activation of sender `k`, `unit * LN(a + b_k)`, is
    `scale * ((a + b_k) + shift)`.

    In this order: where the two rows nearly cancel their sum is exact, and where all of them are equal, what is left
    after the shift is exactly 0, however large the scale.
    """
    if not normalised:
        scales[: len(senders)] = unit
        shifts[: len(senders)] = receiver.dtype.type(0)
        return
    for k in range(len(senders)):
        shifts[k] = -receiver.dtype.type(receiver_mean + sender_means[k])
    fours = len(senders) // 4 * 4
    for k in range(0, fours, 4):
        s0 = s1 = s2 = s3 = splat(receiver.dtype.type(0))
        for d in range(0, receiver.size, lanes(receiver)):
            a = load(receiver, d)
            s0 = add_square(a, senders[k], d, shifts[k], s0)
            s1 = add_square(a, senders[k + 1], d, shifts[k + 1], s1)
            s2 = add_square(a, senders[k + 2], d, shifts[k + 2], s2)
            s3 = add_square(a, senders[k + 3], d, shifts[k + 3], s3)
        scales[k], scales[k + 1], scales[k + 2], scales[k + 3] = total(s0), total(s1), total(s2), total(s3)
    for k in range(fours, len(senders)):
        squares = splat(receiver.dtype.type(0))
        for d in range(0, receiver.size, lanes(receiver)):
            squares = add_square(load(receiver, d), senders[k], d, shifts[k], squares)
        scales[k] = total(squares)
    for k in range(len(senders)):
        scales[k] = unit / np.sqrt(scales[k] / width + epsilon)


@njit(**HELPER)
def add_activations(receiver: Any, senders: Any, scales: Any, shifts: Any, code: int | None, totals: Any) -> None:
    """`totals += f(pre-activation)` of every sender, `(width,)`."""
    for d in range(0, receiver.size, lanes(receiver)):
        a, summed = load(receiver, d), load(totals, d)
        for k in range(len(senders)):
            u = splat(scales[k]) * ((a + load(senders[k], d)) + splat(shifts[k]))
            summed = summed + activate(u, code)
        store(totals, d, summed)


@njit(**HELPER)
def weigh_slopes(
    receiver: Any, senders: Any, upstream: Any, scales: Any, shifts: Any, code: int | None, weighed: Any, dots: Any
) -> None:
    """`weighed[k] = upstream * f'(u_k)` and `dots[k] = sum(weighed[k] * u_k)`."""
    for k in range(len(senders)):
        sender, row, scale, shift = senders[k], weighed[k], splat(scales[k]), splat(shifts[k])
        dot = splat(receiver.dtype.type(0))
        for d in range(0, receiver.size, lanes(receiver)):
            u = scale * ((load(receiver, d) + load(sender, d)) + shift)
            q = load(upstream, d) * slope(u, code)
            dot = fma(q, u, dot)
            store(row, d, q)
        dots[k] = total(dot)


@njit(**HELPER)
def pair_change(a: Any, sender: Any, weighed: Any, factors: Any, d: int, d_sender: Any) -> Any:
    """`gain * weighed + scale * (a + b + shift)` of one pair, returned and added to its sender's row."""
    gain, scale, shift = factors
    change = fma(gain, load(weighed, d), scale * ((a + load(sender, d)) + shift))
    store(d_sender, d, load(d_sender, d) + change)
    return change


@njit(**HELPER)
def splat_factors(factors: Any, k: int) -> Any:
    """A pair's gain, scale and shift as vectors: loaded before the loop, whose stores might change them for all LLVM
    knows."""
    return splat(factors[0, k]), splat(factors[1, k]), splat(factors[2, k])


@njit(**HELPER)
def add_gradients(receiver: Any, senders: Any, weighed: Any, factors: Any, d_receiver: Any, d_senders: Any) -> None:
    """What every pair changes, added to both its rows; `factors` is `(gain | scale | shift, tile)`.

    Four pairs at once, so that the receiver's rows are loaded and stored for one of them only.
    """
    fours = len(senders) // 4 * 4
    for k in range(0, fours, 4):
        f0, f1, f2, f3 = (
            splat_factors(factors, k),
            splat_factors(factors, k + 1),
            splat_factors(factors, k + 2),
            splat_factors(factors, k + 3),
        )
        for d in range(0, receiver.size, lanes(receiver)):
            a = load(receiver, d)
            c0 = pair_change(a, senders[k], weighed[k], f0, d, d_senders[k])
            c1 = pair_change(a, senders[k + 1], weighed[k + 1], f1, d, d_senders[k + 1])
            c2 = pair_change(a, senders[k + 2], weighed[k + 2], f2, d, d_senders[k + 2])
            c3 = pair_change(a, senders[k + 3], weighed[k + 3], f3, d, d_senders[k + 3])
            store(d_receiver, d, load(d_receiver, d) + ((c0 + c1) + (c2 + c3)))
    for k in range(fours, len(senders)):
        f0 = splat_factors(factors, k)
        for d in range(0, receiver.size, lanes(receiver)):
            change = pair_change(load(receiver, d), senders[k], weighed[k], f0, d, d_senders[k])
            store(d_receiver, d, load(d_receiver, d) + change)
