"""The kinds of model there are: each block's file puts its class here, under the names it is built by."""

from collections.abc import Callable
from typing import TypeVar

from crn_lib.models.block import Block

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
