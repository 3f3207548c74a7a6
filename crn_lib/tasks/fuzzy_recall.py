"""The recall tasks of MAD (Poli et al. 2024, arXiv 2403.17844): fuzzy, of single tokens, and with noise.

Keys and values, of one to three tokens each where recall is fuzzy, follow each other without a mark between them; their
tokens come from two alphabets. Where a key stands again, its value does too, and the model is to name each token of it
from the token before. The last pair is always one that was there before. Padding stands on the left.

In-context recall of MAD is `key_length=1, value_length=1`: pairs `k v`, keys drawn with replacement. It has no padding,
and the last value, which is only a target, counts among its T tokens. So its V and T are `vocab=V + 1, length=T - 1`
here: padding keeps an id and never stands. Noisy recall is the same with `noise`, pairs of tokens that are neither keys
nor values, between the others.

In MAD all next tokens are targets in training and only the values of repeated keys in the test, where every key has the
full length (`shortest_key=3`). Here the latter are the targets, always. The last pair repeats here any pair before it,
so that a key that stood twice is twice as likely as another. In in-context and noisy recall of MAD all keys that were
there are equally likely, and in its fuzzy recall the last key is drawn before all others.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from crn_lib.config import require, require_number, require_whole
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED, draw_distinct


@dataclass(frozen=True)
class FuzzyRecallConfig:
    """Which keys and values are drawn. The defaults are MAD's baseline.

    Attributes:
        vocab: token ids: those of keys, then as many or one more of values, then noise, and the last is padding.
        length: tokens in a sequence.
        key_length, value_length: tokens in the longest key and value, all of them different.
        shortest_key: tokens in the shortest key; values have 1 or more. Every length is as likely as another.
        noise: the share of pairs that are noise: tokens in place of a key and a value, as many, each any of
            `noise_vocab`. Each pair is so by itself, but for one that has room in any case, and the last, which
            needs one to repeat.
        noise_vocab: token ids that only noise has.

    Raises:
        ConfigError: a value out of range, keys or values longer than their alphabets, a length too short for a pair
            and its repetition, noise without ids, or so many of these that none are left.

    Example:
        >>> config = FuzzyRecallConfig()
        >>> config.keys, config.values  # and one token of padding
        (7, 8)
    """

    vocab: int = 16
    length: int = 128
    key_length: int = 3
    value_length: int = 3
    shortest_key: int = 1
    noise: float = 0.0
    noise_vocab: int = 0

    def __post_init__(self) -> None:
        require_whole("vocab", self.vocab, least=3)
        require_whole("noise_vocab", self.noise_vocab, least=0)
        require(
            self.noise_vocab <= self.vocab - 3,
            f"noise_vocab must be at most {self.vocab - 3}, for vocab {self.vocab} to have a key, a value and padding; "
            f"got {self.noise_vocab}",
        )
        require_number("noise", self.noise, 0, 1)
        require(self.noise < 1, f"noise must be less than 1, for what is noise asks nothing; got {self.noise}")
        require(
            self.noise == 0 or self.noise_vocab > 0,
            f"noise_vocab must be at least 1 for noise {self.noise}; got {self.noise_vocab}",
        )
        require_whole("length", self.length)
        require_whole("shortest_key", self.shortest_key)
        for name, alphabet in (("key_length", self.keys), ("value_length", self.values)):
            value = getattr(self, name)
            require_whole(name, value)
            ids = f"vocab {self.vocab}" + (f" with noise_vocab {self.noise_vocab}" if self.noise_vocab else "")
            require(
                value <= alphabet, f"{name} must be at most {alphabet}, the tokens that {ids} has for it; got {value}"
            )
        require(
            self.shortest_key <= self.key_length,
            f"shortest_key must be at most key_length {self.key_length}; got {self.shortest_key}",
        )
        least = 2 * self.pair_length - 1
        require(
            self.length >= least,
            f"length must be at least {least} for a pair of {self.pair_length} to stand twice; got {self.length}",
        )

    @property
    def keys(self) -> int:
        """Tokens of which keys are made."""
        return (self.vocab - 1 - self.noise_vocab) // 2

    @property
    def values(self) -> int:
        """Tokens of which values are made."""
        return self.vocab - 1 - self.noise_vocab - self.keys

    @property
    def pair_length(self) -> int:
        """Tokens in the longest pair."""
        return self.key_length + self.value_length

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
        """Tokens right of one who tells noise from values and looks at no key: of the tokens of values so far it names
        the most frequent that this value has not yet. Measured on some hundred sequences, always the same.
        """
        task = FuzzyRecallTask(self)
        tokens, targets = task.sample(max(200, 50_000 // self.length), torch.Generator().manual_seed(0))
        return task.metrics(most_frequent_unsaid(self, tokens), targets)["accuracy"]

    @property
    def bits(self) -> float:
        """What a state must hold at least: the values of as many of the longest pairs as fit before the last one, which
        may ask for any of them.

        Their keys may all differ, if there are so many keys, and then each value may be any of full length. Shorter
        ones need no state of their own: nothing is asked behind a value's end, so that whoever goes on as a longer one
        does makes no mistake.

        Noise takes the room of pairs in most sequences, but since each pair is noise by itself, one without any may
        come too, and who is always right is right about that one. So noise lowers the bound by its ids alone. Where
        most pairs are noise, full sequences are rare, and a state may hold less without ever being found out.
        """
        fitting = (self.length + 1 - self.pair_length) // self.pair_length
        motifs = math.perm(self.values, self.value_length)
        return min(fitting, math.perm(self.keys, self.key_length)) * math.log2(motifs)


MAD = tuple(FuzzyRecallConfig(vocab=vocab) for vocab in (16, 32, 64, 128)) + tuple(
    FuzzyRecallConfig(length=length) for length in (256, 512, 1024)
)
"""MAD's baseline and its single changes (besides fewer training sequences)."""


