"""What any test may ask for."""

import contextlib
import signal
from collections.abc import Callable, Iterator

import crn_lib  # noqa: F401  (before torch: it says how torch's threads wait, which OpenMP reads only once)

# isort: split
import psutil
import pytest
import torch
from hypothesis import settings

# The machine may be busy with a training run: how long one example takes says nothing.
settings.register_profile("crn", deadline=None)
settings.load_profile("crn")

# A shell that starts this in the background may have told it to ignore Ctrl-C, which the tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def use_threads() -> Iterator[Callable[[int], None]]:
    """Set torch's number of threads, which the kernels follow; it is put back afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def ends_with_test() -> Iterator[Callable[[psutil.Popen], psutil.Popen]]:
    """Kill this process and its children after the test, so that what fails leaves nobody at work."""
    started: list[psutil.Popen] = []

    def note(process: psutil.Popen) -> psutil.Popen:
        started.append(process)
        return process

    yield note
    for process in started:
        if process.is_running():
            for each in (*process.children(recursive=True), process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            process.wait(10)
