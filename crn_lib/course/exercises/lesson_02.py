"""Exercises of lesson 02: Santoro's network, its first layer split, the causal mean, and a test that finds leaks."""

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
    expect_tensors,
    fail,
    shown,
)
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.course.exercises.work_counter import WorkCounter, expect_in_torch
from crn_lib.ops.normalise import layer_norm
from crn_lib.units import counted

Network = Callable[[Tensor], Tensor]

LONG, FAIR_SHARE = 200, 20
"""Splitting touches each number of the input a few times; a table of pairs, some hundred times at LONG."""


def _pair_function(features: int, outputs: int, seed: int, dtype: torch.dtype = torch.float64) -> Network:
    """A smooth `g` of `(..., 2 * features)`, in which receiver and sender are not exchangeable."""
    weight = normal(outputs, 2 * features, seed=seed, dtype=dtype)

    def g(pairs: Tensor) -> Tensor:
        return (pairs @ weight.T).sigmoid() + 0.1 * (pairs @ weight.T)

    return g


def _sum_of_pair(pairs: Tensor) -> Tensor:
    """A `g` that a reader can compute in the head."""
    return pairs.sum(dim=-1, keepdim=True)


def _examine_santoro(attempt: Callable[..., Any]) -> None:
    def truth(x: Tensor, g: Network, f: Network) -> Tensor:
        sums = [torch.stack([g(torch.cat([one, other])) for one in scene for other in scene]).sum(0) for scene in x]
        return torch.stack([f(total) for total in sums])

    def f(total: Tensor) -> Tensor:
        return torch.stack([total.sum(-1) ** 2, total[..., 0]], dim=-1)  # not linear: f of a sum is no sum of f

    for requirement, objects in ((2, [[[3.0]]]), (1, [[[1.0], [2.0]]])):
        x = torch.tensor(objects, dtype=torch.float64)
        got = attempt(x, _sum_of_pair, lambda total: 2 * total)
        case = f"x = {shown(x)}, g the sum of both objects, f twice what it is given"
        expect_same(requirement, case, expect_tensor(5, case, got, x), truth(x, _sum_of_pair, lambda total: 2 * total))

    for dtype in DTYPES:
        for batch, n, features in ((1, 2, 1), *shapes(3, seed=2, count=12, most=5), (1, 4, 2)):
            x = normal(batch, n, features, seed=n, dtype=dtype)
            g = _pair_function(features, 3, seed=features, dtype=dtype)
            requirement = 2 if n == 1 else 3 if batch > 1 else 1
            case = f"x = {shown(x)}, batch {batch}, {n} objects, {features} features, {dtype}"
            got = expect_tensor(5, case, attempt(x, g, f), x)
            expect_same(requirement, case, got, truth(x, g, f))

    called, g = [], _pair_function(2, 3, seed=2)

    def counting(pairs: Tensor) -> Tensor:
        called.append(tuple(pairs.shape))
        return g(pairs)

    attempt(normal(2, 6, 2, seed=9), counting, f)
    expect(4, len(called) == 1, f"for 2 scenes of 6 objects g was called {len(called)} times, wanted once")


def _examine_split(attempt: Callable[..., Any]) -> None:
    for dtype in DTYPES:
        for n, d, width in shapes(3, seed=3, count=12):
            x, weight = normal(n, d, seed=n, dtype=dtype), normal(width, 2 * d, seed=d, dtype=dtype)
            bias = normal(width, seed=width, dtype=dtype)
            case = f"x = {shown(x)}, weight = {shown(weight)}, {n} rows of {d} numbers, width {width}, {dtype}"
            a, b = expect_tensors(1, case, attempt(x, weight, bias), ("a", "b"))
            a, b = expect_tensor(4, f"a, {case}", a, x), expect_tensor(4, f"b, {case}", b, x)
            for name, rows in (("a", a), ("b", b)):
                message = f"for {case}: {name} has shape {tuple(rows.shape)}, not {(n, width)}"
                expect(1, rows.shape == (n, width), message)
            layer = torch.stack([torch.stack([weight @ torch.cat([one, other]) + bias for other in x]) for one in x])
            expect_same(1, f"a_i + b_j, {case}", a[:, None] + b[None, :], layer)
            a, b = attempt(torch.zeros_like(x), weight, bias)
            expect_same(2, f"b of rows of zeros, {case}", b, torch.zeros(n, width))
            expect_same(2, f"a of rows of zeros, {case}", a, bias.expand(n, width))
    x, weight = normal(LONG, 4, seed=3), normal(4, 8, seed=4)
    with WorkCounter() as work:
        attempt(x, weight, normal(4, seed=5))
    expect_in_torch(3, work)
    expect(
        3,
        work.touched <= FAIR_SHARE * x.numel(),
        f"for {LONG} rows it read or wrote {work.touched:,} numbers, {work.touched // x.numel()} for each number of "
        "the input; two products need a few, a table of pairs needs hundreds",
    )


