"""What a model is trained to: the loss of its outputs at the places that a task scores.

Whole-number targets are classes or token ids, and the loss is the cross entropy. Floating-point targets are numbers,
and the loss is the squared error of a head that gives one number.
"""

import torch.nn.functional as F
from torch import Tensor

from crn_lib.models import SequenceModel
from crn_lib.tasks.scores import NOT_SCORED

LARGE_HEAD = 64
"""Outputs above which logits are computed at scored places only. Below that saves next to nothing, and logits are
computed everywhere: those of the stored runs were, and another order of sums rounds otherwise."""


def scored(targets: Tensor) -> Tensor:
    """Where something is asked: `NOT_SCORED` stands elsewhere, NaN among numbers.

    Example:
        >>> scored(torch.tensor([NOT_SCORED, 3])).tolist(), scored(torch.tensor([float("nan"), 0.5])).tolist()
        ([False, True], [False, True])
    """
    return ~targets.isnan() if targets.is_floating_point() else targets != NOT_SCORED


def places_to_compute(model: SequenceModel, targets: Tensor) -> Tensor | None:
    """The places at which to compute logits, for `SequenceModel.forward`; `None` for all, where that is cheaper."""
    at = scored(targets)
    return None if model.head.out_features <= LARGE_HEAD or bool(at.all()) else at


def mean_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean loss over the scored places, a scalar.

    Args:
        outputs: a model's, `(batch, length, outputs)`, or `(asked, outputs)` of places that include all scored.
        targets: of the same places, `(batch, length)` or `(asked,)`.

    Example:
        >>> numbers = torch.tensor([[[1.0], [2.0], [3.0]]])
        >>> mean_loss(numbers, torch.tensor([[float("nan"), 2.0, 5.0]])).item()
        2.0
    """
    if targets.is_floating_point():
        return losses(outputs, targets).mean()
    return F.cross_entropy(outputs.flatten(0, -2), targets.flatten(), ignore_index=NOT_SCORED)


def losses(outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss at each scored place, `(scored,)`: squared errors, or cross entropies in nats. As `mean_loss`."""
    at = scored(targets)
    if targets.is_floating_point():
        return (outputs[at].squeeze(-1) - targets[at]).square()
    return F.cross_entropy(outputs[at], targets[at], reduction="none")


def predict(outputs: Tensor, targets: Tensor) -> Tensor:
    """The numbers that the outputs are, or the class that they find most probable; shaped as the targets.

    Example:
        >>> predict(torch.tensor([[0.1, 0.7, 0.2]]), torch.tensor([1]))
        tensor([1])
    """
    return outputs.squeeze(-1) if targets.is_floating_point() else outputs.argmax(dim=-1)
