"""N-gram look-up (Jelassi et al. 2024, arXiv 2402.01032): an n-gram that stands once in a string, and what follows it.

    where="suffix"    BOS x_1 ... x_S SEP g_1 ... g_n y_1 ... y_A
    where="prefix"    BOS g_1 ... g_n SEP x_1 ... x_S SEP y_1 ... y_A

With the key in front a running summary is enough; with the key behind, the string has to be kept. The model, which sees
all but the last letter, is scored on `y_1 ... y_A`.

Other than in the published code, the key always stands once in the string, each string has one length, and there is no
EOS, since all answers are equally long.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from crn_lib.config import require, require_choice, require_whole
from crn_lib.tasks.copying import BOS, SEP
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED, accuracies

FIRST_LETTER = 2
PLACES = ("prefix", "suffix")


@dataclass(frozen=True)
class NgramLookupConfig:
    """Which strings and n-grams are drawn.

    Attributes:
        string_length: letters in a string.
        n: letters in the key.
        answer_length: letters to be named behind it.
        where: whether the key stands before the string (`prefix`) or after it (`suffix`).
        letters: in the alphabet.

    Raises:
        ConfigError: a value out of range, a key and an answer longer than the string, or strings in which hardly an
            n-gram stands once.

    Example:
        >>> config = NgramLookupConfig(string_length=32, n=2, answer_length=4)
        >>> config.context, config.vocab_size, round(config.bits)
        (39, 28, 127)
    """

    string_length: int = 32
    n: int = 2
    answer_length: int = 4
    where: str = "suffix"
    letters: int = 26

    def __post_init__(self) -> None:
        for name in ("string_length", "n", "answer_length"):
            require_whole(name, getattr(self, name))
        require_whole("letters", self.letters, least=2)
        require_choice("where", self.where, PLACES)
        require(
            self.n + self.answer_length <= self.string_length,
            f"n and answer_length together must be at most string_length {self.string_length}; got {self.n} and "
            f"{self.answer_length}",
        )
        # Below this, drawing strings until one has such an n-gram would take many draws.
        once = (1 - float(self.letters) ** -self.n) ** (self.string_length - self.n)
        require(
            self.starts * once >= 0.5,
            f"n must be larger, or letters more, for a string of {self.string_length} letters to hold an n-gram just "
            f"once; got n {self.n} and {self.letters} letters",
        )

    @property
    def starts(self) -> int:
        """Places in a string at which the key may start."""
        return self.string_length - self.n - self.answer_length + 1

    @property
    def vocab_size(self) -> int:
        """Token ids a model of this task needs: the letters, BOS and SEP."""
        return self.letters + FIRST_LETTER

    @property
    def context(self) -> int:
        """Tokens a model sees: the marks, the string, the key, and the answer but for its last letter."""
        marks = 2 if self.where == "suffix" else 3
        return marks + self.string_length + self.n + self.answer_length - 1

    @cached_property
    def chance(self) -> float:
        """Answers right of one who names the most frequent letter of the string each time, and does not look for the
        key: of 32 letters almost four are alike. Letters measured on some thousand strings, always the same, and taken
        to be right independently of each other.
        """
        task = NgramLookupTask(self)
        tokens, targets = task.sample(max(500, 300_000 // self.string_length), torch.Generator().manual_seed(0))
        start = 1 if self.where == "suffix" else self.n + 2
        letters = torch.nn.functional.one_hot(tokens[:, start : start + self.string_length], self.vocab_size)
        most = letters.sum(dim=1).argmax(dim=1)[:, None].expand_as(targets)
        return task.metrics(most, targets)["character_accuracy"] ** self.answer_length

    @property
    def bits(self) -> float:
        """The least that a state must hold to be always right.

        With the key in front: the key or, once it was found, the answer. With the key behind: whoever can ask the
        state for what follows each n-gram can write the string down from its first `n` letters, but for the letters
        behind an n-gram that stands twice, of which one has to be told that they are such, and which they are.
        """
        letter = math.log2(self.letters)
        if self.where == "prefix":
            return max(self.n, self.answer_length) * letter
        windows = self.string_length - self.n
        twice = min(0.5, windows * float(self.letters) ** -self.n)  # at most, of one n-gram
        told = -sum(share * math.log2(share) for share in (twice, 1 - twice) if share)
        return windows * max(0.0, (1 - twice) * letter - told)


PAPER = tuple(NgramLookupConfig(string_length=20, n=3, where=where) for where in PLACES)
"""The longest strings of training in the published code, whose defaults are 26 letters, strings of 5 to 20 of them, and
answers to the end of the string. Here each string has one length, and answers have 4 letters, which is ours; so is the
3, for the code leaves `n` to be chosen. Left out besides: several strings in a context of 220 tokens."""


class NgramLookupTask(Task[NgramLookupConfig]):
    """Draws strings, asks for what follows an n-gram, and scores answers.

    Example:
        >>> task = NgramLookupTask(NgramLookupConfig(string_length=4, n=1, answer_length=2, where="prefix", letters=5))
        >>> tokens, targets = task.lay_out(torch.tensor([[3, 4, 2, 0]]), torch.tensor([1]))
        >>> tokens.tolist(), targets.tolist()  # after letter 4 come 2 and 0; letter i is token i + 2
        ([[0, 6, 1, 5, 6, 4, 2, 1, 4]], [[-100, -100, -100, -100, -100, -100, -100, 4, 2]])
    """

    main_metric = "string_accuracy"

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems: tokens and targets, `(batch, context)` each."""
        check_draw(batch, generator)
        letters, length = self.config.letters, self.config.string_length
        strings = torch.randint(letters, (batch, length), generator=generator)
        single = self.single(strings)
        while len(none := (~single.any(dim=1)).nonzero().flatten()):
            strings[none] = torch.randint(letters, (len(none), length), generator=generator)
            single[none] = self.single(strings[none])
        # The largest of random numbers: one of the keys that may be, each as likely as any other.
        drawn = torch.rand(single.shape, generator=generator)
        return self._lay_out(strings, torch.where(single, drawn, -1).argmax(dim=1))

    def single(self, strings: Tensor) -> Tensor:
        """At which starts an n-gram stands that is nowhere else in its string.

        Shape: `(batch, string_length)` in, `(batch, starts)` out.
        """
        n = self.config.n
        windows = strings.shape[1] - n + 1
        # Numbers of 64 bits may wrap. Then two n-grams may share one, and both count as standing twice: no harm.
        codes = torch.zeros_like(strings[:, :windows])
        for place in range(n):
            codes = codes * (self.config.letters | 1) + strings[:, place : place + windows]
        ordered, order = codes.sort(dim=1)
        equal = torch.nn.functional.pad(ordered[:, 1:] == ordered[:, :-1], (1, 1))
        alone = ~(equal[:, 1:] | equal[:, :-1])
        return torch.zeros_like(alone).scatter(1, order, alone)[:, : self.config.starts]

    def lay_out(self, strings: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """The problem of each string, `(batch, string_length)`, letters counted from 0, with a key from each start.

        Raises:
            ConfigError: other shapes, a letter that the alphabet does not have, or a start at which no key and answer
                fit.
        """
        config = self.config
        fits = strings.ndim == 2 and strings.shape[1] == config.string_length and starts.shape == strings.shape[:1]
        wanted = f"strings must be (batch, {config.string_length}) and starts (batch,)"
        require(fits, f"{wanted}; got {tuple(strings.shape)} and {tuple(starts.shape)}")
        for name, given, count in (("letters", strings, config.letters), ("starts", starts, config.starts)):
            wrong = given[(given < 0) | (given >= count)]
            require(not len(wrong), f"{name} must be from 0 to {count - 1}; got {wrong[:1].tolist()}")
        return self._lay_out(strings, starts)

    def _lay_out(self, strings: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """The same of what is known to be right, as `sample` draws it at every step of a training."""
        config = self.config
        strings = strings + FIRST_LETTER
        where = starts[:, None] + torch.arange(config.n + config.answer_length)
        key, answer = strings.gather(1, where).split([config.n, config.answer_length], dim=1)
        bos, sep = torch.full_like(key[:, :1], BOS), torch.full_like(key[:, :1], SEP)
        parts = (bos, strings, sep, key) if config.where == "suffix" else (bos, key, sep, strings, sep)
        tokens = torch.cat([*parts, answer[:, :-1]], dim=1)
        targets = torch.full_like(tokens, NOT_SCORED)
        targets[:, -config.answer_length :] = answer
        return tokens, targets

    def metrics(self, predictions: Tensor, targets: Tensor) -> dict[str, float]:
        """The share of right letters, and of answers of which all are right.

        Raises:
            ValueError: shapes that differ, or nothing to score.
        """
        letters, answers = accuracies(predictions, targets)
        return {"character_accuracy": letters, "string_accuracy": answers}


TASKS["ngram_lookup"] = TaskKind(NgramLookupConfig, NgramLookupTask)
