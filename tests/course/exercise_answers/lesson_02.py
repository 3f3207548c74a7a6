"""Right and wrong answers to the exercises of lesson 02."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., Tensor]


def table(x: Tensor, *, turned: bool = False) -> Tensor:
    """All ordered pairs of `(..., n, d)`, `(..., n, n, 2 * d)`: receiver, then sender, or turned round."""
    n = x.shape[-2]
    shape = (*x.shape[:-2], n, n, x.shape[-1])
    sides = [x[..., :, None, :].expand(shape), x[..., None, :, :].expand(shape)]
    return torch.cat(sides[::-1] if turned else sides, dim=-1)


def santoro(x: Tensor, g: Function, f: Function) -> Tensor:
    return f(g(table(x)).sum(dim=(1, 2)))


def santoro_by_index(x: Tensor, g: Function, f: Function) -> Tensor:
    n = x.shape[1]
    i, j = (index.flatten() for index in torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij"))
    return f(g(torch.cat([x[:, i], x[:, j]], dim=-1)).sum(dim=1))


def santoro_where(keep: Callable[[Tensor], Tensor]) -> Function:
    """Only the pairs where `keep` of a table of ones is true."""

    def attempt(x: Tensor, g: Function, f: Function) -> Tensor:
        mask = keep(torch.ones(x.shape[1], x.shape[1]))[..., None]
        return f((g(table(x)) * mask).sum(dim=(1, 2)))

    return attempt


def santoro_loop(x: Tensor, g: Function, f: Function) -> Tensor:
    n = x.shape[1]
    return f(sum(g(torch.cat([x[:, i], x[:, j]], dim=-1)) for i in range(n) for j in range(n)))


def split(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    d = x.shape[1]
    return x @ weight[:, :d].T + bias, x @ weight[:, d:].T


def split_with_a_layer(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    one, other = weight.chunk(2, dim=1)
    return torch.nn.functional.linear(x, one, bias), torch.nn.functional.linear(x, other)


def split_from_all_pairs(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    rows = table(x) @ weight.T
    b = x @ weight[:, x.shape[1] :].T
    return rows[:, 0] - b[0] + bias, rows[0] - rows[0, :1] + b[0]


def split_every_second(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    return x @ weight[:, ::2].T + bias, x @ weight[:, 1::2].T


def split_the_outputs(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    half = weight.shape[0] // 2
    twice = torch.cat([x, x], dim=1)
    return twice @ weight[:half].T + bias[:half], twice @ weight[half:].T


def seen(n: int) -> Tensor:
    return torch.arange(1, n + 1, dtype=torch.float64)[:, None]


def past(n: int, diagonal: int = 0) -> Tensor:
    return torch.ones(n, n, dtype=torch.bool).tril(diagonal)[:, :, None]


def causal(x: Tensor, g: Function) -> Tensor:
    return torch.where(past(len(x)), g(table(x)), 0.0).sum(dim=1) / seen(len(x))


def causal_as_a_loop(x: Tensor, g: Function) -> Tensor:
    return torch.stack([g(torch.cat([x[i].expand(i + 1, -1), x[: i + 1]], dim=-1)).mean(dim=0) for i in range(len(x))])


def causal_by_running_sums(x: Tensor, g: Function) -> Tensor:
    n = len(x)
    return g(table(x)).cumsum(dim=1)[range(n), range(n)] / seen(n)


def causal_with(mask: Callable[[int], Tensor], divisor: Callable[[int], Any] = seen) -> Function:
    return lambda x, g: torch.where(mask(len(x)), g(table(x)), 0.0).sum(dim=1) / divisor(len(x))


def causal_zero_before_g(x: Tensor, g: Function) -> Tensor:
    return g(torch.where(past(len(x)), table(x), 0.0)).sum(dim=1) / seen(len(x))


def sees(function: Function, x: Tensor, *, step: Any = None, least: float = 1e-10) -> Tensor:
    step = torch.arange(1.0, x.shape[1] + 1) if step is None else step
    before = function(x)
    found = torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        other = x.clone()
        other[j] += step
        found[:, j] = (function(other) - before).abs().amax(dim=-1) > least
    return found


def sees_by_gradients(function: Function, x: Tensor) -> Tensor:
    slopes = torch.autograd.functional.jacobian(function, x)
    return slopes.abs().sum(dim=(1, 3)) > 0


def sees_after_zeroing(function: Function, x: Tensor) -> Tensor:
    found = torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        other = x.clone()
        other[j] = 0.0
        found[:, j] = (function(other) - function(x)).abs().amax(dim=-1) > 1e-10
    return found


def sees_in_place(function: Function, x: Tensor) -> Tensor:
    before = function(x)
    found = torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        x[j] += 1.0
        found[:, j] = (function(x) - before).abs().amax(dim=-1) > 1e-10
        before = function(x)
    return found


def sees_without_undoing(function: Function, x: Tensor) -> Tensor:
    before, other = function(x), x.clone()
    found = torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        other[j] += 1.0
        found[:, j] = (function(other) - before).abs().amax(dim=-1) > 1e-10
    return found


def sees_first_column(function: Function, x: Tensor) -> Tensor:
    return sees(lambda x: function(x)[:, :1], x)


RIGHT: dict[str, Callable[..., Any]] = {
    "02.santoro": santoro,
    "02.split": split,
    "02.causal": causal,
    "02.leak": sees,
}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "02.santoro": [santoro_by_index],
    "02.split": [split_with_a_layer],
    "02.causal": [causal_as_a_loop, causal_by_running_sums],
    "02.leak": [sees_by_gradients],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "02.santoro": {
        "no pair with itself": santoro_where(lambda ones: ones - ones.diag().diag()),
        "every pair once": santoro_where(torch.triu),
        "earlier objects only": santoro_where(lambda ones: ones.triu(1)),
        "neighbours only": santoro_where(lambda ones: ones.triu(-1).tril(1)),
        "a mean": lambda x, g, f: f(g(table(x)).mean(dim=(1, 2))),
        "f of every pair": lambda x, g, f: f(g(table(x))).sum(dim=(1, 2)),
        "f of every receiver": lambda x, g, f: f(g(table(x)).sum(dim=2)).sum(dim=1),
        "one output a receiver": lambda x, g, f: f(g(table(x)).sum(dim=2)),
        "scenes mixed": lambda x, g, f: f(g(table(x)).sum(dim=(0, 1, 2)).expand(len(x), -1)),
        "a batch of one only": lambda x, g, f: f(g(table(x[:1])).sum(dim=(1, 2))).expand(len(x), -1),
        "a loop": santoro_loop,
    },
    "02.split": {
        "halves changed over": lambda x, w, c: split(x, w.roll(x.shape[1], dims=1), c),
        "bias in b": lambda x, w, c: (split(x, w, c)[0] - c, split(x, w, c)[1] + c),
        "half of the bias in each": lambda x, w, c: (split(x, w, c)[0] - c / 2, split(x, w, c)[1] + c / 2),
        "bias in both": lambda x, w, c: (split(x, w, c)[0], split(x, w, c)[1] + c),
        "bias in neither": lambda x, w, c: split(x, w, 0 * c),
        "every second column": split_every_second,
        "outputs split": split_the_outputs,
        "b and a": lambda x, w, c: split(x, w, c)[::-1],
        "all pairs first": split_from_all_pairs,
    },
    "02.causal": {
        "itself left out": causal_with(lambda n: past(n, -1)),
        "one ahead": causal_with(lambda n: past(n, 1)),
        "no mask": causal_with(lambda n: past(n, n)),
        "no mask, divided by n": causal_with(lambda n: past(n, n), lambda n: n),
        "mask turned round": causal_with(lambda n: past(n).transpose(0, 1)),
        "divided by n": causal_with(past, lambda n: n),
        "divided by i": causal_with(past, lambda n: (seen(n) - 1).clamp(min=1)),
        "not divided": causal_with(past, lambda n: 1),
        "divided along the wrong axis": lambda x, g: (
            torch.where(past(len(x)), g(table(x)), 0.0) / seen(len(x))[None]
        ).sum(dim=1),
        "pair turned round": lambda x, g: (
            torch.where(past(len(x)), g(table(x, turned=True)), 0.0).sum(dim=1) / seen(len(x))
        ),
        "summed over receivers": lambda x, g: torch.where(past(len(x)), g(table(x)), 0.0).sum(dim=0) / seen(len(x)),
        "zeros in place of the future before g": causal_zero_before_g,
        "mask multiplied": lambda x, g: (g(table(x)) * past(len(x))).sum(dim=1) / seen(len(x)),
    },
    "02.leak": {
        "turned round": lambda function, x: sees(function, x).T,
        "says what should be": lambda function, x: torch.ones(len(x), len(x), dtype=torch.bool).tril(),
        "misses what is small": lambda function, x: sees(function, x, least=1e-4),
        "sets rows to zero": sees_after_zeroing,
        "changes x": sees_in_place,
        "changes more and more": sees_without_undoing,
        "looks at one column": sees_first_column,
        "looks ahead only": lambda function, x: sees(function, x).triu(1),
        "numbers in place of booleans": lambda function, x: sees(function, x).int(),
        "one answer for all": lambda function, x: sees(function, x).triu(1).any(),
    },
}
