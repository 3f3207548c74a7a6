"""Selective copying of MAD (Poli et al. 2024, arXiv 2403.17844): say again what stood between blanks, in its order.

    . . x_1 . x_2 . . . x_n COPY  .   .  ...  .
                                 x_1 x_2 ... x_n

Tokens with blanks between them, the mark COPY, then as many blanks as answers: at each the model is to name the next
token. It never reads an answer, so that it has to count how many it gave.

As in the published code each blank stands before a token drawn at random, and none behind the last token. So the places
say nothing about the tokens, but x_i stands about where `i / n` of all have been read.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from crn_lib.config import require, require_whole
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED


@dataclass(frozen=True)
class SelectiveCopyingConfig:
    """Which tokens are to be copied. The defaults are MAD's baseline.

    Attributes:
        vocab: token ids: those of tokens to copy, then the blank, and the last is the mark COPY.
        length: tokens in a sequence, the blanks at which the model answers among them.
        tokens: to be copied, n, in each sequence; drawn with replacement.

    Raises:
        ConfigError: a value out of range, or a length too short for the tokens, the mark and the answers.

    Example:
        >>> config = SelectiveCopyingConfig()
        >>> config.alphabet, config.blanks, round(config.bits)
        (14, 223, 61)
    """

    vocab: int = 16
    length: int = 256
    tokens: int = 16

    def __post_init__(self) -> None:
        require_whole("vocab", self.vocab, least=4)
        require_whole("length", self.length)
        require_whole("tokens", self.tokens)
        least = 2 * self.tokens + 1
        require(
            self.length >= least,
            f"length must be at least {least} for {self.tokens} tokens, the mark and as many answers; "
            f"got {self.length}",
        )

    @property
    def alphabet(self) -> int:
        """Ids of tokens to copy; the id of the blank, too, which comes after them."""
        return self.vocab - 2

    @property
    def blanks(self) -> int:
        """Blanks between the tokens."""
        return self.length - 2 * self.tokens - 1

    @property
    def vocab_size(self) -> int:
        """Token ids a model of this task needs."""
        return self.vocab

    @property
    def context(self) -> int:
        """Tokens in a sequence."""
        return self.length

    @cached_property
    def chance(self) -> float:
        """Answers right of one who knows which tokens were there, but not in which order, and names the most frequent
        each time: of 16 about every fifth is that. Measured on some thousand sequences, always the same.
        """
        strings = max(500, 300_000 // self.tokens)
        drawn = torch.randint(self.alphabet, (strings, self.tokens), generator=torch.Generator().manual_seed(0))
        return (drawn == drawn.mode(dim=1, keepdim=True).values).double().mean().item()

    @property
    def bits(self) -> float:
        """What a state must hold, at least, when COPY was read: `tokens * log2(alphabet)`.

        What follows is the same in all sequences, and all tokens are asked there: two strings of tokens with one state
        would have the same answers. Blanks need not be kept.
        """
        return self.tokens * math.log2(self.alphabet)


MAD = (
    *(SelectiveCopyingConfig(vocab=vocab) for vocab in (16, 32, 64, 128)),
    *(SelectiveCopyingConfig(length=length) for length in (512, 1024)),
    *(SelectiveCopyingConfig(tokens=tokens) for tokens in (32, 64, 96)),
)
"""MAD's baseline and its single changes (besides fewer training sequences)."""


class SelectiveCopyingTask(Task[SelectiveCopyingConfig]):
    """Draws tokens and the blanks between them, and scores the copies.

    Example:
        >>> task = SelectiveCopyingTask(SelectiveCopyingConfig(vocab=4, length=7, tokens=2))
        >>> tokens, targets = task.sample(1, torch.Generator().manual_seed(0))
        >>> tokens.tolist(), targets.tolist()  # 2 is the blank, 3 the mark
        ([[2, 0, 2, 1, 3, 2, 2]], [[-100, -100, -100, -100, -100, 0, 1]])
    """

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems: tokens and targets, `(batch, length)` each; targets behind the mark only."""
        check_draw(batch, generator)
        config = self.config
        copied = torch.randint(config.alphabet, (batch, config.tokens), generator=generator)
        before = torch.randint(config.tokens, (batch, config.blanks), generator=generator)  # which token, of each blank
        gaps = torch.zeros_like(copied).scatter_add_(1, before, torch.ones_like(before))
        places = gaps.cumsum(dim=1) + torch.arange(config.tokens)

        tokens = torch.full((batch, config.length), config.alphabet).scatter_(1, places, copied)
        tokens[:, config.length - config.tokens - 1] = config.vocab - 1
        targets = torch.full_like(tokens, NOT_SCORED)
        targets[:, config.length - config.tokens :] = copied
        return tokens, targets


TASKS["selective_copying"] = TaskKind(SelectiveCopyingConfig, SelectiveCopyingTask)
