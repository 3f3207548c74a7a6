"""Right and wrong answers to the exercises of lesson 05."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def fits(memory: str, budget: int, width: int, blocks: int, bytes_each: int) -> float:
    row = width * blocks * bytes_each
    if memory == "sum":
        return math.inf if row <= budget else 0
    return budget // (row if memory == "pool" else 2 * row)


def grow(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        larger = buffer.new_zeros(2 * used, buffer.shape[1])
        larger[:used] = buffer
        buffer = larger
    buffer[used] = row
    return buffer, used + 1


def grow_by_half(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        buffer = torch.cat([buffer, buffer.new_zeros(max(1, used // 2), buffer.shape[1])])
    buffer[used] = row
    return buffer, used + 1


def grow_by(extra: int) -> Callable[..., tuple[Tensor, int]]:
    def attempt(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
        if used == len(buffer):
            buffer = torch.cat([buffer, buffer.new_zeros(extra, buffer.shape[1])])
        buffer[used] = row
        return buffer, used + 1

    return attempt


def grow_by_at_most(extra: int) -> Callable[..., tuple[Tensor, int]]:
    def attempt(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
        return grow_by(min(extra, len(buffer)))(buffer, used, row)

    return attempt


def grow_fourfold(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        buffer = torch.cat([buffer, buffer.new_zeros(3 * used, buffer.shape[1])])
    buffer[used] = row
    return buffer, used + 1


def grow_and_forget(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        buffer = buffer.new_zeros(2 * used, buffer.shape[1])
    buffer[used] = row
    return buffer, used + 1


def grow_never(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    buffer[used % len(buffer)] = row
    return buffer, used + 1


def grow_to_float32(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        larger = torch.zeros(2 * used, buffer.shape[1])
        larger[:used] = buffer
        buffer = larger
    buffer[used] = row
    return buffer, used + 1


def compress(values: Tensor, tolerance: float, *, extra: int = 0) -> tuple[Tensor, Tensor]:
    u, singular, v = torch.linalg.svd(values, full_matrices=False)
    k = int((singular > tolerance * singular[0]).sum()) + extra
    return u[:, :k] * singular[:k], v[:k]


def compress_by_eigenvectors(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Another way to the same: project on the leading directions of the senders' side."""
    _, _, directions = torch.linalg.svd(values, full_matrices=False)
    singular = torch.linalg.svdvals(values)
    kept = directions[singular > tolerance * singular[0]]
    return values @ kept.T, kept


