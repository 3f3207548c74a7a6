"""Right and wrong answers to the exercises of lesson 03."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def seen(x: Tensor, axis: int = -2) -> Tensor:
    """1, 2, 3, ... along the length, to divide by."""
    return torch.arange(1, x.shape[axis] + 1, dtype=x.dtype)[:, None]


def prefix(a: Tensor, b: Tensor) -> Tensor:
    return a.exp() * b.exp().cumsum(dim=1) / seen(a)


def prefix_as_a_loop(a: Tensor, b: Tensor) -> Tensor:
    out, total = torch.empty_like(a), torch.zeros_like(a[:, 0])
    for i in range(a.shape[1]):
        total = total + b[:, i].exp()
        out[:, i] = a[:, i].exp() * total / (i + 1)
    return out


def every_pair(a: Tensor, b: Tensor) -> Tensor:
    rows = [(a[:, i : i + 1] + b[:, : i + 1]).exp().mean(dim=1) for i in range(a.shape[1])]
    return torch.stack(rows, dim=1)


def scan(a: Tensor, b: Tensor) -> Tensor:
    total = torch.full_like(b[0], -torch.inf)
    rows = []
    for i in range(len(b)):
        total = torch.logaddexp(total, b[i])
        rows.append(a[i] + total - torch.log(torch.tensor(i + 1.0, dtype=a.dtype)))
    return torch.stack(rows)


def scan_by_running_maximum(a: Tensor, b: Tensor, *, rescale: bool = True) -> Tensor:
    largest, total = b[0], torch.zeros_like(b[0])
    rows = []
    for i in range(len(b)):
        new = torch.maximum(largest, b[i])
        total = total * ((largest - new).exp() if rescale else 1.0) + (b[i] - new).exp()
        largest = new
        rows.append(a[i] + largest + total.log())
    return torch.stack(rows) - seen(a).log()


def shifted(a: Tensor, b: Tensor, largest: Tensor) -> Tensor:
    return a + largest + (b - largest).exp().cumsum(dim=0).log() - seen(a).log()


def resume(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    total, count = (torch.zeros_like(b[0]), 0) if state is None else state
    sums = total + b.exp().cumsum(dim=0)
    return a.exp() * sums / (count + seen(a)), (sums[-1], count + len(b))


def resume_in_place(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    state = {"sum": torch.zeros_like(b[0]), "count": 0} if state is None else state
    out, (state["sum"], state["count"]) = resume(a, b, (state["sum"], state["count"]))
    return out, state


def resume_from_a_mean(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, (total, count) = resume(a, b, state)
    return out, (total / count, count)


def resume_from_a_pool(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    pool = b if state is None else torch.cat([state, b])
    sums = pool.exp().cumsum(dim=0) / seen(pool)
    return a.exp() * sums[-len(a) :], pool


def resume_counting_the_chunk_only(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    total = torch.zeros_like(b[0]) if state is None else state
    sums = total + b.exp().cumsum(dim=0)
    return a.exp() * sums / seen(a), sums[-1]


def resume_with_the_state_of_the_chunk(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, _ = resume(a, b, state)
    return out, (b.exp().sum(dim=0), len(b))


def every_pair_in_numpy(a: Tensor, b: Tensor) -> Tensor:
    senders = np.exp(b.numpy())
    rows = [senders[:, : i + 1].mean(axis=1) for i in range(a.shape[1])]
    return a.exp() * torch.from_numpy(np.stack(rows, axis=1))


def prefix_by_a_matrix(a: Tensor, b: Tensor) -> Tensor:
    return a.exp() * (torch.ones(a.shape[1], a.shape[1], dtype=a.dtype).tril() @ b.exp()) / seen(a)


def prefix_divided_by_a_row(a: Tensor, b: Tensor) -> Tensor:
    counts = seen(a).T if a.shape[1] == a.shape[2] else seen(a)
    return a.exp() * b.exp().cumsum(dim=1) / counts


def prefix_by_index(a: Tensor, b: Tensor) -> Tensor:
    sums = [b[:, [0]].exp()]
    for i in range(1, b.shape[1]):
        sums.append(sums[-1] + b[:, [i]].exp())
    return a.exp() * torch.cat(sums, dim=1) / seen(a)


def by_doubling(b: Tensor, add: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """A prefix sum in log2(length) passes, over dimension 0."""
    step = 1
    while step < len(b):
        b = torch.cat([b[:step], add(b[step:], b[:-step])])
        step *= 2
    return b


def scan_below_0(a: Tensor, b: Tensor) -> Tensor:
    """Begins with log 1: one sender too many."""
    return scan(a, torch.cat([b.clamp(min=-1e4)[:0], torch.logaddexp(b[:1], 0 * b[:1]), b[1:]]))


def scan_by_cummax(a: Tensor, b: Tensor) -> Tensor:
    largest = b.cummax(dim=0).values
    return shifted(a, b, largest)


def scan_in_numpy(a: Tensor, b: Tensor) -> Tensor:
    return a + torch.from_numpy(np.logaddexp.accumulate(b.numpy(), axis=0)) - seen(a).log()


KEPT: dict[str, Any] = {}


def resume_from_a_global(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, KEPT["state"] = resume(a, b, None if state is None else KEPT["state"])
    return out, "kept"


class Pool:
    """What every sender gave."""

    def __init__(self, senders: Tensor) -> None:
        self.senders = senders


def resume_from_an_object(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, pool = resume_from_a_pool(a, b, None if state is None else state.senders)
    return out, Pool(pool)


def resume_from_a_function(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, pool = resume_from_a_pool(a, b, None if state is None else state())
    return out, lambda: pool


def resume_from_the_output(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, (_, count) = resume(a, b, state)
    return out, (out[-1] * count, count)


def resume_from_one_tensor(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
    out, (total, count) = resume(a, b, None if state is None else (state["all"][:-1], int(state["all"][-1])))
    return out, {"all": torch.cat([total, torch.tensor([count], dtype=b.dtype)])}


class Held:
    """A state of the reader's own class."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner


