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


@njit(inline="always")
def pair_scale(receiver: Any, sender: Any, normalised: bool, epsilon: Any) -> Any:
    """`1 / standard deviation` of the (centred) sum over the width, or 1 where nothing is normalised."""
    one = receiver.dtype.type(1)
    if not normalised:
        return one
    squares = receiver.dtype.type(0)
    for d in range(receiver.size):
        z = receiver[d] + sender[d]
        squares += z * z
    return one / math.sqrt(squares / receiver.dtype.type(receiver.size) + epsilon)


@njit(**KERNEL_OPTIONS)
def add_activation(receiver: Any, sender: Any, scale: Any, code: int, total: Any) -> None:
    """`total += f(scale * (receiver + sender))`, all of shape `(width,)`."""
    zero, one, half = receiver.dtype.type(0), receiver.dtype.type(1), receiver.dtype.type(0.5)
    root = receiver.dtype.type(math.sqrt(0.5))
    if code == EXP:
        for d in range(total.size):
            total[d] += exponential(scale * (receiver[d] + sender[d]))
    elif code == RELU:
        for d in range(total.size):
            total[d] += max(scale * (receiver[d] + sender[d]), zero)
    elif code == SQUARED_RELU:
        for d in range(total.size):
            u = max(scale * (receiver[d] + sender[d]), zero)
            total[d] += u * u
    elif code == GELU:
        for d in range(total.size):
            u = scale * (receiver[d] + sender[d])
            total[d] += half * u * (one + error_function(u * root))
    elif code == ELU:
        for d in range(total.size):
            u = scale * (receiver[d] + sender[d])
            total[d] += max(u, zero) + exponential(min(u, zero)) - one
    elif code == SOFTPLUS:
        for d in range(total.size):
            u = scale * (receiver[d] + sender[d])
            total[d] += max(u, zero) + math.log1p(exponential(-abs(u)))
    else:
        for d in range(total.size):
            total[d] += scale * (receiver[d] + sender[d])


@njit(**KERNEL_OPTIONS)
def weigh_slope(receiver: Any, sender: Any, upstream: Any, scale: Any, code: int, weighed: Any) -> Any:
    """`weighed = upstream * f'(u)` with `u = scale * (receiver + sender)`; returns `sum(weighed * u)`."""
    zero, one, half = receiver.dtype.type(0), receiver.dtype.type(1), receiver.dtype.type(0.5)
    root, density = receiver.dtype.type(math.sqrt(0.5)), receiver.dtype.type(1 / math.sqrt(2 * math.pi))
    dot = zero
    if code == EXP:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            weighed[d] = upstream[d] * exponential(u)
            dot += weighed[d] * u
    elif code == RELU:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            weighed[d] = upstream[d] if u > zero else zero
            dot += weighed[d] * u
    elif code == SQUARED_RELU:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            weighed[d] = upstream[d] * (max(u, zero) + max(u, zero))
            dot += weighed[d] * u
    elif code == GELU:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            slope = half * (one + error_function(u * root)) + u * density * exponential(-half * u * u)
            weighed[d] = upstream[d] * slope
            dot += weighed[d] * u
    elif code == ELU:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            weighed[d] = upstream[d] * exponential(min(u, zero))
            dot += weighed[d] * u
    elif code == SOFTPLUS:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            weighed[d] = upstream[d] / (one + exponential(-u))
            dot += weighed[d] * u
    else:
        for d in range(weighed.size):
            u = scale * (receiver[d] + sender[d])
            weighed[d] = upstream[d]
            dot += weighed[d] * u
    return dot


@njit(**KERNEL_OPTIONS)
def forward_kernel(
    share: int,
    shares: int,
    receivers: Any,
    senders: Any,
    weights: Any,
    out: Any,
    code: int,
    normalised: bool,
    causal: bool,
    epsilon: Any,
) -> None:
    """`out[n, i] = weights[i] * sum_j f(...)` for every `shares`-th row; arrays `(sequences, length, width)`."""
    sequences, length, width = receivers.shape
    for row in range(share, sequences * length, shares):
        n, i = row // length, row % length
        total = np.zeros(width, receivers.dtype)
        for j in range(i + 1 if causal else length):
            scale = pair_scale(receivers[n, i], senders[n, j], normalised, epsilon)
            add_activation(receivers[n, i], senders[n, j], scale, code, total)
        for d in range(width):
            out[n, i, d] = total[d] * weights[i]


@njit(**KERNEL_OPTIONS)
def backward_kernel(
    share: int,
    shares: int,
    receivers: Any,
    senders: Any,
    upstream: Any,
    d_receivers: Any,
    d_senders: Any,
    code: int,
    normalised: bool,
    causal: bool,
    epsilon: Any,
) -> None:
    """Gradients by receiver and sender, before centring.

    `d_senders` is `(parts, sequences, length, width)` and zero on entry; part `p` takes rows `p, p + parts, ...`.
    """
    sequences, length, width = receivers.shape
    parts = d_senders.shape[0]
    weighed = np.empty(VECTOR_BLOCK + width, receivers.dtype)[VECTOR_BLOCK:]
    for task in range(share, sequences * parts, shares):
        n, part = task // parts, task % parts
        for i in range(part, length, parts):
            d_receiver = np.zeros(width, receivers.dtype)
            for j in range(i + 1 if causal else length):
                receiver, sender, d_sender = receivers[n, i], senders[n, j], d_senders[part, n, j]
                scale = pair_scale(receiver, sender, normalised, epsilon)
                dot = weigh_slope(receiver, sender, upstream[n, i], scale, code, weighed)
                pull = scale * dot / receivers.dtype.type(width) if normalised else receivers.dtype.type(0)
                for d in range(width):
                    change = scale * (weighed[d] - pull * (receiver[d] + sender[d]))
                    d_receiver[d] += change
                    d_sender[d] += change
            d_receivers[n, i] = d_receiver
