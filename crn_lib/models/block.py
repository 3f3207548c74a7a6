"""What every block of a sequence model offers, and what the blocks share."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

INIT_STD = 0.02
"""Standard deviation of every weight matrix at the start (paper, appendix; GPT-2 does the same)."""

NUMBER, COUNTER = 4, 8
"""Bytes of a float32 and of a position's counter, a 64-bit integer."""


class BlockState(Protocol):
    """What one block remembers between two tokens."""

    @property
    def nbytes(self) -> int:
        """Bytes held in tensors; of a state of fixed size the same however many tokens were seen."""
        return sum(part.nbytes for part in vars(self).values())


class Block(nn.Module, ABC):
    """One block: mixes positions causally, `(batch, length, width)` in and out, and can go token by token."""

    single_headed = False
    """Whether there are no heads, so that `ModelConfig.heads` must be 1."""

    windowed = False
    """Whether the block can see the last few places only, as `ModelConfig.first_window` asks."""

    @abstractmethod
    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        """All positions at once.

        Args:
            x: `(batch, length, width)`.
            state: an empty state from `init_state`, to be left as after the last token of each sequence.
            lengths: `(batch,)`, with `state` only: how many positions of each sequence are real, the rest being
                padding on the right.
        """

    @abstractmethod
    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> BlockState:
        """The state before the first token."""

    @abstractmethod
    def predicted_bytes(self, rows: int) -> int:
        """Bytes of the state of one sequence in float32, by its formula.

        Args:
            rows: rows a growing memory has: the tokens so far, or its capacity to count spare rows too. A state of
                fixed size does not depend on it.
        """

    @abstractmethod
    def step(self, x: Tensor, state: BlockState) -> Tensor:
        """One more position, `(batch, width)` in and out; updates `state` in place."""

    @abstractmethod
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw all parameters anew."""


B = TypeVar("B", bound=type[Block])

BLOCKS: dict[str, type[Block]] = {}
"""The class of the block of each kind, in the order in which their files are imported."""


def kind(*names: str) -> Callable[[B], B]:
    """A decorator: `ModelConfig(kind=name)` is built of this block, for each of the names.

    Raises:
        ValueError: a name is taken.
    """

    def register(block: B) -> B:
        for name in names:
            if name in BLOCKS:
                raise ValueError(f"there is a kind {name!r} already: {BLOCKS[name].__name__}")
            BLOCKS[name] = block
        return block

    return register


def init_linear(layer: nn.Linear, generator: torch.Generator, std: float = INIT_STD) -> None:
    """Weights `N(0, std**2)`, bias zero."""
    nn.init.normal_(layer.weight, std=std, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def init_uniform(parameters: list[Tensor], bound: float, generator: torch.Generator) -> None:
    """`U(-bound, bound)`, what torch itself does for recurrent and convolutional layers."""
    for parameter in parameters:
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


def residual_std(blocks: int, branches: int) -> float:
    """Start of a projection that adds to the residual stream, which `branches * blocks` of them share."""
    return INIT_STD / math.sqrt(branches * blocks)
