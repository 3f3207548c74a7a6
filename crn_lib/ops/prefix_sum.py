"""`exp(a_i)` times the mean of `exp(b_j)` over `j <= i`, by one running sum: as it stands, and in logarithms."""

import math

import torch
from torch import Tensor


def direct_relation(a: Tensor, b: Tensor, *, causal: bool) -> Tensor:
    """`exp(a_i) * cumulative mean of exp(b_j)`, for exponents known to be small.

    Shape: `(batch, length, width)` in and out.
    """
    length = a.shape[1]
    if not causal:
        return a.exp() * b.exp().mean(dim=1, keepdim=True)
    seen = torch.arange(1, length + 1, device=a.device, dtype=a.dtype)
    return a.exp() * (b.exp().cumsum(dim=1) / seen[None, :, None])


def log_relation(a: Tensor, b: Tensor, *, causal: bool) -> Tensor:
    """The logarithm of the mean of exponentials: `a_i + log sum_{j<=i} exp(b_j) - log(i+1)`.

    Shape: `(batch, length, width)` in and out. Finite for every finite input.
    """
    length = a.shape[1]
    if not causal:
        return a + torch.logsumexp(b, dim=1, keepdim=True) - math.log(length)
    seen = torch.arange(1, length + 1, device=a.device, dtype=a.dtype)
    return a + torch.logcumsumexp(b, dim=1) - seen.log()[None, :, None]
