"""The definition, as the paper writes it. Every other backend is tested against this file."""

import torch
from torch import Tensor

from crn_lib.config import require_choice
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.normalise import PAIR_NORMS, merge_heads, split_heads


def pre_activation(receivers: Tensor, senders: Tensor, norm: str) -> Tensor:
    """What the activation sees, `of_sum(of_row(a) + of_row(b))` for that line of `PAIR_NORMS`.

    With `exact` that is `LN(a + b)`, with `approx` `LN(a) + LN(b)`, with `none` `a + b`. The two shapes must broadcast
    against each other; normalisation is over the last dimension.

    Example:
        >>> receivers, senders = torch.randn(3, 1, 8), torch.randn(1, 3, 8)
        >>> pairs = pre_activation(receivers, senders, "exact")
        >>> pairs.shape, torch.allclose(pairs[2, 0], layer_norm(receivers[2, 0] + senders[0, 0]))
        (torch.Size([3, 3, 8]), True)
    """
    require_choice("norm", norm, tuple(PAIR_NORMS))
    pair_norm = PAIR_NORMS[norm]
    pairs = pair_norm.of_row(receivers) + pair_norm.of_row(senders)
    return pairs if pair_norm.of_sum is None else pair_norm.of_sum(pairs)


def naive_relation(a: Tensor, b: Tensor, *, norm: str, activation: str, causal: bool, heads: int = 1) -> Tensor:
    """`out_i = 1/(i+1) * sum_{j<=i} f(norm(a_i, b_j))`, every pair written out.

    Arguments and result are those of `crn_lib.ops.relation`, already validated. Memory: several arrays of
    `batch * length**2 * width`, which is why this is only the reference.
    """
    length = a.shape[1]
    a, b = split_heads(a, heads), split_heads(b, heads)
    pairs = pre_activation(a[:, :, None, :], b[:, None, :, :], norm)
    if not causal:
        return merge_heads(ACTIVATION_FUNCTIONS[activation](pairs).mean(dim=2), heads)
    # A future pair must count as exactly zero AFTER the activation. Filling its pre-activation with
    # -inf is right for exp and ReLU only: ELU(-inf) is -1 and GELU(-inf) is NaN. The zero put in before the
    # activation changes no value; it keeps a future pair that overflows out of the gradients (0 * inf is NaN).
    future = torch.ones(length, length, dtype=torch.bool, device=a.device).triu(1)[None, :, :, None]
    values = ACTIVATION_FUNCTIONS[activation](pairs.masked_fill(future, 0.0)).masked_fill(future, 0.0)
    senders_seen = torch.arange(1, length + 1, device=a.device, dtype=a.dtype)
    return merge_heads(values.sum(dim=2) / senders_seen[None, :, None], heads)
