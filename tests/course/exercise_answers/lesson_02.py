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


def santoro_in_float32(x: Tensor, g: Function, f: Function) -> Tensor:
    return f(g(table(x)).float().sum(dim=(1, 2)))


def santoro_of_centred(x: Tensor, g: Function, f: Function) -> Tensor:
    out = santoro(x, g, f)
    x -= x.mean(dim=1, keepdim=True)
    return out


def santoro_by_repeating(x: Tensor, g: Function, f: Function) -> Tensor:
    """Every object with itself, n times: the two copies run in step."""
    twice = x.repeat(1, x.shape[1], 1)
    return f(g(torch.cat([twice, twice], dim=-1)).sum(dim=1))


def santoro_by_vmap(x: Tensor, g: Function, f: Function) -> Tensor:
    return f(torch.vmap(lambda scene: g(table(scene)).sum(dim=(0, 1)))(x))


def split_in_numpy(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    n, rows = len(x), table(x).numpy() @ weight.numpy().T
    b = x.numpy() @ weight.numpy()[:, x.shape[1] :].T
    return torch.from_numpy(rows[:, 0] - b[0]) + bias, torch.from_numpy(rows[n - 1] - rows[n - 1, :1] + b[0])


def split_by_zeroing(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    d, twice = x.shape[1], torch.cat([x, x], dim=1)
    b = twice @ weight.T
    weight[:, d:] = 0.0
    a = twice @ weight.T
    return a + bias, b - a


def split_by_padding(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    a, b = (torch.nn.functional.pad(x, sides) @ weight.T for sides in ((0, x.shape[1]), (x.shape[1], 0)))
    return a + bias, b


def causal_by_tril(x: Tensor, g: Function) -> Tensor:
    return g(table(x)).permute(2, 0, 1).tril().permute(1, 2, 0).sum(dim=1) / seen(len(x))


def causal_of_finite(x: Tensor, g: Function) -> Tensor:
    values = g(table(x))
    return torch.where(past(len(x)) & values.isfinite(), values, 0.0).sum(dim=1) / seen(len(x))


def causal_into_zeros(x: Tensor, g: Function) -> Tensor:
    values = causal(x, g)
    out = torch.zeros(values.shape)
    out[:] = values
    return out


def causal_divided_by_a_row(x: Tensor, g: Function) -> Tensor:
    """The counts lie along the outputs, and fit where there are as many of both."""
    sums = causal(x, g) * seen(len(x))
    return sums / (seen(len(x)).T if sums.shape[1] == len(x) else seen(len(x)))


def sees_with_allclose(function: Function, x: Tensor) -> Tensor:
    found = torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        other = x.clone()
        other[j] += torch.arange(1.0, x.shape[1] + 1)
        found[:, j] = ~torch.isclose(function(other), function(x)).all(dim=-1)
    return found


def sees_when(changed: Callable[[Tensor], Tensor], columns: slice = slice(None)) -> Function:
    """Whether this says that a difference of outputs is one; only these inputs are changed."""

    def attempt(function: Function, x: Tensor) -> Tensor:
        found = torch.zeros(len(x), len(x), dtype=torch.bool)
        for j in range(len(x)):
            other = x.clone()
            other[j, columns] += torch.arange(1.0, x.shape[1] + 1)[columns]
            found[:, j] = changed(function(other) - function(x))
        return found

    return attempt


def sees_by_slopes_of_sums(function: Function, x: Tensor) -> Tensor:
    slopes = torch.autograd.functional.jacobian(lambda given: function(given).sum(dim=1), x)
    return slopes.abs().sum(dim=2) > 0


RIGHT: dict[str, Callable[..., Any]] = {
    "02.santoro": santoro,
    "02.split": split,
    "02.causal": causal,
    "02.leak": sees,
}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "02.santoro": [santoro_by_vmap, santoro_by_index],
    "02.split": [
        split_by_padding,
        lambda x, w, c: (torch.einsum("nd,wd->nw", x, w.chunk(2, 1)[0]).add(c), x.matmul(w.chunk(2, 1)[1].t())),
        split_with_a_layer,
    ],
    "02.causal": [causal_by_tril, causal_as_a_loop, causal_by_running_sums],
    "02.leak": [sees_when(lambda change: (change != 0).any(dim=-1)), sees_by_gradients],
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
        "every object with itself": santoro_by_repeating,
        "a sum in float32": santoro_in_float32,
        "centres x": santoro_of_centred,
        "one scene loses its axis": lambda x, g, f: santoro(x, g, f).squeeze(0),
        "an array": lambda x, g, f: santoro(x, g, f).numpy(),
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
        "all pairs in numpy": split_in_numpy,
        "the weight zeroed": split_by_zeroing,
        "always 3 numbers a row": lambda x, w, c: (x @ w[:, :3].T + c, x @ w[:, 3:].T),
        "float32": lambda x, w, c: tuple(half.float() for half in split(x, w, c)),
        "the halves' mean": lambda x, w, c: split(x, ((w + w.roll(x.shape[1], dims=1)) / 2), c),
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
        "what is not finite left out": causal_of_finite,
        "infinity made finite": lambda x, g: causal(x, lambda pairs: g(pairs).nan_to_num()),
        "written into float32 zeros": causal_into_zeros,
        "divided along the outputs": causal_divided_by_a_row,
        "x sorted": lambda x, g: causal(x.copy_(x.sort(dim=0).values), g),
        "the mean of what is no NaN": lambda x, g: torch.where(past(len(x)), g(table(x)), torch.nan).nanmean(dim=1),
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
        "no abs": sees_when(lambda change: change.amax(dim=-1) > 1e-10),
        "summed over the columns": sees_when(lambda change: change.sum(dim=-1).abs() > 1e-10),
        "the last column": sees_when(lambda change: change[:, -1].abs() > 1e-10),
        "only the last input is changed": sees_when(lambda change: (change.abs() > 1e-10).any(-1), slice(-1, None)),
        "only the first input is changed": sees_when(lambda change: (change.abs() > 1e-10).any(-1), slice(0, 1)),
        "all columns must change": sees_when(lambda change: (change.abs() > 1e-10).all(dim=-1)),
        "any output counts for all": sees_when(lambda change: (change.abs() > 1e-10).any()),
        "one number added to a whole row": lambda function, x: sees(function, x, step=1.0),
        "allclose": sees_with_allclose,
        "slopes of the sum": sees_by_slopes_of_sums,
        "float32": lambda function, x: sees_when(lambda change: (change != 0).any(-1))(
            lambda y: function(y).float(), x
        ),
        "slopes summed over a row": lambda function, x: torch.func.jacrev(function)(x).sum(dim=3).abs().sum(dim=1) > 0,
    },
}
