"""What checks draw: seeded, so that an answer fails today as it fails tomorrow, and the smallest first."""

from collections.abc import Iterator

import torch
from torch import Tensor

DTYPES = (torch.float64, torch.float32)


def normal(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normal numbers; the same in every dtype, but for rounding."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def shapes(axes: int, seed: int, count: int, most: int = 7) -> Iterator[tuple[int, ...]]:
    """Sizes of so many axes: all 1, then equal ones, where a wrong broadcast fits, then drawn ones."""
    yield (1,) * axes
    yield (3,) * axes
    generator = torch.Generator().manual_seed(seed)
    for number in range(count):
        sizes = torch.randint(1, 2 + (number * most) // count, (axes,), generator=generator)
        yield tuple(sizes.tolist())
