"""Right and wrong answers to the exercises of lesson 05."""

import math
from collections.abc import Callable
from typing import Any

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


RIGHT: dict[str, Callable[..., Any]] = {"05.fits": fits, "05.grow": grow, "05.compress": compress}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "05.grow": [grow_by_half],
    "05.compress": [compress_by_eigenvectors],
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
    },
    "05.grow": {
        "room for one more each time": grow_by(1),
        "room for 32 more each time": grow_by(32),
        "room for all there will ever be": grow_by(5000),
        "fourfold": grow_fourfold,
        "old rows not copied": grow_and_forget,
        "overwrites the oldest": grow_never,
        "becomes float32": grow_to_float32,
        "does not count": lambda buffer, used, row: (grow(buffer, used, row)[0], len(buffer)),
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
    },
}
