"""A dictionary made by hand, looked up by cancellation: no training, and nothing random but its keys.

Sender `j` holds minus its key and, more quietly, its letter: `b_j = -key_j + loudness * spike(letter_j)`. A receiver
that asks for sender `j` brings the key itself, `a = key_j`, or something near it. Their sum is what is left when the
keys cancel: the letter. A norm over the sum (`exact`) makes it loud again, and no other sender's.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.ops.normalise import layer_norm


@dataclass(frozen=True)
class KeyedLetters:
    """Senders, and the receivers that ask for each of them.

    Attributes:
        keys: `(count, width)`, each with mean 0 and standard deviation 1.
        letters: `(count,)`, the channel of each sender's letter; every letter once.
        loudness: standard deviation of a letter beside its key's 1.
        noise: `(count, width)`, what a question is wrong by; mean 0, standard deviation 1.
    """

    keys: Tensor
    letters: Tensor
    loudness: float
    noise: Tensor

    @property
    def senders(self) -> Tensor:
        """`(count, width)`."""
        spikes = torch.eye(self.keys.shape[1], dtype=self.keys.dtype)[self.letters]
        return self.loudness * layer_norm(spikes) - self.keys

    def questions(self, distance: float = 0.0) -> Tensor:
        """Receivers, `(count, width)`; number `j` asks for sender `j`.

        Args:
            distance: standard deviation of what a question differs from the key by.
        """
        return self.keys + distance * self.noise


def keyed_letters(count: int, width: int, generator: torch.Generator, *, loudness: float = 0.3) -> KeyedLetters:
    """A dictionary with random keys, in float64.

    Raises:
        ValueError: more letters than channels to write them in.
    """
    if not 1 <= count <= width:
        raise ValueError(f"{count} letters need {count} channels; the width is {width}")
    keys, noise = layer_norm(torch.randn(2, count, width, generator=generator, dtype=torch.float64))
    return KeyedLetters(keys, torch.randperm(count, generator=generator), loudness, noise)
