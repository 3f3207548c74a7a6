"""Exercises of lesson 02: Santoro's network, its first layer split, the causal mean, and a test that finds leaks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.course.checks import Exercise, expect, expect_same
from crn_lib.course.exercises.work_counter import WorkCounter

Network = Callable[[Tensor], Tensor]

LONG, FAIR_SHARE = 200, 20
"""Splitting touches each number of the input a few times; a table of pairs, some hundred times at LONG."""


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pair_function(features: int, outputs: int, seed: int) -> Network:
    """A smooth `g` of `(..., 2 * features)`, in which receiver and sender are not exchangeable."""
    weight = _normal(outputs, 2 * features, seed=seed)

    def g(pairs: Tensor) -> Tensor:
        return (pairs @ weight.T).sigmoid() + 0.1 * (pairs @ weight.T)

    return g


def _examine_santoro(attempt: Callable[..., Any]) -> None:
    def truth(x: Tensor, g: Network, f: Network) -> Tensor:
        sums = [sum((g(torch.cat([one, other])) for one in scene for other in scene), torch.zeros(1)) for scene in x]
        return torch.stack([f(total) for total in sums])

    def f(total: Tensor) -> Tensor:
        return torch.stack([total.sum(-1) ** 2, total[..., 0]], dim=-1)  # not linear: f of a sum is no sum of f

    for requirement, batch, n, features in ((1, 1, 4, 2), (2, 1, 1, 2), (3, 3, 4, 1), (3, 2, 2, 5)):
        x, g = _normal(batch, n, features, seed=n), _pair_function(features, 3, seed=features)
        case = f"{batch} scene{'s' * (batch > 1)} of {n} object{'s' * (n > 1)} with {features} features"
        expect_same(requirement, case, attempt(x.clone(), g, f), truth(x, g, f))

    called = []

    def counted(pairs: Tensor) -> Tensor:
        called.append(tuple(pairs.shape))
        return _pair_function(2, 3, seed=2)(pairs)

    attempt(_normal(2, 6, 2, seed=9), counted, f)
    expect(4, len(called) == 1, f"for 6 objects g was called {len(called)} times")


def _examine_split(attempt: Callable[..., Any]) -> None:
    for n, d, width in ((1, 2, 3), (5, 3, 3), (4, 3, 6), (7, 1, 4)):
        x, weight, bias = _normal(n, d, seed=n), _normal(width, 2 * d, seed=d), _normal(width, seed=width)
        a, b = (torch.as_tensor(rows) for rows in attempt(x.clone(), weight.clone(), bias.clone()))
        case = f"{n} rows of {d} numbers, width {width}"
        for name, rows in (("a", a), ("b", b)):
            expect(1, rows.shape == (n, width), f"for {case}: {name} has shape {tuple(rows.shape)}, not {(n, width)}")
        layer = torch.stack([torch.stack([weight @ torch.cat([one, other]) + bias for other in x]) for one in x])
        expect_same(1, f"a_i + b_j, {case}", a[:, None] + b[None, :], layer)
    x, weight, bias = torch.zeros(1, 3).double(), _normal(2, 6, seed=1), _normal(2, seed=2)
    a, b = attempt(x, weight, bias)
    expect_same(2, "b of a row of zeros", b, torch.zeros(1, 2))
    expect_same(2, "a of a row of zeros", a, bias[None])
    x, weight = _normal(LONG, 4, seed=3), _normal(4, 8, seed=4)
    with WorkCounter() as work:
        attempt(x, weight, _normal(4, seed=5))
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

    x, g = _normal(1, 2, seed=1), _pair_function(2, 3, seed=1)
    expect_same(2, "one row", attempt(x.clone(), g), truth(x, g))

    # What every receiver hears is known here: it tells a wrong divisor or a missing mask from a pair turned round.
    ones = torch.ones(5, 2, dtype=torch.float64)
    expect_same(1, "five equal rows", attempt(ones.clone(), g), g(torch.ones(1, 4).double()).expand(5, 3))

    only_receiver = _normal(5, 1, seed=2)
    heard = attempt(only_receiver.clone(), lambda pairs: pairs[..., :1])
    expect_same(3, "g that gives back the first half of a pair", heard, only_receiver)

    for n, features, outputs in ((2, 1, 1), (6, 2, 3), (5, 3, 5), (9, 4, 2)):
        x, g = _normal(n, features, seed=n), _pair_function(features, outputs, seed=n)
        expect_same(1, f"{n} rows of {features} numbers", attempt(x.clone(), g), truth(x, g))

    # exp overflows where the last row sends or receives, and only the last output may be touched by that.
    x = _normal(5, 1, seed=7)
    x[-1] = 2000.0
    earlier = torch.as_tensor(attempt(x.clone(), lambda pairs: pairs.sum(dim=-1, keepdim=True).exp()))[:-1]
    wanted = truth(x[:-1], lambda pairs: pairs.sum(dim=-1, keepdim=True).exp())
    expect_same(4, "g that is infinite for the last row", earlier.nan_to_num(nan=1e9, posinf=1e9), wanted)


def _networks_and_sights(n: int) -> list[tuple[str, int, Network, Tensor]]:
    """Networks on `n` rows of two numbers, and which output (row) sees which input (column); with a requirement."""
    every = torch.ones(n, n, dtype=torch.bool)

    def mean_over(mask: Tensor, x: Tensor) -> Tensor:
        values = (x[:, None] + x[None, :]).exp()
        return torch.where(mask[:, :, None], values, 0.0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)[:, None]

    def masked(mask: Tensor) -> Network:
        return lambda x: mean_over(mask, x)

    back = every.tril()
    # Each mask has its diagonal: a receiver's own row is in every pair it makes.
    one_ahead = every.tril(1)
    weak = back.clone()
    weak[0, -1] = True

    def weakly(x: Tensor) -> Tensor:
        out = mean_over(back, x)
        return torch.cat([out[:1] + 1e-7 * x[-1:], out[1:]])

    def each_alone(x: Tensor) -> Tensor:
        return x.exp()

    def second_column_only(x: Tensor) -> Tensor:
        return torch.stack([mean_over(back, x)[:, 0], mean_over(every, x)[:, 1]], dim=-1)

    return [
        ("every row on its own", 2, each_alone, torch.eye(n, dtype=torch.bool)),
        ("all senders", 2, masked(every), every),
        ("the causal mean", 2, masked(back), back),
        ("a mask that is one too wide", 3, masked(one_ahead), one_ahead),
        ("a mask turned round", 3, masked(back.T), back.T),
        ("a leak in the second output column only", 3, second_column_only, every),
        ("a leak of a ten-millionth, from the last row to the first output", 3, weakly, weak),
    ]


def _examine_leak(attempt: Callable[..., Any]) -> None:
    for n in (2, 5):
        x = _normal(n, 2, seed=n) / 4
        x[0] = 0.0  # a row of zeros has a say, too
        for name, requirement, network, wanted in _networks_and_sights(n):
            given = x.clone()
            found = torch.as_tensor(attempt(network, given))
            case = f"{n} rows, {name}"
            expect(1, found.dtype == torch.bool, f"for {case}: got {found.dtype}, wanted booleans")
            expect(1, found.shape == (n, n), f"for {case}: got shape {tuple(found.shape)}, wanted {(n, n)}")
            expect_same(requirement, case + " (1 is sees, 0 is does not)", found.double(), wanted.double())
            expect_same(4, case + ": x afterwards", given, x)


EXERCISES = (
    Exercise(
        key="02.santoro",
        title="write Santoro's relation network",
        difficulty=1,
        minutes=8,
        requirements=(
            "The result is f of the sum of g(x_i, x_j) over all ordered pairs; f is applied once, to the sum.",
            "An object makes a pair with itself, so a scene of one object has one pair.",
            "Every scene of the batch is on its own, for any number of objects and features.",
            "g is called once, on the table of all pairs.",
        ),
        examine=_examine_santoro,
    ),
    Exercise(
        key="02.split",
        title="split a layer into receiver and sender",
        difficulty=1,
        minutes=6,
        requirements=(
            "For every i and j, a_i + b_j is the layer applied to the row [x_i, x_j]: weight @ [x_i, x_j] + bias.",
            "The bias is in a, and b has none: a row of zeros has the bias as its a and zeros as its b.",
            "The layer's products are made once a row, not once a pair.",
        ),
        examine=_examine_split,
    ),
    Exercise(
        key="02.causal",
        title="write the causal mean over pairs",
        difficulty=2,
        minutes=10,
        requirements=(
            "Row i of the result is the sum of g over the pairs of i with every j ≤ i, divided by i + 1.",
            "A receiver sees itself: with one row the result is g of the pair [x_0, x_0].",
            "In a pair the receiver comes first: g gets [x_i, x_j].",
            "A pair from the future counts as exactly zero, even where g of it is infinite.",
        ),
        examine=_examine_causal,
    ),
    Exercise(
        key="02.leak",
        title="find out who sees whom",
        difficulty=2,
        minutes=10,
        requirements=(
            "The result is an (n, n) tensor of booleans.",
            "It is true at [i, j] where row i of the output changes when row j of x is changed, and false elsewhere.",
            "It finds every leak, however small, in any column of the output.",
            "x itself is left as it was.",
        ),
        examine=_examine_leak,
    ),
)
