"""The kernels of `fused.py`, compiled by Numba and cached on disk.

A few receivers meet their senders a tile at a time. Where all of them see all of the tile they are taken as a block
(`fused_blocks.py`), else pair by pair (`fused_pairs.py`): along the diagonal, at the ends, where a sender
nearly cancels its receiver, and where nothing is normalised. All loops run over whole vectors; rows are padded to whole
vectors by the caller.
"""

from typing import Any

import numpy as np
from numba import njit

from crn_lib.ops.cpu import fused_blocks, fused_pairs, simd, simd_sums, task_counter, vector_math
from crn_lib.ops.cpu.fused_blocks import PAIRS, ROWS, TILE, add_block_activations, add_block_gradients, block_scales
from crn_lib.ops.cpu.fused_pairs import add_activations, add_gradients, pair_scales, weigh_slopes
from crn_lib.ops.cpu.kernel_cache import HELPER, kernel, unchanged
from crn_lib.ops.cpu.simd import fma, lanes, load, splat, store
from crn_lib.ops.cpu.simd_sums import total
from crn_lib.ops.cpu.task_counter import claim, finish
from crn_lib.ops.cpu.vector_math import LOG2_E, two_to_the

INLINED = (fused_blocks, fused_pairs, simd, simd_sums, task_counter, vector_math)
STAMP = "f9e81548"
KEPT = unchanged(STAMP, *INLINED)
KERNEL_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

ROWS_AT_ONCE = 8
"""Receivers that are taken together through all tiles, so that a tile is read from the first cache for all but one."""


CENTRED = 64
"""Rows that one task centres."""


@njit(**HELPER)
def sum_of(row: Any) -> float:
    """The sum of a row, in float64."""
    summed = 0.0
    for d in range(row.size):
        summed += row[d]
    return summed


@njit(**HELPER)
def centre_rows(first: int, last: int, centre: bool, rows: Any, centred: Any, means: Any, squares: Any) -> None:
    """Means over the width, in float64; rows less their mean; and `|row|^2` of those, for the rows `first:last`.

    Without `centre` the means are taken to be 0.
    """
    width = rows.shape[1]
    for r in range(first, last):
        row, result = rows[r], centred[r]
        mean = means[r] = sum_of(row) / width if centre else 0.0
        for d in range(width):
            result[d] = row[d] - mean
        result[width:] = 0
        squared = splat(row.dtype.type(0))
        for d in range(0, result.size, lanes(result)):
            squared = fma(load(result, d), load(result, d), squared)
        squares[r] = total(squared)


@kernel(KEPT, **KERNEL_OPTIONS, fastmath={"reassoc"})  # makes vectors of the sums in float64, which are none here
def centre_kernel(claims: Any, receivers: Any, senders: Any, centre: bool) -> bool:
    """Fill in what belongs to the rows of both: each `(rows, centred, means, squares)`. A task is `CENTRED` rows.

    `rows` is `(rows, width)` and `centred` `(rows, padded width)`, with zeros for padding.
    """
    length, done = len(receivers[0]), 0
    tasks = (length + CENTRED - 1) // CENTRED
    task = claim(claims)
    while task < tasks:
        first, last = task * CENTRED, min((task + 1) * CENTRED, length)
        centre_rows(first, last, centre, *receivers)
        centre_rows(first, last, centre, *senders)
        done += 1
        task = claim(claims)
    return finish(claims, done, tasks)


