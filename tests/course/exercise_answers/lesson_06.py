"""Right and wrong answers to the exercises of lesson 06."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F


def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
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


RIGHT: dict[str, Callable[..., Any]] = {
    "06.warmup": lambda step, peak, warmup: peak if step >= warmup else peak * (step + 1) / warmup,
    "06.loss": loss,
    "06.first_step": first_step,
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "06.warmup": {
        "starts at zero": lambda step, peak, warmup: peak if step >= warmup else peak * step / warmup,
        "goes on growing": lambda step, peak, warmup: peak * (step + 1) / warmup if warmup else peak,
        "divides by zero without warm-up": lambda step, peak, warmup: (
            peak * min(1.0, (step + 1) / warmup) if warmup else 0.0
        ),
        "no warm-up": lambda step, peak, warmup: peak,
    },
    "06.loss": {
        "divides by all positions": loss_over_all_positions,
        "a sum instead of a mean": lambda lo, t: loss(lo, t) * (t != -100).sum(),
        "counts -100 as the first letter": lambda lo, t: F.cross_entropy(lo.flatten(0, 1), t.clamp(min=0).flatten()),
        "overflows": unstable_loss,
        "gain instead of loss": lambda lo, t: -loss(lo, t),
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
    },
}
