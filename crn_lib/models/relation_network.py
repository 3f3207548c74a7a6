"""Santoro et al.'s relation network, and the same without pairs.

Both answer a question about a set of objects. They are where lesson 02 starts; the CausalRN is in `causal_rn.py`.

Reference: Santoro et al. 2017, arXiv 1706.01427, equation 1; without pairs, Zaheer et al. 2017, arXiv 1703.06114,
theorem 2. Differs in: objects are given as vectors, with no convolutional network and no question before `g`; smaller
`g` and `f`, no dropout.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from crn_lib.models.block import init_uniform


class RelationNetwork(nn.Module):
    """`f(sum_i sum_j g(x_i, x_j))`, over all ordered pairs, an object with itself included.

    Shape: `(batch, n, features)` in, for any `n >= 1`; `(batch, outputs)` out.

    Example:
        >>> network = RelationNetwork(features=2, width=8, outputs=3, generator=torch.Generator())
        >>> points = torch.randn(1, 5, 2)
        >>> network(points).shape
        torch.Size([1, 3])
        >>> torch.allclose(network(points), network(points.flip(1)), atol=1e-4)  # the order does not matter
        True
    """

    def __init__(self, features: int, width: int, outputs: int, *, layers: int = 3, generator: torch.Generator) -> None:
        """`layers` linear layers in `g`, each with a ReLU behind it; `f` has two, the last without."""
        super().__init__()
        self.g = perceptron([2 * features] + [width] * layers, generator, bend_last=True)
        self.f = perceptron([width, width, outputs], generator, bend_last=False)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[1]
        receivers = x[:, :, None].expand(-1, n, n, -1)
        senders = x[:, None, :].expand(-1, n, n, -1)
        pairs = torch.cat([receivers, senders], dim=-1)
        answer: Tensor = self.f(self.g(pairs).sum(dim=(1, 2)))
        return answer


class ObjectNetwork(nn.Module):
    """`f(sum_i g(x_i))`: no object meets another before `f` (Zaheer et al. 2017, arXiv 1703.06114).

    Shape: as `RelationNetwork`.

    Example:
        >>> ObjectNetwork(features=2, width=8, outputs=3, generator=torch.Generator())(torch.randn(1, 5, 2)).shape
        torch.Size([1, 3])
    """

    def __init__(self, features: int, width: int, outputs: int, *, layers: int = 3, generator: torch.Generator) -> None:
        super().__init__()
        self.g = perceptron([features] + [width] * layers, generator, bend_last=True)
        self.f = perceptron([width, width, outputs], generator, bend_last=False)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.f(self.g(x).sum(dim=1))
        return answer


def perceptron(sizes: list[int], generator: torch.Generator, *, bend_last: bool) -> nn.Sequential:
    """Linear layers from size to size with ReLUs between them, and one behind the last if `bend_last`.

    Weights and biases start as `U(-1, 1) / sqrt(inputs)`, what torch itself does, drawn from the generator.
    """
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        # Made without drawing from torch's global stream; filled from the generator.
        layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
        with torch.no_grad():
            init_uniform([layer.weight, layer.bias], 1 / math.sqrt(inputs), generator)
        modules += [layer, nn.ReLU()]
    return nn.Sequential(*(modules if bend_last else modules[:-1]))
