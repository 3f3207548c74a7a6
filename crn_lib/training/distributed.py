"""One run on several processes: each takes its share of every batch, torch averages the gradients.

`torchrun --standalone --nproc-per-node 2 -m crn_lib.cli train ...` starts them; nothing else has to be said. They
communicate through gloo on processors and through nccl on GPUs (the latter was never run: no machine with two GPUs).
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from crn_lib.config import require
from crn_lib.tasks import scored
from crn_lib.training.interrupts import interrupts_held

T = TypeVar("T")


class Processes:
    """The processes that train one model together; a run on one process has one of them.

    Attributes:
        rank: this one's number, from 0.
        size: how many there are.
        device: this one's.
    """

    def __init__(self, device: torch.device, rank: int = 0, size: int = 1) -> None:
        self.device, self.rank, self.size = device, rank, size
        self._interrupted = False
        self._all_stop = False

    @property
    def first(self) -> bool:
        """Whether this is the one that shows progress and writes files."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose backward pass leaves in every process the gradient averaged over all."""
        if self.size == 1:
            return model
        return DistributedDataParallel(model, device_ids=[self.device] if self.device.type == "cuda" else None)

    def share(self, tokens: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, float]:
        """This process's strings of a batch that all have drawn, and the weight of their mean loss.

        Args:
            tokens, targets: the whole batch, `(batch, length)`; tokens may be vectors.

        Returns:
            Tokens and targets, `(batch / size, length)`, and a weight: the average over the processes of weight times
            mean loss is the mean over all scored positions of the batch, also where the strings differ in length.
        """
        own = self.own(targets)
        weight = self.size * int(scored(own).sum()) / int(scored(targets).sum())
        return self.own(tokens), own, weight

    def own(self, batch: Tensor) -> Tensor:
        """This process's part of what belongs to the strings of a batch, one row each."""
        each = len(batch) // self.size
        return batch[self.rank * each : (self.rank + 1) * each]

    def mean(self, value: Tensor) -> float:
        """The average over the processes of a scalar. It also tells each whether any was interrupted."""
        if self.size == 1:
            return value.item()
        both = torch.stack([value.detach().double(), value.new_tensor(self._interrupted, dtype=torch.double)])
        dist.all_reduce(both)
        total, interrupted = both.tolist()
        self._all_stop = interrupted > 0
        return float(total / self.size)

    def agreed(self, value: T) -> T:
        """The first process's value, in all of them: what decides whether to stop must not differ in the last bit."""
        if self.size == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held, device=self.device if self.device.type == "cuda" else None)
        return held[0]

    def interrupts_held(self) -> AbstractContextManager[None]:
        """As the function of this name; with several processes all are interrupted after the same step."""
        return interrupts_held() if self.size == 1 else self._stop_together()

    @contextmanager
    def _stop_together(self) -> Iterator[None]:
        yield
        if self._all_stop:
            raise KeyboardInterrupt

    def note_interrupt(self, number: int, frame: FrameType | None) -> None:
        """A signal handler. A Ctrl-C comes at least twice, from the terminal and from torchrun."""
        self._interrupted = True


@contextmanager
def processes(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun started, this one among them; this one alone without torchrun.

    Args:
        device: `cuda` without a number becomes the process's own GPU.

    Raises:
        ConfigError: more processes on this machine than GPUs.
    """
    if not dist.is_available() or not (dist.is_initialized() or dist.is_torchelastic_launched()):
        yield Processes(device)
        return
    if str(device) == "cuda":
        place = int(os.environ.get("LOCAL_RANK", "0"))
        there = torch.cuda.device_count()
        require(place < there, f"--nproc-per-node must be at most {there}, one process a GPU")
        device = torch.device("cuda", place)
        torch.cuda.set_device(device)
    group: AbstractContextManager[None] = nullcontext() if dist.is_initialized() else _joined(device)
    with group:
        team = Processes(device, dist.get_rank(), dist.get_world_size())
        before = signal.signal(signal.SIGINT, team.note_interrupt)
        try:
            yield team
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _joined(device: torch.device) -> Iterator[None]:
    if os.environ.get("LOCAL_WORLD_SIZE") == os.environ.get("WORLD_SIZE"):
        # All on this machine: gloo need not listen to the network.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_first_process() -> bool:
    """Whether this process is the only one, or the first of those that torchrun started."""
    return not dist.is_available() or not dist.is_torchelastic_launched() or os.environ.get("RANK") == "0"
