"""How many numbers about the past every future output depends on: the rank of the map from past to output.

Take one channel `d`, `n` senders that have been read and `q` receivers that may still come. The contributions
`G[r, j] = f(norm(a_r, b_j))[d]` make a matrix `(q, n)`, and what a receiver gets is a sum over its row. If `G` has rank
`k`, then `k` sums over the senders are enough for any of these receivers, and the senders themselves may be forgotten.
If the rank is `n`, none of them may.
"""

import torch
from torch import Tensor

from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.naive import pre_activation

VISIBLE = 1e-6
"""Smallest singular value, relative to the largest, that counts: what float32 can still tell from zero."""


def pair_values(receivers: Tensor, senders: Tensor, *, norm: str = "exact", activation: str = "exp") -> Tensor:
    """What every sender contributes to every receiver, `f(norm(a_r, b_j))`, before the mean.

    Args:
        receivers: `(receivers, width)`.
        senders: `(senders, width)`.
        norm, activation: as `crn_lib.ops.relation` takes them.

    Returns:
        `(receivers, senders, width)`, in float64.
    """
    pairs = pre_activation(receivers.double()[:, None], senders.double()[None], norm)
    return ACTIVATION_FUNCTIONS[activation](pairs)


def best_senders(values: Tensor) -> Tensor:
    """How many different senders are the largest for some receiver, channel by channel: 1 where a channel is static.

    Of equal senders the first counts.

    Args:
        values: `(receivers, senders, channels)`, as `pair_values` gives them.

    Returns:
        Whole numbers, `(channels,)`.

    References:
        Brody, Alon, Yahav, "How Attentive are Graph Attention Networks?", arXiv 2105.14491, for static and dynamic.
    """
    return torch.tensor([len(best.unique()) for best in values.argmax(dim=1).T])


def numerical_rank(matrix: Tensor, *, tolerance: float = VISIBLE) -> Tensor:
    """Singular values above `tolerance` times the largest one.

    Args:
        matrix: `(..., rows, columns)`.

    Returns:
        Whole numbers, `(...)`; 0 for a matrix of zeros.
    """
    values: Tensor = torch.linalg.svdvals(matrix.double())
    return (values > tolerance * values[..., :1]).sum(-1)


def memory_rank(
    receivers: Tensor, senders: Tensor, *, norm: str = "exact", activation: str = "exp", tolerance: float = VISIBLE
) -> Tensor:
    """For every channel, the rank of the map from senders to receivers (see the top of this file).

    Args:
        receivers: `(receivers, width)`; take more of them than senders, or they limit the rank.
        senders: `(senders, width)`.

    Returns:
        `(width,)`, whole numbers. 1 everywhere where the relation factorises: one sum a channel is enough.
    """
    values = pair_values(receivers, senders, norm=norm, activation=activation)
    return numerical_rank(values.movedim(-1, 0), tolerance=tolerance)
