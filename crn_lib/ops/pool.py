"""What a relation remembers between two tokens, and the update by one token.

A relation that factorises needs one running sum. Any other needs every sender row seen so far: the pool.
"""

import torch
from torch import Tensor

from crn_lib.config import require_choice
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.backends import FACTORISING_NORMS, fused_missing
from crn_lib.ops.linear import exponentiate_rows, wants_logarithms
from crn_lib.ops.naive import pre_activation
from crn_lib.ops.normalise import PAIR_NORMS, normalise_heads


class Pool:
    """Rows seen so far, `(batch, length, width)`, in a buffer that doubles when it is full.

    Sequences of one batch may have different lengths: each has its own end, and rows past it are not visible.

    Example:
        >>> pool = Pool(2, 4, dtype=torch.float32)  # two sequences, rows of width 4
        >>> pool.fill(torch.ones(2, 3, 4), lengths=torch.tensor([3, 1]))
        >>> pool.append(torch.zeros(2, 4))
        >>> pool.lengths, pool.visible[1]
        (tensor([4, 2]), tensor([ True,  True, False, False]))
    """

    def __init__(
        self, batch: int, width: int, *, capacity: int = 16, device: torch.device | str = "cpu", dtype: torch.dtype
    ) -> None:
        self.buffer = torch.zeros(batch, capacity, width, device=device, dtype=dtype)
        """`(batch, capacity, width)`: `rows`, and room for more."""
        self.lengths = torch.zeros(batch, dtype=torch.long, device=device)
        self._longest = 0
        self.ragged = False
        """Whether the sequences' lengths differ; where they do not, no row has to be hidden from any of them."""

    @property
    def rows(self) -> Tensor:
        """`(batch, longest, width)`; behind a shorter sequence's end stand numbers without meaning.

        They are finite, never unset memory: attention gives such rows the weight 0, and 0 times NaN is NaN.
        """
        return self.buffer[:, : self._longest]

    @property
    def visible(self) -> Tensor:
        """`(batch, longest)`, true where `rows` holds a row of that sequence."""
        return torch.arange(self._longest, device=self.lengths.device) < self.lengths[:, None]

    @property
    def nbytes(self) -> int:
        """Bytes allocated: the buffer with its spare rows, and the lengths."""
        return self.buffer.nbytes + self.lengths.nbytes

    @property
    def nbytes_used(self) -> int:
        """Bytes of the rows themselves: what a buffer without spare room would hold."""
        batch, _, width = self.buffer.shape
        return batch * self._longest * width * self.buffer.itemsize

    def fill(self, rows: Tensor, lengths: Tensor) -> None:
        """Put whole sequences, `(batch, length, width)`, into an empty pool; `lengths` is `(batch,)`."""
        self._longest = int(lengths.max())
        self.ragged = int(lengths.min()) != self._longest
        self._reserve(self._longest)
        self.buffer[:, : self._longest] = rows[:, : self._longest]
        self.lengths = lengths.to(torch.long, copy=True)

    def append(self, row: Tensor) -> None:
        """Add one row, `(batch, width)`, at the end of every sequence."""
        self.lengthen()
        if self.ragged:
            self.buffer[torch.arange(len(row), device=row.device), self.lengths - 1] = row.to(self.buffer.dtype)
        else:
            self.buffer[:, self._longest - 1] = row

    def lengthen(self) -> None:
        """One more row of every sequence, for the caller to write into `buffer`."""
        self._longest += 1  # the longest sequence grows by one, as every other does
        self._reserve(self._longest)
        self.lengths = self.lengths + 1

    def has_kernel(self, x: Tensor, norm: str, activation: str, heads: int) -> bool:
        """Whether a step from `x` is compiled: the paper's form, on a CPU, and no graph is recorded."""
        return (
            (norm, activation) == ("exact", "exp")
            and x.device.type == "cpu"
            and x.dtype == self.buffer.dtype
            and x.dtype.itemsize >= 4
            and not torch.is_grad_enabled()
            and not torch.is_autocast_enabled("cpu")
            and not torch.compiler.is_compiling()
            and not torch._C._are_functorch_transforms_active()
            and not fused_missing(x.device, norm, activation, x.dtype, self.buffer.shape[-1] // heads)
        )

    def _reserve(self, length: int) -> None:
        batch, capacity, width = self.buffer.shape
        if length > capacity:
            grown = self.buffer.new_zeros(batch, max(length, 2 * capacity), width)
            grown[:, :capacity] = self.buffer
            self.buffer = grown


class RunningSum:
    """`log sum_j exp(b_j)` so far, `(batch, width)`: all that a factorising relation remembers.

    Example:
        >>> state = RunningSum(1, 1, dtype=torch.float32)
        >>> state.append(torch.tensor([[0.0]]))
        >>> state.append(torch.tensor([[0.0]]))
        >>> state.log_sum.exp(), state.nbytes
        (tensor([[2.]]), 12)
    """

    def __init__(self, batch: int, width: int, *, device: torch.device | str = "cpu", dtype: torch.dtype) -> None:
        # Half precision would stop adding after some hundred tokens: log(n + 1) rounds to log(n).
        wide = torch.promote_types(dtype, torch.float32)
        self.log_sum = torch.full((batch, width), -torch.inf, device=device, dtype=wide)
        self.lengths = torch.zeros(batch, dtype=torch.long, device=device)

    @property
    def nbytes(self) -> int:
        """Bytes held; the same however many tokens were seen."""
        return self.log_sum.nbytes + self.lengths.nbytes

    def fill(self, senders: Tensor, lengths: Tensor) -> None:
        """Take whole sequences of (normalised, if that is asked) senders, `(batch, length, width)`."""
        last = (lengths - 1)[:, None, None].expand(-1, 1, senders.shape[-1])
        sums = torch.logcumsumexp(senders.to(self.log_sum.dtype), dim=1)
        self.log_sum = sums.gather(1, last).squeeze(1)
        self.lengths = lengths.clone()

    def append(self, sender: Tensor) -> None:
        """Add one sender, `(batch, width)`."""
        self.log_sum = torch.logaddexp(self.log_sum, sender.to(self.log_sum.dtype))
        self.lengths = self.lengths + 1


def pool_step(
    a: Tensor, b: Tensor, pool: Pool, *, norm: str, activation: str, heads: int, rescale: bool = True
) -> Tensor:
    """The relation's newest output row, after adding sender `b` to the pool.

    Args:
        a, b: the newest receiver and sender, `(batch, width)`.
        rescale: as for `relation`, where norm and activation factorise.

    Returns:
        `(batch, width)`: what `relation` gives at the last position of the whole sequence, in O(length).

    Example:
        >>> a, b = torch.randn(2, 1, 5, 4)
        >>> pool = Pool(1, 4, dtype=torch.float32)
        >>> steps = [pool_step(a[:, i], b[:, i], pool, norm="exact", activation="exp", heads=1) for i in range(5)]
        >>> torch.allclose(steps[-1], relation(a, b)[:, -1], rtol=1e-3)
        True
    """
    activate = ACTIVATION_FUNCTIONS[activation]
    require_choice("norm", norm, tuple(PAIR_NORMS))  # before the pool has another row
    pool.append(b)
    if pool.has_kernel(a, norm, activation, heads):
        from crn_lib.ops.cpu.decoding import newest_row

        return newest_row(a, pool.buffer, pool.lengths, heads)
    wide = torch.promote_types(a.dtype, torch.float32)
    receivers, senders = (x.to(wide).unflatten(-1, (heads, -1)) for x in (a[:, None], pool.rows))
    values = activate(pre_activation(receivers, senders, norm)).flatten(-2)
    if pool.ragged:
        values = values.masked_fill(~pool.visible[:, :, None], 0.0)
    out = values.sum(dim=1) / pool.lengths[:, None]
    if rescale and wants_logarithms(out, norm, activation, a.shape[-1] // heads):
        receiver, rows = (normalise_heads(x.double(), heads, norm) for x in (a, pool.rows))
        if pool.ragged:
            rows = rows.masked_fill(~pool.visible[:, :, None], -torch.inf)
        out = exponentiate_rows(receiver + rows.logsumexp(dim=1) - pool.lengths[:, None].double().log())
    return out.to(a.dtype)


def running_step(a: Tensor, b: Tensor, state: RunningSum, *, norm: str, heads: int, rescale: bool = True) -> Tensor:
    """The same for `activation="exp"` with a norm that factorises: O(1) time and memory a token.

    `rescale` as for `relation`.

    Example:
        >>> a, b = torch.randn(2, 1, 5, 4)
        >>> state = RunningSum(1, 4, dtype=torch.float32)
        >>> steps = [running_step(a[:, i], b[:, i], state, norm="approx", heads=1) for i in range(5)]
        >>> torch.allclose(steps[-1], relation(a, b, norm="approx")[:, -1], rtol=1e-3)
        True
    """
    require_choice("norm", norm, FACTORISING_NORMS)
    receiver, sender = (normalise_heads(x.to(state.log_sum.dtype), heads, norm) for x in (a, b))
    state.append(sender)
    logs = receiver + state.log_sum - state.lengths[:, None].to(state.log_sum.dtype).log()
    return (exponentiate_rows(logs) if rescale else logs.exp()).to(a.dtype)
