"""Activations and their slopes on whole vectors (`simd.py`), as the fused CPU kernel applies them."""

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from crn_lib.ops.cpu.kernel_cache import HELPER
from crn_lib.ops.cpu.simd import (
    Vector,
    absolute,
    each_erf,
    each_log1p,
    fma,
    in_register,
    larger,
    splat_like,
    times_power_of_two,
    where_positive,
    with_sign_of,
)

ACTIVATION_CODES = {"exp": None, "relu": 1, "squared_relu": 2, "gelu": 3, "elu": 4, "softplus": 5, "identity": 6}
"""What the kernels take for an activation. `None` has a type of its own: kernels for `exp`, which nearly all want, are
compiled without the others, which share one set of kernels."""

_, RELU, SQUARED_RELU, GELU, ELU, SOFTPLUS, IDENTITY = ACTIVATION_CODES.values()

LOG2_E = 1 / math.log(2)

# 2**f for |f| <= 1/2 with the constant 1: float32 by the polynomial of least relative error (1e-7 before rounding, from
# a weighted least-squares fit), float64 by the Taylor series (6e-15).
POWER_SERIES_32 = (0.69314698, 0.24022242, 0.05550734, 0.00967151, 0.00132647)
LOG1P_SERIES_32 = (0.66666416, 0.40021528, 0.28001801, 0.28012007)  # of 2 artanh(s) / s - 2 in s**2 <= 1/9, as above
POWER_SERIES_64 = tuple(math.log(2) ** k / math.factorial(k) for k in range(1, 12))


def power_constants(like: Any) -> Any:
    """The numbers that `power` needs, as vectors of `like`'s type, to be made before a loop."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(power_constants)
def _power_constants(like: Any) -> Any:
    if not isinstance(like, Vector):
        return None
    if like.dtype == types.float32:
        number, rounder, (c1, c2, c3, c4, c5) = np.float32, np.float32(1.5 * 2**23), map(np.float32, POWER_SERIES_32)
        one = number(1)

        def single(like: Any) -> Any:
            return (
                in_register(splat_like(like, rounder)),
                in_register(splat_like(like, one)),
                in_register(splat_like(like, c1)),
                in_register(splat_like(like, c2)),
                in_register(splat_like(like, c3)),
                in_register(splat_like(like, c4)),
                in_register(splat_like(like, c5)),
            )

        return single

    def double(like: Any) -> Any:
        return (splat_like(like, 1.5 * 2.0**52),)

    return double


def power(t: Any, constants: Any) -> Any:
    """`2**t` for a vector with |t| < 126."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(power)
def _power(t: Any, constants: Any) -> Any:
    if not isinstance(t, Vector):
        return None
    if t.dtype == types.float32:

        def single(t: Any, constants: Any) -> Any:
            # Adding 1.5 * 2**23 leaves no bits for a fraction: the sum's last bits are the rounded t.
            rounder, one, c1, c2, c3, c4, c5 = constants
            shifted = t + rounder
            f = t - (shifted - rounder)
            p = fma(c5, f, c4)
            p = fma(p, f, c3)
            p = fma(p, f, c2)
            p = fma(p, f, c1)
            return times_power_of_two(fma(p, f, one), shifted)

        return single
    series = POWER_SERIES_64

    def double(t: Any, constants: Any) -> Any:
        shifted = t + constants[0]
        f = t - (shifted - constants[0])
        p = splat_like(t, series[10])
        for k in range(9, -1, -1):
            p = fma(p, f, splat_like(t, series[k]))
        return times_power_of_two(fma(p, f, splat_like(t, 1.0)), shifted)

    return double


@njit(**HELPER)
def two_to_the(t: Any) -> Any:
    """`2**t` for a vector with |t| < 126."""
    return power(t, power_constants(t))