def _examine_causal(attempt: Callable[..., Any]) -> None:
    def truth(x: Tensor, g: Network) -> Tensor:
        rows = [[g(torch.cat([x[i], x[j]])) for j in range(i + 1)] for i in range(len(x))]
        return torch.stack([torch.stack(row).mean(dim=0) for row in rows])

    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    case = f"one row, x = {shown(x)}, g the sum of both rows"
    expect_same(2, case, attempt(x, _sum_of_pair), truth(x, _sum_of_pair))

    # What every receiver hears is known here: it tells a wrong divisor or a missing mask from a pair turned round.
    ones = torch.ones(5, 2, dtype=torch.float64)
    expect_same(1, "five rows of two ones, g the sum of both rows", attempt(ones, _sum_of_pair), 4 * ones[:, :1])

    only_receiver = normal(5, 1, seed=2)
    heard = attempt(only_receiver, lambda pairs: pairs[..., :1])
    expect_same(3, "g that gives back the first half of a pair", heard, only_receiver)

    for dtype in DTYPES:
        for n, features, outputs in ((2, 1, 1), *shapes(3, seed=4, count=12)):
            x, g = normal(n, features, seed=n, dtype=dtype), _pair_function(features, outputs, seed=n, dtype=dtype)
            case = f"x = {shown(x)}, {n} rows of {features} numbers, {outputs} outputs, {dtype}"
            expect_same(1, case, expect_tensor(5, case, attempt(x, g), x), truth(x, g))

    def sums(pairs: Tensor) -> Tensor:
        return pairs.sum(dim=-1, keepdim=True).exp()

    # g is infinite or NaN where a late row sends or receives, and no earlier output may be touched by that.
    for name, large in (("infinite", 2000.0), ("NaN", torch.nan)):
        for late in (1, 3):
            x = normal(5, 1, seed=7)
            x[-late:] = large
            case = f"g that is {name} for the last {late} of 5 rows"
            got = torch.as_tensor(attempt(x, sums))
            expect_same(4, f"{case}, the rows before", got[:-late], truth(x[:-late], sums))
            expect(1, not bool(got[-late:].isfinite().any()), f"for {case}: the last rows must be {name}, too")

    x = normal(5, 1, seed=8)
    x[2] = torch.nan
    got = torch.as_tensor(attempt(x, lambda pairs: pairs[..., 1:]))
    expect_same(
        4, "g that is NaN where row 2 of 5 sends, the rows before", got[:2], x[:2].cumsum(0) / got.new([[1], [2]])
    )
    expect(1, bool(got[2:].isnan().all()), "for g that is NaN where row 2 of 5 sends: rows 2 to 4 hear it and are NaN")


def _networks_and_sights(n: int) -> list[tuple[str, int, Network, Tensor]]:
    """Networks on `n` rows of three numbers, and which output (row) sees which input (column); with a requirement."""
    every = torch.ones(n, n, dtype=torch.bool)
    back = every.tril()
    itself = torch.eye(n, dtype=torch.bool)
    last_to_first = itself.clone()
    last_to_first[0, -1] = True

    def mean_over(mask: Tensor, x: Tensor) -> Tensor:
        values = (x[:, None] + x[None, :]).exp()
        return torch.where(mask[:, :, None], values, 0.0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)[:, None]

    def masked(mask: Tensor) -> Network:
        return lambda x: mean_over(mask, x)

    def weakly(x: Tensor) -> Tensor:
        return 10 + torch.cat([x[:1].exp() + 1e-7 * x[-1:], x[1:].exp()])  # not to be seen in float32

    def leaks_in(column: int) -> Network:
        """Three outputs, of which only this one sees everything."""
        return lambda x: torch.where(torch.arange(3) == column, mean_over(every, x), mean_over(back, x))

    def reads(column: int) -> Network:
        """Only this input of another row has a say."""
        return lambda x: x.exp() + torch.where(itself, 0.0, x[:, column].exp()).sum(dim=1, keepdim=True)

    def differs(x: Tensor) -> Tensor:
        seen = torch.where(itself, 0.0, (x[:, 0] - x[:, 1]).exp()).sum(dim=1, keepdim=True)
        return x.exp() + seen

    def falls(x: Tensor) -> Tensor:
        return -mean_over(every, x)

    def balanced(x: Tensor) -> Tensor:
        seen = mean_over(every, x)[:, :1]
        return torch.cat([seen, -seen], dim=1)

    # Each mask has its diagonal: a receiver's own row is in every pair it makes.
    networks: list[tuple[str, int, Network, Tensor]] = [
        ("every row on its own", 2, torch.exp, itself),
        ("all senders", 2, masked(every), every),
        ("the causal mean", 2, masked(back), back),
        ("a mask that is one too wide", 3, masked(every.tril(1)), every.tril(1)),
        ("a mask turned round", 3, masked(back.T), back.T),
        ("all senders, whose outputs fall where inputs rise", 3, falls, every),
        ("all senders, with two outputs that add up to 0", 3, balanced, every),
        ("all senders of layer-normalised rows, where adding one number to a row is no change", 3, _of_normal, every),
        ("outputs that see the first number of another row less its second", 3, differs, every),
        ("a leak of a ten-millionth, from the last row to the first output", 3, weakly, last_to_first),
        ("rows that see nothing, not even themselves", 2, lambda x: 0 * x[:, :2] + 7, ~every),
    ]
    for column in range(3):
        networks.append((f"a leak in output channel {column} of 3 only", 3, leaks_in(column), every))
        networks.append((f"outputs that see only number {column} of another row", 3, reads(column), every))
    return networks