def _of_single_tokens(mad_vocab: int, mad_length: int, noise: float = 0.0, noise_vocab: int = 0) -> FuzzyRecallConfig:
    """MAD's V and T, as the module's docstring has them."""
    return FuzzyRecallConfig(
        mad_vocab + 1, mad_length - 1, key_length=1, value_length=1, noise=noise, noise_vocab=noise_vocab
    )


MAD_RECALL = tuple(_of_single_tokens(vocab, 128) for vocab in (16, 32, 64, 128)) + tuple(
    _of_single_tokens(16, length) for length in (256, 512, 1024)
)
"""In-context recall of MAD, the baseline and its single changes: V/2 keys and V/2 values."""

MAD_NOISY_RECALL = (
    *(_of_single_tokens(vocab, 128, 0.2, 16) for vocab in (32, 48, 80, 144)),
    *(_of_single_tokens(32, length, 0.2, 16) for length in (256, 512, 1024)),
    *(_of_single_tokens(32, 128, noise, 16) for noise in (0.4, 0.6, 0.8)),
)
"""Noisy recall of MAD, the baseline and its single changes: 16 of all V are noise."""


def most_frequent_unsaid(config: FuzzyRecallConfig, tokens: Tensor) -> Tensor:
    """At every place the token of values that stood most often up to there, but for those of the value at hand.

    Shape: `(batch, length)`, both.
    """
    offset, among = config.keys, config.values
    here = torch.nn.functional.one_hot((tokens - offset).clamp(-1, among) + 1, among + 2)[..., 1:-1]
    so_far = here.cumsum(dim=1)
    said, running = torch.zeros_like(here), torch.ones_like(here[..., :1])
    for back in range(config.value_length - 1):  # the value at hand is the run of such tokens that ends here
        before = torch.nn.functional.pad(here, (0, 0, back, 0))[:, : here.shape[1]]
        running = running * before.sum(dim=2, keepdim=True)
        said = said + before * running
    return offset + torch.where(said > 0, -1, so_far).argmax(dim=2)


