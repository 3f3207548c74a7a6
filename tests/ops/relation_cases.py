"""What the tests of the relation share: inputs, and one call that gives outputs and gradients."""

from typing import Any

import torch
from torch import Tensor

from crn_lib.ops import ACTIVATIONS, NORMS, factorises, relation

PAPER_NORMS, WITHOUT_KERNEL = ("exact", "approx", "none"), ("variance",)

FORMS = [
    (norm, activation)
    for norm in NORMS
    for activation in (ACTIVATIONS if norm in PAPER_NORMS else ("exp", "squared_relu", "gelu"))
]
"""The paper's pre-activations with every activation, and the others with three of them."""

WIDTH = 18
"""Splits into 1, 2 and 3 heads, none of whose widths is a multiple of a vector register."""


def able_backends(norm: str, activation: str) -> tuple[str, ...]:
    """The backends beside `naive` that compute this form."""
    if norm in WITHOUT_KERNEL:
        return ("tiled",)
    return ("tiled", "linear") if factorises(norm, activation) else ("tiled", "fused")


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def pair(*shape: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Receivers and senders."""
    return normal(*shape, seed=1, dtype=dtype), normal(*shape, seed=2, dtype=dtype)


def with_gradients(a: Tensor, b: Tensor, **options: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The relation, and its gradients by `a` and `b` for one random, not all-equal, upstream gradient."""
    a, b = a.detach().requires_grad_(), b.detach().requires_grad_()
    out = relation(a, b, **options)
    upstream = normal(*out.shape, seed=3).to(out.dtype)
    d_a, d_b = torch.autograd.grad(out, (a, b), upstream)
    return out.detach(), d_a, d_b


def relative_error(found: Tensor, truth: Tensor) -> float:
    """The largest difference, by the largest true value."""
    truth = truth.double()
    return ((found.double() - truth).abs().max() / truth.abs().max()).item()