@kernel(KEPT, **KERNEL_OPTIONS)
def forward_kernel(
    claims: Any,
    receivers: Any,
    senders: Any,
    weights: Any,
    out: Any,
    width: Any,
    code: int | None,
    normalised: bool,
    causal: bool,
    epsilon: Any,
) -> bool:
    """`out[n, i] = weights[i] * sum_j f(...)`. A task is a block of rows of one sequence.

    `receivers` and `senders` are rows as they are and centred, `(sequences, length, padded width)`; their means in
    float64 and the centred rows' squares, `(sequences, length)`. A pair is scaled to a sum of squares of `width`: the
    number of real columns, or 1 for unit length.
    """
    rows_a, centred_a, means_a, squares_a = receivers
    rows_b, centred_b, means_b, squares_b = senders
    sequences, length, _ = rows_a.shape
    number = rows_a.dtype.type
    unit = number(LOG2_E) if code is None else number(1)
    blocks = (length + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE
    scales, shifts = np.empty(PAIRS, rows_a.dtype), np.empty(PAIRS, rows_a.dtype)
    partial = np.empty((16, lanes(rows_a)), rows_a.dtype)
    tasks, done = sequences * blocks, 0
    task = claim(claims)
    while task < tasks:
        # The last blocks have the most pairs: taken first, they leave the short ones to even out the shares.
        n, first = task // blocks, (blocks - 1 - task % blocks) * ROWS_AT_ONCE
        last = min(first + ROWS_AT_ONCE, length)
        out[n, first:last] = number(0)
        for start in range(0, last if causal else length, TILE):
            for top in range(first, last, ROWS):
                bottom, end = min(top + ROWS, last), min(start + TILE, length)
                if (
                    normalised
                    and bottom - top == ROWS
                    and end - start == TILE
                    and (end <= top + 1 or not causal)
                    and block_scales(
                        centred_a[n, top:bottom],
                        centred_b[n, start:end],
                        squares_a[n, top:bottom],
                        squares_b[n, start:end],
                        number(width),
                        unit,
                        epsilon,
                        partial,
                        shifts,
                        scales,
                    )
                ):
                    own = centred_b[n, start:end]
                    for i in range(ROWS):
                        add_block_activations(centred_a[n, top + i], own, scales, i, code, out[n, top + i])
                    continue
                for i in range(max(top, start) if causal else top, bottom):
                    end = min(start + TILE, i + 1 if causal else length)
                    tile, means, row = rows_b[n, start:end], means_b[n, start:end], rows_a[n, i]
                    pair_scales(
                        row, tile, means_a[n, i], means, number(width), normalised, unit, epsilon, scales, shifts
                    )
                    add_activations(row, tile, scales, shifts, code, out[n, i])
        for i in range(first, last):
            row, weight = out[n, i], splat(weights[i])
            for d in range(0, row.size, lanes(row)):
                store(row, d, load(row, d) * weight)
        done += 1
        task = claim(claims)
    return finish(claims, done, tasks)


@kernel(KEPT, **KERNEL_OPTIONS)
def backward_kernel(
    claims: Any,
    receivers: Any,
    senders: Any,
    weights: Any,
    upstream: Any,
    d_receivers: Any,
    d_senders: Any,
    sender_pulls: Any,
    width: Any,
    code: int | None,
    normalised: bool,
    causal: bool,
    epsilon: Any,
    centre: bool,
) -> bool:
    """Gradients by receiver and by sender. A task is one part of one sequence.

    `d_senders` is `(parts, sequences, length, padded width)` and `sender_pulls` `(parts, sequences, length)`; part `p`
    takes row blocks `p, p + parts, ...`. With `u` the pre-activation, `q = upstream * f'(u)` and `s` the scale, a pair
    adds `weight * s * (q - u * sum(q * u) / width)` to both. `centre`: whether the rows were centred.
    """
    rows_a, centred_a, means_a, squares_a = receivers
    rows_b, centred_b, means_b, squares_b = senders
    sequences, length, padded = rows_a.shape
    parts = d_senders.shape[0]
    number = rows_a.dtype.type
    unit = number(LOG2_E) if code is None else number(1)
    factors, dots = np.empty((3, PAIRS), rows_a.dtype), np.empty(PAIRS, rows_a.dtype)
    gains, scales, shifts = factors[0], factors[1], factors[2]
    weighed, partial = np.empty((TILE, padded), rows_a.dtype), np.empty((16, lanes(rows_a)), rows_a.dtype)
    receiver_pulls = np.empty(ROWS_AT_ONCE, rows_a.dtype)
    tasks, done = sequences * parts, 0
    task = claim(claims)
    while task < tasks:
        n, part = task // parts, task % parts
        d_senders[part, n], sender_pulls[part, n] = number(0), number(0)
        for first in range(part * ROWS_AT_ONCE, length, parts * ROWS_AT_ONCE):
            last = min(first + ROWS_AT_ONCE, length)
            receiver_pulls[:] = 0
            d_receivers[n, first:last] = number(0)
            for start in range(0, last if causal else length, TILE):
                for top in range(first, last, ROWS):
                    bottom, end = min(top + ROWS, last), min(start + TILE, length)
                    if (
                        normalised
                        and bottom - top == ROWS
                        and end - start == TILE
                        and (end <= top + 1 or not causal)
                        and block_scales(
                            centred_a[n, top:bottom],
                            centred_b[n, start:end],
                            squares_a[n, top:bottom],
                            squares_b[n, start:end],
                            number(width),
                            unit,
                            epsilon,
                            partial,
                            dots,
                            scales,
                        )
                    ):
                        add_block_gradients(
                            centred_a[n, top:bottom],
                            centred_b[n, start:end],
                            upstream[n, top:bottom],
                            weights[top:bottom],
                            scales,
                            width,
                            unit,
                            code,
                            d_receivers[n, top:bottom],
                            d_senders[part, n, start:end],
                            receiver_pulls[top - first : bottom - first],
                            sender_pulls[part, n, start:end],
                            partial,
                            gains,
                            dots,
                        )
                        continue
                    for i in range(max(top, start) if causal else top, bottom):
                        end = min(start + TILE, i + 1 if causal else length)
                        tile, means, row = rows_b[n, start:end], means_b[n, start:end], rows_a[n, i]
                        pair_scales(
                            row, tile, means_a[n, i], means, number(width), normalised, unit, epsilon, scales, shifts
                        )
                        weigh_slopes(row, tile, upstream[n, i], scales, shifts, code, weighed, dots)
                        for k in range(end - start):
                            gains[k] = weights[i] * scales[k] / unit
                            # u here is unit times what the formula means by u, twice: in the dot and in the pull.
                            pull = -gains[k] * dots[k] / (unit * unit * number(width)) if normalised else number(0)
                            scales[k] *= pull
                        d_tile = d_senders[part, n, start:end]
                        add_gradients(row, tile, weighed, factors, d_receivers[n, i], d_tile)
            if normalised:
                for i in range(first, last):
                    finish_gradient(centred_a[n, i], receiver_pulls[i - first], width, centre, d_receivers[n, i])
        if normalised:
            for j in range(length):
                finish_gradient(centred_b[n, j], sender_pulls[part, n, j], width, centre, d_senders[part, n, j])
        done += 1
        task = claim(claims)
    return finish(claims, done, tasks)


@njit(**HELPER)
def finish_gradient(row: Any, pull: Any, width: int, centre: bool, gradient: Any) -> None:
    """Add `pull * row`, the part of the gradient left out by the blocks, and `centre` it over the width."""
    factor, summed = splat(pull), splat(row.dtype.type(0))
    for d in range(0, row.size, lanes(row)):
        found = fma(factor, load(row, d), load(gradient, d))
        summed = summed + found
        store(gradient, d, found)
    if centre:
        mean = splat(total(summed) / row.dtype.type(width))
        for d in range(0, row.size, lanes(row)):
            store(gradient, d, load(gradient, d) - mean)


@kernel(KEPT, **KERNEL_OPTIONS)
def exponential_kernel(share: int, shares: int, rows: Any, out: Any, repeats: int) -> None:
    """`out = exp(rows)` again and again, one row a share: what `crn bench` takes for this machine's limit."""
    row, result = rows[share], out[share]
    to_base_two = splat(row.dtype.type(LOG2_E))
    for _ in range(repeats):
        for d in range(0, row.size, lanes(row)):
            store(result, d, two_to_the(load(row, d) * to_base_two))
