"""The exact relation on a GPU: one pass over the causal pairs forward, two backward, in Triton."""

import contextlib
from typing import Any

import torch
import triton
from torch import Tensor

from crn_lib.ops.fused_cuda_kernels import forward_kernel, gradient_kernel, mean_kernel
from crn_lib.ops.normalise import EPSILON

FUSED_ACTIVATIONS = ("exp", "relu", "squared_relu", "gelu")
WIDEST = 1024


def tiling(width: int) -> dict[str, int]:
    lanes = triton.next_power_of_2(max(width, 64))
    part = max(16, min(128, lanes // 8))
    padded = part * triton.cdiv(width, part)
    rows_of_a_warp = 1 << (1024 // padded).bit_length() - 1
    warps = min(4, max(1, 16 // rows_of_a_warp))
    return {"PART": part, "ROWS": min(16, rows_of_a_warp * warps), "num_warps": warps}


class FusedRelation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, activation: str, normalised: bool, causal: bool, heads: int) -> Tensor:
        a, b = a.contiguous(), b.contiguous()
        batch, length, width = a.shape
        shape = {"WIDTH": width // heads, "HEADS": heads}
        tiles = tiling(width // heads)
        options = {"ACTIVATION": activation, "NORMALISED": normalised, "CAUSAL": causal, "EPSILON": EPSILON}
        out = torch.empty_like(a)
        means = [a.new_empty(batch, length, heads, 2, dtype=torch.float32) for _ in "ab"]
        blocks = triton.cdiv(length, tiles["ROWS"])
        if normalised:
            rows = batch*length*heads
            mean_kernel[(triton.cdiv(rows, tiles["ROWS"]),)](a, b, *means, rows, WIDTH=width//heads, **tiles)
        forward_kernel[(blocks * batch * heads,)](a, b, *means, out, length, **shape, **tiles, **options)
        ctx.save_for_backward(a, b, *means)
        ctx.options = shape | tiles | options
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        a, b, am, bm = ctx.saved_tensors
        gradient = gradient.contiguous()
        batch, length, width = a.shape
        grid = (triton.cdiv(length, ctx.options["ROWS"]) * batch * ctx.options["HEADS"],)
        da, db = torch.empty_like(a), torch.empty_like(b)
        gradient_kernel[grid](a, b, am, bm, gradient, da, length, BY_SENDER=False, **ctx.options)
        gradient_kernel[grid](b, a, bm, am, gradient, db, length, BY_SENDER=True, **ctx.options)
        return da, db, None, None, None, None


@torch.compiler.disable
def fused_relation(a: Tensor, b: Tensor, *, activation: str, normalised: bool, causal: bool, heads: int) -> Tensor:
    result: Tensor = FusedRelation.apply(a, b, activation, normalised, causal, heads)
    return result
