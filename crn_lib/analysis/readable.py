"""How many senders one pair can be read among, for any activation: the arithmetic of lesson 08, a number a width.

A pair that cancels but for one column shows the activation `sqrt(w - 1)` there, the most that a normalised row of width
`w` can hold; every other sender shows it about a standard normal number in each column. The norm after the mean takes
away what all columns have in common. So the pair is readable as long as its column stands out from the fluctuation of
`n` such senders, at the largest of `w` columns:

    f(sqrt(w - 1)) = sqrt(n v) sqrt(2 ln w)        v = Var f(g), g ~ N(0, 1)

This is about rows drawn at random and one spike. A trained network may do better or worse.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.ops.activations import ACTIVATION_FUNCTIONS

REACH = 14.0
"""Standard deviations on either side that the integral covers: for exp squared its largest part lies at 2."""

NODES = 200_001


@dataclass(frozen=True)
class UnderNormal:
    """Mean and variance of an activation of a standard normal number."""

    mean: float
    variance: float


def under_normal(activation: Callable[[Tensor], Tensor]) -> UnderNormal:
    """By the trapezoidal rule; exact to about 1e-8 of the numbers for functions no faster than `exp`."""
    g = torch.linspace(-REACH, REACH, NODES, dtype=torch.float64)
    density = (-g.square() / 2).exp() / math.sqrt(2 * math.pi)
    values = activation(g)
    mean = torch.trapezoid(values * density, g).item()
    return UnderNormal(mean, torch.trapezoid((values - mean).square() * density, g).item())


def readable_senders(activation: str, width: float) -> float:
    """The senders among which one pair can still be read, at most.

    Args:
        activation: a name of `crn_lib.ops`.
        width: of a row, above 1.
    """
    f = ACTIVATION_FUNCTIONS[activation]
    peak = f(torch.tensor(math.sqrt(width - 1), dtype=torch.float64)).item()
    return peak**2 / (under_normal(f).variance * 2 * math.log(width))


def senders_seen(string_length: int) -> float:
    """The senders that a position which writes a letter sees, on average over the letters of a string."""
    return 1.5 * (string_length + 1)
