"""The copying task (paper, section 4; Jelassi et al. 2024): read a random string, then write it again.

A sequence is `BOS x_1 ... x_S SEP x_1 ... x_S`, and the model, which sees `2(S+1)` tokens, is scored from SEP on:
there it must say `x_1`, and at the last letter EOS.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.config import require, require_whole
from crn_lib.tasks.bounds import string_bits
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED

BOS, SEP, EOS = 0, 1, 2
FIRST_LETTER = 3
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class CopyingConfig:
    """Which strings are to be copied.

    Attributes:
        string_length: letters in a string.
        shortest: if given, each string's length is drawn uniformly from `shortest ... string_length`.
        vocab: letters in the alphabet; 26 in the paper.

    Raises:
        ConfigError: a value out of range.

    Example:
        >>> config = CopyingConfig(string_length=16)
        >>> config.context, config.vocab_size
        (34, 29)
    """

    string_length: int = 16
    shortest: int | None = None
    vocab: int = 26

    def __post_init__(self) -> None:
        require_whole("string_length", self.string_length)
        require_whole("vocab", self.vocab)
        if self.shortest is not None:
            require_whole("shortest", self.shortest)
            require(
                self.shortest <= self.string_length,
                f"shortest must be at most string_length {self.string_length}; got {self.shortest}",
            )

    @property
    def vocab_size(self) -> int:
        """Token ids a model of this task needs: the letters, BOS, SEP and EOS."""
        return self.vocab + FIRST_LETTER

    @property
    def context(self) -> int:
        """Tokens in the longest sequence a model sees: `2 * (string_length + 1)`."""
        return 2 * (self.string_length + 1)

    @property
    def chance(self) -> float:
        """Strings right where their length is known and each letter is guessed."""
        shortest = self.shortest or self.string_length
        lengths = range(shortest, self.string_length + 1)
        return sum(float(self.vocab) ** -length for length in lengths) / len(lengths)

    @property
    def bits(self) -> float:
        """The least that a state must hold behind a string: which of all strings of all lengths it is."""
        shorter = self.string_length - (self.shortest or self.string_length)
        return string_bits(self.string_length, self.vocab) + math.log2(
            sum(float(self.vocab) ** -fewer for fewer in range(shorter + 1))
        )


class CopyingTask(Task[CopyingConfig]):
    """Draws copying problems, scores answers, and turns text into tokens and back.

    Example:
        >>> task = CopyingTask(CopyingConfig(string_length=3))
        >>> tokens, targets = task.lay_out(task.encode("cab")[None], torch.tensor([3]))
        >>> task.decode(tokens[0])
        '<cab|cab'
        >>> targets[0].tolist()  # scored from SEP on: c, a, b, EOS
        [-100, -100, -100, -100, 5, 3, 4, 2]
    """

    main_metric = "string_accuracy"

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems.

        Returns:
            Tokens and targets, `(batch, context)` each, padded on the right where lengths differ. Targets are
            `NOT_SCORED` before SEP and on padding; padding stands to the right of everything scored, so a causal
            model never sees it.
        """
        check_draw(batch, generator)
        config = self.config
        lengths = torch.full((batch,), config.string_length)
        if config.shortest is not None:
            lengths = torch.randint(config.shortest, config.string_length + 1, (batch,), generator=generator)
        letters = torch.randint(config.vocab, (batch, config.string_length), generator=generator)
        return self._lay_out(letters + FIRST_LETTER, lengths)

    def lay_out(self, letters: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The problem `BOS x SEP x` for each string, and its targets.

        Args:
            letters: token ids, `(batch, longest)`; entries past a string's own length are ignored.
            lengths: `(batch,)`.

        Returns:
            Tokens and targets, `(batch, 2 * (longest + 1))` each.

        Raises:
            ConfigError: other shapes, a length that the strings do not have, or a token id in a string that is no
                letter's.
        """
        fits = letters.ndim == 2 and lengths.shape == letters.shape[:1]
        shapes = f"{tuple(letters.shape)} and {tuple(lengths.shape)}"
        require(fits, f"letters must be (batch, longest) and lengths (batch,); got {shapes}")
        longest = letters.shape[1]
        wrong = lengths[(lengths < 0) | (lengths > longest)]
        require(not len(wrong), f"lengths must be from 0 to {longest}, the letters of a row; got {wrong[:1].tolist()}")
        real = torch.arange(longest) < lengths[:, None]
        wrong = letters[real & ((letters < FIRST_LETTER) | (letters >= self.config.vocab_size))]
        known = f"from {FIRST_LETTER} to {self.config.vocab_size - 1}"
        require(not len(wrong), f"letters must be token ids {known}; got {wrong[:1].tolist()}")
        return self._lay_out(letters, lengths)

    def _lay_out(self, letters: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The same of what is known to be right, as `sample` draws it at every step of a training."""
        batch, longest = letters.shape
        real = torch.arange(longest) < lengths[:, None]
        tokens = torch.full((batch, 2 * longest + 2), EOS)
        targets = torch.full_like(tokens, NOT_SCORED)
        rows = torch.arange(batch)
        tokens[:, 0] = BOS
        tokens[:, 1 : longest + 1] = torch.where(real, letters, EOS)
        tokens[rows, lengths + 1] = SEP
        # A string's copy starts right behind its own SEP: index every real letter's second place.
        row, column = real.nonzero(as_tuple=True)
        tokens[row, column + lengths[row] + 2] = letters[row, column]
        targets[row, column + lengths[row] + 1] = letters[row, column]
        targets[rows, 2 * lengths + 1] = EOS
        return tokens, targets

    def metrics(self, predictions: Tensor, targets: Tensor) -> dict[str, float]:
        """Character and string accuracy, as the paper scores them.

        A string's character accuracy is its share of right letters; it is 0 if EOS is missing at the end or
        stands anywhere before it. Its string accuracy is 1 if every letter and EOS are right.

        Returns:
            `character_accuracy` and `string_accuracy`, each the mean over the strings; arguments as of `Task.metrics`.

        Raises:
            ValueError: shapes that differ, no row, or one with nothing to score.
        """
        if predictions.shape != targets.shape or targets.ndim != 2:
            raise ValueError(
                "predictions and targets must both be (batch, length); "
                f"got {tuple(predictions.shape)} and {tuple(targets.shape)}"
            )
        letter = (targets != NOT_SCORED) & (targets != EOS)
        end = targets == EOS
        if not len(targets):
            raise ValueError("targets must have a row; got none")
        if not bool(end.any(dim=1).all()):
            raise ValueError("every row of targets must have its EOS; use CopyingTask.sample or lay_out")
        right = predictions == targets
        share = (right & letter).sum(dim=1).double() / letter.sum(dim=1).clamp(min=1)
        misplaced = (end & ~right).any(dim=1) | (letter & (predictions == EOS)).any(dim=1)
        scores = torch.where(misplaced, 0.0, share)
        whole = (right | ~(letter | end)).all(dim=1)
        return {"character_accuracy": scores.double().mean().item(), "string_accuracy": whole.double().mean().item()}

    def prompts(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Of whole problems the part a model is given to continue: `BOS x SEP`.

        Returns:
            Prompts, padded on the right, and their lengths `(batch,)`.

        Raises:
            ConfigError: a problem without a SEP, or no problem.
        """
        whole = tokens.ndim == 2 and len(tokens) > 0 and bool((tokens == SEP).any(dim=1).all())
        require(whole, "tokens must be (batch, length) with a SEP in every row, as sample and lay_out give them")
        lengths = (tokens == SEP).int().argmax(dim=1) + 1
        return tokens[:, : int(lengths.max())], lengths

    def place_answers(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Generated tokens, `(batch, steps)`, put where `metrics` compares them with the targets."""
        predictions = torch.full_like(targets, NOT_SCORED)
        row, column = (targets != NOT_SCORED).nonzero(as_tuple=True)
        first = (targets != NOT_SCORED).int().argmax(dim=1)
        predictions[row, column] = answers[row, column - first[row]]
        return predictions

    def encode(self, text: str) -> Tensor:
        """A string as its letters' token ids, `(length,)`.

        Raises:
            ConfigError: nothing to copy, too long for the task, or a character outside the alphabet.
        """
        require(isinstance(text, str), f"the string must be text; got a {type(text).__name__}")
        allowed = ALPHABET[: self.config.vocab]
        wrong = next((character for character in text if character not in allowed), None)
        require(wrong is None, f"only the letters {allowed[0]} to {allowed[-1]} can be copied; got {wrong!r}")
        length = self.config.string_length
        require(1 <= len(text) <= length, f"the string must have 1 to {length} letters; got {len(text)}")
        return torch.tensor([allowed.index(character) + FIRST_LETTER for character in text])

    def decode(self, tokens: Tensor) -> str:
        """Token ids `(length,)` as text; BOS, SEP and EOS show as `<`, `|` and `>`."""
        marks = {BOS: "<", SEP: "|", EOS: ">"}
        ids = tokens.tolist() if isinstance(tokens, Tensor) else list(tokens)
        wrong = next((i for i in ids if not isinstance(i, int) or not 0 <= i < FIRST_LETTER + len(ALPHABET)), None)
        require(wrong is None, f"only the letters a to z have a text form; got token id {wrong}")
        return "".join(marks[i] if i in marks else ALPHABET[i - FIRST_LETTER] for i in ids)


TASKS["copying"] = TaskKind(CopyingConfig, CopyingTask)
