"""Exercises of lesson 11: the width at which a format ends, a sum that goes on growing, a row that fits."""

import math
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.course.checks import UNTOUCHED, Exercise, expect, expect_parts, expect_same, fail, plain, shown
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.course.exercises.work_counter import numbers_in

LARGEST = {
    "float16": 65504.0,
    "bfloat16": torch.finfo(torch.bfloat16).max,
    "float32": torch.finfo(torch.float32).max,
    "float64": torch.finfo(torch.float64).max,
    "an 8-bit format that ends at 448": 448.0,
}
MANY = 4000


def _overflow_width(largest: float, rows: int) -> int:
    return math.floor(1 + (math.log(largest) / rows) ** 2) + 1


def _examine_width(attempt: Callable[..., Any]) -> None:
    for requirement, rows in ((1, 1), (2, 2)):
        for name, largest in LARGEST.items():
            got, wanted = attempt(largest, rows), _overflow_width(largest, rows)
            case = f"{name} and rows={rows}"
            got = plain(got)
            whole = isinstance(got, int) and not isinstance(got, bool)
            expect(3, whole, f"for {case}: got {shown(got)}, wanted a whole number")
            expect_same(requirement, case, got, wanted, tolerance=0.0)
    draw = random.Random(9)
    for _ in range(40):
        largest, rows = math.exp(draw.uniform(0.1, 60)), draw.randint(1, 6)
        case = f"a format that ends at {largest:.6g}, rows={rows}"
        expect_same(1 if rows == 1 else 2, case, attempt(largest, rows), _overflow_width(largest, rows), tolerance=0.0)
    for rows in (1, 2, 3, 5):
        for width in (2, 3, 9, 100):
            # Just above and just below what the spike of this width reaches.
            for factor, wanted in ((1 - 1e-9, width), (1 + 1e-9, width + 1)):
                largest = math.exp(rows * math.sqrt(width - 1)) * factor
                case = (
                    f"a format that ends {'below' if factor < 1 else 'above'} the spike of width {width}, rows={rows}"
                )
                expect_same(3, case, attempt(largest, rows), wanted, tolerance=0.0)


def _run(attempt: Callable[..., Any], senders: Tensor) -> tuple[Tensor, Any]:
    """The log-sums after every sender, and the last state."""
    state: Any = None
    sums: list[Tensor] = []
    for sender in senders:
        answer = attempt(state, sender.clone())
        state, log_sum = expect_parts(1, f"sender {len(sums)}", answer, ("the state", "the log-sum"))
        expect(
            1,
            isinstance(log_sum, Tensor) and log_sum.dtype == senders.dtype,
            f"the log-sum of {senders.dtype} senders comes as {getattr(log_sum, 'dtype', type(log_sum).__name__)}",
        )
        log_sum = log_sum.clone()  # the state may be this very tensor, and be changed in place
        sums.append(log_sum)
    return torch.stack(sums), state


def _after_reading(attempt: Callable[..., Any], sender: Tensor) -> Tensor:
    """Two senders alike, read one after the other, as the answer leaves them."""
    state, _ = attempt(None, first := sender.clone())
    attempt(state, second := sender.clone())
    return torch.stack([first, second])


def _expect_rounded_once(requirement: int, case: str, senders: Tensor, sums: Tensor) -> None:
    """As near to the truth as one rounding leaves it, and a little more for the scan itself."""
    truth = senders.double().logcumsumexp(dim=0)
    expect(requirement, sums.shape == truth.shape, f"for {case}: the log-sum has the shape {tuple(sums.shape[1:])}")
    off = (sums.double() - truth).abs()
    allowed = 0.51 * torch.finfo(senders.dtype).eps * truth.abs().clamp(min=1.0) + 1e-3
    wrong = ~(off <= allowed)
    if bool(wrong.any()):
        row, column = (int(i) for i in wrong.nonzero()[0])
        expect(
            requirement,
            False,
            f"for {case}: after {row + 1:,} senders the log-sum of column {column} is {sums[row, column].item():g}, "
            f"and should be {truth[row, column].item():.6g}",
        )


def _examine_scan(attempt: Callable[..., Any]) -> None:
    sizes = [numbers_in(_run(attempt, torch.zeros(count, 2, dtype=torch.float16))[1]) for count in (2, 200)]
    expect(4, sizes[0] == sizes[1], f"the state holds {sizes[0]} numbers after 2 senders and {sizes[1]} after 200")
    generator = torch.Generator().manual_seed(9)
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        name = str(dtype).removeprefix("torch.")
        for length, width in ((1, 1), *shapes(2, seed=90, count=6, most=9)):
            senders = 3 * normal(length, width, seed=length, dtype=dtype)
            sums, _ = _run(attempt, senders)
            _expect_rounded_once(1, f"{length} random senders of width {width}, {name}", senders, sums)
        given = normal(3, seed=93, dtype=dtype)
        read = _after_reading(attempt, given)
        expect_same(1, f"two senders, {name}, after they were read", read, given.expand(2, -1))
        first, second = normal(2, 4, 3, seed=91, dtype=dtype)
        states = [attempt(None, first[0].clone()), attempt(None, second[0].clone())]
        for number in range(1, 4):
            states = [attempt(states[0][0], first[number].clone()), attempt(states[1][0], second[number].clone())]
        for which, (_, log_sum) in zip((first, second), states, strict=True):
            wanted = which.double().logsumexp(dim=0)
            got = log_sum.double()
            expect_same(1, f"two sequences of 4 {name} senders taken in turn", got, wanted, tolerance=2e-2)
        if dtype != torch.float32:
            senders = torch.zeros(MANY, 2, dtype=dtype)
            sums, _ = _run(attempt, senders)
            _expect_rounded_once(2, f"{MANY:,} senders of 0, {name}", senders, sums)
        slope = torch.linspace(-2000, 2000, 9)[:, None] + torch.randn(9, 3, generator=generator)
        apart = normal(9, 3, seed=92) + torch.tensor([-3000.0, 0.0, 3000.0])
        columns = ("are near -3,000, 0 and 3,000 in three columns", apart)
        for case, far in (("rise from -2,000 to 2,000", slope), ("fall from 2,000 to -2,000", -slope), columns):
            sums, _ = _run(attempt, far.to(dtype))
            _expect_rounded_once(3, f"senders that {case}, {name}", far.to(dtype), sums)


