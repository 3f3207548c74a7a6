"""Classifying sentences byte by byte: whether a review likes its film, whether one sentence follows from another."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from crn_lib.config import require_whole
from crn_lib.data import DataError, Sentences, Split
from crn_lib.data.checks import check_sentences
from crn_lib.data.sources import SENTENCES, check_path, require_classes, require_source
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw, check_held_out, drawn_once
from crn_lib.tasks.scores import NOT_SCORED

START, BETWEEN, END = 256, 257, 258
"""Tokens beyond the bytes: before a sentence, between its parts, and after it, where its class is asked."""


@dataclass(frozen=True)
class SentencesConfig:
    """Which sentences, and how much of each is read.

    Attributes:
        source: one of `crn_lib.data.sources.SENTENCES`; none comes with the library.
        path: where its files are; of GLUE and SuperGLUE they come from the hub where it is not given.
        longest: bytes that are read at most, in UTF-8. Of several parts each is cut to an equal share of them.
        split_seed: of the split into training, validation and test.

    Raises:
        ConfigError: a value out of range, or a path missing.

    Example:
        >>> SentencesConfig(source="glue/rte", longest=200).context
        202
    """

    source: str = "sentiment"
    path: str | None = None
    longest: int = 128
    split_seed: int = 0

    def __post_init__(self) -> None:
        require_source(self.source, SENTENCES)
        check_path(self.source, SENTENCES[self.source], self.path)
        require_whole("longest", self.longest, least=8)
        require_whole("split_seed", self.split_seed, least=0)

    @property
    def vocab_size(self) -> int:
        """All bytes, and the three marks."""
        return END + 1

    @property
    def chance(self) -> float:
        """Sentences right of one who names any class."""
        return 1 / SENTENCES[self.source].classes

    @property
    def context(self) -> int:
        """Tokens in the longest sequence: the marks at both ends count."""
        return self.longest + 2


class SentencesTask(Task[SentencesConfig]):
    """Draws training sentences, and keeps those of the other parts fixed. They are read at first use.

    Example:
        >>> task = SentencesTask(SentencesConfig(source="glue/rte"))
        >>> tokens, targets = task.lay_out(Sentences([("ab", "c")], [1]))
        >>> tokens.tolist(), targets.tolist()
        ([[256, 97, 98, 257, 99, 258]], [[-100, -100, -100, -100, -100, 1]])
    """

    keeps_some_apart = True

    @cached_property
    def split(self) -> Split[Sentences]:
        """The sentences.

        Raises:
            DataError: the sentences are not there, or a part has none, or of one class only.
        """
        config = self.config
        split = SENTENCES[config.source].load(config.path, config.split_seed)
        require_classes(split, "sentence", config.source)
        return split

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Training sentences drawn with repetition: tokens and targets, `(batch, length)`, padded on the right."""
        check_draw(batch, generator)
        train = self.split.train
        chosen = torch.randint(len(train.classes), (batch,), generator=generator).tolist()
        return self._lay_out(Sentences([train.parts[i] for i in chosen], [train.classes[i] for i in chosen]))

    def held_out(self, strings: int, split: str) -> tuple[Tensor, Tensor]:
        """Sentences of the validation or test part, drawn once; all of them if they are fewer.

        Returns:
            As `lay_out` does.
        """
        check_held_out(strings, split)
        part: Sentences = getattr(self.split, split)
        chosen = drawn_once(len(part.classes), strings, self.config.split_seed).tolist()
        return self._lay_out(Sentences([part.parts[i] for i in chosen], [part.classes[i] for i in chosen]))

    def lay_out(self, sentences: Sentences) -> tuple[Tensor, Tensor]:
        """`START first part BETWEEN second part ... END` for each sentence, and its class at `END`.

        Returns:
            Tokens and targets, `(sentences, length of the longest)` each; what follows an `END` is padding.

        Raises:
            DataError: no sentences, not as many classes, one that the source does not have, what is no text, or more
                parts than `longest` has room for.
        """
        return self._lay_out(check_sentences("what is laid out", sentences, SENTENCES[self.config.source].classes))

    def _lay_out(self, sentences: Sentences) -> tuple[Tensor, Tensor]:
        """The same of sentences that their loader has checked."""
        rows = [self._tokens(parts) for parts in sentences.parts]
        tokens = torch.full((len(rows), max(map(len, rows))), END)
        targets = torch.full_like(tokens, NOT_SCORED)
        for i, row in enumerate(rows):
            tokens[i, : len(row)] = torch.tensor(row)
            targets[i, len(row) - 1] = sentences.classes[i]
        return tokens, targets

    def _tokens(self, parts: tuple[str, ...]) -> list[int]:
        share = (self.config.longest - len(parts) + 1) // len(parts)
        if share < 1:
            says = f"a sentence of {len(parts)} parts needs a longest of {2 * len(parts) - 1} at least, a byte of each"
            raise DataError(f"{says}; longest is {self.config.longest}")
        tokens = [START]
        for part in parts:
            tokens += [*part.encode()[:share], BETWEEN]
        return [*tokens[:-1], END]


TASKS["sentences"] = TaskKind(SentencesConfig, SentencesTask)
