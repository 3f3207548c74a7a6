"""What any test may ask for."""

import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator

import crn_lib  # noqa: F401  (before torch: it says how torch's threads wait, which OpenMP reads only once)

# isort: split
import psutil
import pytest
import torch
from hypothesis import settings

from tests.forked_kernels import forked_kernels
from tests.requirements import pytest_configure, pytest_runtest_setup  # noqa: F401  (hooks: what a test needs)
from tests.waiting import PATIENCE

# The machine may be busy with a training run: how long one example takes says nothing.
# The same examples on every run, so that a change is blamed for what it did; `CRN_EXAMPLES` asks for new ones.
settings.register_profile("crn", deadline=None, derandomize="CRN_EXAMPLES" not in os.environ)
settings.load_profile("crn")

# A shell that starts this in the background may have told it to ignore Ctrl-C, which the tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest kinds of tests first, file by file: what comes last is short, so that two workers end together."""
    kinds = ("browser", "notebooks", "slow")
    ranks: dict[object, int] = defaultdict(lambda: len(kinds))
    for item in items:
        own = (rank for rank, kind in enumerate(kinds) if item.get_closest_marker(kind))
        ranks[item.path] = min(ranks[item.path], *own, len(kinds))
    items.sort(key=lambda item: ranks[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Workers take file after file, so that fixtures are made once; executed lessons share none, and go one by one.
    The lessons in JupyterLab share that, and go together."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrLesson(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith("tests/notebooks/"):
                return nodeid
            file = str(super()._split_scope(nodeid))
            return (
                "JupyterLab" if file.startswith(("tests/browser/test_lesson", "tests/browser/test_welcome")) else file
            )

    config.option.loadscopereorder = False  # in the order above, not the files with most tests first
    return ByFileOrLesson(config, log)


@pytest.fixture(scope="session")
def kernel_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What is added to the environment of a program whose kernels are to begin quickly; see `forked_kernels`."""
    with forked_kernels(tmp_path_factory.mktemp("jupyter")) as environment:
        yield environment


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
            process.wait(PATIENCE)
