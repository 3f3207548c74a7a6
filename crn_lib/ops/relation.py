"""The one public entry to the relation operator: checks its input, picks a backend and can say why.

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

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from crn_lib.ops.linear import linear_relation
from crn_lib.ops.naive import ACTIVATION_FUNCTIONS, naive_relation
from crn_lib.ops.normalise import PAIR_NORMS, normalise_heads
from crn_lib.ops.tiled import tiled_relation

NORMS = tuple(PAIR_NORMS)
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS)
KERNEL_NORMS = {"cpu": ("exact", "approx", "none", "rms", "unit", "mean"), "cuda": ("exact", "approx", "none")}
"""The norms that the compiled kernels of a device compute; any other is tiled there."""
WIDEST_ON_CPU = 6400
"""Widest head of the Numba kernels, whose exponential is right up to 80 = sqrt(6400); wider ones are tiled."""

BACKENDS = ("auto", "naive", "tiled", "fused", "linear")


@dataclass(frozen=True)
class BackendChoice:
    """Which backend a call uses and, in words, why.

    Example:
        >>> str(which_backend("approx"))
        "linear: exp with norm='approx' factorises into a prefix sum"
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def factorises(norm: str, activation: str) -> bool:
    """Whether `f(a_i, b_j)` splits into a function of `i` times a function of `j`.

    Only the exponential turns a sum into a product, and only as long as no normalisation of the sum, which
    divides by a number that belongs to the pair, stands before it.

    Example:
        >>> factorises("approx", "exp"), factorises("exact", "exp")
        (True, False)
    """
    return activation == "exp" and PAIR_NORMS[norm].of_sum is None


FACTORISING_NORMS = tuple(norm for norm in NORMS if factorises(norm, "exp"))


@cache
def fused_cpu_missing() -> str:
    """Why the Numba kernels cannot be used, or an empty string."""
    try:
        import crn_lib.ops.fused_cpu  # noqa: F401  (imported for its side effect: does Numba load?)
    except (ImportError, RuntimeError) as error:  # RuntimeError: no folder that compiled kernels can be cached in
        return f"Numba cannot be used here ({error})"
    return ""


@cache
def fused_cuda_missing(device: torch.device) -> str:
    """Why the Triton kernels cannot be used on this device, or an empty string. Imports Triton only with a GPU."""
    if not torch.cuda.is_available():
        return "no CUDA device is here"
    try:
        from crn_lib.ops.fused_cuda import unusable
    except ImportError as error:
        return f"Triton cannot be imported here ({error})"
    return unusable(device)


def fused_missing(device: torch.device, norm: str, activation: str, dtype: torch.dtype, head_width: int) -> str:
    """Why no compiled kernel computes this on that device, or an empty string."""
    if device.type not in KERNEL_NORMS:
        return f"there is no compiled kernel for device {device.type!r} yet"
    if missing := fused_cpu_missing() if device.type == "cpu" else fused_cuda_missing(device):
        return missing
    if norm not in KERNEL_NORMS[device.type]:
        kernels, able = "Numba" if device.type == "cpu" else "Triton", ", ".join(KERNEL_NORMS[device.type])
        return f"the {kernels} kernels have the norms {able}, not {norm}"
    if device.type == "cpu":
        wide = f"the Numba kernels take heads of at most {WIDEST_ON_CPU} columns, not {head_width}"
        return wide if head_width > WIDEST_ON_CPU else ""
    from crn_lib.ops.fused_cuda import unable

    return unable(activation, dtype, head_width)