def _of_normal(x: Tensor) -> Tensor:
    return layer_norm(x).exp().mean(dim=0).expand(len(x), 3)


def _examine_leak(attempt: Callable[..., Any]) -> None:
    for n in (1, 2, 3, 5):
        x = normal(n, 3, seed=n) / 4
        x[0] = torch.tensor([0.0, 0.0, 0.25 * (n < 3)])  # zeros have a say, too
        for name, requirement, network, wanted in _networks_and_sights(n):
            if n < 3 and network is _of_normal:
                continue
            found = attempt(network, x)
            case = f"{counted(n, 'row')}, {name}"
            if not isinstance(found, Tensor):
                fail(1, f"for {case}: got {shown(found)} ({type(found).__name__}), wanted a tensor")
            expect(1, found.dtype == torch.bool, f"for {case}: got {found.dtype}, wanted booleans")
            expect(1, found.shape == (n, n), f"for {case}: got shape {tuple(found.shape)}, wanted {(n, n)}")
            expect_same(requirement, case + " (1 is sees, 0 is does not)", found.double(), wanted.double())


EXERCISES = (
    Exercise(
        key="02.santoro",
        title="write Santoro's relation network",
        difficulty=1,
        minutes=6,
        requirements=(
            "The result is f of the sum of g(x_i, x_j) over all ordered pairs; f is applied once, to the sum.",
            "An object makes a pair with itself, so a scene of one object has one pair.",
            "Every scene of the batch is on its own, for any number of objects and features.",
            "g is called once, on the table of all pairs.",
            AS_PRECISE,
        ),
        examine=_examine_santoro,
        untouched=5,
    ),
    Exercise(
        key="02.split",
        title="split a layer into receiver and sender",
        difficulty=1,
        minutes=4,
        requirements=(
            "For every i and j, a_i + b_j is the layer applied to the row [x_i, x_j]: weight @ [x_i, x_j] + bias.",
            "The bias is in a, and b has none: a row of zeros has the bias as its a and zeros as its b.",
            "The layer's products are made once per row, not once per pair, and all in torch.",
            AS_PRECISE,
        ),
        examine=_examine_split,
        untouched=4,
    ),
    Exercise(
        key="02.causal",
        title="write the causal mean over pairs",
        difficulty=2,
        minutes=7,
        requirements=(
            "Row i of the result is the sum of g over the pairs of i with every j ≤ i, divided by i + 1.",
            "A receiver sees itself: with one row the result is g of the pair [x_0, x_0].",
            "In a pair the receiver comes first: g gets [x_i, x_j].",
            "A pair from the future counts as exactly zero, even where g of it is infinite or NaN.",
            AS_PRECISE,
        ),
        examine=_examine_causal,
        untouched=5,
    ),
    Exercise(
        key="02.leak",
        title="find out who sees whom",
        difficulty=2,
        minutes=8,
        requirements=(
            "The result is an (n, n) tensor of booleans.",
            "It is true at [i, j] where row i of the output changes when row j of x is changed, and false elsewhere.",
            (
                "It finds every leak down to a ten-millionth, from any entry of row j into any channel of row i. A "
                "LayerNorm may come first, and it does not notice one number added to a whole row."
            ),
            UNTOUCHED,
        ),
        examine=_examine_leak,
        untouched=4,
    ),
)
