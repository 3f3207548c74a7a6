"""The exact relation on a GPU: one pass over the causal pairs forward, two backward, in Triton.

The algebra is that of `cpu/fused.py`. Nothing of size `length**2` is stored: saved for the backward pass are the inputs
and two numbers a row. Both passes backward make the pre-activations again; one sums the gradients of a block of
receivers and one those of a block of senders, each in a fixed order and without atomic additions, so that the same
call gives the same bits. The variance is summed from `a_i + b_j` itself and not from the expanded
`|A|^2 + |B|^2 + 2<A, B>`, which loses its digits where `b_j` nearly cancels `a_i`: where trained copiers retrieve.

float32, bfloat16 and float16 are read and written as they are; all arithmetic between is in float32.

Run on an NVIDIA H100 on 2026-11-26 (torch 2.11.0+cu130, Triton 3.6.0, driver 580.159.04): outputs and gradients in
float32, bfloat16 and float16 passed the 90 tests then. Elsewhere `tests/ops/cuda/test_fused.py` has Triton interpret
the kernels in float32 (its bfloat16 is wrong) and compile them for compute capability 8.0 and 9.0. No other GPU's
results have been checked. How fast they are, and where torch.compile is as fast: `docs/LOG.md`, 2026-11-26. One program
takes a block of a sequence's rows, so a single short sequence leaves most of the chip idle.

Import this module only where there is a CUDA device, or with TRITON_INTERPRET=1.
"""

import contextlib
from functools import cache, partial
from typing import Any

import torch
import triton
from torch import Tensor

from crn_lib.ops.cuda.fused_kernels import forward_kernel, gradient_kernel, mean_kernel
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.normalise import EPSILON, normalise_heads
from crn_lib.ops.second_order import gradients_with_graph

FUSED_ACTIVATIONS = ("exp", "relu", "squared_relu", "gelu")

FLOATS_OF_A_WARP = 1024
"""Of a block's rows: 32 registers a lane. The gradient of receivers holds five such blocks at once (rows, upstream,
totals, pre-activations, weighed slopes): 160 of the 255 registers a lane may have."""

WIDEST = FLOATS_OF_A_WARP
"""Widest head: one row a warp. Wider ones are tiled."""


