"""A string copied freely, the model reading its own output, while some pairs are missing or receivers are moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.analysis.copy_sources import copy_sources
from crn_lib.analysis.interventions import Edit, drop, run_edited, with_scale
from crn_lib.analysis.pairs import AttentionPairs, RelationPairs
from crn_lib.analysis.retarget import moved_rows, receivers_of, receivers_replaced
from crn_lib.models import SequenceModel
from crn_lib.tasks import CopyingTask

Dropped = Mapping[tuple[int, int], int]
"""By block, and by the number of the letter being written from 0 on: the position of the sender it does not see."""


@dataclass(frozen=True)
class Moved:
    """Every row that writes a letter gets the receiver of the row `shift` further (see `crn_lib.analysis.retarget`).

    Attributes:
        shift: rows further.
        donor: the text whose receivers they get, as long as the one to be copied.
        blocks: where.
    """

    shift: int
    donor: str
    blocks: Sequence[int] = (0, 1)


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


def copy_without(
    model: SequenceModel, task: CopyingTask, text: str, dropped: Dropped, moved: Moved | None = None
) -> EditedCopy:
    """Let a CausalRN copy a text letter by letter, some rows without one of their senders, or with others' receivers.

    Args:
        dropped: a pair may be dropped in any block, for any letter.
        moved: whose receivers the rows get; their own where it is not given.

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
    given, moved_to = _receivers(model, task, moved) if moved else ({}, where.rows[:0])
    written: list[int] = []
    seen: list[RelationPairs] = []
    for number in range(len(where.rows)):
        length, rows = len(text) + 2 + number, where.rows[: number + 1]
        last = length == tokens.shape[1]
        edits = {
            block: _dropping(missing[block, ..., : number + 1], seen if last else [])
            for block in (blocks if last else touched)
        }
        with receivers_replaced(model, given, moved_to):
            said = int(run_edited(model, tokens[:, :length], edits, rows)[0, -1].argmax())
        written.append(said)
        if not last:
            tokens[0, length] = said
    return EditedCopy(text, tokens[0], task.decode(torch.tensor(written)), seen)


def _receivers(model: SequenceModel, task: CopyingTask, moved: Moved) -> tuple[dict[int, Tensor], Tensor]:
    """By block the receivers that the moved rows get, and those rows."""
    donor, _ = task.lay_out(task.encode(moved.donor)[None], torch.tensor([len(moved.donor)]))
    found, rows = receivers_of(model, donor), moved_rows(len(moved.donor), moved.shift)
    blocks = [block for block in moved.blocks if block < len(found)]
    return {block: found[block][:, rows.donors] for block in blocks}, rows.rows


def _dropping(sender: Tensor, seen: list[RelationPairs]) -> Edit:
    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs | AttentionPairs:
        seen.append(with_scale(pairs))
        return drop(sender)(pairs)

    return edit
