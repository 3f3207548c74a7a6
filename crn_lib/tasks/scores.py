"""Scores and draws that several tasks share."""

import torch
from torch import Tensor

NOT_SCORED = -100
"""Target of a position that is not scored; what `torch.nn.functional.cross_entropy` ignores."""


def accuracies(predictions: Tensor, targets: Tensor) -> tuple[float, float]:
    """The share of scored places that are right, and the share of rows in which all of them are.

    Args:
        predictions: token ids, `(batch, length)`.
        targets: `(batch, length)`, `NOT_SCORED` where nothing is asked. A row without a scored place does not count.

    Raises:
        ValueError: shapes that differ, or nothing to score.
    """
    if predictions.shape != targets.shape or targets.ndim != 2:
        raise ValueError(
            "predictions and targets must both be (batch, length); "
            f"got {tuple(predictions.shape)} and {tuple(targets.shape)}"
        )
    scored = targets != NOT_SCORED
    if not bool(scored.any()):
        raise ValueError("targets must have a scored place; got none")
    right = predictions == targets
    whole = (right | ~scored).all(dim=1)[scored.any(dim=1)]
    return right[scored].double().mean().item(), whole.double().mean().item()


def draw_distinct(*shape: int, count: int, among: int, generator: torch.Generator) -> Tensor:
    """`count` different numbers of `0 ... among - 1` in random order, `(*shape, count)`."""
    return torch.rand(*shape, among, generator=generator).topk(count, dim=-1).indices