def constant_like(x: Any, value: float) -> Any:
    """A vector of x's type, every element of which is `value`."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(constant_like)
def _constant_like(x: Any, value: Any) -> Any:
    as_element = np.float32 if x.dtype == types.float32 else np.float64

    def constant(x: Any, value: Any) -> Any:
        return splat_like(x, as_element(value))

    return constant


@njit(**HELPER)
def clamped_exponential(x: Any) -> Any:
    """`exp(x)` for x <= 0, and 2**-126 where it would be less."""
    return two_to_the(larger(x * constant_like(x, LOG2_E), constant_like(x, -126.0)))


def error_function(x: Any) -> Any:
    """`erf(x)`; float32 to 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(error_function)
def _error_function(x: Any) -> Any:
    if not isinstance(x, Vector):
        return None
    if x.dtype != types.float32:

        def double(x: Any) -> Any:
            return each_erf(x)

        return double
    a1, a2, a3, a4, a5 = 0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429

    def single(x: Any) -> Any:
        size, one = absolute(x), constant_like(x, 1.0)
        t = one / fma(constant_like(x, 0.3275911), size, one)
        p = fma(constant_like(x, a5), t, constant_like(x, a4))
        p = fma(p, t, constant_like(x, a3))
        p = fma(p, t, constant_like(x, a2))
        p = fma(p, t, constant_like(x, a1))
        negative_square = constant_like(x, 0.0) - size * size
        return with_sign_of(one - p * t * clamped_exponential(negative_square), x)

    return single


def log1p_of_share(x: Any) -> Any:
    """`log(1 + x)` for 0 <= x <= 1; float32 to 2e-7 of its size, by `2 artanh(x / (2 + x))`."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(log1p_of_share)
def _log1p_of_share(x: Any) -> Any:
    if not isinstance(x, Vector):
        return None
    if x.dtype != types.float32:

        def double(x: Any) -> Any:
            return each_log1p(x)

        return double
    c1, c2, c3, c4 = LOG1P_SERIES_32

    def single(x: Any) -> Any:
        s = x / (constant_like(x, 2.0) + x)
        square = s * s
        p = fma(constant_like(x, c4), square, constant_like(x, c3))
        p = fma(p, square, constant_like(x, c2))
        p = fma(p, square, constant_like(x, c1))
        return fma(p * square, s, s + s)

    return single


@njit(**HELPER)
def activate(u: Any, code: int | None) -> Any:
    """`f(u)`; for `exp`, `u` comes times log2(e), which its caller has folded into the scale."""
    if code is None:
        return two_to_the(u)
    if code == RELU:
        return where_positive(u, u)
    if code == SQUARED_RELU:
        return where_positive(u, u * u)
    if code == GELU:
        root = constant_like(u, math.sqrt(0.5))
        return constant_like(u, 0.5) * u * (constant_like(u, 1.0) + error_function(u * root))
    if code == ELU:
        below = u - where_positive(u, u)
        return where_positive(u, u) + (clamped_exponential(below) - constant_like(u, 1.0))
    if code == SOFTPLUS:
        negative_size = constant_like(u, 0.0) - absolute(u)
        return where_positive(u, u) + log1p_of_share(clamped_exponential(negative_size))
    return u


@njit(**HELPER)
def slope(u: Any, code: int | None) -> Any:
    """`f'(u)`; for `exp`, `u` comes times log2(e) as in `activate`, and the slope is that of `exp`."""
    if code is None:
        return two_to_the(u)
    one = constant_like(u, 1.0)
    if code == RELU:
        return where_positive(u, one)
    if code == SQUARED_RELU:
        return where_positive(u, u + u)
    if code == GELU:
        half, root = constant_like(u, 0.5), constant_like(u, math.sqrt(0.5))
        bell = clamped_exponential((constant_like(u, 0.0) - half * u) * u)
        return half * (one + error_function(u * root)) + u * constant_like(u, 1 / math.sqrt(2 * math.pi)) * bell
    if code == ELU:
        return clamped_exponential(u - where_positive(u, u))
    if code == SOFTPLUS:
        share = clamped_exponential(constant_like(u, 0.0) - absolute(u))
        upper = one / (one + share)  # of |u|; that of -|u| is what is left of 1
        return where_positive(u, upper) + (share * upper - where_positive(u, share * upper))
    return one
