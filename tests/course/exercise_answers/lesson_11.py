"""Right and wrong answers to the exercises of lesson 11."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def width(largest: float, rows: int) -> int:
    return math.floor(1 + (math.log(largest) / rows) ** 2) + 1


def width_by_search(largest: float, rows: int) -> int:
    found = 1
    while rows * math.sqrt(found - 1) <= math.log(largest):
        found += 1
    return found


def remember(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    wide = sender.double()
    state = wide if state is None else torch.logaddexp(state, wide)
    return state, state.to(sender.dtype)


def remember_in_float32(state: Any, sender: Tensor) -> tuple[Any, Tensor]:
    wide = sender.float()
    largest, total = (wide, torch.ones_like(wide)) if state is None else state
    if state is not None:
        new = torch.maximum(largest, wide)
        total = total * (largest - new).exp() + (wide - new).exp()
        largest = new
    return (largest, total), (largest + total.log()).to(sender.dtype)


def remember_narrow(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    state = sender if state is None else torch.logaddexp(state, sender)
    return state, state


def remember_a_plain_sum(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    total = sender.float().exp() + (0 if state is None else state)
    return total, total.log().to(sender.dtype)


def remember_everything(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    pool = sender[None] if state is None else torch.cat([state, sender[None]])
    return pool, pool.double().logsumexp(dim=0).to(sender.dtype)


def remember_with_a_fixed_shift(state: Any, sender: Tensor) -> tuple[Any, Tensor]:
    shift, total = (sender.double(), torch.zeros_like(sender.double())) if state is None else state
    total = total + (sender.double() - shift).exp()
    return (shift, total), (shift + total.log()).to(sender.dtype)


def remember_the_mean(state: Any, sender: Tensor) -> tuple[Any, Tensor]:
    count, log_sum = (0, None) if state is None else state
    log_sum, _ = remember(log_sum, sender)
    return (count + 1, log_sum), (log_sum - math.log(count + 1)).to(sender.dtype)


def rescale(logs: Tensor, heads: int) -> Tensor:
    return (logs - logs.amax(dim=1, keepdim=True)).exp().half()


def by_head(logs: Tensor, heads: int) -> Tensor:
    parts = logs.unflatten(1, (heads, -1))
    return (parts - parts.amax(dim=2, keepdim=True)).exp().flatten(1).half()


def width_by_exp(largest: float, rows: int) -> int:
    found = 1
    while math.exp(rows * math.sqrt(found - 1)) <= largest:
        found += 1
    return found


REMEMBERED: dict[str, Any] = {}


def remember_elsewhere(state: Any, sender: Tensor) -> tuple[str, Tensor]:
    REMEMBERED["state"], out = remember(None if state is None else REMEMBERED["state"], sender)
    return "elsewhere", out


class Senders:
    """All of them."""

    def __init__(self) -> None:
        self.all: list[Tensor] = []


def remember_in_an_object(state: Any, sender: Tensor) -> tuple[Senders, Tensor]:
    state = Senders() if state is None else state
    state.all.append(sender.double())
    return state, torch.stack(state.all).logsumexp(dim=0).to(sender.dtype)


def remember_as_bytes(state: Any, sender: Tensor) -> tuple[bytes, Tensor]:
    state = (state or b"") + sender.double().numpy().tobytes()
    pool = torch.frombuffer(bytearray(state), dtype=torch.float64).reshape(-1, len(sender))
    return state, pool.logsumexp(dim=0).to(sender.dtype)


def remember_in_place(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    wide = sender.double()
    if state is None:
        return wide, wide.to(sender.dtype)
    state.copy_(torch.logaddexp(state, wide))
    return state, state.to(sender.dtype)


def remember_the_largest(state: Any, sender: Tensor) -> tuple[Any, Tensor]:
    count, largest = (0, sender) if state is None else state
    largest = torch.maximum(largest, sender)
    return (count + 1, largest), (largest.double() + math.log(count + 1)).to(sender.dtype)


def remember_and_shift(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    out = remember(state, sender)
    sender -= sender.max()
    return out


def remember_in_the_first_sender(state: Any, sender: Tensor) -> tuple[Tensor, Tensor]:
    wide = sender.float()  # a float32 sender is its own
    if state is None:
        return wide, sender.clone()
    state.copy_(torch.logaddexp(state, wide))
    return state, state.to(sender.dtype)


def remember_one_largest(state: Any, sender: Tensor) -> tuple[Any, Tensor]:
    """One maximum for all columns: those far below it vanish."""
    wide = sender.double()
    largest, total = (wide.max(), torch.zeros_like(wide)) if state is None else state
    new = torch.maximum(largest, wide.max())
    total = total * (largest - new).exp() + (wide - new).exp()
    return (new, total), (new + total.log()).to(sender.dtype)


def less(number: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """exp of the logarithms less this number of each row."""
    return lambda logs, heads: (logs - number(logs)).exp().half()


def rescale_in_place(logs: Tensor, heads: int) -> Tensor:
    logs -= logs.amax(dim=1, keepdim=True)
    return logs.exp().half()


RIGHT: dict[str, Callable[..., Any]] = {"11.width": width, "11.scan": remember, "11.rescale": rescale}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "11.width": [
        lambda largest, rows: math.ceil(1 + (math.log(largest) / rows) ** 2),
        width_by_search,
        lambda largest, rows: np.int64(width(largest, rows)),
    ],
    "11.scan": [remember_in_place, remember_in_float32],
    "11.rescale": [
        less(lambda logs: logs.logsumexp(dim=1, keepdim=True) - 3),
        less(lambda logs: logs.amax(dim=1, keepdim=True) - 3),
        lambda logs, heads: (8 * logs.softmax(dim=1)).half(),
    ],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "11.width": {
        "sqrt(width) for sqrt(width - 1)": lambda largest, rows: math.floor((math.log(largest) / rows) ** 2) + 1,
        "the last safe width": lambda largest, rows: width(largest, rows) - 1,
        "one row, whatever is asked": lambda largest, rows: width(largest, 1),
        "rows inside the root": lambda largest, rows: math.floor(1 + math.log(largest) ** 2 / rows) + 1,
        "the logarithm to base 2": lambda largest, rows: math.floor(1 + (math.log2(largest) / rows) ** 2) + 1,
        "not whole": lambda largest, rows: 1 + (math.log(largest) / rows) ** 2,
        "float16 in every case": lambda largest, rows: width(65504.0, rows),
        "exp that overflows": lambda largest, rows: width_by_exp(min(largest, 1e300), rows),
        "rounded": lambda largest, rows: round(1 + (math.log(largest) / rows) ** 2),
        "a float": lambda largest, rows: float(width(largest, rows)),
        "rows times": lambda largest, rows: math.floor(1 + (rows * math.log(largest)) ** 2) + 1,
        "the logarithm to base 10": lambda largest, rows: math.floor(1 + (math.log10(largest) / rows) ** 2) + 1,
        "two rows at most": lambda largest, rows: width(largest, min(rows, 2)),
    },
    "11.scan": {
        "in the sender's format": remember_narrow,
        "a plain sum": remember_a_plain_sum,
        "keeps every sender": remember_everything,
        "shifted by the first sender": remember_with_a_fixed_shift,
        "the mean": remember_the_mean,
        "a float64 answer": lambda state, sender: (remember(state, sender)[0],) * 2,
        "the last sender": lambda state, sender: (sender, sender),
        "remembers by itself": remember_elsewhere,
        "keeps every sender in an object": remember_in_an_object,
        "the largest and a count": remember_the_largest,
        "shifts the sender": remember_and_shift,
        "adds to the first sender": remember_in_the_first_sender,
        "one maximum for all columns": remember_one_largest,
        "a list": lambda state, sender: (remember(state, sender)[0], remember(state, sender)[1].tolist()),
        "keeps every sender as bytes": remember_as_bytes,
    },
    "11.rescale": {
        "as it stands": lambda logs, heads: logs.exp().half(),
        "each head by itself": by_head,
        "the largest of all rows": lambda logs, heads: (logs - logs.max()).exp().half(),
        "the largest of each column": lambda logs, heads: (logs - logs.amax(dim=0)).exp().half(),
        "cut off instead of scaled": lambda logs, heads: logs.clamp(-9, 11).exp().half(),
        "softmax over each head": lambda logs, heads: logs.unflatten(1, (heads, -1)).softmax(2).flatten(1).half(),
        "the logarithms": lambda logs, heads: (logs - logs.amax(dim=1, keepdim=True)).half(),
        "float32": lambda logs, heads: (logs - logs.amax(dim=1, keepdim=True)).exp().float(),
        "softmax, small where a row is wide": lambda logs, heads: logs.softmax(dim=1).half(),
        "a rounded exponent": lambda logs, heads: (logs - logs.amax(dim=1, keepdim=True)).half().exp(),
        "the mean of a row": less(lambda logs: logs.mean(dim=1, keepdim=True)),
        "the first entry": less(lambda logs: logs[:, :1]),
        "the median": less(lambda logs: logs.median(dim=1, keepdim=True).values),
        "the last head's largest": less(lambda logs: logs[:, -4:].amax(dim=1, keepdim=True)),
        "float16 first": lambda logs, heads: rescale(logs.half(), heads),
        "in place": rescale_in_place,
        "nothing below 1e-3": lambda logs, heads: rescale(logs, heads).clamp(min=1e-3),
        "one row only": lambda logs, heads: (logs - logs[0].max()).exp().half(),
    },
}
