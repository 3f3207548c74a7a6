"""The numbers that contenders are timed on: the same in every process."""

from collections.abc import Callable

import torch
from torch import Tensor

SEED = 0


def relation_inputs(
    batch: int, length: int, width: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor, Tensor]:
    """Receivers and senders that ask for gradients, and an upstream gradient; each `(batch, length, width)`."""
    generator = torch.Generator().manual_seed(SEED)
    a, b, gradient = torch.randn(3, batch, length, width, generator=generator).to(device)
    return a.requires_grad_(), b.requires_grad_(), gradient


def with_gradients(
    function: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor, gradient: Tensor
) -> list[Tensor]:
    """What the function gives, and its gradients by both inputs."""
    out = function(a, b)
    return [out, *torch.autograd.grad(out, (a, b), gradient)]
