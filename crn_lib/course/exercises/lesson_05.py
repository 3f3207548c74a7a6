"""Exercises of lesson 05: how much fits, a buffer that grows cheaply, and a pool squeezed into fewer sums."""

import math
import numbers
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.analysis import pair_values
from crn_lib.course.checks import (
    AS_PRECISE,
    Exercise,
    expect,
    expect_parts,
    expect_same,
    expect_tensor,
    fail,
    plain,
    shown,
)
from crn_lib.course.exercises.draws import normal
from crn_lib.course.exercises.work_counter import WorkCounter, expect_in_torch

APPENDS, FAIR_SHARE = (1000, 8000), 25
"""A doubling buffer touches each number it holds under ten times; one that grows by a fixed amount, far more often."""

UNUSED = -77
"""What stands in the room that is not used."""

SLACK = 1e-9
"""Room for rounding in float64, relative to the largest singular value."""


def _fits(memory: str, budget: int, width: int, blocks: int, bytes_each: int) -> float:
    row = width * blocks * bytes_each
    if memory == "sum":
        return math.inf if row <= budget else 0
    return budget // (2 * row if memory == "cache" else row)


def _examine_fits(attempt: Callable[..., Any]) -> None:
    draw = random.Random(5)
    cases = [(memory, budget, 64, 4, 4) for budget in (1_024_000, 1_000_000) for memory in ("pool", "cache", "sum")]
    cases += [(memory, budget, 1, 1, 1) for memory in ("pool", "cache", "sum") for budget in (0, 1, 2, 3)]
    for number in range(90):
        memory = ("pool", "cache", "sum")[number % 3]
        width, blocks, each = draw.randint(1, 300), draw.randint(1, 12), draw.choice((1, 2, 4, 8))
        token = width * blocks * each * (2 if memory == "cache" else 1)
        # Just enough for some tokens, one byte more, one less, or anything.
        budget = draw.randint(1, 1000 if memory != "sum" else 2) * token + draw.choice(
            (0, 1, -1, draw.randrange(token))
        )
        cases.append((memory, budget, width, blocks, each))
    for memory, budget, width, blocks, each in cases:
        case = f"{memory!r}, {budget:,} bytes, width {width}, {blocks} blocks, {each} bytes per number"
        got, wanted = attempt(memory, budget, width, blocks, each), _fits(memory, budget, width, blocks, each)
        partly = budget % (width * blocks * each * (2 if memory == "cache" else 1)) > 0
        requirement = 4 if memory == "sum" else 3 if partly else 2 if memory == "cache" else 1
        got = plain(got)
        # Compared as numbers: a word is none, and `True` is no count of tokens.
        same = not isinstance(got, bool) and isinstance(got, numbers.Real) and got == wanted
        expect(requirement, same, f"for {case}: got {shown(got)}, wanted {wanted}")


def _appended(attempt: Callable[..., Any], rows: Tensor, start: int, used: int = 0) -> tuple[list[int], Tensor, int]:
    """The capacities after every append, and the last buffer with its count; the first `used` rows are there before."""
    buffer = torch.full((start, rows.shape[1]), UNUSED, dtype=rows.dtype)
    buffer[:used] = rows[:used]
    capacities = []
    for row in rows[used:]:
        answer = attempt(buffer, used, row.clone())
        buffer, used = expect_parts(1, f"a buffer of shape {tuple(buffer.shape)}", answer, ("the buffer", "used"))
        if not isinstance(buffer, Tensor) or not isinstance(plain(used), int):
            fail(1, f"return a tensor and a number; got {shown(buffer)} and {shown(used)}")
        capacities.append(len(buffer))
    return capacities, buffer, used


