"""The relation with the last few senders only, and the pool that keeps no others.

    out_i = 1/n_i * sum_{i-w < j <= i} f( norm(a_i, b_j) )        n_i = min(w, i+1)

A window of `w` holds the receiver's own place and the `w - 1` before it: `length * w` pairs, in plain torch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.linear import exponentiate_rows, wants_logarithms
from crn_lib.ops.naive import pre_activation
from crn_lib.ops.normalise import merge_heads, normalise_heads, split_heads
from crn_lib.ops.pool import Pool


def in_window(length: int, window: int, device: torch.device, *, first: int = 0) -> Tensor:
    """`(length - first, length)`, true where receiver `i`, from `first` on, sees sender `j`: `i - window < j <= i`."""
    return torch.ones(length - first, length, dtype=torch.bool, device=device).tril(first).triu(first + 1 - window)


def _within_reach(senders: Tensor, reach: int) -> tuple[Tensor, Tensor]:
    """For every receiver the last `reach` senders, and which of them stand before the first place.

    Shape: `(batch, length, width)` to `(batch, length, reach, width)` and `(length, reach, 1)`.
    """
    length = senders.shape[1]
    windows = F.pad(senders, (0, 0, reach - 1, 0)).unfold(1, reach, 1).transpose(-1, -2)
    before_the_first = torch.arange(length)[:, None] + torch.arange(reach) < reach - 1
    return windows, before_the_first[:, :, None].to(senders.device)


def window_relation(
    a: Tensor, b: Tensor, *, window: int, norm: str, activation: str, heads: int = 1, rescale: bool = True
) -> Tensor:
    """The mean over the last `window` senders, `(batch, length, width)` in and out; otherwise as `relation`.

    `rescale` as there: where norm and activation factorise, a row that would leave the safe range comes back times one
    number.

    Example:
        >>> a, b = torch.randn(2, 1, 5, 4)
        >>> out = window_relation(a, b, window=2, norm="exact", activation="exp")
        >>> torch.allclose(out[:, 1], relation(a, b)[:, 1], rtol=1e-3)  # the second receiver sees all there are
        True
    """
    length, dtype = a.shape[1], a.dtype
    reach = min(window, length)
    if dtype.itemsize < 4:
        a, b = a.float(), b.float()
    seen = torch.arange(1, length + 1, device=a.device, dtype=a.dtype).clamp(max=reach)[:, None]
    senders, missing = _within_reach(split_heads(b, heads), reach)
    pairs = pre_activation(split_heads(a, heads)[:, :, None], senders, norm)
    # Masked before and after, for the reasons in naive.py.
    values = ACTIVATION_FUNCTIONS[activation](pairs.masked_fill(missing, 0.0)).masked_fill(missing, 0.0)
    out = merge_heads(values.sum(dim=2) / seen, heads)
    if rescale and wants_logarithms(out, norm, activation, a.shape[-1] // heads):
        receivers, wide = (normalise_heads(x.double(), heads, norm) for x in (a, b))
        senders, missing = _within_reach(wide, reach)
        logs = receivers + senders.masked_fill(missing, -torch.inf).logsumexp(dim=2) - seen.double().log()
        out = exponentiate_rows(logs)
    return out.to(dtype)


class WindowPool(Pool):
    """The last `window` rows of each sequence, oldest first, in room for just as many: a state of fixed size.

    `lengths` counts the rows held, so that whatever reads a pool reads this one as it is.

    Example:
        >>> pool = WindowPool(1, 1, window=2, dtype=torch.float32)
        >>> for number in (1.0, 2.0, 3.0):
        ...     pool.append(torch.tensor([[number]]))
        >>> pool.rows.flatten(), pool.lengths
        (tensor([2., 3.]), tensor([2]))
    """

    def __init__(
        self, batch: int, width: int, *, window: int, device: torch.device | str = "cpu", dtype: torch.dtype
    ) -> None:
        super().__init__(batch, width, capacity=window, device=device, dtype=dtype)
        self.window = window

    @property
    def nbytes_used(self) -> int:
        """Bytes of the buffer: no row of it is spare."""
        return self.buffer.nbytes

    def fill(self, rows: Tensor, lengths: Tensor) -> None:
        held = lengths.clamp(max=self.window)
        places = (lengths - held)[:, None] + torch.arange(int(held.max()), device=rows.device)
        places = places.clamp(max=rows.shape[1] - 1)  # behind a shorter sequence's end: any row will do
        super().fill(rows.gather(1, places[:, :, None].expand(-1, -1, rows.shape[-1])), held)

    def lengthen(self) -> None:
        if self._longest == self.window:  # in every sequence that is full the oldest row makes room
            full = self.lengths == self.window
            self.buffer[full, :-1] = self.buffer[full, 1:]
            self.lengths = self.lengths - full.long()
            self._longest -= 1
        super().lengthen()


def pool_of(
    batch: int, width: int, window: int | None, *, device: torch.device | str = "cpu", dtype: torch.dtype
) -> Pool:
    """A pool of the last `window` rows, or of all where it is `None`."""
    if window is None:
        return Pool(batch, width, device=device, dtype=dtype)
    return WindowPool(batch, width, window=window, device=device, dtype=dtype)
