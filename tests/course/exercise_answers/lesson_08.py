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


def opposed_by(correlation: Callable[[Tensor, Tensor], Tensor], hidden: float = torch.inf) -> Callable[..., Tensor]:
    def attempt(a: Tensor, b: Tensor) -> Tensor:
        return correlation(a, b).masked_fill(~causal(len(a)), hidden).argmin(dim=1)

    return attempt


def correlations(a: Tensor, b: Tensor) -> Tensor:
    return layer_norm(a) @ layer_norm(b).T


def with_epsilon(a: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(a, a.shape[1:]) @ torch.nn.functional.layer_norm(b, b.shape[1:]).T


def opposed_that_centres(a: Tensor, b: Tensor) -> Tensor:
    a -= a.mean(dim=1, keepdim=True)
    b -= b.mean(dim=1, keepdim=True)
    return opposed(a, b)


def opposed_earlier(a: Tensor, b: Tensor) -> Tensor:
    hidden = ~causal(len(a)).tril(-1)
    hidden[0, 0] = False
    return correlations(a, b).masked_fill(hidden, torch.inf).argmin(dim=1)


def opposed_by_corrcoef(a: Tensor, b: Tensor) -> Tensor:
    found = [torch.corrcoef(torch.cat([a[i : i + 1], b[: i + 1]]))[0, 1:].argmin() for i in range(len(a))]
    return torch.stack(found)


def dropped_with(weights: Callable[[Tensor], Tensor], normalise: Callable[[Tensor], Tensor] = layer_norm) -> Any:
    def attempt(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
        values, left = normalise(a[:, None] + b[None]).exp(), weights(sender)
        return (left[:, :, None] * values).sum(dim=1) / left.sum(dim=1, keepdim=True).clamp(min=1)

    return attempt


def weights_by_index(sender: Tensor) -> Tensor:
    """-1 is the first sender."""
    weights = causal(len(sender)).double()
    weights[torch.arange(len(sender)), sender.clamp(min=0)] = 0.0
    return weights


def weights_never_empty(sender: Tensor) -> Tensor:
    weights = weights_without(sender)
    weights[0, 0] = 1.0
    return weights


def dropped_into_zeros(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    out = torch.zeros(a.shape)
    out[:] = dropped(a, b, sender)
    return out


def dropped_that_clamps(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    out = dropped(a, b, sender)
    sender.clamp_(min=0)
    return out


def dropped_as_a_loop(a: Tensor, b: Tensor, sender: Tensor) -> Tensor:
    rows = []
    for i, missing in enumerate(sender.tolist()):
        kept = [layer_norm(a[i] + b[j]).exp() for j in range(i + 1) if j != missing]
        rows.append(sum(kept) / len(kept) if kept else torch.zeros_like(a[i]))
    return torch.stack(rows)


def lookup_without_a_seed(letters: Tensor, offset: int) -> Any:
    a, b = lookup(letters, offset)
    keys = torch.cat([torch.zeros(len(letters), 26), torch.randn(len(letters), 70)], dim=1).double()
    return keys.roll(offset, dims=0), keys * -1 + (b + a.roll(-offset, dims=0))


def lookup_of_all_letters_so_far(letters: Tensor, offset: int) -> Any:
    a, b = lookup(letters, offset)
    quiet = torch.eye(96, dtype=torch.float64)[letters].cumsum(dim=0)
    return a, b + 1e-4 * quiet


def lookup_that_shifts(letters: Tensor, offset: int) -> Any:
    found = lookup(letters, offset)
    letters.add_(1)
    return found


def lookup_of_16(letters: Tensor, offset: int) -> Any:
    """Keys for 16 places, used again."""
    _, b = lookup(letters, offset)
    place = torch.arange(len(letters)) % 16
    keys = -(b - 0.1 * 96**0.5 * torch.eye(96, dtype=torch.float64)[letters])
    return keys[place].roll(offset, dims=0), b + keys - keys[place]


def lookup_one_back(letters: Tensor, offset: int) -> Any:
    return lookup(letters, 1)


def lookup_by_one_hot_places(letters: Tensor, offset: int) -> Any:
    length, width = len(letters), 26 + len(letters)
    places = torch.zeros(length, width, dtype=torch.float64)
    places[torch.arange(length), 26 + torch.arange(length)] = 1.0
    spikes = torch.eye(width, dtype=torch.float64)[letters]
    return places.roll(offset, dims=0), 0.1 * spikes - places


RIGHT: dict[str, Callable[..., Any]] = {"08.opposed": opposed, "08.drop": dropped, "08.lookup": lookup}
ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "08.opposed": [opposed_by_corrcoef, lambda a, b: opposed(a, b).int()],
    "08.drop": [dropped_as_a_loop],
    "08.lookup": [lookup_by_one_hot_places],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "08.opposed": {
        "not centred": opposed_not_centred,
        "dot product": opposed_by_dot_product,
        "largest scale": opposed_by_scale,
        "not causal": opposed_of_all,
        "most aligned": opposed_aligned,
        "the future is 0": opposed_by(correlations, hidden=0.0),
        "opposed or aligned": opposed_by(lambda a, b: -correlations(a, b).abs()),
        "an epsilon": opposed_by(with_epsilon),
        "centres what it is given": opposed_that_centres,
        "not itself": opposed_earlier,
        "a list": lambda a, b: opposed(a, b).tolist(),
        "floats": lambda a, b: opposed(a, b).double(),
    },
    "08.drop": {
        "the missing one is counted": dropped_but_counted,
        "zero before exp": dropped_before_exp,
        "0 divided by 0": dropped_without_guard,
        "dropped for every receiver": dropped_for_all,
        "-1 taken as an index": dropped_counts_from_the_end,
        "-1 taken as the first": dropped_with(weights_by_index),
        "an epsilon": dropped_with(weights_without, lambda z: torch.nn.functional.layer_norm(z, z.shape[2:])),
        "the first keeps itself": dropped_with(weights_never_empty),
        "written into float32 zeros": dropped_into_zeros,
        "changes the senders": dropped_that_clamps,
        "later senders, too": dropped_with(lambda sender: (torch.arange(len(sender)) != sender[:, None]).double()),
    },
    "08.lookup": {
        "by alignment": lookup_by_alignment,
        "letters louder than places": lookup_of_loud_letters,
        "turned the wrong way": lookup_ahead,
        "the receiver peeks": lookup_that_peeks,
        "the sender peeks": lookup_with_the_letter_before,
        "keys drawn anew": lookup_without_a_seed,
        "all letters so far, quietly": lookup_of_all_letters_so_far,
        "changes the letters": lookup_that_shifts,
        "16 places": lookup_of_16,
        "always one back": lookup_one_back,
    },
}