def _examine_grow(attempt: Callable[..., Any]) -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.int64):
        _, buffer, _ = _appended(attempt, torch.ones(9, 2, dtype=dtype), 4)
        expect(4, buffer.dtype == dtype, f"a buffer of {dtype} became one of {buffer.dtype}")
    for width, start, count in ((1, 1, 2), (2, 4, 1), (2, 4, 4), (1, 4, 5), (3, 1, 37), (4, 8, 37), (3, 3, 9)):
        rows = normal(count, width, seed=count)
        rows[::3] = 0.0  # rows of zeros are rows, too
        for before in (0, start // 2):
            if before >= count:
                continue
            capacities, buffer, used = _appended(attempt, rows, start, before)
            case = f"{count - before} rows of {width} into a buffer with room for {start}, of which {before} are used"
            expect_same(1, f"{case}: the count", used, count)
            expect_same(1, f"{case}: the rows", buffer[:count], rows)
            for held, room in enumerate(capacities, start=before + 1):
                most = max(start, 2 * held)
                message = f"after {held} rows the buffer has room for {room}; at most {most} are allowed"
                expect(2, room <= most, f"for {case}: {message}")
    row = normal(3, seed=1)
    attempt(torch.zeros(2, 3, dtype=row.dtype), 1, given := row.clone())
    expect_same(1, "a row that was appended: what it holds afterwards", given, row)
    _examine_two_buffers(attempt)
    shares = []
    for appends in APPENDS:
        many = torch.ones(appends, 2)
        with WorkCounter() as work:
            _appended(attempt, many, 4)
        expect_in_torch(3, work)
        shares.append(work.touched / many.numel())
        fewer = f" ({shares[0]:.0f} for {APPENDS[0]:,} rows)" if len(shares) > 1 else ""
        expect(
            3,
            shares[-1] <= min(FAIR_SHARE, 1.5 * shares[0]),
            f"for {appends:,} rows it read or wrote {work.touched:,} numbers, {shares[-1]:.0f} for each that it was "
            f"given{fewer}; a buffer that doubles needs fewer than ten for any number of rows, one that grows by a "
            "fixed amount needs ever more",
        )


def _examine_two_buffers(attempt: Callable[..., Any]) -> None:
    """Two that grow in turn: whatever is kept outside the arguments gets from one into the other."""
    held = [(torch.full((2, 3), float(UNUSED)), 0) for _ in range(2)]
    rows = normal(2, 7, 3, seed=5, dtype=torch.float32)
    for count in range(7):
        for place in range(2):
            held[place] = attempt(*held[place], rows[place, count].clone())
    for place, (buffer, used) in enumerate(held):
        expect_same(1, f"7 rows into each of two buffers in turn, the count of buffer {place}", used, 7)
        expect_same(1, f"7 rows into each of two buffers in turn, the rows of buffer {place}", buffer[:7], rows[place])


def _contributions(norm: str, receivers: int, senders: int, width: int, seed: int) -> Tensor:
    """One channel of what each sender gives each receiver, `(receivers, senders)`, float64."""
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(count, width, generator=generator) for count in (receivers, senders))
    return pair_values(a, b, norm=norm)[:, :, 0]


def _compressed(
    attempt: Callable[..., Any], requirement: int, case: str, values: Tensor, tolerance: float
) -> tuple[int, float]:
    """How many sums the answer takes, and its error relative to the largest singular value (0 for zeros)."""
    parts = expect_parts(requirement, case, attempt(values, tolerance), ("readout", "sums"))
    readout, sums = (expect_tensor(5, case, part, values).to(values.dtype) for part in parts)
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
        "the same divided by a million": 1e-6 * tall,
        "one receiver, 5 senders": _contributions("exact", 1, 5, 4, seed=4),
        "5 receivers, one sender": _contributions("exact", 5, 1, 4, seed=5),
        "random numbers of both signs, 6 by 9": normal(6, 9, seed=6),
        "random numbers of both signs, 7 by 7": normal(7, 7, seed=7),
        "a product of 9 by 3 and 3 by 8": normal(9, 3, seed=8) @ normal(3, 8, seed=9),
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
    for shape in ((6, 4), (3, 3), (1, 5)):
        case = f"zeros of shape {shape}"
        k, error = _compressed(attempt, 4, case, torch.zeros(shape, dtype=torch.float64), 1e-3)
        expect(4, k == 0 and error == 0, f"for {case}: {k} sums with error {error:g}; none is needed")


EXERCISES = (
    Exercise(
        key="05.fits",
        title="how many tokens fit",
        difficulty=1,
        minutes=5,
        requirements=(
            (
                "A `pool` holds one row of `width` numbers per token in every block, each of `bytes_each` bytes; the "
                "counters are left out."
            ),
            "A KV `cache` holds two such rows per token in every block.",
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
            (
                "It returns a buffer that begins with all rows so far, in order, and the new `used`. The buffer that "
                "came in may be written to; `row` stays as it is."
            ),
            (
                "The returned buffer has room for no more than twice the rows it holds, or for as many as the very "
                "first buffer had, whichever is more. The first buffer has room for at least one row."
            ),
            "Adding n rows costs work that grows with n, not with its square; all of it is done in torch.",
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
            AS_PRECISE,
        ),
        examine=_examine_compress,
        untouched=5,
    ),
)
