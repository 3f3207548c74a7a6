"""The loops of `fused_cpu`, compiled by Numba and cached on disk.

LLVM vectorises every inner loop over the (contiguous) width. `exp` is written out, since a call to libm
would not vectorise: `2**n` for the rounded part goes straight into the exponent bits, a polynomial does the rest.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

ACTIVATION_CODES = {"exp": 0, "relu": 1, "squared_relu": 2, "gelu": 3, "elu": 4, "softplus": 5, "identity": 6}
EXP, RELU, SQUARED_RELU, GELU, ELU, SOFTPLUS, IDENTITY = ACTIVATION_CODES.values()

# Reassociation lets LLVM vectorise sums; inside the exponential it would undo the split of ln 2.
SUMS_REORDERED = {"reassoc", "contract", "nnan", "ninf", "nsz", "arcp"}
EXACT_ORDER = {"contract", "nnan", "ninf", "nsz"}
KERNEL_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "fastmath": SUMS_REORDERED,
    "error_model": "numpy",
}

VECTOR_BLOCK = 64
"""Elements that one turn of a vectorised loop handles at most.

An array that such a loop sums and writes must not start closer than this behind one it reads: LLVM then takes the
scalar loop, which sums in another order, and where malloc put a short row would decide the last digit.
"""


ROWS_AT_ONCE = 8
"""Receivers that are taken together through all their senders, so that a sender and its gradient are read from the
first cache for all but one of them."""


@intrinsic
def round_even(context: Any, x: Any) -> Any:
    """Round to the nearest integer, as a float; one vector instruction (`llvm.rint`)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.rint", [arguments[0].type])
        return builder.call(function, arguments)

    return x(x), generate


@intrinsic
def power_of_two(context: Any, n: Any) -> Any:
    """`2**n` for an integer-valued float32 `n` in the normal range, by building its exponent bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(32)
        exponent = builder.add(builder.fptosi(arguments[0], integer), ir.Constant(integer, 127))
        return builder.bitcast(builder.shl(exponent, ir.Constant(integer, 23)), arguments[0].type)

    return n(n), generate


def exponential(x: Any) -> Any:
    """`exp(x)`; float32 to about two units in the last place, clamped to the normal range."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(exponential, jit_options={"fastmath": EXACT_ORDER})
def _exponential(x: Any) -> Any:
    if x != types.float32:

        def double(x: Any) -> Any:
            return math.exp(x)

        return double
    ln2_high, ln2_low = np.float32(0.693359375), np.float32(-2.12194440e-4)  # their sum is ln 2
    log2_e, lowest, highest = np.float32(1.4426950408889634), np.float32(-87.0), np.float32(88.0)
    c0, c1, c2, c3, c4, c5, c6 = (np.float32(1 / math.factorial(k)) for k in range(7))

    def single(x: Any) -> Any:
        x = min(max(x, lowest), highest)
        n = round_even(x * log2_e)
        f = (x - n * ln2_high) - n * ln2_low
        polynomial = (((((c6 * f + c5) * f + c4) * f + c3) * f + c2) * f + c1) * f + c0
        return polynomial * power_of_two(n)

    return single


@intrinsic
def scaled_by_power_of_two(context: Any, x: Any, n: Any) -> Any:
    """`x * 2**n` for a normal float32 `x` and an integer-valued `n` that leaves it normal, on the exponent bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(32)
        shift = builder.shl(builder.fptosi(arguments[1], integer), ir.Constant(integer, 23))
        bits = builder.add(builder.bitcast(arguments[0], integer), shift)
        return builder.bitcast(bits, arguments[0].type)

    return x(x, n), generate


def bounded_exponential(x: Any) -> Any:
    """`exp(x)` for |x| < 80, as every normalised pre-activation is up to width 6,400; nothing is clamped."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(bounded_exponential, jit_options={"fastmath": EXACT_ORDER})
def _bounded_exponential(x: Any) -> Any:
    if x != types.float32:

        def double(x: Any) -> Any:
            return math.exp(x)

        return double
    log2_e = np.float32(1 / math.log(2))
    c0, c1, c2, c3, c4, c5, c6 = (np.float32(math.log(2) ** k / math.factorial(k)) for k in range(7))

    def single(x: Any) -> Any:
        n = round_even(x * log2_e)
        f = x * log2_e - n
        polynomial = (((((c6 * f + c5) * f + c4) * f + c3) * f + c2) * f + c1) * f + c0
        return scaled_by_power_of_two(polynomial, n)

    return single


