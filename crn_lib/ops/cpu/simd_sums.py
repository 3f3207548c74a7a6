"""Sums over the lanes of vectors (`simd.py`), in an order that is written down."""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from crn_lib.ops.cpu.kernel_cache import HELPER
from crn_lib.ops.cpu.simd import INDEX, load, store


@intrinsic
def total(context: Any, x: Any) -> Any:
    """The sum of the elements, taken by halves."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (rest,), lanes = arguments, x.lanes
        while lanes > 1:
            lanes //= 2
            swapped = [(k + lanes) % (2 * lanes) if k < 2 * lanes else 0 for k in range(x.lanes)]
            mask = ir.Constant(ir.VectorType(INDEX, x.lanes), swapped)
            rest = builder.fadd(rest, builder.shuffle_vector(rest, rest, mask))
        return builder.extract_element(rest, ir.Constant(INDEX, 0))

    return x.dtype(x), generate


def _fold(half: int) -> Any:
    """A function of two vectors of 16 elements. In every group of `2 * half` it adds the group's two halves: those of
    the first vector into the lower half of the result's group, those of the second into the upper one."""
    lanes = 16
    lower = [
        start + (place if place < half else lanes + place - half)
        for start in range(0, lanes, 2 * half)
        for place in range(2 * half)
    ]

    @intrinsic
    def fold(context: Any, x: Any, y: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            low, high = (
                builder.shuffle_vector(*arguments, ir.Constant(ir.VectorType(INDEX, lanes), mask))
                for mask in (lower, [place + half for place in lower])
            )
            return builder.fadd(low, high)

        return x(x, y), generate

    return fold


_fold_8, _fold_4, _fold_2, _fold_1 = (_fold(half) for half in (8, 4, 2, 1))


@njit(**HELPER)
def _fold_four(rows: Any, k: int) -> Any:
    """Rows `k`, `k + 4`, `k + 8` and `k + 12` in one vector, a quarter of each group of four lanes not yet added."""
    even = _fold_8(load(rows[k], 0), load(rows[k + 8], 0))
    return _fold_4(even, _fold_8(load(rows[k + 4], 0), load(rows[k + 12], 0)))


def sum_sixteen(rows: Any, sums: Any) -> None:
    """`sums[k]` is the sum of row `k`'s one vector, for 16 rows; far faster than 16 times `total`."""
    raise NotImplementedError("compiled code only: see the overload below")


@overload(sum_sixteen)
def _sum_sixteen(rows: Any, sums: Any) -> Any:
    def single(rows: Any, sums: Any) -> Any:
        # Each fold adds halves of two vectors into one, so that after four the lanes are the sums, in order.
        low = _fold_2(_fold_four(rows, 0), _fold_four(rows, 2))
        high = _fold_2(_fold_four(rows, 1), _fold_four(rows, 3))
        store(sums, 0, _fold_1(low, high))

    def double(rows: Any, sums: Any) -> Any:
        for k in range(16):
            sums[k] = total(load(rows[k], 0))

    return single if rows.dtype == types.float32 else double
