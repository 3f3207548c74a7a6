"""Right and wrong answers to the exercises of lesson 06."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    kept = targets != -100
    chosen = logits.gather(-1, targets.clamp(min=0)[..., None]).squeeze(-1)
    return (logits.logsumexp(-1) - chosen)[kept].mean()


def loss_of_torch(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def unstable_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    kept = targets != -100
    share = logits.float().exp() / logits.float().exp().sum(-1, keepdim=True)
    chosen = share.gather(-1, targets.clamp(min=0)[..., None]).squeeze(-1)
    return -(chosen.log() * kept).sum() / kept.sum()


def loss_over_all_positions(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum")
    return logs / targets.numel()


def first_step(history: list[dict[str, float]], goal: float) -> float | None:
    return next((row["step"] for row in history if row["string_accuracy"] >= goal), None)


def best_row(history: list[dict[str, float]], goal: float) -> float | None:
    good = [row for row in history if row["string_accuracy"] >= goal]
    return max(good, key=lambda row: row["string_accuracy"])["step"] if good else None


def log_of_softmax(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logs = logits.softmax(-1).log()
    return F.nll_loss(logs.flatten(0, 1), targets.flatten(), ignore_index=-100)


def shifted_by_the_largest_of_all(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    moved = logits - logits.max()
    logs = moved - moved.exp().sum(-1, keepdim=True).log()
    return F.nll_loss(logs.flatten(0, 1), targets.flatten(), ignore_index=-100)


def mean_of_means(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    rows = [loss(one[None], wanted[None]) for one, wanted in zip(logits, targets, strict=True) if (wanted >= 0).any()]
    return torch.stack(rows).mean()


def loss_that_clears(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    kept = targets != -100
    targets[~kept] = 0
    chosen = logits.log_softmax(-1).gather(-1, targets[..., None]).squeeze(-1)
    return -(chosen * kept).sum() / kept.sum()


def axes_not_exchanged(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    batch, length, vocab = logits.shape
    return F.cross_entropy(logits.reshape(batch, vocab, length), targets, ignore_index=-100)


def loss_by_logsumexp(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    b, n = (targets != -100).nonzero(as_tuple=True)
    rows = logits[b, n]
    return (rows.logsumexp(-1) - rows[torch.arange(len(b)), targets[b, n]]).mean()


def loss_by_exp_and_log(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    total, count = torch.zeros((), dtype=logits.dtype), 0
    for row, target in zip(logits.flatten(0, 1), targets.flatten(), strict=True):
        if target != -100:
            total = total + (row - row.max()).exp().sum().log() + row.max() - row[target]
            count += 1
    return total / count


def first_of_sorted(history: list[dict[str, float]], goal: float) -> float | None:
    history.sort(key=lambda row: -row["string_accuracy"])
    good = [row["step"] for row in history if row["string_accuracy"] >= goal]
    return min(good) if good else None


def after_the_last_failure(history: list[dict[str, float]], goal: float) -> float | None:
    bad = [i for i, row in enumerate(history) if row["string_accuracy"] < goal]
    left = history[bad[-1] + 1 :] if bad else history
    return left[0]["step"] if left else None


def first_step_in_a_loop(history: list[dict[str, float]], goal: float) -> float | None:
    for row in reversed(history[: len(history)]):
        found = row["step"] if row["string_accuracy"] >= goal else None
        if found is not None and not any(r["string_accuracy"] >= goal for r in history[: history.index(row)]):
            return found
    return None


RIGHT: dict[str, Callable[..., Any]] = {
    "06.warmup": lambda step, peak, warmup: peak if step >= warmup else peak * (step + 1) / warmup,
    "06.loss": loss,
    "06.first_step": first_step,
}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "06.warmup": [
        lambda step, peak, warmup: peak * min(1.0, (step + 1) / max(warmup, 1)),
        lambda step, peak, warmup: np.interp(step + 1, [0, max(warmup, 1)], [0, peak]),
    ],
    "06.loss": [loss_by_logsumexp, loss_by_exp_and_log],
    "06.first_step": [first_step_in_a_loop],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "06.warmup": {
        "starts at zero": lambda step, peak, warmup: peak if step >= warmup else peak * step / warmup,
        "goes on growing": lambda step, peak, warmup: peak * (step + 1) / warmup if warmup else peak,
        "divides by zero without warm-up": lambda step, peak, warmup: (
            peak * min(1.0, (step + 1) / warmup) if warmup else 0.0
        ),
        "no warm-up": lambda step, peak, warmup: peak,
        "whole parts": lambda step, peak, warmup: peak if step >= warmup else peak * ((step + 1) // warmup),
        "falls afterwards": lambda step, peak, warmup: (
            peak * min((step + 1) / max(1, warmup), (max(1, warmup) / (step + 1)) ** 0.5)
        ),
        "50 steps": lambda step, peak, warmup: peak * min(1.0, (step + 1) / 50) if warmup else peak,
        "rounded": lambda step, peak, warmup: round(peak * min(1.0, (step + 1) / max(1, warmup)), 6),
        "a cosine": lambda step, peak, warmup: (
            peak if step >= warmup else peak * (1 - math.cos(math.pi * (step + 1) / warmup)) / 2
        ),
        "a step too late": lambda step, peak, warmup: peak * min(1.0, (step + 1) / (warmup + 1)),
    },
    "06.loss": {
        "torch's own": loss_of_torch,
        "detached": lambda lo, t: loss(lo, t).detach(),
        "made anew": lambda lo, t: torch.tensor(loss(lo, t).item(), dtype=lo.dtype),
        "divides by all positions": loss_over_all_positions,
        "a sum instead of a mean": lambda lo, t: loss(lo, t) * (t != -100).sum(),
        "counts -100 as the first letter": lambda lo, t: F.cross_entropy(lo.flatten(0, 1), t.clamp(min=0).flatten()),
        "overflows": unstable_loss,
        "gain instead of loss": lambda lo, t: -loss(lo, t),
        "the logarithm of softmax": log_of_softmax,
        "shifted by the largest of all": shifted_by_the_largest_of_all,
        "the mean of the rows' means": mean_of_means,
        "clears the targets": loss_that_clears,
        "axes not exchanged": axes_not_exchanged,
        "a small number added": lambda lo, t: F.nll_loss(
            (lo.softmax(-1) + 1e-9).log().flatten(0, 1), t.flatten(), ignore_index=-100
        ),
        "in bits": lambda lo, t: loss(lo, t) / math.log(2),
        "no tensor": lambda lo, t: loss(lo, t).item(),
    },
    "06.first_step": {
        "the best row": best_row,
        "an index instead of a step": lambda rows, goal: next(
            (i for i, row in enumerate(rows) if row["string_accuracy"] >= goal), None
        ),
        "strictly above the goal": lambda rows, goal: next(
            (row["step"] for row in rows if row["string_accuracy"] > goal), None
        ),
        "zero where it never is": lambda rows, goal: first_step(rows, goal) or 0,
        "25 steps between rows": lambda rows, goal: next(
            (25 * i for i, row in enumerate(rows, start=1) if row["string_accuracy"] >= goal), None
        ),
        "no step 0": lambda rows, goal: first_step(rows, goal) or None,
        "sorts the history": first_of_sorted,
        "after the last failure": after_the_last_failure,
        "nearly is enough": lambda rows, goal: first_step(rows, goal - 0.1),
        "the last row": lambda rows, goal: next(
            (row["step"] for row in reversed(rows) if row["string_accuracy"] >= goal), None
        ),
    },
}
