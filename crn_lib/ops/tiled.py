"""The relation in plain torch with bounded memory: the definition, a tile of receiving rows at a time.

Slower than the compiled kernels, yet it runs on every device torch runs on, for every norm and activation. The
backward pass makes each tile again instead of keeping it, so what is saved is O(length * width).
"""

from typing import Any

import torch
from torch import Tensor

from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.naive import pre_activation
from crn_lib.ops.normalise import merge_heads, split_heads
from crn_lib.ops.second_order import gradients_with_graph

TILE_ELEMENTS = 4_000_000
"""Pair elements made at once: 16 MB in float32 for each array that autograd keeps inside one tile."""


def _tile_sum(rows: Tensor, senders: Tensor, first: int, norm: str, activation: str, causal: bool) -> Tensor:
    """`sum_j f(norm(rows_i, senders_j))` for rows that stand at positions `first, first + 1, ...`."""
    pairs = pre_activation(rows[:, :, None], senders[:, None], norm)
    if not causal:
        return ACTIVATION_FUNCTIONS[activation](pairs).sum(dim=2)
    receiving = torch.arange(first, first + rows.shape[1], device=rows.device)
    sending = torch.arange(senders.shape[1], device=rows.device)
    future = (sending[None, :] > receiving[:, None])[None, :, :, None]
    # Masked before and after, for the reasons in naive.py.
    return ACTIVATION_FUNCTIONS[activation](pairs.masked_fill(future, 0.0)).masked_fill(future, 0.0).sum(dim=2)


class TiledRelation(torch.autograd.Function):
    """Sums (not yet means) over senders, recomputing each tile in the backward pass."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, norm: str, activation: str, causal: bool) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.options = norm, activation, causal
        # Written in place: tiles kept in a list would stand between the ever larger temporaries of the next ones, and
        # the allocator could reuse none of the room (measured: 6 GB at 4,098 tokens).
        sums = torch.empty_like(a)
        for i, rows, seen in _tiles(a, b, causal):
            sums[:, i : i + rows.shape[1]] = _tile_sum(rows, seen, i, *ctx.options)
        return sums

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        a, b = ctx.saved_tensors
        if torch.is_grad_enabled():  # all in one tile, since its graph is kept anyway
            return *gradients_with_graph(lambda a, b: _tile_sum(a, b, 0, *ctx.options), (a, b), gradient), *3 * [None]
        d_a, d_b = torch.zeros_like(a), torch.zeros_like(b)
        for i, rows, seen in _tiles(a, b, ctx.options[2]):
            with torch.enable_grad():
                rows, seen = rows.detach().requires_grad_(), seen.detach().requires_grad_()
                tile = _tile_sum(rows, seen, i, *ctx.options)
            d_rows, d_seen = torch.autograd.grad(tile, (rows, seen), gradient[:, i : i + rows.shape[1]])
            d_a[:, i : i + rows.shape[1]] += d_rows
            d_b[:, : seen.shape[1]] += d_seen
        return d_a, d_b, None, None, None


def _tiles(a: Tensor, b: Tensor, causal: bool) -> Any:
    """Yield `(first row, receiving rows, the senders they see)`; each tile holds about TILE_ELEMENTS."""
    batch, length, width = a.shape
    rows_at_once = max(1, TILE_ELEMENTS // max(1, batch * length * width))
    for first in range(0, length, rows_at_once):
        last = min(first + rows_at_once, length)
        yield first, a[:, first:last], b[:, :last] if causal else b


def tiled_relation(a: Tensor, b: Tensor, *, norm: str, activation: str, causal: bool, heads: int) -> Tensor:
    """The relation, `(batch, length, width)` in and out: any norm, activation and device."""
    length = a.shape[1]
    sums = TiledRelation.apply(split_heads(a, heads), split_heads(b, heads), norm, activation, causal)
    if not causal:
        return merge_heads(sums / length, heads)
    senders_seen = torch.arange(1, length + 1, device=a.device, dtype=a.dtype)
    return merge_heads(sums / senders_seen[None, :, None], heads)
