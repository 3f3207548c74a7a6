"""What the compiled scans are compiled with, and a scalar `exp` that LLVM vectorises inside their loops."""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

# Reassociation lets LLVM vectorise sums; inside the exponential it would undo the split of ln 2.
SUMS_REORDERED = {"reassoc", "contract", "nnan", "ninf", "nsz", "arcp"}
EXACT_ORDER = {"contract", "nnan", "ninf", "nsz"}
SCAN_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": SUMS_REORDERED, "error_model": "numpy"}


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
