"""Associative recall of many queries, MQAR (Arora et al. 2023, "Zoology", arXiv 2312.04927).

    k_1 v_1 ... k_N v_N  .  k_4  .  .  .  k_1 ...

First all pairs of a key and a value, then the keys again, each once, with something else between them. At each of them
the model is to name its value, which does not stand there.

Keys come back soon more often than late, by a power law of the distance. In the published code the pair that stands
first also tends to be asked first, so that the place of a query hints at its value; here the order tells nothing.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.config import require, require_choice, require_number, require_whole
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED, draw_distinct

FILLERS = ("zeros", "random")


@dataclass(frozen=True)
class RecallConfig:
    """Which pairs are drawn, and where they are asked.

    Attributes:
        pairs: of a key and a value, N.
        length: tokens in a sequence, T.
        vocab: token ids, V: 0 fills, keys are the other ids below `vocab / 2`, values those from there on.
        power: exponent a of the gaps: slot g of the queries has weight `(g + 1) ** (a - 1)`; 1 is uniform.
        filler: what stands between queries: `zeros`, or `random` tokens of the whole vocabulary, a key or a value
            among them by chance.
        passes: how often the pairs are listed; 2 is "just read twice" (arXiv 2407.05483).

    Raises:
        ConfigError: a value out of range, more pairs than keys, or a length too short for pairs and queries.

    Example:
        >>> config = RecallConfig(pairs=16, length=64, vocab=128)
        >>> config.chance, round(config.bits)
        (0.0625, 93)
    """

    pairs: int = 16
    length: int = 64
    vocab: int = 128
    power: float = 0.01
    filler: str = "zeros"
    passes: int = 1

    def __post_init__(self) -> None:
        for name in ("pairs", "length", "passes"):
            require_whole(name, getattr(self, name))
        require_whole("vocab", self.vocab, least=4)
        require_number("power", self.power, 0, 1)
        require_choice("filler", self.filler, FILLERS)
        for name in ("vocab", "length"):
            require(getattr(self, name) % 2 == 0, f"{name} must be even; got {getattr(self, name)}")
        keys = self.vocab // 2 - 1
        require(self.pairs <= keys, f"pairs must be at most {keys}, the keys of vocab {self.vocab}; got {self.pairs}")
        least = 2 * self.pairs * (self.passes + 1)
        require(
            self.length >= least,
            f"length must be at least {least} for {self.pairs} pairs, passes {self.passes} and a query of each pair; "
            f"got {self.length}",
        )

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
        """Queries right of one who names any of the values that stand in the sequence."""
        return 1 / self.pairs

    @property
    def bits(self) -> float:
        """The least that a state must hold behind the pairs: which N values, and in which order.

        The queries tell the keys: `log2(values! / (values - N)!)`.
        """
        values = self.vocab // 2
        return (math.lgamma(values + 1) - math.lgamma(values - self.pairs + 1)) / math.log(2)


PAPER = tuple(
    RecallConfig(pairs=pairs, length=length, vocab=8192) for length, pairs in ((64, 4), (128, 8), (256, 16), (512, 64))
)
"""Figure 2 of Zoology."""

BASED = tuple(
    RecallConfig(pairs=pairs, length=length, vocab=8192, filler="random")
    for length, pairs in ((64, 4), (64, 8), (64, 16), (128, 32), (256, 64), (512, 128), (1024, 256))
)
"""The tests of accuracy against bytes of state (arXiv 2402.18668, figure 2)."""


class RecallTask(Task[RecallConfig]):
    """Draws pairs and queries, and scores values.

    Example:
        >>> task = RecallTask(RecallConfig(pairs=1, length=4, vocab=4))
        >>> tokens, targets = task.sample(1, torch.Generator().manual_seed(0))
        >>> tokens[0, [0, 2, 3]].tolist(), targets[0, 2] == tokens[0, 1]  # the one key, again, and its value
        ([1, 1, 0], tensor(True))
    """

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems: tokens and targets, `(batch, length)` each; targets at the queries only."""
        check_draw(batch, generator)
        config = self.config
        half, pairs = config.vocab // 2, config.pairs
        keys = draw_distinct(batch, count=pairs, among=half - 1, generator=generator) + 1
        values = draw_distinct(batch, count=pairs, among=half, generator=generator) + half
        listed = torch.stack([keys, values], dim=2).flatten(1).repeat(1, config.passes)

        weights = torch.arange(1, (config.length - listed.shape[1]) // 2 + 1).double() ** (config.power - 1)
        slots = torch.multinomial(weights.expand(batch, -1), pairs, generator=generator)
        asked = draw_distinct(batch, count=pairs, among=pairs, generator=generator)  # see the module's docstring

        tokens = torch.zeros(batch, config.length, dtype=torch.long)
        if config.filler == "random":
            tokens = torch.randint(config.vocab, tokens.shape, generator=generator)
        places = listed.shape[1] + 2 * slots
        tokens[:, : listed.shape[1]] = listed
        tokens.scatter_(1, places, keys.gather(1, asked))
        return tokens, torch.full_like(tokens, NOT_SCORED).scatter(1, places, values.gather(1, asked))


TASKS["recall"] = TaskKind(RecallConfig, RecallTask)
