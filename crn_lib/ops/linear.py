"""The exp decomposition: `sum_j exp(a_i + b_j) = exp(a_i) * sum_{j<=i} exp(b_j)`, O(length).

Where normalisation bounds the exponents this is two exponentials and a prefix sum. Where nothing bounds
them, everything is kept as logarithms until the last step, so that no intermediate value can overflow.
"""

import math

from torch import Tensor

from crn_lib.ops.backends import bounded, factorises, float64_missing, fused_cpu_missing
from crn_lib.ops.normalise import normalise_heads
from crn_lib.ops.prefix_sum import direct_relation, log_relation

SMALLEST_LOG, LARGEST_LOG = -10.0, 40.0
"""Rows whose largest value would leave `exp(-10) ... exp(40)` (5e-5 to 2e17) come back times a common factor.

Above, half of float32's range keeps the square finite that a LayerNorm takes of such a row; below, the row must stay
far above the LayerNorm's epsilon.
"""


def largest_normalised(width: int) -> float:
    """The largest entry a layer-normalised row of this width can have: `sqrt(width - 1)`.

    One entry stands out as far as it can when all others are equal; solve mean 0 and variance 1.

    Example:
        >>> largest_normalised(10)
        3.0
        >>> layer_norm(torch.eye(10)[:1]).max()
        tensor(3.0000)
    """
    return math.sqrt(max(width - 1, 0))


def exponentiate_rows(logs: Tensor) -> Tensor:
    """`exp(logs)`, with any row whose largest value would leave float32's safe range times one number.

    A LayerNorm over the row removes such a factor again, exactly; that holds only if the factor is common
    to the WHOLE row, all heads included, which is why it is not taken per head.

    Shape: `(batch, length, width)` in and out.
    """
    largest = logs.detach().amax(dim=-1, keepdim=True)
    return (logs - (largest - largest.clamp(SMALLEST_LOG, LARGEST_LOG))).exp()


def wants_logarithms(out: Tensor, norm: str, activation: str, head_width: int) -> bool:
    """Whether means as the definition has them, `(..., width)`, have a row that `exponentiate_rows` would scale.

    Only where norm and activation factorise is there another way to such a row: by logarithms, in float64.

    Raises:
        ValueError: the device has no float64.
    """
    if not factorises(norm, activation) or bounded(norm, head_width):
        return False
    largest = out.detach().amax(dim=-1)
    ordinary = (largest >= math.exp(SMALLEST_LOG)) & (largest <= math.exp(LARGEST_LOG))
    if bool(ordinary.all()):
        return False
    lacking = float64_missing(out.device, norm, activation, head_width)
    if lacking:
        raise ValueError(lacking)
    return True


def linear_relation(a: Tensor, b: Tensor, *, norm: str, causal: bool, heads: int, rescale: bool) -> Tensor:
    """The relation for `activation="exp"` and a norm that factorises, in time and memory O(length).

    Arguments and result are those of `crn_lib.ops.relation`. With `rescale`, rows are as `exponentiate_rows` leaves
    them; otherwise they overflow or vanish, as the definition does.
    """
    if bounded(norm, a.shape[-1] // heads):
        a, b = normalise_heads(a, heads), normalise_heads(b, heads)
        if causal and a.device.type == "cpu" and not fused_cpu_missing():
            from crn_lib.ops.cpu.scan import scan_relation

            return scan_relation(a, b)
        return direct_relation(a, b, causal=causal)
    # A float32 logarithm of 1e4 is only known to 1e-3, and so would be its exponential: add in float64.
    wide_a, wide_b = (normalise_heads(x.double(), heads, norm) for x in (a, b))
    logs = log_relation(wide_a, wide_b, causal=causal)
    return (exponentiate_rows(logs) if rescale else logs.exp()).to(a.dtype)
