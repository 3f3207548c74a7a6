"""The recurrence of the selective state-space model: the definition, and a compiled form for the CPU.

    h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t          y_t = C_t h_t

Letters as in Mamba (Gu and Dao 2023, arXiv 2312.00752, algorithm 2), with `A` diagonal: its `E` times `N` entries.
"""

import torch
from torch import Tensor

from crn_lib.ops.backends import fused_cpu_missing


def selective_step(u: Tensor, hidden: Tensor, A: Tensor, delta: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """One position.

    Args:
        u, delta: `(batch, E)`.
        hidden: `(batch, E, N)`.
        A: `(E, N)`.
        B, C: `(batch, N)`.

    Returns:
        `y` `(batch, E)` and the new hidden state, which keeps its own dtype (wider than half-precision input's).
    """
    dtype = u.dtype
    u, A, delta, B, C = (x.to(hidden.dtype) for x in (u, A, delta, B, C))
    hidden = (delta[..., None] * A).exp() * hidden + (delta * u)[..., None] * B[:, None, :]
    return (hidden @ C[..., None]).squeeze(-1).to(dtype), hidden


def selective_scan_reference(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """All positions, one after another, with autograd through every step: the truth, on any device.

    Args:
        u, delta: `(batch, length, E)`.
        A: `(E, N)`.
        B, C: `(batch, length, N)`.

    Returns:
        `y` `(batch, length, E)` and the last hidden state `(batch, E, N)`.
    """
    hidden = u.new_zeros(u.shape[0], u.shape[2], A.shape[1])
    outputs = []
    for t in range(u.shape[1]):
        y, hidden = selective_step(u[:, t], hidden, A, delta[:, t], B[:, t], C[:, t])
        outputs.append(y)
    return torch.stack(outputs, dim=1), hidden


def selective_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """The scan by the fastest way there is for these tensors; arguments and shapes as for the reference.

    The hidden state is returned without a gradient. Half-precision input is scanned in float32: `y` comes back in the
    dtype of `u`, the hidden state in float32.
    """
    if torch.compiler.is_compiling():
        from crn_lib.ops.graph_break import outside_graph

        return outside_graph(selective_scan, u, delta, A, B, C)
    dtype = torch.promote_types(torch.float32, torch.promote_types(u.dtype, delta.dtype))
    inputs = [x.to(dtype) for x in (u, delta, A, B, C)]
    if u.device.type != "cpu" or torch._C._are_functorch_transforms_active() or fused_cpu_missing():
        y, hidden = selective_scan_reference(*inputs)
        return y.to(u.dtype), hidden.detach()
    from crn_lib.ops.cpu.selective_scan import CompiledSelectiveScan

    y, hidden = CompiledSelectiveScan.apply(selective_scan_reference, *inputs)
    return y.to(u.dtype), hidden
