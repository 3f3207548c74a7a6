"""Exercises of lesson 08: who cancels a receiver, a relation with pairs missing, and a copier that cancels."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.analysis import drop, most_opposed, relation_pairs
from crn_lib.course.checks import Exercise, expect, expect_same
from crn_lib.ops.naive import naive_relation


def _rows(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pairs(a: Tensor, b: Tensor) -> Any:
    return relation_pairs(a[None], b[None], torch.arange(len(a)), norm="exact", activation="exp", heads=1)


def _examine_opposed(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        expect_same(requirement, case, attempt(a.clone(), b.clone()), most_opposed(_pairs(a, b))[0, 0])

    for length, width in ((1, 3), (6, 4), (30, 8)):
        a, b = _rows(2, length, width, seed=length)
        centred = (x - x.mean(dim=-1, keepdim=True) for x in (a, b))
        compare(1, f"{length} tokens, centred rows of width {width}", *centred)
    a, b = _rows(2, 12, 6, seed=3)
    means = _rows(2, 12, 1, seed=4)
    compare(2, "rows whose means are far from 0", a + 5 * means[0], b + 5 * means[1])
    sizes = torch.logspace(-2, 2, 12, dtype=torch.float64)[
        torch.randperm(12, generator=torch.Generator().manual_seed(5))
    ]
    compare(3, "rows of very different lengths", a * sizes.flip(0)[:, None], b * sizes[:, None])
    ahead = b.clone()
    ahead[6:] = -100 * a[:6]
    expect_same(
        4,
        "12 tokens, the last six senders being the opposites of the first six receivers, the first six answers",
        torch.as_tensor(attempt(a.clone(), ahead.clone()))[:6],
        most_opposed(_pairs(a, ahead))[0, 0, :6],
    )


def _examine_drop(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor, sender: Tensor) -> None:
        wanted = drop(sender[None, None])(_pairs(a, b)).mix()[0, 0]
        expect_same(requirement, case, attempt(a.clone(), b.clone(), sender.clone()), wanted, tolerance=1e-9)

    for length, width in ((2, 4), (5, 3), (9, 8)):
        a, b = _rows(2, length, width, seed=10 * length + width)
        back = torch.tensor([-1, *range(length - 1)])
        compare(1, f"{length} tokens of width {width}, each without the one before it", a, b, back)
    a, b = _rows(2, 8, 5, seed=6)
    compare(1, "8 tokens, each without the first", a, b, torch.tensor([-1] + [0] * 7))
    compare(2, "8 tokens, -1 for all of them", a, b, torch.full((8,), -1))
    compare(
        2, "8 tokens, senders that come later", a, b, torch.arange(1, 9).clamp(max=7).where(torch.arange(8) < 7, -1)
    )
    compare(3, "one token without itself", a[:1], b[:1], torch.tensor([0]))


def _examine_lookup(attempt: Callable[..., Any]) -> None:
    alphabet = 26
    for length, offset in ((6, 1), (20, 4), (40, 20)):
        letters = torch.randint(alphabet, (length,), generator=torch.Generator().manual_seed(length))
        case = f"{length} letters, offset {offset}"
        a, b = (torch.as_tensor(x) for x in attempt(letters.clone(), offset))
        expect(
            1,
            a.ndim == 2 and a.shape == b.shape and len(a) == length and a.shape[1] >= alphabet,
            f"for {case}: a and b must be ({length}, width) with width >= {alphabet}; "
            f"got {tuple(a.shape)} and {tuple(b.shape)}",
        )
        out = naive_relation(a.double()[None], b.double()[None], norm="exact", activation="exp", causal=True)[0]
        expect_same(
            1,
            f"{case}: the largest of the first {alphabet} columns, from row {offset} on",
            out[offset:, :alphabet].argmax(dim=1),
            letters[: length - offset],
        )
        other = letters.clone()
        other[length // 2] = (other[length // 2] + 1) % alphabet
        new_a, new_b = (torch.as_tensor(x) for x in attempt(other, offset))
        expect_same(2, f"{case}: a, after letter {length // 2} was changed", new_a, a)
        kept = torch.arange(length) != length // 2
        expect_same(
            3, f"{case}: b of the other positions, after letter {length // 2} was changed", new_b[kept], b[kept]
        )
        found = most_opposed(_pairs(a.double(), b.double()))[0, 0, offset:]
        expect_same(
            4, f"{case}: the most anti-aligned sender, from row {offset} on", found, torch.arange(length - offset)
        )


EXERCISES = (
    Exercise(
        key="08.opposed",
        title="who cancels whom",
        difficulty=1,
        minutes=7,
        requirements=(
            "Entry i is the sender j whose row has the most negative correlation with receiver i's.",
            "Correlations are those of centred rows: a number added to a whole row changes nothing.",
            "The lengths of the rows do not matter.",
            "Only senders j ≤ i count.",
        ),
        examine=_examine_opposed,
    ),
    Exercise(
        key="08.drop",
        title="a relation with one sender missing in every row",
        difficulty=2,
        minutes=8,
        requirements=(
            "Row i is the mean of exp LN(a_i + b_j) over the senders j ≤ i other than sender[i].",
            "Where sender[i] is -1 or comes later than i, row i is the exact relation as it was.",
            "A row whose only sender is missing is 0.",
        ),
        examine=_examine_drop,
    ),
    Exercise(
        key="08.lookup",
        title="build a copier that cancels",
        difficulty=3,
        minutes=12,
        requirements=(
            (
                "From row `offset` on, the largest of the first 26 columns of the exact relation is the letter "
                "`offset` positions back. You choose the width, at least 26."
            ),
            "A receiver knows its place only: a does not depend on the letters.",
            "A sender knows its own place and letter only: b_j does not depend on other letters.",
            "The receiver's most anti-aligned sender is the one it reads.",
        ),
        examine=_examine_lookup,
    ),
)
