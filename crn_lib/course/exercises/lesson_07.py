"""Exercises of lesson 07: a mask that is right for every activation, inputs that approx confuses, a verdict on runs."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.course.checks import AS_PRECISE, UNTOUCHED, Exercise, expect, expect_same, expect_tensor, fail, shown
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.course.exercises.work_counter import WorkCounter
from crn_lib.ops import relation
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS

ALIKE, APART = 1e-5, 0.05  # a ratio, which float32 must not fail at any width, and a difference
"""Outputs that are the same, and outputs that clearly are not."""


def _mean_of_seen(pairs: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.stack([activation(pairs[i, : i + 1]).mean(dim=0) for i in range(len(pairs))])


def _examine_mask(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, pairs: Tensor, activation: Callable[[Tensor], Tensor]) -> None:
        case = f"{case}, pairs = {shown(pairs)}, {pairs.dtype}"
        got = expect_tensor(5, case, attempt(pairs, activation), pairs)
        expect_same(requirement, case, got, _mean_of_seen(pairs, activation))

    def pairs_of(length: int, width: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return 2 * normal(length, length, width, seed=length + 10 * width, dtype=dtype)

    # exp of nearly 0, and 1/x and log, which are infinite at 0: what is put in a future pair's place must not count.
    steep = {"1/x": torch.reciprocal, "log of the square": lambda x: x.square().log()}
    activations = {**ACTIVATION_FUNCTIONS, "cosine": torch.cos, "x + 5": lambda x: x + 5, **steep}
    for dtype in DTYPES:
        for length, width in ((2, 1), *shapes(2, seed=71, count=8), (12, 4)):
            compare(1, f"exp, length {length}, width {width}", pairs_of(length, width, dtype), torch.exp)
        for name, activation in activations.items():
            for length in (1, 2, 6):
                compare(2, f"{name}, length {length}", pairs_of(length, 3, dtype), activation)
    for size in (-600.0, -90.0, 30.0, 100.0, 600.0):
        compare(1, f"exp, pairs near {size:g}", pairs_of(6, 3) + size, torch.exp)
        compare(2, f"x + 5, pairs near {size:g}", pairs_of(6, 3) + size, activations["x + 5"])
    loud = pairs_of(6, 3)
    loud[3, 1] = 1000.0
    compare(1, "exp, a visible pair of 1,000, whose exp is infinite", loud, torch.exp)

    calls = {}
    for length in (4, 12):
        with WorkCounter() as work:
            attempt(pairs_of(length, 3), torch.exp)
        calls[length] = work.calls
    took = f"it takes {calls[4]} torch operations for 4 tokens and {calls[12]} for 12"
    expect(4, calls[4] == calls[12], f"{took}; work on the table as a whole")

    future = torch.ones(6, 6, dtype=torch.bool).triu(1)
    for name, large in (("1,000", 1e3), ("infinity", torch.inf), ("NaN", torch.nan)):
        broken = pairs_of(6, 3)
        broken[future] = large
        broken.requires_grad_()
        wanted = _mean_of_seen(broken, torch.exp)
        out = torch.as_tensor(attempt(broken, torch.exp))
        case = f"exp, future pairs of {name}"
        expect_same(3, case, out.detach(), wanted.detach())
        expect(3, out.requires_grad, f"for {case}: the output has no gradient")
        found, right = (torch.autograd.grad(each.sum(), broken, allow_unused=True)[0] for each in (out, wanted))
        expect(3, found is not None, f"for {case}: the output has no gradient")
        expect_same(3, f"{case}, the gradient of the sum of the outputs", found, right)


def _examine_twins(attempt: Callable[..., Any]) -> None:
    made = attempt()
    try:
        (a, b), (a2, b2) = made
    except (TypeError, ValueError):
        found = f"a {type(made).__name__}" + (f" of {len(made)}" if isinstance(made, tuple | list) else "")
        fail(1, f"return (a, b), (a2, b2), two pairs of tensors; got {found}")
    rows = (a, b, a2, b2)
    for name, x in zip(("a", "b", "a2", "b2"), rows, strict=True):
        kind = str(x.dtype) if isinstance(x, Tensor) else type(x).__name__
        expect(1, isinstance(x, Tensor) and x.is_floating_point(), f"{name} is no floating-point tensor; got {kind}")
        large = x.ndim == 2 and len(x) >= 3 and x.shape[1] >= 4
        expect(1, large, f"{name} must be (length >= 3, width >= 4); got {tuple(x.shape)}")
        expect(1, x.shape == a.shape, f"{name} is {tuple(x.shape)}, a is {tuple(a.shape)}")
        expect(1, bool(x.isfinite().all()), f"{name} is not finite")
        deviation = float(x.detach().std(dim=-1, correction=0).min())
        expect(1, deviation >= 0.01, f"a row of {name} has a standard deviation of {deviation:.2g}, and needs 0.01")
    a, b, a2, b2 = (x.detach().double()[None] for x in rows)

    def both(norm: str) -> Tensor:
        return torch.stack([relation(x, y, norm=norm, rescale=False) for x, y in ((a, b), (a2, b2))])

    first, second = both("approx")
    approx = float(((first - second).abs() / first).max())
    exact = float(both("exact").diff(dim=0).abs().max())
    expect(2, approx <= ALIKE, f"the approximate relation tells them apart: they differ by a relative {approx:.2g}")
    differ = f"its outputs differ by {exact:.2g} at most, wanted {APART:g} somewhere"
    expect(3, exact >= APART, f"the exact relation gives almost the same: {differ}")


def _runs(solved: dict[tuple[str, bool, str], str]) -> list[dict[str, Any]]:
    """Runs of variants; the outcomes of their seeds are written as `+` and `-`."""
    return [
        {"norm": norm, "post_norm": post_norm, "activation": activation, "seed": seed, "solved": sign == "+"}
        for (norm, post_norm, activation), signs in solved.items()
        for seed, sign in enumerate(signs)
    ]


def _verdict(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    """The reference."""
    variants: dict[tuple[Any, ...], list[bool]] = {}
    for run in runs:
        variants.setdefault((run["norm"], run["post_norm"], run["activation"]), []).append(run["solved"])
    place = ("norm", "post_norm", "activation").index(field)
    having = [solved for variant, solved in variants.items() if variant[place] == value]
    lacking = [solved for variant, solved in variants.items() if variant[place] != value]
    if any(all(solved) for solved in lacking):
        return "refuted"
    if any(any(solved) for solved in lacking):
        return "mixed"
    return "borne out" if lacking and any(all(solved) for solved in having) else "open"


TABLES: tuple[tuple[int, str, str, dict[tuple[str, bool, str], str]], ...] = (
    (1, "refuted", "GELU copies in 3 of 3 seeds", {("exact", True, "exp"): "+++", ("exact", True, "gelu"): "+++"}),
    (
        1,
        "refuted",
        "GELU copies in 3 of 3 seeds with post-norm and in none without",
        {("exact", True, "exp"): "+++", ("exact", True, "gelu"): "+++", ("exact", False, "gelu"): "---"},
    ),
    (1, "refuted", "GELU copies and exp does not", {("exact", True, "exp"): "---", ("exact", True, "gelu"): "++"}),
    (
        2,
        "mixed",
        "GELU copies in 1 of 3 seeds",
        {("exact", True, "exp"): "+++", ("exact", True, "gelu"): "-+-", ("none", True, "gelu"): "---"},
    ),
    (
        2,
        "mixed",
        "GELU copies in seed 0 with post-norm and in seed 1 without",
        {("exact", True, "exp"): "++", ("exact", True, "gelu"): "+-", ("exact", False, "gelu"): "-+"},
    ),
    (
        3,
        "borne out",
        "exp copies in 3 of 3 seeds under one norm, nothing else does in any",
        {("exact", True, "exp"): "+++", ("none", True, "exp"): "---", ("exact", True, "relu"): "---"},
    ),
    (
        3,
        "borne out",
        "exp copies in 3 of 3 seeds under one norm and in 1 of 3 under another, nothing else does in any",
        {("exact", True, "exp"): "+++", ("none", True, "exp"): "+--", ("exact", True, "relu"): "---"},
    ),
    (4, "open", "nothing copies", {("exact", True, "exp"): "---", ("exact", True, "relu"): "---"}),
    (
        4,
        "open",
        "exp copies in some seeds, nothing else does in any",
        {("exact", True, "exp"): "+-+", ("exact", True, "relu"): "---"},
    ),
    (4, "open", "only runs with exp", {("exact", True, "exp"): "+++", ("none", True, "exp"): "---"}),
)


def _examine_verdict(attempt: Callable[..., Any]) -> None:
    for requirement, wanted, case, table in TABLES:
        runs = _runs(table)
        for order in (runs, runs[::-1], sorted(runs, key=lambda run: int(run["seed"]))):
            got = attempt(order, "activation", "exp")
            expect_same(requirement, f"activation = 'exp', {case}: the outcomes {table}", got, wanted)
    expect_same(4, "no runs at all", attempt([], "activation", "exp"), "open")
    draw = random.Random(70)
    norms, places, activations = ("exact", "none", "approx"), (True, False), ("exp", "gelu", "relu")
    variants = list(itertools.product(norms, places, activations))
    for number in range(150):
        # From one variant to seven, each with seeds of its own, in any order, with fields that do not matter.
        chances = {norm: draw.choice((0.0, 0.0, 0.3, 0.9, 1.0)) for norm in norms}
        table = {
            variant: "".join("+" if draw.random() < chances[variant[0]] else "-" for _ in range(draw.randint(1, 3)))
            for variant in draw.sample(variants, 1 + number // 25)
        }
        runs = _runs(table)
        draw.shuffle(runs)
        for run in runs:
            run |= {"steps": draw.randint(100, 900), "width": draw.choice((32, 64))} if number % 2 else {}
        for place, field in enumerate(("norm", "post_norm", "activation")):
            value = draw.choice(variants if number % 3 else list(table))[place]
            wanted = _verdict(runs, field, value)
            requirement = {"refuted": 1, "mixed": 2, "borne out": 3, "open": 4}[wanted]
            case = f"{field} = {value!r} and the outcomes {table}"
            expect_same(requirement, case, attempt(runs, field, value), wanted)


EXERCISES = (
    Exercise(
        key="07.mask",
        title="a causal mean for every activation",
        difficulty=2,
        minutes=8,
        requirements=(
            "Row i of the result is the mean of activation(pairs[i, j]) over the i + 1 senders j ≤ i.",
            "It is right for every activation that works entry by entry, whatever it gives at 0 or at minus infinity.",
            "A future pair counts for nothing, even if it is infinite or NaN: outputs and gradients stay right.",
            "It works on the whole table at once, without a loop over the tokens.",
            AS_PRECISE,
        ),
        examine=_examine_mask,
        untouched=5,
    ),
    Exercise(
        key="07.twins",
        title="what the approximate norm cannot tell apart",
        difficulty=2,
        minutes=6,
        requirements=(
            (
                "It returns (a, b), (a2, b2): four floating-point tensors of one shape (length, width), at least 3 "
                "rows of at least 4 finite numbers, and every row has a standard deviation of at least 0.01."
            ),
            f"The approximate relation with exp gives the same for both pairs, to a relative {ALIKE:g}.",
            f"The exact relation with exp differs somewhere by at least {APART:g}.",
        ),
        examine=_examine_twins,
    ),
    Exercise(
        key="07.verdict",
        title="is it indispensable?",
        difficulty=3,
        minutes=10,
        requirements=(
            (
                '"refuted" if some variant without the value copies in every one of its seeds. Runs of one variant '
                "share norm, post_norm and activation; only the seed differs."
            ),
            '"mixed" otherwise, if any run without the value copies.',
            '"borne out" otherwise, if a variant with the value copies in every seed, and there are runs without it.',
            '"open" otherwise.',
            UNTOUCHED,
        ),
        examine=_examine_verdict,
        untouched=5,
    ),
)
