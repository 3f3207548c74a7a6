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


RIGHT: dict[str, Callable[..., Any]] = {"04.variance": variance, "04.exact": exact, "04.sender": sender}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "04.variance": [variance_one_receiver_at_a_time],
    "04.exact": [
        lambda a, b: causal_mean(torch.nn.functional.layer_norm(a[:, None] + b, a.shape[1:], eps=1e-20).exp()),
    ],
    "04.sender": [lambda a, channel, spread: 7.0 + sender(a, channel, spread)],
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
    },
    "04.exact": {
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
    },
    "04.sender": {
        "minus forgotten": lambda a, channel, spread: sender(a, channel, spread) + 2 * a,
        "only minus a and a bump": lambda a, channel, spread: spread * spike(a, channel) - a,
        "a large number in the channel": lambda a, channel, spread: 1e6 * spike(a, channel),
        "another channel": lambda a, channel, spread: sender(a, (channel + 1) % len(a), spread),
        "sample deviation": sender_with_a_sample_deviation,
        "the smallest instead of the largest": lambda a, channel, spread: -2 * a - sender(a, channel, spread),
        "variance instead of deviation": lambda a, channel, spread: sender(a, channel, spread**2),
    },
}
