"""k-hop induction (Sanford, Hsu, Telgarsky 2024, arXiv 2402.09268): an induction head, several times over.

    k x_1 x_2 ... x_S

A hop from a letter goes to the last place before it with the same letter, and one on: to what came next there. At
every letter the model is to name the letter that `k` hops lead to, or NONE where there is no such place. Without a hop
(`k = 0`) that is the letter itself.

`floor(log2 k) + 2` layers of a Transformer suffice, since hops can be doubled. Token by token, with `k` known from the
start, a table is enough: behind the last place of each letter, the answers of 0 to `k - 1` hops.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from crn_lib.config import require, require_whole
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED


@dataclass(frozen=True)
class HopsConfig:
    """Which strings are drawn, and how many hops are asked.

    It says no `bits`: in long strings one hop needs a state that tells at least `letters ** (letters - 2)` tables
    apart, the spanning trees that the last steps out of all letters can be; for more hops no count is known here.

    Attributes:
        string_length: letters in a string; no letter stands twice in a row.
        letters: in the alphabet.
        hops: the largest number of hops; each string has one of `fewest ... hops`, equally likely.
        fewest: the smallest.

    Raises:
        ConfigError: a value out of range, fewer than three letters (with two, the first would tell them all), or more
            hops than a string has room for.

    Example:
        >>> config = HopsConfig(string_length=64, letters=4, hops=4)
        >>> config.context, config.vocab_size, config.none
        (65, 10, 9)
    """

    string_length: int = 64
    letters: int = 4
    hops: int = 4
    fewest: int = 0

    def __post_init__(self) -> None:
        require_whole("string_length", self.string_length)
        require_whole("letters", self.letters, least=3)
        require_whole("hops", self.hops, least=0)
        require_whole("fewest", self.fewest, least=0)
        most = max(0, self.string_length - 2)
        require(
            self.hops <= most,
            f"hops must be at most {most} in a string of {self.string_length} letters, each going back by a letter or "
            f"more; got {self.hops}",
        )
        require(self.fewest <= self.hops, f"fewest must be at most hops {self.hops}; got {self.fewest}")

    @property
    def first_letter(self) -> int:
        """Token id of the first letter; those below it are numbers of hops."""
        return self.hops + 1

    @property
    def none(self) -> int:
        """Token id of the answer that there is no such place."""
        return self.first_letter + self.letters

    @property
    def vocab_size(self) -> int:
        """Token ids a model of this task needs: the numbers of hops, the letters, and NONE."""
        return self.none + 1

    @property
    def context(self) -> int:
        """Tokens in a sequence: the number of hops, and the string."""
        return self.string_length + 1

    @cached_property
    def chances(self) -> tuple[float, ...]:
        """Places right of one who guesses, by number of hops, `fewest ... hops`: see `chance`.

        Read backwards, each letter of a string is any but the one read before it. So who seeks a letter back from some
        place is told apart by that letter, the one read last, and the hops done. Where the letter is found, the one
        read last is what the hop leads to: it is sought next, and the one found has been read. A first letter stands
        for all, by symmetry.
        """
        letters = self.letters
        # Probabilities: by hops done, of the letter sought and the one read last; by hops, of the letter they lead to.
        seeking = np.zeros((self.hops + 1, letters, letters))
        seeking[0, 0, 0] = 1
        answers = np.zeros((self.hops + 1, letters))
        answers[0, 0] = 1
        guessed = np.zeros(self.hops + 1)
        for _ in range(self.string_length):
            guessed += np.maximum(answers.max(axis=1), 1 - answers.sum(axis=1))
            each = seeking / (letters - 1)  # of the letters that may come
            came = each.sum(axis=2, keepdims=True) - each
            found = each.swapaxes(1, 2)[:-1].copy()
            for letter in range(letters):
                came[:, letter, letter] = 0  # it is the one sought
                found[:, letter, letter] = 0  # where the search begins, which no letter follows
            came[1:] += found
            answers[1:] += found.sum(axis=2)
            seeking = came
        return tuple((guessed / self.string_length)[self.fewest :].tolist())

    @property
    def chance(self) -> float:
        """Places right of one who sees the number of hops, the place, and its letter, and looks nowhere back: the word
        that is right most often there, NONE among them. Exact, over all strings.

        The letter says much: one hop never leads to it, and two often do.
        """
        return sum(self.chances) / len(self.chances)


PAPER = HopsConfig(string_length=98, letters=4, hops=16)
"""The published task: strings of 100 letters, of which 98 are shown."""


class HopsTask(Task[HopsConfig]):
    """Draws strings, follows the hops, and scores answers, also by the number of hops.

    Example:
        >>> task = HopsTask(HopsConfig(string_length=5, letters=3, hops=2))
        >>> one = task.one_hop(torch.tensor([[0, 1, 2, 0, 1]]))  # to the place behind the earlier 0, and the earlier 1
        >>> one.tolist()  # 5: nowhere
        [[5, 5, 5, 1, 2, 5]]
    """

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems: tokens and targets, `(batch, context)` each; all letters are scored."""
        check_draw(batch, generator)
        config = self.config
        hops = torch.randint(config.fewest, config.hops + 1, (batch, 1), generator=generator)
        steps = torch.randint(1, config.letters, (batch, config.string_length), generator=generator)
        steps[:, :1] = torch.randint(config.letters, (batch, 1), generator=generator)
        letters = steps.cumsum(dim=1) % config.letters  # a step is never 0: no letter follows itself

        one, nowhere = self.one_hop(letters), config.string_length
        at = torch.arange(nowhere).expand(batch, -1)
        for done in range(config.hops):
            at = torch.where(hops > done, one.gather(1, at), at)
        answers = torch.nn.functional.pad(letters, (0, 1), value=config.letters).gather(1, at)
        tokens = torch.cat([hops, letters + config.first_letter], dim=1)
        targets = torch.cat([torch.full_like(hops, NOT_SCORED), answers + config.first_letter], dim=1)
        return tokens, targets

    def one_hop(self, letters: Tensor) -> Tensor:
        """Where a hop from each place leads: `string_length`, which leads to itself, where there is no such place.

        Shape: letters counted from 0, `(batch, string_length)` in, `(batch, string_length + 1)` out.
        """
        nowhere = letters.shape[1]
        place = torch.arange(nowhere)[:, None]
        is_letter = letters[..., None] == torch.arange(self.config.letters)
        last = torch.where(is_letter, place, -1).cummax(dim=1).values  # of each letter, up to each place
        before = torch.nn.functional.pad(last, (0, 0, 1, -1), value=-1).gather(2, letters[..., None])[..., 0]
        return torch.nn.functional.pad(torch.where(before < 0, nowhere, before + 1), (0, 1), value=nowhere)

    def groups(self, tokens: Tensor) -> dict[str, Tensor]:
        """Strings by their number of hops."""
        return {f"{hops}_hops": tokens[:, :1] == hops for hops in range(self.config.fewest, self.config.hops + 1)}


TASKS["hops"] = TaskKind(HopsConfig, HopsTask)
