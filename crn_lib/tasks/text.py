"""Language modelling of bytes: at every byte of a window, name the next."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from crn_lib.config import require, require_choice, require_whole
from crn_lib.data import Bytes, DataError, Split
from crn_lib.data.sources import TEXTS, check_path
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw, check_held_out

BYTES = 256

BITS = "bits_per_byte"
"""What models of text are compared by, the fewer the better: the share of right bytes says little."""


@dataclass(frozen=True)
class TextConfig:
    """Which text is read, and how much of it at a time.

    Attributes:
        source: one of `crn_lib.data.sources.TEXTS`; `sonnets` come with the library.
        path: where the files of any other source are.
        window: bytes that a model reads; it predicts as many.

    Raises:
        ConfigError: a value out of range, or a path missing or not needed.

    Example:
        >>> TextConfig(window=64).context, TextConfig().vocab_size
        (64, 256)
    """

    source: str = "sonnets"
    path: str | None = None
    window: int = 128

    def __post_init__(self) -> None:
        require_choice("source", self.source, tuple(TEXTS))
        source = TEXTS[self.source]
        check_path(self.source, source, self.path)
        require_whole("window", self.window)
        if source.shortest is not None:
            says = (
                f"window must be less than the {source.shortest:,} bytes of a part of {self.source}; got {self.window}"
            )
            require(self.window < source.shortest, says)

    @property
    def vocab_size(self) -> int:
        """Every byte is a token."""
        return BYTES

    @property
    def chance(self) -> float:
        """Bytes right of one who always names the most frequent one of the training part; where nobody has counted
        them, of one who names any."""
        return TEXTS[self.source].most_frequent or 1 / BYTES

    @property
    def context(self) -> int:
        """Bytes in a window."""
        return self.window


class TextTask(Task[TextConfig]):
    """Draws windows of the training part, and keeps those of the other parts fixed. The text is read at first use.

    Example:
        >>> tokens, targets = TextTask(TextConfig(window=11)).held_out(1, "validation")
        >>> bytes(tokens[0].tolist()), bytes(targets[0].tolist())
        (b' love were ', b'love were b')
    """

    loss_metric = BITS
    keeps_some_apart = True

    @cached_property
    def split(self) -> Split[Bytes]:
        """The text.

        Raises:
            DataError: the text is not there, or a part is too short for a window and the byte after it.
        """
        split = TEXTS[self.config.source].load(self.config.path)
        for name, part in split._asdict().items():
            if self.config.window >= len(part):
                raise DataError(
                    f"the {name} part of {self.config.source} has {len(part):,} bytes, too few for a window of "
                    f"{self.config.window:,} and the byte after it"
                )
        return split

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Windows that begin anywhere in the training part, and what follows each byte, `(batch, window)` each."""
        check_draw(batch, generator)
        text = self.split.train
        return self._windows(text, torch.randint(len(text) - self.config.window, (batch,), generator=generator))

    def held_out(self, strings: int, split: str) -> tuple[Tensor, Tensor]:
        """So many windows of the validation or test part, the same at every call: none overlaps another, and they are
        spread over the part. All that there are, if they are fewer.
        """
        check_held_out(strings, split)
        text: Bytes = getattr(self.split, split)
        there = (len(text) - 1) // self.config.window
        chosen = torch.linspace(0, there - 1, min(strings, there)).long()
        return self._windows(text, chosen * self.config.window)

    def _windows(self, text: Bytes, starts: Tensor) -> tuple[Tensor, Tensor]:
        places = starts[:, None].numpy() + np.arange(self.config.window + 1)
        windows = torch.from_numpy(text[places].astype(np.int64))
        return windows[:, :-1], windows[:, 1:]

    def loss_metrics(self, losses: Tensor) -> dict[str, float]:
        """`bits_per_byte`: the mean cross entropy in bits."""
        return {BITS: losses.double().mean().item() / math.log(2)}


TASKS["text"] = TaskKind(TextConfig, TextTask)