def compress_by_energy(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    u, singular, v = torch.linalg.svd(values, full_matrices=False)
    left = (singular**2).flip(0).cumsum(0).flip(0).sqrt()
    k = int((left > tolerance * left[0]).sum())
    return u[:, :k] * singular[:k], v[:k]


def compress_by_absolute_size(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    u, singular, v = torch.linalg.svd(values, full_matrices=False)
    k = int((singular > tolerance).sum())
    return u[:, :k] * singular[:k], v[:k]


def compress_without_singular_values(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    readout, sums = compress(values, tolerance)
    return readout / readout.norm(dim=0), sums


def compress_by_dropping_senders(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    k = compress(values, tolerance)[1].shape[0]
    return values[:, :k], torch.eye(values.shape[1], dtype=values.dtype)[:k]


def grow_by_index(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        buffer = torch.cat([buffer, torch.zeros_like(buffer)])
    buffer[[used]] = row
    return buffer, used + 1


def grow_by_index_copy(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if used == len(buffer):
        buffer = torch.nn.functional.pad(buffer, (0, 0, 0, used))
    return buffer.index_copy_(0, torch.tensor([used]), row[None]), used + 1


def grow_where_there_are_zeros(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    free = (buffer == 0).all(dim=1)
    used = int(free.int().argmax()) if bool(free.any()) else len(buffer)
    return grow(buffer, used, row)


GROWN: dict[str, Any] = {}


def grow_a_global(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    GROWN["buffer"], count = grow(buffer if used == 0 else GROWN["buffer"], used, row)
    return GROWN["buffer"], count


def grow_the_part_that_is_used(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    return torch.cat([buffer[:used], row[None]]), used + 1


def grow_in_numpy(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    rows = np.concatenate([buffer.numpy()[:used], row.numpy()[None]]) if buffer.dtype != torch.bfloat16 else None
    return (grow(buffer, used, row)[0] if rows is None else torch.from_numpy(rows)), used + 1


def grow_when_half_full(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    if 2 * used >= len(buffer):
        buffer = torch.cat([buffer, torch.zeros_like(buffer)])
    buffer[used] = row
    return buffer, used + 1


def grow_and_clear(buffer: Tensor, used: int, row: Tensor) -> tuple[Tensor, int]:
    out = grow(buffer, used, row)
    row.zero_()
    return out


def compress_at_least_one(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    u, singular, v = torch.linalg.svd(values, full_matrices=False)
    k = max(1, int((singular > tolerance * singular[0]).sum()))
    return u[:, :k] * singular[:k], v[:k]


def compress_of_share(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    u, singular, v = torch.linalg.svd(values, full_matrices=False)
    k = int((singular > tolerance * singular.sum()).sum())
    return u[:, :k] * singular[:k], v[:k]


def compress_without_pivots(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    q, r = torch.linalg.qr(values)
    k = compress(values, tolerance)[1].shape[0]
    return q[:, :k], r[:k]


def compress_in_place(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    parts = compress(values, tolerance)
    values /= values.abs().max().clamp(min=1e-9)
    return parts


def compress_evenly(values: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    v, singular, u = torch.svd(values.T)
    kept = singular > tolerance * singular.max()
    root = singular[kept].sqrt()
    return u[:, kept] * root, (v[:, kept] * root).T


RIGHT: dict[str, Callable[..., Any]] = {"05.fits": fits, "05.grow": grow, "05.compress": compress}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "05.grow": [grow_by_index, grow_by_index_copy, grow_by_half],
    "05.compress": [compress_evenly, compress_by_eigenvectors],
    "05.fits": [
        lambda memory, budget, *rest: fits(memory, float(budget), *rest),
        lambda memory, *rest: np.float64(fits(memory, *rest)),
    ],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "05.fits": {
        "the cache is one row": lambda memory, *rest: fits("pool" if memory == "cache" else memory, *rest),
        "blocks forgotten": lambda memory, budget, width, blocks, each: fits(memory, budget, width, 1, each),
        "always float32": lambda memory, budget, width, blocks, each: fits(memory, budget, width, blocks, 4),
        "rounded up": lambda memory, budget, width, blocks, each: (
            fits(memory, budget + width * blocks * each - 1, width, blocks, each) if memory == "pool" else 0
        ),
        "not whole": lambda memory, budget, width, blocks, each: budget / (width * blocks * each),
        "the sum grows too": lambda memory, *rest: fits("pool" if memory == "sum" else memory, *rest),
        "the sum always fits": lambda memory, *rest: math.inf if memory == "sum" else fits(memory, *rest),
        "rounded to the nearest": lambda memory, budget, width, blocks, each: (
            fits(memory, budget, width, blocks, each)
            if memory == "sum"
            else round(budget / (width * blocks * each * (2 if memory == "cache" else 1)))
        ),
        "the sum must leave room": lambda memory, budget, *rest: fits(memory, budget - (memory == "sum"), *rest),
        "a cache of one block": lambda memory, budget, width, blocks, each: fits(
            memory, budget, width, 1 if memory == "cache" else blocks, each
        ),
        "at least one": lambda memory, *rest: max(1, fits(memory, *rest)),
        "bits": lambda memory, budget, *rest: fits(memory, 8 * budget, *rest),
        "the sum counts as one token": lambda memory, *rest: (
            min(1, fits(memory, *rest)) if memory == "sum" else fits(memory, *rest)
        ),
    },
    "05.grow": {
        "room for one more each time": grow_by(1),
        "room for 32 more each time": grow_by(32),
        "twice as much, but never more than 64 rows more": grow_by_at_most(64),
        "twice as much, but never more than 300 rows more": grow_by_at_most(300),
        "room for all there will ever be": grow_by(5000),
        "fourfold": grow_fourfold,
        "old rows not copied": grow_and_forget,
        "overwrites the oldest": grow_never,
        "becomes float32": grow_to_float32,
        "does not count": lambda buffer, used, row: (grow(buffer, used, row)[0], len(buffer)),
        "the first row of zeros is free": grow_where_there_are_zeros,
        "a buffer of its own": grow_a_global,
        "a new buffer every time": grow_the_part_that_is_used,
        "a new array every time": grow_in_numpy,
        "grows when half full": grow_when_half_full,
        "clears the row": grow_and_clear,
    },
    "05.compress": {
        "one sum too many": lambda values, tolerance: compress(values, tolerance, extra=1),
        "one sum too few": lambda values, tolerance: compress(values, tolerance, extra=-1),
        "always one": lambda values, tolerance: compress(values, 0.99),
        "everything kept": lambda values, tolerance: (values, torch.eye(values.shape[1], dtype=values.dtype)),
        "error measured as energy": compress_by_energy,
        "tolerance not relative": compress_by_absolute_size,
        "singular values forgotten": compress_without_singular_values,
        "later senders dropped": compress_by_dropping_senders,
        "parts exchanged": lambda values, tolerance: compress(values, tolerance)[::-1],
        "one sum at least": compress_at_least_one,
        "a share of all singular values": compress_of_share,
        "the first directions, not the largest": compress_without_pivots,
        "scales what it is given": compress_in_place,
        "float32": lambda values, tolerance: tuple(part.float() for part in compress(values, tolerance)),
    },
}
