"""Other ways to write the exact relation in plain torch, as baselines beside `crn_lib.ops.naive`.

All of them store every pair; none is anyone's published code. They differ in what a reader may mean by "eager":

| | masks | layer normalisation | arrays of pairs kept |
|---|---|---|---|
| `naive` (the definition) | zero before and after the activation, right for all of them | `F.layer_norm` | 4 |
| `masked_before_exp` | minus infinity before it, right for exp and ReLU only | `F.layer_norm` | 3 |
| `normalised_by_hand` | the same | the formula, an operation at a time | 7 |

Timed with torch's own settings (`own_settings.py`), `normalised_by_hand` needs the time and the memory that the notes
of this project report for the paper's public code, measured elsewhere (batch 8, length 258: 3.5 s, about 2.8 GB above
torch itself); the other two need about half of both. That is a likeness, not a proof.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.ops.naive import naive_relation
from crn_lib.ops.normalise import EPSILON


def definition(a: Tensor, b: Tensor) -> Tensor:
    """The exact relation with `exp`, as `crn_lib.ops.naive` writes it: `(batch, length, width)` in and out."""
    return naive_relation(a, b, norm="exact", activation="exp", causal=True)


def masked_before_exp(a: Tensor, b: Tensor) -> Tensor:
    """`LN(a_i + b_j)` over all pairs with torch's fused layer normalisation, minus infinity above the diagonal, `exp`.

    Shape: `(batch, length, width)` in and out.
    """
    return _pool(F.layer_norm(a[:, :, None] + b[:, None], a.shape[-1:], eps=EPSILON))


def normalised_by_hand(a: Tensor, b: Tensor) -> Tensor:
    """The same with mean, variance, root and quotient written out, each an array of all pairs or one read of it.

    Shape: `(batch, length, width)` in and out.
    """
    pairs = a[:, :, None] + b[:, None]
    mean = pairs.mean(-1, keepdim=True)
    variance = pairs.var(-1, keepdim=True, unbiased=False)
    return _pool((pairs - mean) / torch.sqrt(variance + EPSILON))


def _pool(pairs: Tensor) -> Tensor:
    """`1/(i+1) * sum_{j<=i} exp(pairs_ij)`, `(batch, length, length, width)` to `(batch, length, width)`."""
    length = pairs.shape[1]
    future = torch.ones(length, length, dtype=torch.bool, device=pairs.device).triu(1)[:, :, None]
    senders_seen = torch.arange(1, length + 1, dtype=pairs.dtype, device=pairs.device)[:, None]
    pairs = pairs.masked_fill(future, -math.inf)
    return pairs.exp().sum(dim=2) / senders_seen


def compiled_definition() -> Callable[[Tensor, Tensor], Tensor]:
    """The definition under `torch.compile`, for one shape."""
    # Compiled code is kept by function, at most eight shapes of it; beyond that torch runs it uncompiled, silently.
    torch.compiler.reset()
    compiled: Callable[[Tensor, Tensor], Tensor] = torch.compile(definition, dynamic=False)
    return compiled


PLAIN: dict[str, Callable[[], Callable[[Tensor, Tensor], Tensor]]] = {
    "eager": lambda: definition,
    "eager, masked before exp": lambda: masked_before_exp,
    "eager, layer norm by hand": lambda: normalised_by_hand,
    "torch.compile": compiled_definition,
}
"""What makes each plain contender, by its name."""
