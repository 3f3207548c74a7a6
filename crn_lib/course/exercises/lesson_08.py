"""Exercises of lesson 08: who cancels a receiver, a relation with pairs missing, and a copier that cancels."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.analysis import drop, most_opposed, relation_pairs
from crn_lib.course.checks import (
    AS_PRECISE,
    UNTOUCHED,
    Exercise,
    expect,
    expect_same,
    expect_tensor,
    expect_tensors,
    fail,
    shown,
)
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.ops.naive import naive_relation


def _pairs(a: Tensor, b: Tensor) -> Any:
    return relation_pairs(a[None], b[None], torch.arange(len(a)), norm="exact", activation="exp", heads=1)


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a, b]).double())[0, 1])


def _examine_opposed(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        case = f"{case}, a = {shown(a)}, b = {shown(b)}, {a.dtype}"
        got = attempt(a, b)
        if not isinstance(got, Tensor) or got.is_floating_point() or got.dtype == torch.bool:
            kind = f" ({got.dtype})" if isinstance(got, Tensor) else ""
            fail(5, f"for {case}: got {shown(got)}{kind}, wanted a tensor of whole numbers, the senders' places")
        wanted = most_opposed(_pairs(a, b))[0, 0]
        sizes = f"got shape {tuple(got.shape)}, wanted {tuple(wanted.shape)}"
        expect(requirement, got.shape == wanted.shape, f"for {case}: {sizes}")
        for i in (got != wanted).nonzero()[:1].flatten().tolist():
            found, right = int(got[i]), int(wanted[i])
            has = f"correlation {_correlation(a[i], b[found]):.2f}" if 0 <= found <= i else "which it does not see"
            best = f"correlation {_correlation(a[i], b[right]):.2f}"
            fail(requirement, f"for {case}: receiver {i} got sender {found}, {has}; wanted {right}, {best}")

    for dtype in DTYPES:
        for length, width in ((2, 4), *shapes(2, seed=8, count=10), (30, 8)):
            a, b = normal(2, length, width + 2, seed=length, dtype=dtype)
            centred = (x - x.mean(dim=-1, keepdim=True) for x in (a, b))
            compare(1, f"{length} tokens, centred rows of width {width + 2}", *centred)
    a, b = normal(2, 12, 6, seed=3)
    means = normal(2, 12, 1, seed=4)
    compare(2, "12 rows whose means are far from 0", a + 5 * means[0], b + 5 * means[1])
    order = torch.randperm(12, generator=torch.Generator().manual_seed(5))
    for most in (2, 5):
        sizes = torch.logspace(-most, most, 12, dtype=torch.float64)[order]
        compare(3, f"12 rows of lengths from 1e-{most} to 1e{most}", a * sizes.flip(0)[:, None], b * sizes[:, None])
    # Nobody is opposed to anybody: the least aligned is the answer, and a 0 in the place of the future is none.
    alike = a[:1] + 0.2 * b
    compare(4, "12 tokens that are all aligned", alike, alike.flip(0))
    ahead = b.clone()
    ahead[6:] = -100 * a[:6]
    compare(4, "12 tokens, the last six senders being the opposites of the first six receivers", a, ahead)


def _examine_drop(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor, sender: Tensor) -> None:
        wanted = drop(sender[None, None])(_pairs(a, b)).mix()[0, 0]
        case = f"{case}, sender = {shown(sender)}, {len(a)} tokens of width {a.shape[1]}, {a.dtype}"
        expect_same(requirement, case, expect_tensor(4, case, attempt(a, b, sender), a), wanted)

    generator = torch.Generator().manual_seed(80)
    for dtype in DTYPES:
        for length, width in ((2, 3), (3, 3), *shapes(2, seed=81, count=10), (9, 8)):
            a, b = normal(2, length, width + 1, seed=10 * length + width, dtype=dtype)
            back = torch.arange(-1, length - 1)
            if length > 1:
                compare(1, "each without the one before it", a, b, back)
                compare(1, "each but the first without the first", a, b, (back.clamp(max=0)))
            compare(2, "-1 for all of them", a, b, torch.full((length,), -1))
            compare(2, "senders that come later", a, b, torch.where(back + 2 < length, back + 2, -1))
            compare(3, "each without itself", a, b, back + 1)
            for _ in range(2):
                sender = torch.randint(-1, length, (length,), generator=generator)
                compare(1, "any sender or none", a, b, sender)
    a, b = normal(2, 6, 4, seed=9)
    compare(1, "rows of size 1e-3", 1e-3 * a, 1e-3 * b, torch.tensor([-1, 0, -1, 1, 5, 2]))


def _examine_lookup(attempt: Callable[..., Any]) -> None:
    alphabet = 26
    for length, offset, kinds in (
        (6, 1, 26),
        (20, 4, 26),
        (7, 6, 26),
        (12, 3, 2),
        (9, 2, 1),
        (27, 9, 26),
        (40, 20, 26),
    ):
        generator = torch.Generator().manual_seed(length)
        letters = torch.randint(kinds, (length,), generator=generator)
        case = f"{length} letters of {kinds} kinds, offset {offset}"
        a, b = expect_tensors(1, case, attempt(letters, offset), ("receivers", "senders"))
        expect(
            1,
            a.ndim == 2 and a.shape == b.shape and len(a) == length and a.shape[1] >= alphabet,
            f"for {case}: a and b must be ({length}, width) with width >= {alphabet}; "
            f"got {tuple(a.shape)} and {tuple(b.shape)}",
        )
        out = naive_relation(a.double()[None], b.double()[None], norm="exact", activation="exp", causal=True)[0]
        read = out[offset:, :alphabet].argmax(dim=1)
        for place in (read != letters[: length - offset]).nonzero()[:1].flatten().tolist():
            wanted = f"wanted letter {letters[place]}, the one at position {place}"
            largest = f"the largest of its first {alphabet} channels is letter {read[place]}, {wanted}"
            fail(1, f"for {case}: row {offset + place}: {largest}")
        # One letter changed, and all but one.
        for place in {0, length // 2, length - 1}:
            alone = torch.arange(length) == place
            shift = torch.randint(1, alphabet, (length,), generator=generator)
            changed = (letters + shift) % alphabet
            for name, which in (
                (f"letter {place} was changed", alone),
                (f"all but letter {place} were changed", ~alone),
            ):
                answer = attempt(torch.where(which, changed, letters), offset)
                new_a, new_b = expect_tensors(1, case, answer, ("receivers", "senders"))
                expect_same(2, f"{case}: a, after {name}", new_a, a)
                expect_same(3, f"{case}: b of the other positions, after {name}", new_b[~which], b[~which])
        found = most_opposed(_pairs(a.double(), b.double()))[0, 0, offset:]
        expect_same(
            4, f"{case}: the most anti-aligned sender, from row {offset} on", found, torch.arange(length - offset)
        )


EXERCISES = (
    Exercise(
        key="08.opposed",
        title="who cancels whom",
        difficulty=1,
        minutes=5,
        requirements=(
            "Entry i is the sender j whose row has the most negative correlation with receiver i's.",
            "Correlations are those of centred rows: a number added to a whole row changes nothing.",
            "The lengths of the rows do not matter.",
            "Only senders j ≤ i count.",
            "Its arguments are left unchanged. The result is a tensor of integers.",
        ),
        examine=_examine_opposed,
        untouched=5,
    ),
    Exercise(
        key="08.drop",
        title="a relation with one sender missing in every row",
        difficulty=2,
        minutes=6,
        requirements=(
            (
                "Row i is the mean of exp LN(a_i + b_j) over the senders j ≤ i other than sender[i]; LN divides by the "
                "square root of the mean square, with no epsilon."
            ),
            "Where sender[i] is -1 or comes later than i, row i is the exact relation as it was.",
            "A row whose only sender is missing is 0.",
            AS_PRECISE,
        ),
        examine=_examine_drop,
        untouched=4,
    ),
    Exercise(
        key="08.lookup",
        title="build a copier that cancels",
        difficulty=3,
        minutes=12,
        requirements=(
            (
                "From row `offset` on, the largest of the first 26 channels of the exact relation is the letter "
                "`offset` positions back. You choose the width, at least 26."
            ),
            "A receiver knows its place only: a does not depend on the letters.",
            "A sender knows its own place and letter only: b_j does not depend on other letters.",
            "The receiver's most anti-aligned sender is the one it reads.",
            UNTOUCHED,
        ),
        examine=_examine_lookup,
        untouched=5,
    ),
)
