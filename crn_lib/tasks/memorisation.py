"""Memorisation of MAD (Poli et al. 2024, arXiv 2403.17844): one dictionary for all sequences, to be learnt by heart.

    k_1 ? k_2 ? ...

At each `?` the model is to name the value of the key before it. Nothing has to be retrieved from the sequence: the
control on which an advantage in retrieval must vanish.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.config import require, require_whole
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED


@dataclass(frozen=True)
class MemorisationConfig:
    """Which dictionary is to be learnt. The defaults are MAD's baseline.

    Attributes:
        vocab: token ids: keys are the lower half, then come values, and the last is `?`.
        length: tokens in a sequence, two a key.
        dictionary_seed: of the dictionary; no two keys in it share a value.

    Raises:
        ConfigError: a value out of range, or an odd length.

    Example:
        >>> config = MemorisationConfig()
        >>> config.keys, round(1 / config.chance)
        (127, 127)
    """

    vocab: int = 256
    length: int = 32
    dictionary_seed: int = 0

    def __post_init__(self) -> None:
        require_whole("vocab", self.vocab, least=3)
        require_whole("length", self.length, least=2)
        require_whole("dictionary_seed", self.dictionary_seed, least=0, most=10**18)
        require(self.length % 2 == 0, f"length must be even, two tokens a key; got {self.length}")

    @property
    def keys(self) -> int:
        """Keys in the dictionary."""
        return (self.vocab - 1) // 2

    @property
    def vocab_size(self) -> int:
        """Token ids a model of this task needs."""
        return self.vocab

    @property
    def context(self) -> int:
        """Tokens in a sequence."""
        return self.length

    @property
    def chance(self) -> float:
        """Keys right of one who names any value of the dictionary."""
        return 1 / self.keys

    @property
    def bits(self) -> float:
        """What a state must hold: the key, until the next token. The dictionary is for the weights to keep."""
        return math.log2(self.keys)


MAD = tuple(MemorisationConfig(vocab=vocab) for vocab in (256, 512, 1024, 2048, 4096, 8192))
"""MAD's baseline and its single changes."""


class MemorisationTask(Task[MemorisationConfig]):
    """Draws keys, and scores their values.

    Attributes:
        dictionary: the value of each key, `(keys,)`.

    Example:
        >>> task = MemorisationTask(MemorisationConfig(vocab=3, length=4))
        >>> tokens, targets = task.sample(1, torch.Generator().manual_seed(0))
        >>> tokens.tolist(), targets.tolist()  # the only key, 0, and the only value, 1
        ([[0, 2, 0, 2]], [[-100, 1, -100, 1]])
    """

    def __init__(self, config: MemorisationConfig) -> None:
        super().__init__(config)
        own = torch.Generator().manual_seed(config.dictionary_seed)
        values = config.vocab - 1 - config.keys
        self.dictionary = torch.randperm(values, generator=own)[: config.keys] + config.keys

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random keys: tokens and targets, `(batch, length)` each; targets behind each key only."""
        check_draw(batch, generator)
        config = self.config
        keys = torch.randint(config.keys, (batch, config.length // 2), generator=generator)
        tokens = torch.full((batch, config.length), config.vocab - 1)
        targets = torch.full_like(tokens, NOT_SCORED)
        tokens[:, 0::2] = keys
        targets[:, 1::2] = self.dictionary[keys]
        return tokens, targets


TASKS["memorisation"] = TaskKind(MemorisationConfig, MemorisationTask)
