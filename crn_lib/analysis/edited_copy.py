"""A string copied freely, the model reading its own output, while some pairs are missing."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.analysis.copy_sources import copy_sources
from crn_lib.analysis.interventions import Edit, drop, run_edited, with_scale
from crn_lib.analysis.pairs import AttentionPairs, RelationPairs
from crn_lib.models import SequenceModel
from crn_lib.tasks import CopyingTask

Dropped = Mapping[tuple[int, int], int]
"""By block, and by the number of the letter being written from 0 on: the position of the sender it does not see."""


@dataclass(frozen=True)
class EditedCopy:
    """What a model wrote, and what its blocks saw.

    Attributes:
        text: what was to be copied.
        tokens: what it read, `(2 * (length + 1),)`: the string, SEP, and its own output.
        written: as text, EOS as `>`; one character a position that writes.
        pairs: of every block, for the positions that write, before any is dropped.
    """

    text: str
    tokens: Tensor
    written: str
    pairs: list[RelationPairs]


def copy_without(model: SequenceModel, task: CopyingTask, text: str, dropped: Dropped) -> EditedCopy:
    """Let a CausalRN copy a text letter by letter, some receivers without one of their senders.

    Args:
        dropped: a pair may be dropped in any block, for any letter.

    Raises:
        ConfigError: text outside the task's alphabet or length.
        ValueError: a model without pair scales.
    """
    where = copy_sources(len(text))
    tokens, _ = task.lay_out(task.encode(text)[None], torch.tensor([len(text)]))
    blocks = range(len(model.blocks))
    missing = torch.full((len(blocks), 1, model.config.heads, len(where.rows)), -1)
    for (block, letter), sender in dropped.items():
        missing[block, :, :, letter] = sender
    touched = sorted({block for block, _ in dropped})
    written: list[int] = []
    seen: list[RelationPairs] = []
    for number in range(len(where.rows)):
        length, rows = len(text) + 2 + number, where.rows[: number + 1]
        last = length == tokens.shape[1]
        edits = {
            block: _dropping(missing[block, ..., : number + 1], seen if last else [])
            for block in (blocks if last else touched)
        }
        said = int(run_edited(model, tokens[:, :length], edits, rows)[0, -1].argmax())
        written.append(said)
        if not last:
            tokens[0, length] = said
    return EditedCopy(text, tokens[0], task.decode(torch.tensor(written)), seen)


def _dropping(sender: Tensor, seen: list[RelationPairs]) -> Edit:
    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs | AttentionPairs:
        seen.append(with_scale(pairs))
        return drop(sender)(pairs)

    return edit