class FuzzyRecallTask(Task[FuzzyRecallConfig]):
    """Draws keys with their values, repeats some, and scores the tokens of the repeated values.

    Example:
        >>> task = FuzzyRecallTask(FuzzyRecallConfig(vocab=3, length=4, key_length=1, value_length=1))
        >>> tokens, targets = task.sample(1, torch.Generator().manual_seed(0))
        >>> tokens.tolist(), targets.tolist()  # key 0, value 1, key 0 again; 2 is padding
        ([[2, 0, 1, 0]], [[-100, -100, -100, 1]])
    """

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems: tokens and targets, `(batch, length)` each."""
        check_draw(batch, generator)
        config = self.config
        room = config.length + 1 - config.pair_length  # before the last pair; its last token is only a target
        count = room // (config.shortest_key + 1)
        keys = self._motifs(batch, count, config.shortest_key, config.key_length, 0, config.keys, generator)
        values = self._motifs(batch, count, 1, config.value_length, config.keys, config.values, generator)
        rows, numbers = torch.arange(batch), torch.arange(count + 1)
        noisy = torch.zeros(batch, count, dtype=torch.bool)
        if config.noise:  # else nothing is drawn for it: sequences without noise are what they always were
            noisy = torch.rand(batch, count, generator=generator) < config.noise
            noisy[rows, torch.randint(room // config.pair_length, (batch,), generator=generator)] = False
        first = self._first(keys, noisy)
        values = values.gather(1, first[..., None].expand_as(values))
        pairs = torch.cat([keys, values], dim=2)
        if config.noise:
            drawn = torch.randint(config.noise_vocab, pairs.shape, generator=generator) + config.keys + config.values
            pairs = torch.where(noisy[..., None] & (pairs >= 0), drawn, pairs)

        fitting = ((pairs >= 0).sum(dim=2).cumsum(dim=1) <= room).sum(dim=1)
        known = (~noisy & (numbers[:-1] < fitting[:, None])).cumsum(dim=1)  # pairs that are not noise, up to each
        which = (torch.rand(batch, generator=generator) * known[:, -1]).long()
        again = (known > which[:, None]).int().argmax(dim=1)
        pairs = torch.cat([pairs, pairs[:, :1]], dim=1)
        pairs[rows, fitting] = pairs[rows, again]
        repeated = torch.cat([first, first[:, :1]], dim=1) < numbers
        repeated[rows, fitting] = True

        real = ((pairs >= 0) & (numbers <= fitting[:, None])[..., None]).flatten(1)
        asked = (repeated[..., None] & (torch.arange(config.pair_length) >= config.key_length)).flatten(1) & real
        column = real.cumsum(dim=1) + config.length - real.sum(dim=1, keepdim=True)
        tokens = torch.full((batch, config.length + 1), config.vocab - 1)
        targets = torch.full_like(tokens, NOT_SCORED)
        for laid, which in ((tokens, real), (targets, asked)):
            row, slot = which.nonzero(as_tuple=True)
            laid[row, column[row, slot]] = pairs.flatten(1)[row, slot]
        return tokens[:, :-1], targets[:, 1:]

    def _first(self, keys: Tensor, noisy: Tensor) -> Tensor:
        """The number of the pair in which each key stands first, `(batch, count)`, of `(batch, count, key_length)`.

        Of a noisy pair, `(batch, count)`, its own: the key that noise stands for was never there.
        """
        codes = torch.zeros_like(keys[..., 0])  # equal for equal keys only
        for place in range(keys.shape[2]):
            codes = (codes * (self.config.keys + 1) + keys[..., place] + 1).unique(return_inverse=True)[1]
        numbers = torch.arange(keys.shape[1]).expand_as(codes)
        earliest = torch.full((len(codes), int(codes.max()) + 1), keys.shape[1])
        earliest.scatter_reduce_(1, codes, numbers.masked_fill(noisy, keys.shape[1]), "amin")
        return torch.where(noisy, numbers, earliest.gather(1, codes))

    def _motifs(
        self, batch: int, count: int, shortest: int, longest: int, start: int, among: int, generator: torch.Generator
    ) -> Tensor:
        """Different tokens from `start` on, `(batch, count, longest)`, -1 behind the end of a shorter motif."""
        tokens = draw_distinct(batch, count, count=longest, among=among, generator=generator) + start
        sizes = torch.randint(shortest, longest + 1, (batch, count, 1), generator=generator)
        return torch.where(torch.arange(longest) < sizes, tokens, -1)


TASKS["fuzzy_recall"] = TaskKind(FuzzyRecallConfig, FuzzyRecallTask)