@njit(**KERNEL_OPTIONS)
def exponential_kernel(share: int, shares: int, rows: Any, out: Any, repeats: int) -> None:
    """`out = exp(rows)` again and again, one row a share: what `crn bench` takes for this machine's limit."""
    for _ in range(repeats):
        for d in range(rows.shape[1]):
            out[share, d] = bounded_exponential(rows[share, d])


def error_function(x: Any) -> Any:
    """`erf(x)`; float32 to 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(error_function, jit_options={"fastmath": EXACT_ORDER})
def _error_function(x: Any) -> Any:
    if x != types.float32:

        def double(x: Any) -> Any:
            return math.erf(x)

        return double
    p, one = np.float32(0.3275911), np.float32(1.0)
    coefficients = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    a1, a2, a3, a4, a5 = (np.float32(c) for c in coefficients)

    def single(x: Any) -> Any:
        size = abs(x)
        t = one / (one + p * size)
        tail = ((((a5 * t + a4) * t + a3) * t + a2) * t + a1) * t * exponential(-size * size)
        return math.copysign(one - tail, x)

    return single


@njit(nogil=True, cache=True, fastmath=EXACT_ORDER)
def centred_sum(receiver: Any, sender: Any, mean: Any) -> Any:
    """`(receiver + sender) - mean`, in this order: where the first two nearly cancel, their sum is exact."""
    return (receiver + sender) - mean


@njit(inline="always")
def add_pair(receiver: Any, sender: Any, mean: Any, z: Any) -> Any:
    """`z = receiver + sender - mean`, arrays of shape `(width,)`; returns the sum of its squares."""
    squares = z.dtype.type(0)
    for d in range(z.size):
        z[d] = centred_sum(receiver[d], sender[d], mean)
        squares += z[d] * z[d]
    return squares


@njit(inline="always")
def add_activation(z: Any, scale: Any, code: int, total: Any) -> None:
    """`total += f(scale * z)`, arrays of shape `(width,)`."""
    zero, one, half = z.dtype.type(0), z.dtype.type(1), z.dtype.type(0.5)
    root = z.dtype.type(math.sqrt(0.5))
    if code == EXP:
        for d in range(total.size):
            total[d] += bounded_exponential(scale * z[d])
    elif code == RELU:
        for d in range(total.size):
            total[d] += max(scale * z[d], zero)
    elif code == SQUARED_RELU:
        for d in range(total.size):
            u = max(scale * z[d], zero)
            total[d] += u * u
    elif code == GELU:
        for d in range(total.size):
            u = scale * z[d]
            total[d] += half * u * (one + error_function(u * root))
    elif code == ELU:
        for d in range(total.size):
            u = scale * z[d]
            total[d] += max(u, zero) + exponential(min(u, zero)) - one
    elif code == SOFTPLUS:
        for d in range(total.size):
            u = scale * z[d]
            total[d] += max(u, zero) + math.log1p(exponential(-abs(u)))
    else:
        for d in range(total.size):
            total[d] += scale * z[d]


@njit(inline="always")
def weigh_slope(z: Any, upstream: Any, scale: Any, code: int, weighed: Any) -> Any:
    """`weighed = upstream * f'(u)` with `u = scale * z`; returns `sum(weighed * u)`."""
    zero, one, half = z.dtype.type(0), z.dtype.type(1), z.dtype.type(0.5)
    root, density = z.dtype.type(math.sqrt(0.5)), z.dtype.type(1 / math.sqrt(2 * math.pi))
    dot = zero
    if code == EXP:
        for d in range(weighed.size):
            u = scale * z[d]
            weighed[d] = upstream[d] * bounded_exponential(u)
            dot += weighed[d] * u
    elif code == RELU:
        for d in range(weighed.size):
            u = scale * z[d]
            weighed[d] = upstream[d] if u > zero else zero
            dot += weighed[d] * u
    elif code == SQUARED_RELU:
        for d in range(weighed.size):
            u = scale * z[d]
            weighed[d] = upstream[d] * (max(u, zero) + max(u, zero))
            dot += weighed[d] * u
    elif code == GELU:
        for d in range(weighed.size):
            u = scale * z[d]
            slope = half * (one + error_function(u * root)) + u * density * exponential(-half * u * u)
            weighed[d] = upstream[d] * slope
            dot += weighed[d] * u
    elif code == ELU:
        for d in range(weighed.size):
            u = scale * z[d]
            weighed[d] = upstream[d] * exponential(min(u, zero))
            dot += weighed[d] * u
    elif code == SOFTPLUS:
        for d in range(weighed.size):
            u = scale * z[d]
            weighed[d] = upstream[d] / (one + exponential(-u))
            dot += weighed[d] * u
    else:
        for d in range(weighed.size):
            u = scale * z[d]
            weighed[d] = upstream[d]
            dot += weighed[d] * u
    return dot


@njit(**KERNEL_OPTIONS)
def forward_kernel(
    share: int,
    shares: int,
    receivers: Any,
    senders: Any,
    receiver_means: Any,
    sender_means: Any,
    weights: Any,
    out: Any,
    code: int,
    normalised: bool,
    causal: bool,
    epsilon: Any,
) -> None:
    """`out[n, i] = weights[i] * sum_j f(...)` for every `shares`-th block of rows.

    Arrays are `(sequences, length, width)`; the means, `(sequences, length)` in float64, are those over the width, and
    zero where nothing is normalised.
    """
    sequences, length, width = receivers.shape
    one = receivers.dtype.type(1)
    blocks = (length + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE
    scratch = np.empty((ROWS_AT_ONCE + 1, VECTOR_BLOCK + width), receivers.dtype)[:, VECTOR_BLOCK:]
    z, totals = scratch[0], scratch[1:]
    for task in range(share, sequences * blocks, shares):
        n, first = task // blocks, task % blocks * ROWS_AT_ONCE
        rows = min(ROWS_AT_ONCE, length - first)
        totals[:] = receivers.dtype.type(0)
        for j in range(first + rows if causal else length):
            for row in range(max(0, j - first) if causal else 0, rows):
                i = first + row
                mean = receivers.dtype.type(receiver_means[n, i] + sender_means[n, j])
                squares = add_pair(receivers[n, i], senders[n, j], mean, z)
                scale = one / math.sqrt(squares / receivers.dtype.type(width) + epsilon) if normalised else one
                add_activation(z, scale, code, totals[row])
        for row in range(rows):
            for d in range(width):
                out[n, first + row, d] = totals[row, d] * weights[first + row]


@njit(**KERNEL_OPTIONS)
def backward_kernel(
    share: int,
    shares: int,
    receivers: Any,
    senders: Any,
    receiver_means: Any,
    sender_means: Any,
    weights: Any,
    upstream: Any,
    d_receivers: Any,
    d_senders: Any,
    code: int,
    normalised: bool,
    causal: bool,
    epsilon: Any,
) -> None:
    """Gradients by receiver and, before its rows are centred, by sender.

    `d_senders` is `(parts, sequences, length, width)` and zero on entry; part `p` takes row blocks
    `p, p + parts, ...`.
    """
    sequences, length, width = receivers.shape
    parts = d_senders.shape[0]
    zero, one = receivers.dtype.type(0), receivers.dtype.type(1)
    scratch = np.empty((ROWS_AT_ONCE + 2, VECTOR_BLOCK + width), receivers.dtype)[:, VECTOR_BLOCK:]
    z, weighed, d_rows = scratch[0], scratch[1], scratch[2:]
    for task in range(share, sequences * parts, shares):
        n, part = task // parts, task % parts
        for first in range(part * ROWS_AT_ONCE, length, parts * ROWS_AT_ONCE):
            rows = min(ROWS_AT_ONCE, length - first)
            d_rows[:] = zero
            for j in range(first + rows if causal else length):
                sender, d_sender = senders[n, j], d_senders[part, n, j]
                for row in range(max(0, j - first) if causal else 0, rows):
                    i, d_receiver = first + row, d_rows[row]
                    mean = receivers.dtype.type(receiver_means[n, i] + sender_means[n, j])
                    squares = add_pair(receivers[n, i], sender, mean, z)
                    scale = one / math.sqrt(squares / receivers.dtype.type(width) + epsilon) if normalised else one
                    dot = weigh_slope(z, upstream[n, i], scale, code, weighed)
                    pull = scale * dot / receivers.dtype.type(width) if normalised else zero
                    share_of_mean = scale * weights[i]
                    for d in range(width):
                        change = share_of_mean * (weighed[d] - pull * z[d])
                        d_receiver[d] += change
                        d_sender[d] += change
            for row in range(rows):
                total = zero
                if normalised:
                    for d in range(width):
                        total += d_rows[row, d]
                for d in range(width):
                    d_receivers[n, first + row, d] = d_rows[row, d] - total / receivers.dtype.type(width)