def resume_from_held(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Held]:
    out, inner = resume(a, b, state and state.inner)
    return out, Held(inner)


def resume_in_an_object_it_changes(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Held]:
    state = state or Held(None)
    out, state.inner = resume(a, b, state.inner)
    return out, state


RIGHT: dict[str, Callable[..., Any]] = {"03.prefix": prefix, "03.scan": scan, "03.resume": resume}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "03.prefix": [
        prefix_by_index,
        lambda a, b: a.exp() * by_doubling(b.transpose(0, 1).exp(), torch.add).transpose(0, 1) / seen(a),
        prefix_as_a_loop,
    ],
    "03.scan": [lambda a, b: a + by_doubling(b, torch.logaddexp) - seen(a).log(), scan_by_running_maximum],
    "03.resume": [resume_from_one_tensor, resume_from_held],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "03.prefix": {
        "its own sender left out": lambda a, b: a.exp() * (b.exp().cumsum(dim=1) - b.exp()) / seen(a),
        "divided by the length": lambda a, b: a.exp() * b.exp().cumsum(dim=1) / a.shape[1],
        "divided by i": lambda a, b: a.exp() * b.exp().cumsum(dim=1) / (seen(a) - 1).clamp(min=1),
        "not divided": lambda a, b: a.exp() * b.exp().cumsum(dim=1),
        "exp(a) missing": lambda a, b: b.exp().cumsum(dim=1) / seen(a),
        "exp(a) summed too": lambda a, b: (a + b).exp().cumsum(dim=1) / seen(a),
        "summed over the width": lambda a, b: a.exp() * b.exp().cumsum(dim=2) / seen(a),
        "summed over the batch": lambda a, b: a.exp() * b.exp().cumsum(dim=0) / seen(a),
        "exp of the sum": lambda a, b: a.exp() * b.cumsum(dim=1).exp() / seen(a),
        "not causal": lambda a, b: a.exp() * b.exp().mean(dim=1, keepdim=True),
        "every pair": every_pair,
        "every pair in numpy": every_pair_in_numpy,
        "a triangle of ones": prefix_by_a_matrix,
        "divided along the width": prefix_divided_by_a_row,
        "exp in place": lambda a, b: prefix(a, b) + 0 * b.exp_(),
        "float32": lambda a, b: prefix(a.float(), b.float()),
        "a list": lambda a, b: prefix(a, b).tolist(),
    },
    "03.scan": {
        "plain logarithm of the sum": lambda a, b: a + b.exp().cumsum(dim=0).log() - seen(a).log(),
        "logarithm of the whole": lambda a, b: prefix(a[None], b[None])[0].log(),
        "largest of the row subtracted": lambda a, b: shifted(a, b, b.amax(dim=1, keepdim=True)),
        "largest of all subtracted": lambda a, b: shifted(a, b, b.amax()),
        "largest of the column subtracted": lambda a, b: shifted(a, b, b.amax(dim=0)),
        "old sum not rescaled": lambda a, b: scan_by_running_maximum(a, b, rescale=False),
        "log(i + 1) forgotten": lambda a, b: scan(a, b) + seen(a).log(),
        "a forgotten": lambda a, b: scan(torch.zeros_like(a), b),
        "not the logarithm": lambda a, b: scan(a, b).exp(),
        "ready-made": lambda a, b: a + b.logcumsumexp(dim=0) - seen(a).log(),
        "a sum of its own for every receiver": lambda a, b: (
            torch.stack([a[i] + torch.logsumexp(b[: i + 1], dim=0) for i in range(len(a))]) - seen(a).log()
        ),
        "accumulated in numpy": scan_in_numpy,
        "shifted by a maximum that changes": scan_by_cummax,
        "begins with 0 for nothing": scan_below_0,
        "cut off at 700": lambda a, b: shifted(a, b.clamp(-700, 700), b.new_zeros(b[0].shape)),
        "float32": lambda a, b: scan(a.float(), b.float()),
        "b shifted in place": lambda a, b: scan(a + b.amax(dim=0), b.sub_(b.amax(dim=0))),
    },
    "03.resume": {
        "starts again": lambda a, b, state: resume(a, b, None),
        "counts the chunk only": resume_counting_the_chunk_only,
        "state of the last chunk only": resume_with_the_state_of_the_chunk,
        "carries the mean as the sum": resume_from_a_mean,
        "keeps every sender": resume_from_a_pool,
        "changes the state it is given": resume_in_place,
        "changes the object it is given": resume_in_an_object_it_changes,
        "returns no state": lambda a, b, state: (resume(a, b, state)[0], None),
        "remembers by itself": resume_from_a_global,
        "keeps every sender in an object": resume_from_an_object,
        "carries the output": resume_from_the_output,
        "float32": lambda a, b, state: (resume(a, b, state)[0].float(), resume(a, b, state)[1]),
        "exp in place": lambda a, b, state: (resume(a, b, state), b.exp_())[0],
        "keeps every sender in a function": resume_from_a_function,
    },
}
