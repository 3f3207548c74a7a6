"""Exercises of lesson 04: the variance of every pair, the exact relation from it, and a sender that cancels."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from crn_lib.course.checks import Exercise, expect, expect_same
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.normalise import layer_norm


class LargestArray(TorchDispatchMode):
    """Notes the most numbers that any result of a torch operation holds (a view, such as `expand`, holds none)."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.numbers = max([self.numbers, *(x.numel() for x in tree_leaves(out) if isinstance(x, Tensor))])
        return out


def _rows(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _variances(a: Tensor, b: Tensor) -> Tensor:
    """The truth, from every pair."""
    return (a[:, None] + b[None]).var(dim=-1, correction=0)


def _examine_variance(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        expect_same(requirement, case, attempt(a.clone(), b.clone()), _variances(a, b), tolerance=1e-9)

    for length, width in ((1, 3), (4, 4), (6, 5)):
        a, b = _rows(2, length, width, seed=length)
        centred = (x - x.mean(dim=-1, keepdim=True) for x in (a, b))
        compare(1, f"centred rows, {length} receivers and senders, width {width}", *centred)
    a, b = _rows(2, 5, 4, seed=8)
    compare(2, "rows whose means are far from 0", a + 3, b - torch.arange(5.0, dtype=a.dtype)[:, None])
    compare(3, "2 receivers and 5 senders", a[:2], b)
    compare(3, "5 receivers and 1 sender", a, b[:1])
    a, b = _rows(2, 40, 30, seed=9)
    with LargestArray() as largest:
        attempt(a, b)
    expect(
        4,
        largest.numbers <= 40 * 40,
        f"for 40 rows of 30 numbers it made an array of {largest.numbers:,} numbers; one number a pair is 1,600",
    )


def _examine_exact(attempt: Callable[..., Any]) -> None:
    def definition(a: Tensor, b: Tensor) -> Tensor:
        return naive_relation(a[None], b[None], norm="exact", activation="exp", causal=True)[0]

    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        expect_same(requirement, case, attempt(a.clone(), b.clone()), definition(a, b), tolerance=1e-9)

    a, b = _rows(2, 1, 4, seed=1)
    compare(2, "one token", a, b)
    for length, width in ((2, 4), (5, 3), (4, 4), (9, 8)):
        compare(1, f"length {length}, width {width}", *_rows(2, length, width, seed=10 * length + width))
    a, b = _rows(2, 6, 5, seed=3)
    out = torch.as_tensor(attempt(a.clone(), b.clone()))
    other = b.clone()
    other[4:] = 50.0 * _rows(2, 5, seed=4)
    changed = torch.as_tensor(attempt(a.clone(), other))
    expect_same(3, "6 tokens, after the last two senders were changed, the first four outputs", changed[:4], out[:4])
    shift = torch.arange(6.0, dtype=a.dtype)[:, None]
    compare(4, "a number added to every entry of a row", a + shift, b - 2 * shift)
    compare(4, "everything multiplied by 1,000", 1000 * a, 1000 * b)


def _examine_sender(attempt: Callable[..., Any]) -> None:
    for width, channel, spread in ((4, 0, 1.0), (8, 7, 0.1), (33, 5, 0.01)):
        a = _rows(width, seed=width) + 2.0
        case = f"a receiver of width {width}, channel {channel}, spread {spread:g}"
        b = torch.as_tensor(attempt(a.clone(), channel, spread))
        expect_same(1, f"{case}: the shape of b", list(b.shape), [width])
        exponents = layer_norm(a + b)
        at, largest = float(exponents[channel]), math.sqrt(width - 1)
        expect(
            1,
            abs(at - largest) < 1e-6,
            f"for {case}: LN(a + b) holds {at:.4f} in the channel; the largest possible is {largest:.4f}",
        )
        found = float((a + b).std(correction=0))
        expect(2, abs(found - spread) < 1e-6 * spread, f"for {case}: a + b has standard deviation {found:.6f}")


EXERCISES = (
    Exercise(
        key="04.variance",
        title="the variance of every pair",
        difficulty=2,
        minutes=8,
        requirements=(
            "Entry (i, j) is the population variance of a_i + b_j over the width.",
            "It is right for rows whose mean is not 0.",
            "Receivers are rows and senders columns, also where there are not as many of both.",
            "It holds one number a pair: no array of every pair times the width.",
        ),
        examine=_examine_variance,
    ),
    Exercise(
        key="04.exact",
        title="the exact relation from one scale a pair",
        difficulty=2,
        minutes=10,
        requirements=(
            "Row i is the mean over the i + 1 senders j ≤ i of exp(s_ij (A_i + B_j)), which is exp LN(a_i + b_j).",
            "A receiver sees its own sender: with one token the answer is exp LN(a_0 + b_0).",
            "What later senders hold changes nothing.",
            "Adding a number to a whole row, or multiplying all of a and b by one positive number, changes nothing.",
        ),
        examine=_examine_exact,
    ),
    Exercise(
        key="04.sender",
        title="a sender that cancels",
        difficulty=2,
        minutes=6,
        requirements=(
            "LN(a + b) has its largest possible value, the square root of width − 1, in the channel asked for.",
            "The standard deviation of a + b over the width is `spread`.",
        ),
        examine=_examine_sender,
    ),
)
