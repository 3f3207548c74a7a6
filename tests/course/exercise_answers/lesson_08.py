"""Right and wrong answers to the exercises of lesson 08."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.ops.normalise import layer_norm


def causal(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool).tril()


def opposed(a: Tensor, b: Tensor) -> Tensor:
    correlation = layer_norm(a) @ layer_norm(b).T
    return correlation.masked_fill(~causal(len(a)), torch.inf).argmin(dim=1)


def opposed_not_centred(a: Tensor, b: Tensor) -> Tensor:
    cosine = torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T
    return cosine.masked_fill(~causal(len(a)), torch.inf).argmin(dim=1)


def opposed_by_dot_product(a: Tensor, b: Tensor) -> Tensor:
    a, b = (x - x.mean(dim=-1, keepdim=True) for x in (a, b))
    return (a @ b.T).masked_fill(~causal(len(a)), torch.inf).argmin(dim=1)


def opposed_by_scale(a: Tensor, b: Tensor) -> Tensor:
    variance = (a[:, None] + b[None]).var(dim=-1, correction=0)
    return variance.masked_fill(~causal(len(a)), torch.inf).argmin(dim=1)


def opposed_of_all(a: Tensor, b: Tensor) -> Tensor:
    return (layer_norm(a) @ layer_norm(b).T).argmin(dim=1)


def opposed_aligned(a: Tensor, b: Tensor) -> Tensor:
    correlation = layer_norm(a) @ layer_norm(b).T
    return correlation.masked_fill(~causal(len(a)), -torch.inf).argmax(dim=1)


def weights_without(sender: Tensor) -> Tensor:
    length = len(sender)
    return (causal(length) & (torch.arange(length) != sender[:, None])).double()


def dropped(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    values = layer_norm(a[:, None] + b[None]).exp()
    weights = weights_without(sender)
    sums = (weights[:, :, None] * values).sum(dim=1)
    return sums / weights.sum(dim=1, keepdim=True).clamp(min=1)


def dropped_but_counted(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    values = layer_norm(a[:, None] + b[None]).exp()
    sums = (weights_without(sender)[:, :, None] * values).sum(dim=1)
    return sums / torch.arange(1, len(a) + 1)[:, None]


def dropped_before_exp(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    weights = weights_without(sender)
    values = (layer_norm(a[:, None] + b[None]) * weights[:, :, None]).exp() * causal(len(a))[:, :, None]
    return values.sum(dim=1) / weights.sum(dim=1, keepdim=True).clamp(min=1)


def dropped_without_guard(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    values = layer_norm(a[:, None] + b[None]).exp()
    weights = weights_without(sender)
    return (weights[:, :, None] * values).sum(dim=1) / weights.sum(dim=1, keepdim=True)


def dropped_for_all(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    values = layer_norm(a[:, None] + b[None]).exp()
    gone = torch.isin(torch.arange(len(a)), sender[sender >= 0])
    weights = (causal(len(a)) & ~gone).double()
    return (weights[:, :, None] * values).sum(dim=1) / weights.sum(dim=1, keepdim=True).clamp(min=1)


def dropped_counts_from_the_end(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    values = layer_norm(a[:, None] + b[None]).exp()
    weights = causal(len(a)).double()
    weights[torch.arange(len(a)), sender] = 0.0  # -1 is the last sender
    return (weights[:, :, None] * values).sum(dim=1) / weights.sum(dim=1, keepdim=True).clamp(min=1)


def lookup(letters: Tensor, offset: int, *, sign: float = -1.0, loudness: float = 0.1, back: int = 1) -> Any:
    length, width = len(letters), 96
    keys = torch.zeros(length, width, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    keys[:, 26:] = layer_norm(torch.randn(length, width - 26, generator=generator, dtype=torch.float64))
    spikes = torch.eye(width, dtype=torch.float64)[letters]
    a = keys.roll(back * offset, dims=0)
    return a, sign * keys + loudness * width**0.5 * spikes


def lookup_by_alignment(letters: Tensor, offset: int) -> Any:
    return lookup(letters, offset, sign=1.0)


def lookup_of_loud_letters(letters: Tensor, offset: int) -> Any:
    return lookup(letters, offset, loudness=20.0)


def lookup_ahead(letters: Tensor, offset: int) -> Any:
    return lookup(letters, offset, back=-1)


def lookup_that_peeks(letters: Tensor, offset: int) -> Any:
    a, b = lookup(letters, offset)
    return a + torch.eye(a.shape[1], dtype=a.dtype)[letters.roll(offset)], b


def lookup_with_the_letter_before(letters: Tensor, offset: int) -> Any:
    """The receiver turns one step less, and every sender carries the letter of its neighbour."""
    a, b = lookup(letters.roll(1), offset)
    return a.roll(-1, dims=0), b


RIGHT: dict[str, Callable[..., Any]] = {"08.opposed": opposed, "08.drop": dropped, "08.lookup": lookup}
WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "08.opposed": {
        "not centred": opposed_not_centred,
        "dot product": opposed_by_dot_product,
        "largest scale": opposed_by_scale,
        "not causal": opposed_of_all,
        "most aligned": opposed_aligned,
    },
    "08.drop": {
        "the missing one is counted": dropped_but_counted,
        "zero before exp": dropped_before_exp,
        "0 divided by 0": dropped_without_guard,
        "dropped for every receiver": dropped_for_all,
        "-1 taken as an index": dropped_counts_from_the_end,
    },
    "08.lookup": {
        "by alignment": lookup_by_alignment,
        "letters louder than places": lookup_of_loud_letters,
        "turned the wrong way": lookup_ahead,
        "the receiver peeks": lookup_that_peeks,
        "the sender peeks": lookup_with_the_letter_before,
    },
}
