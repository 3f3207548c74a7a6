"""Right and wrong answers to the exercises of lesson 10."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from crn_lib.tasks import NOT_SCORED, RecallConfig, RecallTask

Problem = tuple[Tensor, Tensor]


def recall(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
    half = vocab // 2
    keys = 1 + torch.randperm(half - 1, generator=generator)[:pairs]
    values = half + torch.randperm(half, generator=generator)[:pairs]
    slots = torch.randperm((length - 2 * pairs) // 2, generator=generator)[:pairs]
    tokens, targets = torch.zeros(length, dtype=torch.long), torch.full((length,), NOT_SCORED)
    tokens[0 : 2 * pairs : 2], tokens[1 : 2 * pairs : 2] = keys, values
    places = 2 * pairs + 2 * slots
    tokens[places], targets[places] = keys, values
    return tokens, targets


def recall_of_the_library(
    pairs: int, length: int, vocab: int, generator: torch.Generator
) -> tuple[list[int], list[int]]:
    task = RecallTask(RecallConfig(pairs=pairs, length=length, vocab=vocab))
    tokens, targets = task.sample(1, generator)
    return tokens[0].tolist(), targets[0].tolist()


def recall_with(change: Callable[[Tensor, Tensor, int, int], None]) -> Any:
    """The right problem, changed."""

    def attempt(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
        tokens, targets = recall(pairs, length, vocab, generator)
        change(tokens, targets, pairs, vocab)
        return tokens, targets

    return attempt


def value_fed(tokens: Tensor, targets: Tensor, pairs: int, vocab: int) -> None:
    places = (targets != NOT_SCORED).nonzero().flatten()
    tokens[places + 1] = targets[places]


def target_at_the_value(tokens: Tensor, targets: Tensor, pairs: int, vocab: int) -> None:
    targets[:] = targets.roll(1)


def all_scored(tokens: Tensor, targets: Tensor, pairs: int, vocab: int) -> None:
    targets[: 2 * pairs : 2] = tokens[1 : 2 * pairs : 2]


def keys_from_zero(tokens: Tensor, targets: Tensor, pairs: int, vocab: int) -> None:
    tokens[tokens.gt(0) & tokens.lt(vocab // 2)] -= 1


def keys_repeated(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
    tokens, targets = recall(pairs, length, vocab, generator)
    tokens[0 : 2 * pairs : 2] = torch.randint(1, vocab // 2, (pairs,), generator=generator)
    return tokens, targets


def in_order(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
    tokens, targets = recall(pairs, length, vocab, generator)
    places = (targets != NOT_SCORED).nonzero().flatten()
    tokens[places], targets[places] = tokens[0 : 2 * pairs : 2].clone(), tokens[1 : 2 * pairs : 2].clone()
    return tokens, targets


def own_luck(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
    return recall(pairs, length, vocab, torch.default_generator)


def always_the_same(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
    return recall(pairs, length, vocab, torch.Generator().manual_seed(0))


def by_the_seed(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Problem:
    return recall(pairs, length, vocab, torch.Generator().manual_seed(generator.initial_seed()))


def static(scores: Tensor) -> Tensor:
    above = (scores[:, :, None] > scores[:, None]).any(dim=0)  # (sender, sender, channel)
    return ~(above & above.transpose(0, 1)).any(dim=(0, 1))


def static_by_pairs_of_receivers(scores: Tensor) -> list[bool]:
    signs = torch.sign(scores[:, :, None] - scores[:, None])
    return [bool((signs[:, None, ..., c] * signs[None, ..., c] >= 0).all()) for c in range(scores.shape[2])]


def fit(x: Tensor, y: Tensor) -> Tensor:
    found = torch.zeros(2, len(y), dtype=x.dtype)
    for i in range(1, len(y)):
        w = torch.linalg.pinv(x[:i]) @ y[:i]
        found[0, i] = x[i] @ w
        found[1, i] = x[i] @ (y[:i, None] * x[:i]).mean(dim=0)
    return found


def fit_by_lstsq(x: Tensor, y: Tensor) -> Tensor:
    rows = [torch.zeros(2, dtype=x.dtype)]
    for i in range(1, len(y)):
        w = torch.linalg.lstsq(x[:i], y[:i, None], driver="gelsd").solution[:, 0]
        rows.append(torch.stack([x[i] @ w, x[i] @ (x[:i].T @ y[:i] / i)]))
    return torch.stack(rows, dim=1)


def fit_with(*, own: bool = False, ridge: float = 0.0, summed: bool = False, intercept: bool = False) -> Any:
    """The estimators with a fault."""

    def attempt(x: Tensor, y: Tensor) -> Tensor:
        found = torch.zeros(2, len(y), dtype=x.dtype)
        for i in range(1, len(y)):
            seen = slice(0, i + own)
            known, asked = x[seen], x[i]
            if intercept:
                known, asked = (torch.cat([part, torch.ones_like(part[..., :1])], dim=-1) for part in (known, asked))
            w = torch.linalg.pinv(known) @ y[seen]
            if ridge:
                eye = torch.eye(known.shape[1], dtype=x.dtype)
                w = torch.linalg.solve(known.T @ known + ridge * eye, known.T @ y[seen])
            found[0, i] = asked @ w
            products = y[seen, None] * x[seen]
            found[1, i] = x[i] @ (products.sum(dim=0) if summed else products.mean(dim=0))
        return found

    return attempt


def fit_first_by_all(x: Tensor, y: Tensor) -> Tensor:
    found = fit(x, y)
    found[:, 0] = y[0]
    return found


def recall_at(choose: Callable[[int, int], Iterable[int]]) -> Callable[..., Any]:
    """Asked at places of a choice that is not drawn, or drawn from too few."""

    def draw(pairs: int, length: int, vocab: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        tokens, targets = recall(pairs, length, vocab, generator)
        asked = tokens[2 * pairs :][tokens[2 * pairs :] > 0]
        slots = torch.tensor(list(choose((length - 2 * pairs) // 2, pairs)))
        slots = slots[torch.randperm(len(slots), generator=generator)[:pairs]]
        behind = torch.zeros(length - 2 * pairs, dtype=torch.long)
        behind[2 * slots.sort().values] = asked
        values = dict(zip(tokens[: 2 * pairs : 2].tolist(), tokens[1 : 2 * pairs : 2].tolist(), strict=True))
        goals = torch.tensor([values.get(token, -100) for token in behind.tolist()])
        return torch.cat([tokens[: 2 * pairs], behind]), torch.cat([targets[: 2 * pairs], goals])

    return draw


def recall_with_the_smallest_keys(pairs: int, length: int, vocab: int, generator: torch.Generator) -> Any:
    tokens, targets = recall(pairs, length, vocab, generator)
    ranks = {key: rank for rank, key in enumerate(sorted(tokens[: 2 * pairs : 2].tolist()), start=1)}
    half = vocab // 2
    return torch.tensor([ranks.get(t, t) if 0 < t < half else t for t in tokens.tolist()]), targets


RIGHT: dict[str, Callable[..., Any]] = {"10.recall": recall, "10.static": static, "10.fit": fit}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "10.recall": [recall_of_the_library],
    "10.static": [static_by_pairs_of_receivers],
    "10.fit": [fit_by_lstsq],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "10.recall": {
        "the target stands where the value would": recall_with(target_at_the_value),
        "keys drawn with repetition": keys_repeated,
        "the query's own value in the input": recall_with(value_fed),
        "the pairs are scored too": recall_with(all_scored),
        "key 0, which also fills": recall_with(keys_from_zero),
        "always asked in the order of the pairs": in_order,
        "asked at the first places": recall_at(lambda slots, pairs: range(pairs)),
        "asked at the last places": recall_at(lambda slots, pairs: range(slots - pairs, slots)),
        "never asked at the last place": recall_at(lambda slots, pairs: range(max(pairs, slots - 1))),
        "the smallest keys only": recall_with_the_smallest_keys,
        "drawn from torch's own generator": own_luck,
        "the same problem every time": always_the_same,
        "the generator's seed alone": by_the_seed,
        "tokens only": lambda *given: recall(*given)[0],
    },
    "10.static": {
        "receivers ranked by the senders": lambda scores: static(scores.transpose(0, 1)),
        "ties in the order of their places": lambda scores: (
            (scores.argsort(dim=1, stable=True) == scores.argsort(dim=1, stable=True)[:1]).all(dim=1).all(dim=0)
        ),
        "only the best sender": lambda scores: (scores.argmax(dim=1) == scores.argmax(dim=1)[:1]).all(dim=0),
        "one truth value for all channels": lambda scores: [bool(static(scores).all())],
        "the other way round": lambda scores: ~static(scores),
        "whether all scores are the same": lambda scores: (scores == scores[:1]).all(dim=1).all(dim=0),
        "neighbouring senders only": lambda scores: (
            ~((scores.diff(dim=1) > 0).any(dim=0) & (scores.diff(dim=1) < 0).any(dim=0)).any(dim=0)
        ),
    },
    "10.fit": {
        "uses its own y": fit_with(own=True),
        "a penalty on the weights": fit_with(ridge=1e-2),
        "the sum in place of the mean": fit_with(summed=True),
        "with an intercept": fit_with(intercept=True),
        "rows exchanged": lambda x, y: fit(x, y).flip(0),
        "the first y given away": fit_first_by_all,
        "in float32": lambda x, y: fit(x.float(), y.float()),
        "one row": lambda x, y: fit(x, y)[0],
    },
}
