"""Exercises of lesson 05: how much fits, a buffer that grows cheaply, and a pool squeezed into fewer sums."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.analysis import pair_values
from crn_lib.course.checks import Exercise, expect, expect_same
from crn_lib.course.exercises.work_counter import WorkCounter

APPENDS, FAIR_SHARE = 3000, 25
"""A doubling buffer touches each number it holds under ten times; one that grows by a fixed amount, far more often."""

SLACK = 1e-9
"""Room for rounding in float64, relative to the largest singular value."""


def _examine_fits(attempt: Callable[..., Any]) -> None:
    cases = (
        (1, "pool", 1_000_000, 64, 4, 4, 976),
        (1, "pool", 4_096, 16, 2, 2, 64),
        (2, "cache", 1_000_000, 64, 4, 4, 488),
        (2, "cache", 4_096, 16, 2, 2, 32),
        (3, "pool", 1_023, 64, 1, 4, 3),
        (3, "pool", 1_024, 64, 1, 4, 4),
        (3, "cache", 511, 64, 1, 4, 0),
        (4, "sum", 1_024, 64, 4, 4, math.inf),
        (4, "sum", 1_023, 64, 4, 4, 0),
    )
    for requirement, memory, budget, width, blocks, bytes_each, wanted in cases:
        case = f"{memory!r}, {budget:,} bytes, width {width}, {blocks} blocks, {bytes_each} bytes a number"
        got = attempt(memory, budget, width, blocks, bytes_each)
        # `inf` is not close to `inf` by a tolerance, so it is compared as a number.
        same = isinstance(got, int | float) and not isinstance(got, bool) and got == wanted
        expect(requirement, same, f"for {case}: got {got!r}, wanted {wanted}")


def _appended(attempt: Callable[..., Any], rows: Tensor, start: int) -> tuple[list[int], Tensor, int]:
    """The capacities after every append, and the last buffer with its count."""
    buffer, used, capacities = torch.zeros(start, rows.shape[1], dtype=rows.dtype), 0, []
    for row in rows:
        buffer, used = attempt(buffer, used, row.clone())
        capacities.append(len(buffer))
    return capacities, buffer, used


def _examine_grow(attempt: Callable[..., Any]) -> None:
    rows = torch.randn(37, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for start, count in ((4, 1), (4, 4), (4, 5), (1, 37), (8, 37)):
        _, buffer, used = _appended(attempt, rows[:count], start)
        case = f"{count} rows into a buffer with room for {start}"
        expect_same(1, f"{case}: the count", used, count)
        expect_same(1, f"{case}: the rows", buffer[:count], rows[:count])
    for start in (1, 4, 8):
        capacities, _, _ = _appended(attempt, rows, start)
        for count, room in enumerate(capacities, start=1):
            most = max(start, 2 * count)
            expect(2, room <= most, f"after {count} rows the buffer has room for {room}; at most {most} are allowed")
    many = torch.ones(APPENDS, 2)
    with WorkCounter() as work:
        _appended(attempt, many, 4)
    share = work.touched // many.numel()
    expect(
        3,
        share <= FAIR_SHARE,
        f"for {APPENDS:,} rows it read or wrote {work.touched:,} numbers, {share} for each number it was given; a "
        "buffer that doubles needs fewer than ten, one that grows by a fixed amount needs ever more",
    )
    for dtype in (torch.float16, torch.float64):
        _, buffer, _ = _appended(attempt, torch.ones(9, 2, dtype=dtype), 4)
        expect(4, buffer.dtype == dtype, f"a buffer of {dtype} became one of {buffer.dtype}")


def _contributions(norm: str, receivers: int, senders: int, width: int, seed: int) -> Tensor:
    """One channel of what each sender gives each receiver, `(receivers, senders)`, float64."""
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(count, width, generator=generator) for count in (receivers, senders))
    return pair_values(a, b, norm=norm)[:, :, 0]


def _compressed(
    attempt: Callable[..., Any], requirement: int, case: str, values: Tensor, tolerance: float
) -> tuple[int, float]:
    """How many sums the answer takes, and its error relative to the largest singular value (0 for zeros)."""
    readout, sums = (torch.as_tensor(part) for part in attempt(values.clone(), tolerance))
    fits = readout.ndim == sums.ndim == 2 and readout.shape[1] == sums.shape[0]
    expect(
        requirement, fits, f"for {case}: shapes {tuple(readout.shape)} and {tuple(sums.shape)} make no matrix product"
    )
    k = sums.shape[0]
    rebuilt = readout @ sums if k else torch.zeros_like(values)
    expect(
        requirement,
        rebuilt.shape == values.shape and readout.shape[0] == len(values),
        f"for {case}: readout @ sums has shape {tuple(rebuilt.shape)}, wanted {tuple(values.shape)}",
    )
    largest = float(torch.linalg.matrix_norm(values, 2))
    error = float(torch.linalg.matrix_norm(values - rebuilt, 2))
    return k, error / largest if largest else error


def _examine_compress(attempt: Callable[..., Any]) -> None:
    tall = _contributions("exact", 40, 16, 8, seed=2)
    matrices = {
        "exact, 40 receivers, 16 senders": tall,
        "exact, 12 receivers, 30 senders": _contributions("exact", 12, 30, 5, seed=3),
        "the same times a million": 1e6 * tall,
    }
    found: dict[tuple[str, float], int] = {}
    for name, values in matrices.items():
        for tolerance in (0.3, 1e-1, 1e-2, 1e-3, 1e-12):
            case = f"{name}, tolerance {tolerance:g}"
            found[name, tolerance], error = _compressed(attempt, 1, case, values, tolerance)
            message = f"for {case}: the error is {error:.3g} of the largest singular value"
            expect(1, error <= tolerance + SLACK, message)
    for (name, tolerance), k in found.items():
        singular = torch.linalg.svdvals(matrices[name])
        fewest = int((singular > tolerance * singular[0]).sum())
        expect(2, k <= fewest, f"for {name}, tolerance {tolerance:g}: {k} sums, and {fewest} are enough")
    for norm in ("approx", "none"):
        k, error = _compressed(attempt, 3, f"norm {norm!r}", _contributions(norm, 20, 9, 6, seed=4), 1e-9)
        expect(3, k == 1 and error <= 1e-9, f"for norm {norm!r}: {k} sums with error {error:.1e}; one is enough")
    k, error = _compressed(attempt, 4, "a matrix of zeros", torch.zeros(6, 4, dtype=torch.float64), 1e-3)
    expect(4, k == 0 and error == 0, f"for a matrix of zeros: {k} sums with error {error:g}; none is needed")


EXERCISES = (
    Exercise(
        key="05.fits",
        title="how many tokens fit",
        difficulty=1,
        minutes=5,
        requirements=(
            "A `pool` holds one row of `width` numbers a token in every block, each of `bytes_each` bytes.",
            "A KV `cache` holds two such rows a token in every block.",
            "Only whole tokens count: the last one must fit completely.",
            (
                "A running `sum` holds one row in every block, however many tokens come: the answer is math.inf if "
                "that fits, and 0 if not."
            ),
        ),
        examine=_examine_fits,
    ),
    Exercise(
        key="05.grow",
        title="a buffer that grows cheaply",
        difficulty=2,
        minutes=8,
        requirements=(
            "It returns a buffer whose first `used` rows are all rows so far, in order, and the new `used`.",
            "The buffer never has room for more than twice the rows it holds, or for more than it had at the start.",
            "Adding n rows costs work that grows with n, not with its square.",
            "The buffer keeps its dtype.",
        ),
        examine=_examine_grow,
    ),
    Exercise(
        key="05.compress",
        title="squeeze a pool into fewer sums",
        difficulty=3,
        minutes=12,
        requirements=(
            (
                "`readout @ sums` differs from `contributions` by at most `tolerance` times its largest singular "
                "value, measured in the spectral norm."
            ),
            "`sums` has as few rows as any matrix can have that meets this.",
            "Contributions that factorise need one row.",
            "A matrix of zeros needs none.",
        ),
        examine=_examine_compress,
    ),
)
