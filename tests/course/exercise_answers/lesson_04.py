"""Right and wrong answers to the exercises of lesson 04."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def centre(x: Tensor) -> Tensor:
    return x - x.mean(dim=-1, keepdim=True)


def variance(a: Tensor, b: Tensor, *, factor: float = 2.0, divide: int = 0) -> Tensor:
    a, b = centre(a), centre(b)
    total = a.square().sum(-1)[:, None] + b.square().sum(-1) + factor * a @ b.T
    return total / (a.shape[1] - divide)


def variance_one_receiver_at_a_time(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([(row + b).var(dim=-1, correction=0) for row in a])


def variance_not_centred(a: Tensor, b: Tensor) -> Tensor:
    return (a.square().sum(-1)[:, None] + b.square().sum(-1) + 2 * a @ b.T) / a.shape[1]


def variance_centred_over_the_length(a: Tensor, b: Tensor) -> Tensor:
    return variance_not_centred(a - a.mean(dim=0), b - b.mean(dim=0))


def exact(a: Tensor, b: Tensor, *, divide: int = 0) -> Tensor:
    scales = variance(a, b, divide=divide).rsqrt()
    pairs = (scales[:, :, None] * (centre(a)[:, None] + centre(b))).exp()
    return causal_mean(pairs)


def causal_mean(pairs: Tensor) -> Tensor:
    """Over the senders a receiver sees, `(length, length, width)` to `(length, width)`."""
    return torch.stack([pairs[i, : i + 1].mean(dim=0) for i in range(len(pairs))])


def exact_without_centring(a: Tensor, b: Tensor) -> Tensor:
    return causal_mean((variance(a, b).rsqrt()[:, :, None] * (a[:, None] + b)).exp())


def exact_over_the_senders(a: Tensor, b: Tensor) -> Tensor:
    pairs = a[:, None] + b
    spread = pairs.std(dim=1, correction=0, keepdim=True).clamp(min=1e-9)
    return causal_mean(((pairs - pairs.mean(dim=1, keepdim=True)) / spread).exp())


def approx(a: Tensor, b: Tensor) -> Tensor:
    a, b = (centre(x) / x.std(dim=-1, correction=0, keepdim=True) for x in (a, b))
    return causal_mean((a[:, None] + b).exp())


def exact_masked_before_exp(a: Tensor, b: Tensor) -> Tensor:
    pairs = variance(a, b).rsqrt()[:, :, None] * (centre(a)[:, None] + centre(b))
    ahead = torch.ones(len(a), len(a), dtype=torch.bool).triu(1)[:, :, None]
    seen = torch.arange(1, len(a) + 1, dtype=a.dtype)[:, None]
    return pairs.masked_fill(ahead, 0.0).exp().sum(dim=1) / seen


def exact_every_sender(a: Tensor, b: Tensor) -> Tensor:
    return (variance(a, b).rsqrt()[:, :, None] * (centre(a)[:, None] + centre(b))).exp().mean(dim=1)


def exact_by_the_length(a: Tensor, b: Tensor) -> Tensor:
    seen = torch.arange(1, len(a) + 1, dtype=a.dtype)[:, None]
    return exact(a, b) * seen / len(a)


def spike(a: Tensor, channel: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(channel), len(a)).to(a.dtype)


def sender(a: Tensor, channel: int, spread: float) -> Tensor:
    left = centre(spike(a, channel))
    return spread * left / left.std(correction=0) - a


def sender_with_a_sample_deviation(a: Tensor, channel: int, spread: float) -> Tensor:
    left = centre(spike(a, channel))
    return spread * left / left.std() - a


def variance_in_numpy(a: Tensor, b: Tensor) -> Tensor:
    return torch.from_numpy((a.numpy()[:, None] + b.numpy()).var(axis=-1))


def variance_that_centres(a: Tensor, b: Tensor) -> Tensor:
    a -= a.mean(dim=-1, keepdim=True)
    b -= b.mean(dim=-1, keepdim=True)
    return variance(a, b)


def variance_by_moments(a: Tensor, b: Tensor) -> Tensor:
    means = a.mean(dim=-1)[:, None] + b.mean(dim=-1)
    return variance_not_centred(a, b) - means.square()


def exact_with_epsilon(a: Tensor, b: Tensor) -> Tensor:
    return causal_mean(torch.nn.functional.layer_norm(a[:, None] + b, a.shape[1:]).exp())


def exact_into_zeros(a: Tensor, b: Tensor) -> Tensor:
    out = torch.zeros(len(a), a.shape[1])
    out[:] = exact(a, b)
    return out


def exact_that_normalises(a: Tensor, b: Tensor) -> Tensor:
    out = exact(a, b)
    a /= a.std(dim=-1, keepdim=True)
    return out


def exact_by_where(a: Tensor, b: Tensor) -> Tensor:
    z = (centre(a)[:, None] + centre(b)) * variance(a, b).rsqrt()[:, :, None]
    place = torch.arange(len(a))
    heard = torch.where((place <= place[:, None])[:, :, None], z.exp(), 0.0)
    return heard.sum(dim=1) / (place + 1)[:, None]


def exact_by_weights(a: Tensor, b: Tensor) -> Tensor:
    """A weight of 0 does not keep out what is no number."""
    weights = torch.ones(len(a), len(a), dtype=a.dtype).tril() / torch.arange(1, len(a) + 1)[:, None]
    z = (centre(a)[:, None] + centre(b)) * variance(a, b).rsqrt()[:, :, None]
    return torch.einsum("ij,ijc->ic", weights, z.exp())


def sender_by_range(a: Tensor, channel: int, spread: float) -> Tensor:
    return spread * centre(spike(a, channel)) - a


def sender_without_minus(a: Tensor, channel: int, spread: float) -> Tensor:
    b = sender(a, channel, spread)
    a.neg_()
    return b


def sender_in_closed_form(a: Tensor, channel: int, spread: float) -> Tensor:
    width = len(a)
    left = torch.full((width,), -spread / (width - 1) ** 0.5, dtype=a.dtype)
    left[channel] = spread * (width - 1) ** 0.5
    return left - a


def best(values: Tensor) -> list[int]:
    return [len(set(values[:, :, d].argmax(dim=1).tolist())) for d in range(values.shape[2])]


def best_of_flat_values(values: Tensor) -> list[int]:
    return [len(values.argmax(dim=1).unique())] * values.shape[2]


def best_by_count(values: Tensor) -> list[int]:
    return [int(torch.bincount(column).max()) for column in values.argmax(dim=1).T]


def best_that_sorts(values: Tensor) -> list[int]:
    values.copy_(values.sort(dim=1).values)
    return best(values)


def best_by_comparing(values: Tensor) -> Tensor:
    return (values == values.amax(dim=1, keepdim=True)).any(dim=0).sum(dim=0)


RIGHT: dict[str, Callable[..., Any]] = {
    "04.variance": variance,
    "04.exact": exact,
    "04.sender": sender,
    "04.best": best,
}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "04.variance": [
        variance_by_moments,
        lambda a, b: torch.cdist(centre(a), -centre(b)).square() / a.shape[1],
        variance_one_receiver_at_a_time,
    ],
    "04.exact": [
        exact_by_where,
        lambda a, b: causal_mean(torch.nn.functional.layer_norm(a[:, None] + b, a.shape[1:], eps=1e-20).exp()),
    ],
    "04.sender": [
        sender_in_closed_form,
        lambda a, channel, spread: sender(centre(a), channel, spread),
        lambda a, channel, spread: 7.0 + sender(a, channel, spread),
    ],
    "04.best": [best_by_comparing],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "04.variance": {
        "sample instead of population": lambda a, b: variance(a, b, divide=1),
        "not divided": lambda a, b: variance(a, b) * a.shape[1],
        "not centred": variance_not_centred,
        "centred over the length": variance_centred_over_the_length,
        "the dot product once": lambda a, b: variance(a, b, factor=1.0),
        "the dot product with the wrong sign": lambda a, b: variance(a, b, factor=-2.0),
        "without the dot product": lambda a, b: variance(a, b, factor=0.0),
        "transposed pair": lambda a, b: variance(b, a),
        "the deviation": lambda a, b: variance(a, b).sqrt(),
        "the whole product": lambda a, b: (a[:, None] + b).var(dim=-1, correction=0),
        "every pair in numpy": variance_in_numpy,
        "senders as rows": lambda a, b: variance(a, b).T,
        "centres what it is given": variance_that_centres,
        "a distance": lambda a, b: torch.cdist(centre(a), -centre(b)),
        "divided by the number of senders": lambda a, b: variance(a, b) * a.shape[1] / len(b),
        "float32": lambda a, b: variance(a.float(), b.float()),
    },
    "04.exact": {
        "multiplied by the mask": exact_by_weights,
        "approx instead": approx,
        "no norm": lambda a, b: causal_mean((a[:, None] + b).exp()),
        "normalised over the senders": exact_over_the_senders,
        "forgot to centre": exact_without_centring,
        "sample instead of population": lambda a, b: exact(a, b, divide=1),
        "divided by the variance": lambda a, b: causal_mean(
            ((centre(a)[:, None] + centre(b)) / variance(a, b)[:, :, None]).exp()
        ),
        "transposed pair": lambda a, b: exact(b, a),
        "missing mask": exact_every_sender,
        "masked before exp": exact_masked_before_exp,
        "divided by n": exact_by_the_length,
        "softmax instead of exp": lambda a, b: exact(a, b) / exact(a, b).sum(dim=-1, keepdim=True),
        "layer_norm with its epsilon": exact_with_epsilon,
        "written into float32 zeros": exact_into_zeros,
        "normalises what it is given": exact_that_normalises,
        "a scale that is cut off": lambda a, b: causal_mean(
            ((centre(a)[:, None] + centre(b)) / variance(a, b).clamp(min=1e-3).sqrt()[:, :, None]).exp()
        ),
        "an array": lambda a, b: exact(a, b).numpy(),
    },
    "04.sender": {
        "minus forgotten": lambda a, channel, spread: sender(a, channel, spread) + 2 * a,
        "only minus a and a bump": lambda a, channel, spread: spread * spike(a, channel) - a,
        "a large number in the channel": lambda a, channel, spread: 1e6 * spike(a, channel),
        "another channel": lambda a, channel, spread: sender(a, (channel + 1) % len(a), spread),
        "sample deviation": sender_with_a_sample_deviation,
        "the smallest instead of the largest": lambda a, channel, spread: -2 * a - sender(a, channel, spread),
        "variance instead of deviation": lambda a, channel, spread: sender(a, channel, spread**2),
        "a bump as high as the spread": sender_by_range,
        "turns a round in place": sender_without_minus,
        "no channel after the fifth": lambda a, channel, spread: sender(a, min(channel, 5), spread),
        "float32": lambda a, channel, spread: sender(a, channel, spread).float(),
        "a spread of 1": lambda a, channel, spread: sender(a, channel, 1.0),
    },
    "04.best": {
        "the best receivers of a sender": lambda values: best(values.transpose(0, 1)),
        "over all channels": best_of_flat_values,
        "how often the most frequent": best_by_count,
        "the mean over channels": lambda values: sum(best(values)) / len(best(values)),
        "one number": lambda values: sum(best(values)),
        "the smallest": lambda values: best(-values),
        "sorts what it is given": best_that_sorts,
        "the channels of one sender": lambda values: best(values.movedim(2, 1)),
    },
}
