"""Which backend computes a call of the relation, and why."""

import os
from dataclasses import dataclass
from functools import cache

import torch

from crn_lib.config import require_choice, require_whole
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.normalise import PAIR_NORMS

NORMS = tuple(PAIR_NORMS)
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS)
KERNEL_NORMS = {"cpu": ("exact", "approx", "none", "rms", "unit", "mean"), "cuda": ("exact", "approx", "none")}
"""The norms that the compiled kernels of a device compute; any other is tiled there."""
WIDEST_ON_CPU = 6400
"""Widest head of the Numba kernels, whose exponential is right up to 80 = sqrt(6400); wider ones are tiled."""

WIDEST_BOUNDED = 401
"""Widest head whose exponents `approx` bounds by 40 = 2 sqrt(401 - 1), `LARGEST_LOG` of `linear.py`."""
WITHOUT_FLOAT64 = ("mps",)
"""Devices that have no float64, in which exponents are added that nothing bounds."""

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
    require_choice("norm", norm, NORMS)
    require_choice("activation", activation, ACTIVATIONS)
    return activation == "exp" and PAIR_NORMS[norm].of_sum is None


FACTORISING_NORMS = tuple(norm for norm in NORMS if factorises(norm, "exp"))


def bounded(norm: str, head_width: int) -> bool:
    """Whether no exponent of a norm that factorises is large: both sides are normalised, and the heads not too wide."""
    return norm == "approx" and head_width <= WIDEST_BOUNDED


def float64_missing(device: torch.device, norm: str, activation: str, head_width: int) -> str:
    """Why a relation that factorises cannot be computed so on this device, or an empty string."""
    if device.type not in WITHOUT_FLOAT64 or not factorises(norm, activation) or bounded(norm, head_width):
        return ""
    wide = f" and heads of more than {WIDEST_BOUNDED} columns" if norm == "approx" else ""
    return f"norm={norm!r} with activation='exp'{wide} is added in float64, which device {device.type!r} does not have"


@cache
def fused_cpu_missing() -> str:
    """Why the Numba kernels cannot be used, or an empty string."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return "NUMBA_DISABLE_JIT is set, and the Numba kernels exist compiled only"
    try:
        import crn_lib.ops.cpu.fused  # noqa: F401  (imported for its side effect: does Numba load?)
    except Exception as error:  # whatever keeps Numba from loading, tiles need none of it
        words = str(error).partition("\n")[0] or type(error).__name__
        advice = "; NUMBA_CACHE_DIR names a folder that it can write to" if "no locator" in words else ""
        return f"Numba cannot be used here ({words}){advice}"
    return ""


@cache
def fused_cuda_missing(device: torch.device) -> str:
    """Why the Triton kernels cannot be used on this device, or an empty string. Imports Triton only with a GPU."""
    if not torch.cuda.is_available():
        return "no CUDA device is here"
    try:
        from crn_lib.ops.cuda.fused import unusable
    except ImportError as error:
        return f"Triton cannot be imported here ({error})"
    reason: str = unusable(device)
    return reason


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
    from crn_lib.ops.cuda.fused import unable

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
        ValueError: an unknown name, or a backend or a device that cannot compute what is asked; the message names
            those that can.

    Example:
        >>> print(which_backend("exact", backend="naive"))
        naive: the definition, every pair stored (asked for)
    """
    require_choice("backend", backend, BACKENDS)
    linear = factorises(norm, activation)
    require_whole("head_width", head_width)
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"device must be one that torch has a name for; got {device!r}") from None
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

    if linear and (lacking := float64_missing(device, norm, activation, head_width)):
        raise ValueError(f"{lacking}; use 'tiled' or 'naive', or another device")

    asked = " (asked for)" if backend != "auto" else ""
    if linear:
        return BackendChoice("linear", f"exp with norm={norm!r} factorises into a prefix sum{asked}")
    if not missing and device.type == "cuda":
        return BackendChoice("fused", f"Triton kernels on the GPU, no pair is stored{asked}")
    if not missing:
        threads = torch.get_num_threads()
        return BackendChoice("fused", f"Numba kernel on the CPU, {threads} threads, no pair is stored{asked}")
    return BackendChoice("tiled", f"plain torch, one tile of rows at a time, because {missing}")
