"""Right and wrong answers to the exercises of lesson 07."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from crn_lib.ops.normalise import layer_norm

Activation = Callable[[Tensor], Tensor]
Pair = tuple[Tensor, Tensor]


def future(pairs: Tensor) -> Tensor:
    length = len(pairs)
    return torch.ones(length, length, dtype=torch.bool).triu(1)[:, :, None]


def seen(pairs: Tensor) -> Tensor:
    return torch.arange(1, len(pairs) + 1, dtype=pairs.dtype)[:, None]


def masked_mean(pairs: Tensor, activation: Activation) -> Tensor:
    later = future(pairs)
    return activation(pairs.masked_fill(later, 0.0)).masked_fill(later, 0.0).sum(dim=1) / seen(pairs)


def masked_mean_by_rows(pairs: Tensor, activation: Activation) -> Tensor:
    return torch.stack([activation(pairs[i, : i + 1]).mean(dim=0) for i in range(len(pairs))])


def filled_before(value: float) -> Callable[..., Tensor]:
    def mean(pairs: Tensor, activation: Activation) -> Tensor:
        return activation(pairs.masked_fill(future(pairs), value)).sum(dim=1) / seen(pairs)

    return mean


def masked_after_only(pairs: Tensor, activation: Activation) -> Tensor:
    return activation(pairs).masked_fill(future(pairs), 0.0).sum(dim=1) / seen(pairs)


def multiplied_by_the_mask(pairs: Tensor, activation: Activation) -> Tensor:
    return (activation(pairs) * ~future(pairs)).sum(dim=1) / seen(pairs)


def without_gradient(pairs: Tensor, activation: Activation) -> Tensor:
    return masked_mean(pairs.detach(), activation)


def random_pair() -> Pair:
    a, b = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(70), dtype=torch.float64)
    return a, b


def twins() -> tuple[Pair, Pair]:
    a, b = random_pair()
    return (a, b), (3 * a, b)


def twins_with_large_senders() -> tuple[Pair, Pair]:
    a, b = random_pair()
    return (a, b), (a, 5 * b + 2)


def changed(new: Callable[[Tensor, Tensor], Pair]) -> Callable[[], tuple[Pair, Pair]]:
    """Two pairs, the second made of the first."""

    def make() -> tuple[Pair, Pair]:
        a, b = random_pair()
        return (a, b), new(a, b)

    return make


def flat_receiver() -> tuple[Pair, Pair]:
    a, b = random_pair()
    a[1] = 1.0
    return (a, b), (3 * a, b)


def verdict(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    variants: dict[tuple[Any, ...], list[bool]] = {}
    values: dict[tuple[Any, ...], Any] = {}
    for run in runs:
        name = (run["norm"], run["post_norm"], run["activation"])
        variants.setdefault(name, []).append(run["solved"])
        values[name] = run[field]
    lacking = [solved for name, solved in variants.items() if values[name] != value]
    having = [solved for name, solved in variants.items() if values[name] == value]
    if any(all(solved) for solved in lacking):
        return "refuted"
    if any(any(solved) for solved in lacking):
        return "mixed"
    if lacking and any(all(solved) for solved in having):
        return "borne out"
    return "open"


def by_value_and_not_by_variant(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    groups: dict[Any, list[bool]] = {}
    for run in runs:
        groups.setdefault(run[field], []).append(run["solved"])
    lacking = [solved for name, solved in groups.items() if name != value]
    if any(all(solved) for solved in lacking):
        return "refuted"
    if any(any(solved) for solved in lacking):
        return "mixed"
    return "borne out" if lacking and all(groups.get(value, [False])) else "open"


def majority(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    """A variant counts as copying if most of its seeds do."""
    counted: dict[tuple[Any, ...], list[bool]] = {}
    for run in runs:
        counted.setdefault((run["norm"], run["post_norm"], run["activation"]), []).append(run["solved"])
    smoothed = [
        {**run, "solved": 2 * sum(solved) > len(solved)}
        for run in runs
        for solved in [counted[run["norm"], run["post_norm"], run["activation"]]]
    ]
    return verdict(smoothed, field, value)


def one_seed_is_enough(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    found = verdict(runs, field, value)
    return "refuted" if found == "mixed" else found


def first_seed_only(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    return verdict([run for run in runs if run["seed"] == 0], field, value)


def never_open(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    found = verdict(runs, field, value)
    return "borne out" if found == "open" else found


def the_other_way_round(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    return verdict(runs, field, next((run[field] for run in runs if run[field] != value), None))


def always_the_activation(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    return verdict(runs, "activation", "exp")


RIGHT: dict[str, Callable[..., Any]] = {"07.mask": masked_mean, "07.twins": twins, "07.verdict": verdict}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "07.mask": [masked_mean_by_rows],
    "07.twins": [twins_with_large_senders],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "07.mask": {
        "minus infinity before": filled_before(-torch.inf),
        "a large negative number before": filled_before(-1e9),
        "zero before": filled_before(0.0),
        "zero after only": masked_after_only,
        "multiplied by the mask": multiplied_by_the_mask,
        "mean over the length": lambda pairs, f: masked_mean(pairs, f) * seen(pairs) / len(pairs),
        "not divided": lambda pairs, f: masked_mean(pairs, f) * seen(pairs),
        "no mask": lambda pairs, f: f(pairs).mean(dim=1),
        "its own sender masked": lambda pairs, f: masked_mean(pairs, f) - f(pairs.diagonal().T) / seen(pairs),
        "the past masked": lambda pairs, f: masked_mean(pairs.transpose(0, 1), f),
        "always exp": lambda pairs, f: masked_mean(pairs, torch.exp),
        "mean before the activation": lambda pairs, f: f(masked_mean(pairs, lambda x: x)),
        "no gradient": without_gradient,
    },
    "07.twins": {
        "the same twice": changed(lambda a, b: (a, b)),
        "both three times as large": changed(lambda a, b: (3 * a, 3 * b)),
        "a number added": changed(lambda a, b: (a + 1, b - 2)),
        "a little larger": changed(lambda a, b: (1.001 * a, b)),
        "other rows": changed(lambda a, b: (a + b, b)),
        "receivers turned round": changed(lambda a, b: (-a, b)),
        "normalised, then moved": changed(lambda a, b: (layer_norm(a), b + a)),
        "a row of one number": flat_receiver,
        "too short": lambda: tuple((a[:2], b[:2]) for a, b in twins()),
        "two shapes": lambda: (twins()[0], (torch.randn(6, 8), torch.randn(6, 8))),
        "infinite": changed(lambda a, b: (a * torch.inf, b)),
    },
    "07.verdict": {
        "by value and not by variant": by_value_and_not_by_variant,
        "the majority of the seeds": majority,
        "one seed is enough": one_seed_is_enough,
        "the first seed only": first_seed_only,
        "never open": never_open,
        "the other way round": the_other_way_round,
        "only for the activation": always_the_activation,
        "always refuted": lambda runs, field, value: "refuted",
    },
}
