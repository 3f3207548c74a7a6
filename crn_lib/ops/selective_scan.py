"""The recurrence of the selective state-space model: the definition, and a compiled form for the CPU.

    h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t          y_t = C_t h_t

In the argument lists `decay` is A's diagonal, `into` is B and `out_of` is C.
"""

import torch
from torch import Tensor

from crn_lib.ops.backends import fused_cpu_missing


def selective_step(
    u: Tensor, hidden: Tensor, decay: Tensor, delta: Tensor, into: Tensor, out_of: Tensor
) -> tuple[Tensor, Tensor]:
    """One position.

    Args:
        u, delta: `(batch, E)`.
        hidden: `(batch, E, N)`.
        decay: `(E, N)`.
        into, out_of: `(batch, N)`.

    Returns:
        `y` `(batch, E)` and the new hidden state, which keeps its own dtype (wider than half-precision input's).
    """
    dtype = u.dtype
    u, decay, delta, into, out_of = (x.to(hidden.dtype) for x in (u, decay, delta, into, out_of))
    hidden = (delta[..., None] * decay).exp() * hidden + (delta * u)[..., None] * into[:, None, :]
    return (hidden @ out_of[..., None]).squeeze(-1).to(dtype), hidden


def selective_scan_reference(
    u: Tensor, delta: Tensor, decay: Tensor, into: Tensor, out_of: Tensor
) -> tuple[Tensor, Tensor]:
    """All positions, one after another, with autograd through every step: the truth, on any device.

    Args:
        u, delta: `(batch, length, E)`.
        decay: `(E, N)`.
        into, out_of: `(batch, length, N)`.

    Returns:
        `y` `(batch, length, E)` and the last hidden state `(batch, E, N)`.
    """
    hidden = u.new_zeros(u.shape[0], u.shape[2], decay.shape[1])
    outputs = []
    for t in range(u.shape[1]):
        y, hidden = selective_step(u[:, t], hidden, decay, delta[:, t], into[:, t], out_of[:, t])
        outputs.append(y)
    return torch.stack(outputs, dim=1), hidden


def selective_scan(u: Tensor, delta: Tensor, decay: Tensor, into: Tensor, out_of: Tensor) -> tuple[Tensor, Tensor]:
    """The scan by the fastest way there is for these tensors; arguments and shapes as for the reference.

    The hidden state is returned without a gradient. Half-precision input is scanned in float32.
    """
    if torch.compiler.is_compiling():
        from crn_lib.ops.graph_break import outside_graph

        return outside_graph(selective_scan, u, delta, decay, into, out_of)
    inputs = (u, delta, decay, into, out_of)
    if u.device.type != "cpu" or fused_cpu_missing():
        y, hidden = selective_scan_reference(*inputs)
        return y, hidden.detach()
    from crn_lib.ops.cpu.selective_scan import CompiledSelectiveScan

    dtype = torch.promote_types(torch.float32, torch.promote_types(u.dtype, delta.dtype))
    y, hidden = CompiledSelectiveScan.apply(*(x.to(dtype) for x in inputs))
    return y.to(u.dtype), hidden
