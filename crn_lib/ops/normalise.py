"""Plain layer normalisation: population variance, no gain, no bias."""

import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-20
"""Added to the variance, inside the square root. The mathematics has none; this only keeps a row of
identical values (variance 0) finite, forward and backward, and is far below float32 resolution
for any row whose spread is above 1e-7."""


def layer_norm(x: Tensor) -> Tensor:
    """Normalise the last dimension to mean 0 and population variance 1.

    Shape: `(..., width)` in and out. Half-precision input is normalised in float32.
    """
    width = x.shape[-1]
    if x.dtype.itemsize < 4:
        return F.layer_norm(x.float(), (width,), eps=EPSILON).to(x.dtype)
    return F.layer_norm(x, (width,), eps=EPSILON)


def normalise_heads(x: Tensor, heads: int) -> Tensor:
    """Layer-normalise each head's part of the last dimension on its own."""
    return layer_norm(x.unflatten(-1, (heads, -1))).flatten(-2)
