"""Where in a copying problem the answer stands: the positions that write, and the one each of them copies from."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CopySources:
    """Positions in `BOS x_1 ... x_S SEP x_1 ... x_S`.

    Attributes:
        rows: the positions that write the answer, from SEP on, `(S + 1,)`.
        sources: for each the position of the letter that it must write, `(S + 1,)`. The last one must write EOS, which
            stands nowhere; its entry is the SEP behind the string, as far back as all the others.
    """

    rows: Tensor
    sources: Tensor


def copy_sources(string_length: int) -> CopySources:
    """The rows and sources for strings of one length. Every source is `string_length` positions back."""
    rows = torch.arange(string_length + 1, 2 * string_length + 2)
    return CopySources(rows, rows - string_length)