def _examine_rescale(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, logs: Tensor, heads: int) -> None:
        got = attempt(logs, heads)
        expect(2, isinstance(got, Tensor) and got.dtype == torch.float16, f"for {case}: it is no float16 tensor")
        expect(2, got.shape == logs.shape, f"for {case}: got shape {tuple(got.shape)}, wanted {tuple(logs.shape)}")
        expect(2, bool(got.isfinite().all()), f"for {case}: not every number is finite")
        apart = float(logs.amax(dim=1).max() - logs.amax(dim=1).min()) > 100
        for row in range(len(logs)):
            largest = float(got[row].max())
            message = f"for {case}: the largest number of row {row} is {largest:g}, not between 0.01 and 1,000"
            expect(4 if apart else 2, 0.01 <= largest <= 1000, message)
        wanted = (logs.double() - logs.double().amax(dim=1, keepdim=True)).exp()
        found = got.double()
        # Two roundings to float16, of this entry and of the largest, and less than float16 can hold.
        off = (found - wanted * found.amax(dim=1, keepdim=True)).abs() - 2e-3 * found.abs() - 1.2e-7
        if bool((off > 0).any()):
            row, place = (int(i) for i in (off > 0).nonzero()[0])
            share, right = float(found[row, place] / found[row].max()), float(wanted[row, place])
            message = f"entry {place} of row {row} is {share:.4g} of the row's largest, wanted {right:.4g}"
            rounded = abs(share - right) < 0.05 * right
            fail(requirement, f"for {case}: {message}{': was the exponent rounded to float16?' if rounded else ''}")

    for dtype in DTYPES:
        for requirement, rows, heads in ((1, 1, 1), (1, 2, 1), (3, 1, 2), (3, 2, 2), (3, 3, 4), (3, 16, 2), (3, 5, 8)):
            logs = normal(rows, 16, seed=rows + heads, dtype=dtype)
            # The last head is smaller than the others by a factor that float16 still holds.
            logs[:, -16 // heads :] -= 1.5 if heads > 1 else 0.0
            turns = torch.arange(rows, dtype=dtype)[:, None] % 2
            spiked = logs.clone()
            spiked[torch.arange(rows), torch.arange(3, rows + 3) % 16] += 20.0
            sunk = logs.clone()
            sunk[torch.arange(rows), torch.arange(7, rows + 7) % 16] -= 1000.0
            for case, given in (
                ("ordinary rows", logs),
                ("rows near 3,000", logs + 3000),
                ("rows near -3,000", logs - 3000),
                ("rows near 3,000 and near -3,000 in turn", logs + 3000 - 6000 * turns),
                ("rows with one entry 20 above the others", spiked),
                ("rows with one entry 1,000 below the others", sunk),
                ("rows that rise by 40", logs + torch.linspace(-20, 20, 16, dtype=dtype)),
            ):
                size = f"{case}, {rows} rows of 16"
                compare(1, f"{size}, heads=1, {dtype}", given, 1)  # what is wrong with one head is not for several
                compare(requirement, f"{size}, heads={heads}, {dtype}", given, heads)
        flat = torch.zeros(2, 192, dtype=dtype)
        compare(2, f"2 rows of the paper's width, 192, all entries alike, heads=1, {dtype}", flat, 1)


EXERCISES = (
    Exercise(
        key="11.width",
        title="find the width at which a format ends",
        difficulty=1,
        minutes=6,
        requirements=(
            "For rows=1: the smallest width at which exp of an entry of a layer-normalised row can exceed `largest`.",
            "For more rows: the same for the sum of so many normalised rows (norm approx has rows=2).",
            "The answer is an integer; one less is safe. It is exact for every format, float64 among them.",
        ),
        examine=_examine_width,
    ),
    Exercise(
        key="11.scan",
        title="write a log-sum that goes on growing",
        difficulty=2,
        minutes=10,
        requirements=(
            (
                "It takes a state (`None` at first) and the next sender, and returns the new state and the log of the "
                "sum of exp of all senders so far, in the sender's format. It changes no sender, and keeps nothing "
                "outside the state."
            ),
            "After 4,000 equal senders it is still right to one rounding, in bfloat16 and in float16.",
            "It is right where senders rise or fall by thousands, and where channels differ by thousands.",
            "The state holds as many numbers after 200 senders as after 2.",
        ),
        examine=_examine_scan,
    ),
    Exercise(
        key="11.rescale",
        title="make rows fit into float16",
        difficulty=2,
        minutes=6,
        requirements=(
            (
                "The result is exp(logs) with every row times one positive number: a LayerNorm over the row gives what "
                "it gives without that number. Each entry is right to two roundings of float16."
            ),
            "It is float16, finite, and of the same shape; the largest number of every row is between 0.01 and 1,000.",
            "It is right with several heads, which lie side by side in a row: the LayerNorm goes over all of them.",
            "Every row has its own number: a large row does not make another one vanish.",
            UNTOUCHED,
        ),
        examine=_examine_rescale,
        untouched=5,
    ),
)
