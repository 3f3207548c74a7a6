"""A copier made by hand: one CausalRN block that finds its source by cancellation. No training, no random number.

The positions are rows of a clock with many hands, `p_i = (cos, -cos, sin, -sin)(rate_k * i)`, and the letters are
one-hot rows. Turning every hand back by `offset` steps is a rotation, so one matrix makes of every `p_i` the row
`p_{i - offset}`. The receiver holds it, the sender holds minus its own position and, more quietly, its letter:

    A_i = p_{i - offset}        B_j = -p_j + loudness * letter_j

Only for `j = i - offset` do the positions cancel. What is left is the letter, the norm makes it loud, and the
exponential makes it louder than all the others together.
"""

import math

import torch
from torch import Tensor

from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.tasks import EOS, SEP, CopyingConfig

HANDS = 8
"""Hands of the clock; each takes four columns."""

LOUDNESS = 0.1
"""Length of a letter's row in a sender, beside its position's."""

GAIN = 100.0
"""Of the readout. The letter may be small in the normalised row of a long string, where many senders have their say."""


def clock(positions: Tensor, longest: int) -> Tensor:
    """Position rows, `(..., 4 * HANDS)`, of mean 0 and standard deviation 1; different for all positions of a context.

    Args:
        positions: whole numbers below `longest`.
        longest: positions in the context.
    """
    angle = positions.double()[..., None] * clock_rates(longest)
    return torch.stack([angle.cos(), -angle.cos(), angle.sin(), -angle.sin()], dim=-1).flatten(-2) * math.sqrt(2)


def clock_rates(longest: int) -> Tensor:
    """Radians a step of each hand, `(HANDS,)`: from half a turn a step to half a turn in the whole context."""
    return math.pi * longest ** -torch.linspace(0, 1, HANDS, dtype=torch.float64)


def turned_back(steps: int, longest: int) -> Tensor:
    """The matrix `R` with `R @ clock(i) = clock(i - steps)`, `(4 * HANDS, 4 * HANDS)`."""
    angle = clock_rates(longest) * steps
    unit = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]], dtype=torch.float64)  # (cos, sin) and back
    hands = []
    for cos, sin in zip(angle.cos().tolist(), angle.sin().tolist(), strict=True):
        rotation = torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float64)
        hands.append(unit.T @ rotation @ unit / 2)
    turned: Tensor = torch.block_diag(*hands)
    return turned


def cancellation_copier(task: CopyingConfig, *, offset: int | None = None) -> SequenceModel:
    """A model of one block that writes, at every position, the token that stands `offset` positions before it.

    For SEP it writes EOS. With the offset of the task's string length, which is the default, it copies.

    Returns:
        A CausalRN in float32, of width `task.vocab_size + 4 * HANDS` (61 for 26 letters).
    """
    tokens, longest = task.vocab_size, task.context
    places = 4 * HANDS
    config = ModelConfig(
        kind="causal_rn", vocab_size=tokens, width=tokens + places, blocks=1, max_length=longest, activation="exp"
    )
    model = build_model(config)
    letters = torch.eye(tokens, dtype=torch.float64) - 1 / tokens
    letters *= math.sqrt(places) / letters[0].norm()  # as long as a position's row
    steps = task.string_length if offset is None else offset
    weights = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in model.state_dict().items()}

    weights["token_embedding.weight"][:, :tokens] = letters
    weights["position_embedding.weight"][:, tokens:] = clock(torch.arange(longest), longest)
    weights["blocks.0.receiver.weight"][tokens:, tokens:] = turned_back(steps, longest)
    weights["blocks.0.sender.weight"][tokens:, tokens:] = -torch.eye(places, dtype=torch.float64)
    said = torch.eye(tokens, dtype=torch.float64)
    said[[SEP, EOS]] = said[[EOS, SEP]]  # a sender that holds SEP says EOS
    weights["blocks.0.sender.weight"][:tokens, :tokens] = LOUDNESS * said
    # The answer is added to the position's own letter, which is in the residual stream already, and must outvote it.
    weights["blocks.0.readout.weight"][:tokens, :tokens] = GAIN * torch.eye(tokens, dtype=torch.float64)
    weights["head.weight"][:, :tokens] = torch.eye(tokens, dtype=torch.float64)
    model.load_state_dict(weights)
    return model
