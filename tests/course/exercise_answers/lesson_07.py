"""Right and wrong answers to the exercises of lesson 07."""

import itertools
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


def masked_mean_by_where(pairs: Tensor, activation: Activation) -> Tensor:
    place = torch.arange(len(pairs))
    heard = (place <= place[:, None])[:, :, None]
    values = torch.where(heard, activation(torch.where(heard, pairs, torch.ones_like(pairs))), 0.0)
    return values.mean(dim=1) * len(pairs) / (place + 1)[:, None]


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


def wide_twins_in_float32() -> tuple[Pair, Pair]:
    """A factor that float32 rounds, at a width at which the outputs are large."""
    a, b = torch.randn(2, 4, 64, generator=torch.Generator().manual_seed(1))
    return (a, b), (a, 100 * b)


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


def masked_mean_with(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The pairs changed before anything else."""
    return lambda pairs, activation: masked_mean(change(pairs), activation)


def masked_in_place(pairs: Tensor, activation: Activation) -> Tensor:
    with torch.no_grad():
        pairs[future(pairs).expand_as(pairs)] = 0.0
    return masked_mean(pairs, activation)


def divided_by_a_row(pairs: Tensor, activation: Activation) -> Tensor:
    """The counts lie along the width, and fit where there are as many of both."""
    fits = len(pairs) == pairs.shape[2]
    return masked_mean(pairs, activation) * seen(pairs) / (seen(pairs).T if fits else seen(pairs))


def what_is_not_a_number_left_out(pairs: Tensor, activation: Activation) -> Tensor:
    values = activation(pairs.masked_fill(future(pairs), 0.0)).nan_to_num()
    return (values * ~future(pairs)).sum(dim=1) / seen(pairs)


def masked_mean_of_the_seen(pairs: Tensor, activation: Activation) -> Tensor:
    """Never makes a future pair."""
    i, j = torch.tril_indices(len(pairs), len(pairs))
    sums = pairs.new_zeros(len(pairs), pairs.shape[2]).index_add(0, i, activation(pairs[i, j]))
    return sums / seen(pairs)


def twins_by_row() -> tuple[Pair, Pair]:
    a, b = random_pair()
    return (a, b), (a * torch.arange(1, 6)[:, None] + 3, b * torch.tensor(0.5) - 7)


def twins_in_place() -> tuple[Pair, Pair]:
    a, b = random_pair()
    a2 = a
    a2 *= 3
    return (a, b), (a2, b)


def one_verdict_for_both_post_norms(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    return verdict([{**run, "post_norm": None} if field != "post_norm" else run for run in runs], field, value)


def by_identity(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    return verdict([{**run, field: run[field] and value} for run in runs], field, value)


def all_having(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    found = verdict(runs, field, value)
    having = [run["solved"] for run in runs if run[field] == value]
    return "open" if found == "borne out" and not all(having) else found


def any_having(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    found = verdict(runs, field, value)
    having = [run["solved"] for run in runs if run[field] == value]
    lacking = [run for run in runs if run[field] != value]
    return "borne out" if found == "open" and any(having) and lacking else found


def two_seeds_at_least(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    names = [(run["norm"], run["post_norm"], run["activation"]) for run in runs]
    alone = [run for run, name in zip(runs, names, strict=True) if names.count(name) > 1 or run["norm"] == "exact"]
    return verdict(alone, field, value)


def verdict_that_sorts(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    runs.sort(key=lambda run: not run["solved"])
    return verdict(runs, field, value)


def verdict_that_takes_away(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    found = verdict(runs, field, value)
    for run in runs:
        run.pop("seed")
    return found


def verdict_by_groups(runs: list[dict[str, Any]], field: str, value: Any) -> str:
    def name(run: dict[str, Any]) -> tuple[Any, ...]:
        return run["norm"], run["post_norm"], run["activation"]

    groups = [list(group) for _, group in itertools.groupby(sorted(runs, key=name), key=name)]
    shares = [(group[0][field] == value, sum(run["solved"] for run in group) / len(group)) for group in groups]
    most = max((share for has, share in shares if not has), default=None)
    if most:
        return "refuted" if most == 1 else "mixed"
    return "borne out" if most is not None and (True, 1) in shares else "open"


RIGHT: dict[str, Callable[..., Any]] = {"07.mask": masked_mean, "07.twins": twins, "07.verdict": verdict}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "07.mask": [masked_mean_of_the_seen, masked_mean_by_where],
    "07.twins": [
        twins_by_row,
        lambda: tuple(tuple(x.float() for x in pair) for pair in twins()),
        twins_with_large_senders,
        wide_twins_in_float32,
    ],
    "07.verdict": [verdict_by_groups],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "07.mask": {
        "one token after the other": masked_mean_by_rows,
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
        "cut off at 80": masked_mean_with(lambda pairs: pairs.clamp(max=80)),
        "cut off at -80": masked_mean_with(lambda pairs: pairs.clamp(min=-80)),
        "float32": masked_mean_with(lambda pairs: pairs.float()),
        "masks what it is given": masked_in_place,
        "divided along the width": divided_by_a_row,
        "what is infinite made finite": what_is_not_a_number_left_out,
        "a constant taken off": lambda pairs, f: (
            (f(pairs.masked_fill(future(pairs), 1.0)).sum(dim=1) - (len(pairs) - seen(pairs)) * torch.e) / seen(pairs)
        ),
        "a gradient of 0": lambda pairs, f: masked_mean(pairs.detach() + 0 * pairs, f),
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
        "changed in place": twins_in_place,
        "arrays": lambda: tuple((a.numpy(), b.numpy()) for a, b in twins()),
        "a and b exchanged": changed(lambda a, b: (b, a)),
        "one tensor": lambda: torch.stack([torch.stack(pair) for pair in twins()])[:, :, :2],
        "another number added in every column": changed(lambda a, b: (a + torch.arange(8.0), b)),
        "senders in another order": changed(lambda a, b: (3 * a, b.flip(0))),
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
        "post-norm left out": one_verdict_for_both_post_norms,
        "whatever is true is the value": by_identity,
        "every variant with the value must copy": all_having,
        "one run with the value is enough": any_having,
        "one seed counts for nothing": two_seeds_at_least,
        "sorts the runs": verdict_that_sorts,
        "takes the seeds away": verdict_that_takes_away,
    },
}
