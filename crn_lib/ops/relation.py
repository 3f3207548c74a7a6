"""The one public entry to the relation operator: checks its input, picks a backend, calls it.

exact     out_i = 1/(i+1) * sum_{j<=i} f( LN(a_i + b_j) )         quadratic for every f
approx    out_i = 1/(i+1) * sum_{j<=i} f( LN(a_i) + LN(b_j) )     linear for f = exp
none      out_i = 1/(i+1) * sum_{j<=i} f( a_i + b_j )             linear for f = exp

The paper has these three. Beyond it, to ask what of a LayerNorm the network needs, with z = a_i + b_j:

rms       f( z / sqrt(mean(z^2)) )     scaled, the mean left in         quadratic for every f
unit      f( z / |z| )                 scaled to length 1               quadratic for every f
variance  f( z / std(z) )              a LayerNorm that keeps the mean  quadratic for every f
mean      f( z - mean(z) )             a LayerNorm without the scale    linear for f = exp

Mean, variance and length are over the width of one head: `norm="exact", heads=2` normalises each half on its own.
"""

from typing import Any

import torch
from torch import Tensor

from crn_lib.ops.backends import which_backend
from crn_lib.ops.linear import linear_relation
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.tiled import tiled_relation

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def relation(
    a: Tensor,
    b: Tensor,
    *,
    norm: str = "exact",
    activation: str = "exp",
    causal: bool = True,
    heads: int = 1,
    backend: str = "auto",
    rescale: bool = True,
) -> Tensor:
    """For every receiver `i`, the mean of `f(norm(a_i, b_j))` over the senders `j <= i` it may see.

    Args:
        a: receivers, `(batch, length, width)`.
        b: senders, of the same shape, dtype and device.
        norm: how the pre-activation is normalised and where, one of `NORMS` (see the top of this file).
        activation: `f`, one of `ACTIVATIONS`.
        causal: `False` takes the mean over all senders.
        heads: the width is split into this many equal parts, each normalised on its own.
        backend: `auto` or one of `naive`, `tiled`, `fused`, `linear`; `which_backend` says what `auto` takes.
        rescale: let the linear backend multiply a whole row whose largest value is outside `exp(-10) ... exp(40)` by
            one positive number, which the LayerNorm after it removes again. `False` where none follows.

    Returns:
        `(batch, length, width)`. Half-precision input is computed in float32 and rounded once.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit; unknown names; a backend that cannot do it; any but
            `naive` under `torch.func` or `vmap`.
        TypeError: input that is not a dense floating-point tensor of 16, 32 or 64 bits.

    Example:
        >>> a, b = torch.randn(2, 1, 7, 8)  # one sequence of 7 tokens, 8 columns
        >>> out = relation(a, b)
        >>> out.shape
        torch.Size([1, 7, 8])
        >>> first = torch.nn.functional.layer_norm(a[0, 0] + b[0, 0], (8,)).exp()  # the first token sees itself only
        >>> torch.allclose(out[0, 0], first, rtol=1e-3)
        True
    """
    _check_tensors(a, b, heads)
    for name, value in (("causal", causal), ("rescale", rescale)):
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False; got {value!r}")
    head_width = a.shape[-1] // heads
    choice = which_backend(norm, activation, device=a.device, dtype=a.dtype, head_width=head_width, backend=backend)
    if choice.name != "naive" and not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active():
        raise ValueError(f"torch.func and vmap need backend='naive'; got {choice}")
    options: dict[str, Any] = {"norm": norm, "activation": activation, "causal": causal, "heads": heads}
    if choice.name == "linear":  # which computes exp only, and alone can rescale
        options = {"norm": norm, "causal": causal, "heads": heads, "rescale": rescale}
    dtype = a.dtype
    reads_half = choice.name == "fused" and a.is_cuda
    if dtype.itemsize < 4 and not reads_half:  # float16 ends at 65,504; see also RelationBlock.forward
        a, b = a.float(), b.float()
    out: Tensor = _function_of(choice.name, a.device.type)(a, b, **options)
    return out.to(dtype)


def _function_of(backend: str, device: str) -> Any:
    """The function that computes; compiled kernels are imported by the first call that needs them."""
    if backend == "fused" and device == "cuda":
        from crn_lib.ops.cuda.fused import fused_relation as on_gpu

        return on_gpu
    if backend == "fused":
        from crn_lib.ops.cpu.fused import fused_relation as on_cpu

        return on_cpu
    return {"linear": linear_relation, "naive": naive_relation, "tiled": tiled_relation}[backend]


def _check_tensors(a: Tensor, b: Tensor, heads: int) -> None:
    for name, x in (("a", a), ("b", b)):
        if not isinstance(x, Tensor) or x.dtype not in DTYPES:
            found = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"{name} must be a floating-point tensor of 16, 32 or 64 bits; got {found}")
        if x.layout is not torch.strided or x.is_nested:
            raise TypeError(f"{name} must be a dense tensor; got {'a nested one' if x.is_nested else x.layout}")
    if a.ndim != 3 or 0 in a.shape:
        raise ValueError(f"a must be (batch, length, width) with no empty dimension; got {tuple(a.shape)}")
    if a.shape != b.shape:
        raise ValueError(f"a and b must have the same shape; got {tuple(a.shape)} and {tuple(b.shape)}")
    if a.dtype != b.dtype or a.device != b.device:
        raise ValueError(
            f"a and b must share dtype and device; got {a.dtype} on {a.device} and {b.dtype} on {b.device}"
        )
    if isinstance(heads, bool) or not isinstance(heads, int) or heads < 1 or a.shape[-1] % heads:
        raise ValueError(f"heads must be a whole number that divides the width {a.shape[-1]}; got {heads!r}")