def tiling(width: int) -> dict[str, int | bool]:
    """How a head of this width is cut: columns in a part, rows in a block, and Triton's options.

    A warp takes as many rows as FLOATS_OF_A_WARP has room for. Its parts are then about as wide as lets 32 lanes with
    four columns each (one 16-byte load) cover all of those rows, so that a row's sum crosses few lanes, and a warp
    never waits for another:

        width | columns x parts | rows a warp | warps | rows | floats of a block in a lane
           64 |       16 x 4    |     16      |   1   |  16  |   32
          128 |       16 x 8    |      8      |   2   |  16  |   32
          192 |       32 x 6    |      4      |   4   |  16  |   24
          256 |       32 x 8    |      4      |   4   |  16  |   32
          384 |       64 x 6    |      2      |   4   |   8  |   24
          512 |       64 x 8    |      2      |   4   |   8  |   32
          768 |      128 x 6    |      1      |   4   |   4  |   24
         1024 |      128 x 8    |      1      |   4   |   4  |   32

    The rows met come one at a time, each read by the warps of the block together, 4 bytes for 4 to 16 exponentials; a
    block of them would only multiply the registers. Compiled for compute capability 9.0, the forward pass takes up to
    128 registers a lane and the gradients up to 208, at most 8 bytes of them in memory, and no shared memory (the tests
    look): 8 to 20 warps on a multiprocessor. A width that is no multiple of 4 is right but slower: columns are loaded
    one by one, and where a part is wider than 32 the warps of a block wait for each other.
    """
    part = min(max(triton.next_power_of_2(width) // 8, 16), 128)
    room = FLOATS_OF_A_WARP // (triton.cdiv(width, part) * part)
    rows_of_a_warp = min(1 << (room.bit_length() - 1), 16)
    warps = min(16 // rows_of_a_warp, 4)
    return {"PART": part, "ROWS": rows_of_a_warp * warps, "num_warps": warps, "enable_fp_fusion": True}


def unable(activation: str, dtype: torch.dtype, head_width: int) -> str:
    """Why the kernels cannot compute this, or an empty string."""
    if activation not in FUSED_ACTIVATIONS:
        return f"the Triton kernels have the activations {', '.join(FUSED_ACTIVATIONS)}, not {activation}"
    if dtype.itemsize > 4:
        return f"the Triton kernels compute in float32, not in {str(dtype).removeprefix('torch.')}"
    if head_width > WIDEST:
        return f"the Triton kernels hold heads of at most {WIDEST} columns, not {head_width}"
    return ""


@torch.compiler.disable  # else it is traced, past the cache, at every compiled call
@cache
def unusable(device: torch.device) -> str:
    """Why Triton does not work on this device, found out by trying the smallest relation; or an empty string.

    It may be the GPU (too old), or the C compiler, Python's headers or the driver, which Triton wants as well.
    """
    row = torch.zeros(1, 1, 1, device=device)
    try:
        fused_relation(row, row, norm="exact", activation="exp", causal=True, heads=1)
    except Exception as error:
        return f"Triton does not work here ({type(error).__name__}: {str(error).strip().partition(chr(10))[0]})"
    return ""


def _on_device_of(x: Tensor) -> contextlib.AbstractContextManager[Any]:
    """Triton launches on the current device, which need not be the tensor's."""
    return torch.cuda.device(x.device) if x.is_cuda else contextlib.nullcontext()


class FusedRelation(torch.autograd.Function):
    """`exact` (scale per pair) or `none` (no scale), any activation in `FUSED_ACTIVATIONS`."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, activation: str, normalised: bool, causal: bool, heads: int) -> Tensor:
        given = a, b
        a, b = a.contiguous(), b.contiguous()
        batch, length, width = a.shape
        rows, tiles = batch * length * heads, tiling(width // heads)
        means = [a.new_empty(batch, length, heads, 2, dtype=torch.float32) for _ in "ab"]
        out = torch.empty_like(a)
        ctx.grid = (batch * heads * triton.cdiv(length, tiles["ROWS"]),)
        ctx.options = tiles | {"WIDTH": width // heads, "HEADS": heads, "ACTIVATION": activation}
        ctx.options |= {"NORMALISED": normalised, "CAUSAL": causal, "EPSILON": EPSILON}
        with _on_device_of(a):
            if normalised:
                mean_kernel[triton.cdiv(rows, tiles["ROWS"]),](a, b, *means, rows, WIDTH=width // heads, **tiles)
            forward_kernel[ctx.grid](a, b, *means, out, length, **ctx.options)
        ctx.save_for_backward(*given, *means)
        norm = "exact" if normalised else "none"
        ctx.definition = partial(naive_relation, norm=norm, activation=activation, causal=causal, heads=heads)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        a, b, a_means, b_means = ctx.saved_tensors
        if torch.is_grad_enabled():
            wide = gradients_with_graph(ctx.definition, (a.float(), b.float()), gradient.float())
            return *(x.to(a.dtype) for x in wide), *4 * [None]
        a, b, upstream, length = a.contiguous(), b.contiguous(), gradient.contiguous(), a.shape[1]
        d_a, d_b = (torch.empty_like(a) if needed else None for needed in ctx.needs_input_grad[:2])
        with _on_device_of(a):
            if d_a is not None:
                rows = (a, b, a_means, b_means, upstream, d_a, length)
                gradient_kernel[ctx.grid](*rows, **ctx.options, BY_SENDER=False)
            if d_b is not None:
                rows = (b, a, b_means, a_means, upstream, d_b, length)
                gradient_kernel[ctx.grid](*rows, **ctx.options, BY_SENDER=True)
        return d_a, d_b, None, None, None, None


@torch.compiler.disable
def fused_relation(a: Tensor, b: Tensor, *, norm: str, activation: str, causal: bool, heads: int) -> Tensor:
    """The relation for `exact`, or a norm of rows alone, which are normalised first.

    Args:
        a, b: `(batch, length, width)`, on one CUDA device (or on the CPU, where Triton interprets); float32, bfloat16
            or float16. The result has their type, or is float32 where rows are normalised: none is rounded twice.
    """
    if norm == "approx":
        a, b = (normalise_heads(x.float(), heads, norm) for x in (a, b))
    result: Tensor = FusedRelation.apply(a, b, activation, norm == "exact", causal, heads)
    return result
