"""What any test may ask for."""

from collections.abc import Callable, Iterator

import crn_lib  # noqa: F401  (before torch: it says how torch's threads wait, which OpenMP reads only once)

# isort: split
import pytest
import torch
from hypothesis import settings

# The machine may be busy with a training run: how long one example takes says nothing.
settings.register_profile("crn", deadline=None)
settings.load_profile("crn")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def use_threads() -> Iterator[Callable[[int], None]]:
    """Set torch's number of threads, which the kernels follow; it is put back afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
