"""The normalisations that can stand between two rows and the activation, all without gain and bias.

A pair's pre-activation is `of_sum(of_row(a_i) + of_row(b_j))`, over the width of one head. One line of `PAIR_NORMS` is
one norm: everything else (the definition, the tiles, decoding, which forms factorise) follows from it. Kernels compute
only what `KERNEL_NORMS` in `backends.py` lists.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-20
"""Added to the variance, inside the square root. The mathematics has none; this only keeps a row of
identical values (variance 0) finite, forward and backward, and is far below float32 resolution
for any row whose spread is above 1e-7."""


def layer_norm(x: Tensor) -> Tensor:
    """Normalise the last dimension to mean 0 and population variance 1.

    Shape: `(..., width)` in and out. Half-precision input is normalised in float32.

    Example:
        >>> layer_norm(torch.tensor([1.0, 3.0]))
        tensor([-1.,  1.])
    """
    width = x.shape[-1]
    if x.dtype.itemsize < 4:
        return F.layer_norm(x.float(), (width,), eps=EPSILON).to(x.dtype)
    return F.layer_norm(x, (width,), eps=EPSILON)


def unchanged(x: Tensor) -> Tensor:
    """No normalisation."""
    return x


def root_mean_square(x: Tensor) -> Tensor:
    """`x / sqrt(mean(x**2))` over the last dimension: a LayerNorm that leaves the mean in, in both places."""
    return x * (x.square().mean(-1, keepdim=True) + EPSILON).rsqrt()


def unit_length(x: Tensor) -> Tensor:
    """`x / |x|` over the last dimension: no entry beyond 1, where `root_mean_square` reaches `sqrt(width)`."""
    return x * (x.square().sum(-1, keepdim=True) + EPSILON).rsqrt()


def unit_variance(x: Tensor) -> Tensor:
    """`x` by its standard deviation over the last dimension, its mean left in.

    Nothing bounds the result: a row's mean may be any number of its deviations. A row whose values are equal but for
    rounding has no deviation to be divided by, and stays as it is.
    """
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)
    rounding = (10 * torch.finfo(x.dtype).eps * mean).square()
    return x * torch.where(variance <= rounding, 1.0, variance).rsqrt()  # so compared, NaN stays NaN


def centre(x: Tensor) -> Tensor:
    """`x` less its mean over the last dimension; its scale is left as it is."""
    return x - x.mean(-1, keepdim=True)


@dataclass(frozen=True)
class PairNorm:
    """What is done to each row of a pair before they are added, and what to their sum; `None` is nothing.

    Where nothing is done to the sum, the exponential of a pair factorises.
    """

    of_row: Callable[[Tensor], Tensor] = unchanged
    of_sum: Callable[[Tensor], Tensor] | None = None


PAIR_NORMS = {
    "exact": PairNorm(of_sum=layer_norm),
    "approx": PairNorm(of_row=layer_norm),
    "none": PairNorm(),
    "rms": PairNorm(of_sum=root_mean_square),
    "unit": PairNorm(of_sum=unit_length),
    "variance": PairNorm(of_sum=unit_variance),
    "mean": PairNorm(of_row=centre),
}


def normalise_heads(x: Tensor, heads: int, norm: str = "approx") -> Tensor:
    """What `norm` does to a receiver or a sender by itself: to each head's part of the last dimension on its own."""
    of_row = PAIR_NORMS[norm].of_row
    return x if of_row is unchanged else of_row(x.unflatten(-1, (heads, -1))).flatten(-2)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """`(batch, length, width)` to `(batch * heads, length, width / heads)`: every head is a sequence of its own."""
    split: Tensor = x.unflatten(-1, (heads, -1))
    return split.transpose(1, 2).flatten(0, 1)


def merge_heads(x: Tensor, heads: int) -> Tensor:
    """The inverse of `split_heads`."""
    split: Tensor = x.unflatten(0, (-1, heads))
    return split.transpose(1, 2).flatten(-2)