def which_backend(
    norm: str = "exact",
    activation: str = "exp",
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    head_width: int = 1,
    backend: str = "auto",
) -> BackendChoice:
    """The backend that `relation(..., backend=backend)` uses for such tensors, with the reason in words.

    Args:
        norm, activation, backend: as `relation` takes them.
        device, dtype: of the tensors.
        head_width: of one head; the compiled kernels have a widest.

    Raises:
        ValueError: an unknown name, or a backend that cannot compute what is asked; the message names those
            that can.

    Example:
        >>> print(which_backend("exact", backend="naive"))
        naive: the definition, every pair stored (asked for)
    """
    _check_name("norm", norm, NORMS)
    _check_name("activation", activation, ACTIVATIONS)
    _check_name("backend", backend, BACKENDS)
    device = torch.device(device)
    linear = factorises(norm, activation)
    looked_for = backend in ("auto", "fused") and not linear
    missing = fused_missing(device, norm, activation, dtype, head_width) if looked_for else ""

    if backend == "naive":
        return BackendChoice("naive", "the definition, every pair stored (asked for)")
    if backend == "tiled":
        return BackendChoice("tiled", "plain torch, one tile of rows at a time (asked for)")
    if backend == "linear" and not linear:
        raise ValueError(
            f"backend 'linear' cannot compute norm={norm!r} with activation={activation!r}: only activation='exp' "
            f"with norm={' or '.join(map(repr, FACTORISING_NORMS))} factorises; use 'auto', 'fused', 'tiled' or 'naive'"
        )
    if backend == "fused" and linear:
        raise ValueError(
            f"backend 'fused' has no kernel for norm={norm!r} with activation='exp', which factorises; "
            "use 'auto', 'linear', 'tiled' or 'naive'"
        )
    if backend == "fused" and missing:
        raise ValueError(f"backend 'fused' is not available: {missing}; use 'auto', 'tiled' or 'naive'")

    asked = " (asked for)" if backend != "auto" else ""
    if linear:
        return BackendChoice("linear", f"exp with norm={norm!r} factorises into a prefix sum{asked}")
    if not missing and device.type == "cuda":
        return BackendChoice("fused", f"Triton kernels on the GPU, no pair is stored{asked}")
    if not missing:
        threads = torch.get_num_threads()
        return BackendChoice("fused", f"Numba kernel on the CPU, {threads} threads, no pair is stored{asked}")
    return BackendChoice("tiled", f"plain torch, one tile of rows at a time, because {missing}")


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
        rescale: let the linear backend multiply a whole row by one positive number where it would leave float32's
            range, which the LayerNorm after it removes again. `False` where none follows.

    Returns:
        `(batch, length, width)`. Half-precision input is computed in float32 and rounded once. With the linear
        backend, a row whose largest value is outside `exp(-10) ... exp(40)` is returned times one positive number.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit; unknown names; a backend that cannot do it.
        TypeError: input that is not a floating-point tensor.

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
    head_width = a.shape[-1] // heads
    choice = which_backend(norm, activation, device=a.device, dtype=a.dtype, head_width=head_width, backend=backend)
    # The Triton kernels read half precision themselves; "approx" normalises before they do, and rounds no row twice.
    reads_half = choice.name == "fused" and a.is_cuda and norm != "approx"
    if a.dtype.itemsize < 4 and not reads_half:
        wide = relation(
            a.float(),
            b.float(),
            norm=norm,
            activation=activation,
            causal=causal,
            heads=heads,
            backend=backend,
            rescale=rescale,
        )
        return wide.to(a.dtype)
    if choice.name == "linear":
        return linear_relation(
            a, b, norm=norm, causal=causal, heads=heads, rescale=rescale, compiled=not fused_cpu_missing()
        )
    if choice.name == "fused":
        a, b = normalise_heads(a, heads, norm), normalise_heads(b, heads, norm)
        if a.is_cuda:
            from crn_lib.ops import fused_cuda

            return fused_cuda.fused_relation(
                a, b, activation=activation, normalised=norm == "exact", causal=causal, heads=heads
            )
        from crn_lib.ops import fused_cpu

        of_sum = norm if PAIR_NORMS[norm].of_sum else "none"
        return fused_cpu.fused_relation(a, b, activation=activation, norm=of_sum, causal=causal, heads=heads)
    one_head = naive_relation if choice.name == "naive" else tiled_relation
    batch = a.shape[0]
    a, b = (x.unflatten(-1, (heads, -1)).transpose(1, 2).flatten(0, 1) for x in (a, b))
    out = one_head(a, b, norm=norm, activation=activation, causal=causal)
    return out.unflatten(0, (batch, heads)).transpose(1, 2).flatten(-2)


def _check_name(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{what} must be one of {', '.join(allowed)}; got {value!r}")


def _check_tensors(a: Tensor, b: Tensor, heads: int) -> None:
    for name, x in (("a", a), ("b", b)):
        if not isinstance(x, Tensor) or not x.dtype.is_floating_point:
            found = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"{name} must be a floating-point tensor; got {found}")
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
