"""The linear relation on a CPU where normalisation bounds the exponents: one pass forward, one pass back, in Numba.

    P_i = sum_{j<=i} exp(b_j)        out_i = exp(a_i) P_i / (i+1)
    R_j = sum_{i>=j} g_i exp(a_i) / (i+1)        da_i = g_i out_i        db_j = exp(b_j) R_j

Both sums run in float64: over 64,000 tokens a float32 sum would lose four digits. The work is shared out by sequence
and by columns, since every column is a scan of its own.
"""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crn_lib.ops.cpu import scalar_math
from crn_lib.ops.cpu.kernel_cache import kernel, unchanged
from crn_lib.ops.cpu.scalar_math import SCAN_OPTIONS, exponential
from crn_lib.ops.cpu.threads import kernel_threads, run_shares
from crn_lib.ops.prefix_sum import direct_relation
from crn_lib.ops.second_order import gradients_with_graph

INLINED = (scalar_math,)
STAMP = "9ddbe505"
KEPT = unchanged(STAMP, *INLINED)

LINE = 16
"""Columns are shared out in multiples of this: a cache line of float32."""


def _columns(batch: int, width: int, shares: int) -> int:
    """Columns that one task takes: whole rows, which are read fastest, where there are sequences enough for all."""
    parts = 1 if batch % shares == 0 or batch >= 4 * shares else shares
    return min(width, -(-width // (parts * LINE)) * LINE)


@kernel(KEPT, **SCAN_OPTIONS)
def scan_relation_kernel(share: int, shares: int, a: Any, b: Any, out: Any, columns: int) -> None:
    """`out` `(batch, length, width)`, for every `shares`-th block of `columns` columns of a sequence."""
    batch, length, width = a.shape
    blocks = (width + columns - 1) // columns
    total = np.zeros(columns, np.float64)
    for task in range(share, batch * blocks, shares):
        n, first = task // blocks, task % blocks * columns
        last = min(first + columns, width)
        total[:] = 0.0
        for i in range(length):
            row_a, row_b, row_out = a[n, i, first:last], b[n, i, first:last], out[n, i, first:last]
            for d in range(row_b.size):
                total[d] += exponential(row_b[d])
            weight = 1.0 / (i + 1)
            for d in range(row_b.size):
                row_out[d] = exponential(row_a[d]) * a.dtype.type(total[d] * weight)


@kernel(KEPT, **SCAN_OPTIONS)
def scan_relation_backward_kernel(
    share: int, shares: int, a: Any, b: Any, out: Any, gradient: Any, d_a: Any, d_b: Any, columns: int
) -> None:
    """`d_a` and `d_b`, for every `shares`-th block of `columns` columns of a sequence."""
    batch, length, width = a.shape
    blocks = (width + columns - 1) // columns
    total = np.zeros(columns, np.float64)
    for task in range(share, batch * blocks, shares):
        n, first = task // blocks, task % blocks * columns
        last = min(first + columns, width)
        total[:] = 0.0
        for i in range(length - 1, -1, -1):
            row_a, row_b, upstream = a[n, i, first:last], b[n, i, first:last], gradient[n, i, first:last]
            row_out, row_d_a, row_d_b = out[n, i, first:last], d_a[n, i, first:last], d_b[n, i, first:last]
            weight = a.dtype.type(1.0 / (i + 1))
            for d in range(row_b.size):
                total[d] += upstream[d] * weight * exponential(row_a[d])
            for d in range(row_b.size):
                row_d_a[d] = upstream[d] * row_out[d]
            for d in range(row_b.size):
                row_d_b[d] = exponential(row_b[d]) * a.dtype.type(total[d])


class ScanRelation(torch.autograd.Function):
    """Causal, float32 or float64, exponents known to be small."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        rows = [x.detach().contiguous().numpy() for x in (a, b)]
        result = torch.empty_like(a, memory_format=torch.contiguous_format)
        shares = kernel_threads()
        columns = _columns(a.shape[0], a.shape[2], shares)
        run_shares(scan_relation_kernel, shares, *rows, result.numpy(), columns)
        ctx.save_for_backward(a, b, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        if torch.is_grad_enabled():
            return gradients_with_graph(partial(direct_relation, causal=True), ctx.saved_tensors[:2], gradient)
        rows = [x.detach().contiguous().numpy() for x in (*ctx.saved_tensors, gradient)]
        d_a, d_b = (torch.empty_like(gradient, memory_format=torch.contiguous_format) for _ in range(2))
        shares = kernel_threads()
        columns = _columns(gradient.shape[0], gradient.shape[2], shares)
        run_shares(scan_relation_backward_kernel, shares, *rows, d_a.numpy(), d_b.numpy(), columns)
        return d_a, d_b


def scan_relation(a: Tensor, b: Tensor) -> Tensor:
    """`exp(a_i)` times the cumulative mean of `exp(b_j)`; `(batch, length, width)` in and out, on the CPU."""
    if torch.compiler.is_compiling():
        from crn_lib.ops.graph_break import outside_graph

        whole: Tensor = outside_graph(scan_relation, a, b)
        return whole
    result: Tensor = ScanRelation.apply(a, b)
    return result
