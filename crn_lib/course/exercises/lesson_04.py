"""Exercises of lesson 04: the variance of every pair, the exact relation, a sender that cancels, best senders."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.course.checks import (
    AS_PRECISE,
    UNTOUCHED,
    Exercise,
    expect,
    expect_same,
    expect_tensor,
    expect_whole,
    shown,
)
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.course.exercises.work_counter import WorkCounter, expect_in_torch
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.normalise import layer_norm

ROOM = 4
"""Numbers a pair that an array may hold: one receiver after the other, or a few at once, is no table of everything."""


def _examine_variance(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        wanted = (a[:, None] + b[None]).var(dim=-1, correction=0)
        case = f"{case}, a = {shown(a)}, b = {shown(b)}, {a.dtype}"
        expect_same(requirement, case, expect_tensor(5, case, attempt(a, b), a), wanted)

    for dtype in DTYPES:
        for receivers, senders, width in ((1, 1, 3), (2, 2, 2), *shapes(3, seed=4, count=12)):
            a = normal(receivers, width + 1, seed=receivers, dtype=dtype)
            b = normal(senders, width + 1, seed=10 + senders, dtype=dtype)
            requirement = 1 if receivers == senders else 3
            size = f"{receivers} receivers and {senders} senders of width {width + 1}"
            compare(requirement, f"centred rows, {size}", a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True))
            steps = torch.arange(float(senders), dtype=dtype)[:, None]
            compare(2, f"rows whose means are far from 0, {size}", a + 3, b - steps)
    a, b = normal(2, 80, 60, seed=9)
    with WorkCounter() as work:
        attempt(a, b)
    expect_in_torch(4, work)
    message = f"for 80 rows of 60 numbers it made an array of {work.largest:,} numbers; one number per pair is 6,400"
    expect(4, work.largest <= ROOM * 80 * 80, message)


def _examine_exact(attempt: Callable[..., Any]) -> None:
    def definition(a: Tensor, b: Tensor) -> Tensor:
        return naive_relation(a[None], b[None], norm="exact", activation="exp", causal=True)[0]

    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        case = f"{case}, {a.dtype}"
        expect_same(requirement, case, expect_tensor(5, case, attempt(a, b), a), definition(a, b))

    for dtype in DTYPES:
        for length, width in ((1, 3), (2, 3), (4, 4), *shapes(2, seed=41, count=10, most=9), (9, 8)):
            a, b = normal(2, length, width + 1, seed=10 * length + width, dtype=dtype)
            size = f"a = {shown(a)}, b = {shown(b)}, length {length}, width {width + 1}"
            got = expect_tensor(5, size, attempt(a, b), a) if length == 1 else torch.ones(1)
            alone = not bool((got.isfinite() & (got > 0)).all())  # a receiver that hears nobody
            compare(2 if alone else 1, size, a, b)
    a, b = normal(2, 6, 5, seed=3)
    out = torch.as_tensor(attempt(a, b))
    for factor in (50.0, 1e6):
        later = torch.cat([b[:4], factor * normal(2, 5, seed=4)])
        changed = torch.as_tensor(attempt(a, later))
        case = f"6 tokens, the last two senders replaced by rows {factor:g} times as large, the first four outputs"
        expect_same(3, case, changed[:4], out[:4])
    for name, last in (("minus a_0, so that they cancel", -a[0]), ("infinity", torch.inf), ("NaN", torch.nan)):
        later = b.clone()
        later[4:] = last
        case = f"6 tokens, the last two senders replaced by {name}, the first four outputs"
        expect_same(3, case, torch.as_tensor(attempt(a, later))[:4], out[:4])
    shift = torch.arange(6.0, dtype=a.dtype)[:, None]
    compare(4, "a number added to every entry of a row", a + shift, b - 2 * shift)
    for factor in (1000.0, 1e-3):
        compare(4, f"everything multiplied by {factor:g}", factor * a, factor * b)


def _examine_sender(attempt: Callable[..., Any]) -> None:
    cases = [(4, 0, 1.0), (8, 7, 0.1), (33, 5, 0.01), (2, 1, 3.0)]
    cases += [(2 + 3 * n, (7 * n) % (2 + 3 * n), 0.02 * 1.6**n) for n in range(12)]
    for width, channel, spread in cases:
        for level in (2.0, -30.0):
            a = normal(width, seed=width) * abs(level) + level
            case = f"a receiver {shown(a)} of width {width}, channel {channel}, spread {spread:g}"
            b = expect_tensor(3, case, attempt(a, channel, spread), a)
            expect_same(1, f"{case}: the shape of b", list(b.shape), [width])
            at, largest = float(layer_norm(a + b)[channel]), math.sqrt(width - 1)
            message = f"for {case}: LN(a + b) holds {at:.4f} in the channel; the largest possible is {largest:.4f}"
            expect(1, abs(at - largest) < 1e-6, message)
            found = float((a + b).std(correction=0))
            expect(2, abs(found - spread) < 1e-6 * spread, f"for {case}: a + b has standard deviation {found:.6f}")


def _examine_best(attempt: Callable[..., Any]) -> None:
    for number, (receivers, senders, width) in enumerate(((2, 3, 1), *shapes(3, seed=44, count=14))):
        values = normal(receivers, senders, width, seed=90 + number)
        for name, table in (("", values), (" whose senders rank alike", values[:1].expand_as(values).clone())):
            wanted = [len({int(row.argmax()) for row in table[:, :, d]}) for d in range(width)]
            small = f" {shown(table)}" if table.numel() <= 8 else ""
            case = f"values{small} of shape {tuple(table.shape)}{name}"
            got = expect_whole(1, case, attempt(table))
            expect_same(1, f"{case} (how many channels)", len(got), width)
            expect_same(1 if not name else 2, case, got, wanted)


EXERCISES = (
    Exercise(
        key="04.variance",
        title="the variance of every pair",
        difficulty=2,
        minutes=7,
        requirements=(
            "Entry (i, j) is the population variance of a_i + b_j over the width.",
            "It is right for rows whose mean is not 0.",
            "Receivers are rows and senders are columns; there may be more of one than of the other.",
            "It holds one number per pair: no array of every pair times the width, and everything in torch.",
            AS_PRECISE,
        ),
        examine=_examine_variance,
        untouched=5,
    ),
    Exercise(
        key="04.exact",
        title="the exact relation from one scale per pair",
        difficulty=2,
        minutes=7,
        requirements=(
            "Row i is the mean over the i + 1 senders j ≤ i of exp(s_ij (A_i + B_j)), which is exp LN(a_i + b_j).",
            "A receiver sees its own sender: with one token the answer is exp LN(a_0 + b_0).",
            "What later senders hold changes nothing, even where they cancel a receiver, or hold infinity or NaN.",
            "Adding a number to a whole row, or multiplying all of a and b by one positive number, changes nothing.",
            AS_PRECISE,
        ),
        examine=_examine_exact,
        untouched=5,
    ),
    Exercise(
        key="04.sender",
        title="a sender that cancels",
        difficulty=2,
        minutes=6,
        requirements=(
            "LN(a + b) has its largest possible value, the square root of width − 1, in the channel asked for.",
            "The standard deviation of a + b over the width is `spread`.",
            AS_PRECISE,
        ),
        examine=_examine_sender,
        untouched=3,
    ),
    Exercise(
        key="04.best",
        title="count the best senders",
        difficulty=1,
        minutes=5,
        requirements=(
            "One integer for each channel: how many different senders are the largest for some receiver.",
            "Where every receiver ranks the senders alike, it is 1 in every channel.",
            UNTOUCHED,
        ),
        examine=_examine_best,
        untouched=3,
    ),
)
