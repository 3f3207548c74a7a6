"""Retargeting: a row gets the receiver of another row; if that is what it looks up by, it writes the other's letter.

Dropping a pair shows that a copy needs it. Moving a receiver shows that the receiver is enough to say which letter is
fetched. Receivers come from a run of their own, the donor's. Where the donor is *another* string, they cannot carry
the letter with them: from block 1 on a receiver may know what its row has found already.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from crn_lib.analysis.capture import mixing_block
from crn_lib.analysis.copy_sources import copy_sources
from crn_lib.models import SequenceModel
from crn_lib.models.causal_rn import RelationBlock


@dataclass(frozen=True)
class MovedRows:
    """Rows that write a letter and get the receiver of the row `shift` further, which must write a letter too.

    Attributes:
        shift: rows further; below 0 for earlier rows.
        rows: the receiving positions that are changed, `(rows,)`.
        sources: where each of them looks by its own receiver, `(rows,)`.
    """

    shift: int
    rows: Tensor
    sources: Tensor

    @property
    def donors(self) -> Tensor:
        """The rows whose receivers they get."""
        return self.rows + self.shift

    @property
    def targets(self) -> Tensor:
        """Where they look by a moved receiver."""
        return self.sources + self.shift


def moved_rows(string_length: int, shift: int) -> MovedRows:
    """The rows that can be moved in strings of one length.

    Raises:
        ValueError: a shift by the whole string or more, which no row survives.
    """
    if abs(shift) >= string_length:
        raise ValueError(f"the shift must be less than the string's {string_length} letters; got {shift}")
    where = copy_sources(string_length)
    rows, sources = where.rows[:-1], where.sources[:-1]
    kept = slice(max(0, -shift), string_length - max(0, shift))
    return MovedRows(shift, rows[kept], sources[kept])


def relation_block(model: SequenceModel, index: int) -> RelationBlock:
    """A block that has receivers.

    Raises:
        ValueError: no such block, or another kind of block.
    """
    block = mixing_block(model, index)
    if not isinstance(block, RelationBlock):
        raise ValueError(f"a {model.config.kind} has no receivers to move; use causal_rn or linear_rn")
    return block


@torch.no_grad()
def receivers_of(model: SequenceModel, tokens: Tensor) -> list[Tensor]:
    """The receivers of every block in a run of the model on these tokens, `(batch, length, width)` each."""
    found: list[Tensor] = []
    with ExitStack() as hooks:
        for index in range(len(model.blocks)):
            layer = relation_block(model, index).receiver
            hooks.enter_context(layer.register_forward_hook(lambda _, __, a: found.append(a)))
        model(tokens)
    return found


@contextmanager
def receivers_replaced(model: SequenceModel, given: Mapping[int, Tensor], rows: Tensor) -> Iterator[None]:
    """While this lasts, `model(tokens)` has other receivers at these rows, as far as the tokens reach.

    Args:
        given: by the block's number, the receivers `(batch or 1, rows, width)`.
        rows: positions, `(rows,)`.
    """

    def put(new: Tensor, layer: nn.Module, inputs: tuple[Tensor, ...], a: Tensor) -> Tensor:
        there = rows < a.shape[1]
        moved = a.clone()
        moved[:, rows[there]] = new[:, there]
        return moved

    with ExitStack() as hooks:
        for index, new in given.items():
            layer = relation_block(model, index).receiver
            hooks.enter_context(layer.register_forward_hook(partial(put, new)))
        yield


@torch.no_grad()
def run_retargeted(
    model: SequenceModel, tokens: Tensor, donor: Tensor, shift: int, blocks: Sequence[int]
) -> tuple[Tensor, MovedRows]:
    """Logits of a run in which every row that writes a letter has the receiver of the row `shift` further.

    Args:
        tokens: strings of one length with their copies, `(batch, length)`.
        donor: the strings whose receivers they get, the same ones or others, `(batch or 1, length)`.
        shift: rows further; rows whose donor would write no letter stay as they are.
        blocks: where the receivers are moved.

    Returns:
        `(batch, length, vocab_size)`, and the rows that were moved.
    """
    moved = moved_rows(tokens.shape[1] // 2 - 1, shift)
    found = receivers_of(model, donor)
    with receivers_replaced(model, {block: found[block][:, moved.donors] for block in blocks}, moved.rows):
        logits: Tensor = model(tokens)
    return logits, moved


def letters_moved(
    model: SequenceModel, tokens: Tensor, donor: Tensor, shift: int, blocks: Sequence[int]
) -> dict[str, float]:
    """What the moved rows write, as shares of all of them.

    Returns:
        `moved`: the letter `shift` further; `stayed`: their own letter; `chance`: how often those two are the same
        letter, which is what a model would score as `moved` that nothing can move.
    """
    logits, rows = run_retargeted(model, tokens, donor, shift, blocks)
    written = logits[:, rows.rows].argmax(-1)
    own, other = tokens[:, rows.sources], tokens[:, rows.targets]
    return {
        name: same.double().mean().item()
        for name, same in (("moved", written == other), ("stayed", written == own), ("chance", own == other))
    }
