"""Compiled kernels on torch's number of threads, also where other programs want the processors too.

The kernels release the GIL, so plain Python threads run them at once. Unlike Numba's own parallel loops this
brings no second OpenMP or TBB runtime that could clash with torch's or with a cluster worker's.

A kernel takes its tasks one at a time from a counter that all its threads share (`task_counter.py`). So a
helper that wakes up late, or is halted because another program got its processor, is waited for only if it holds a
task: the caller does the rest itself. What a task computes depends on its number alone, so that results are the same
whoever takes it.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np
import torch

CLAIMS = 16
"""Numbers in an array of claims: the tasks taken stand at 0, those finished in another cache line, at `CLAIMS // 2`."""

_OWN: ContextVar[int | None] = ContextVar("threads of the kernels", default=None)


def kernel_threads() -> int:
    """How many threads a kernel may take: torch's number, also where torch itself keeps to one just now."""
    return _OWN.get() or torch.get_num_threads()


@contextmanager
def kernels_only(wanted: bool = True) -> Iterator[None]:
    """Within it torch's own operations run on one thread, the kernels on as many as before; nothing if not `wanted`.

    To wake a sleeping thread of torch's takes longer than half of a small operation, and a model of width 64 has a
    hundred of them in a step.
    """
    before = torch.get_num_threads()
    if not wanted or before == 1:
        yield
        return
    own = _OWN.set(kernel_threads())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _OWN.reset(own)


@cache
def _workers(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="crn-kernel")


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool but none of its threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_workers.cache_clear)


def run_tasks(kernel: Callable[..., bool], threads: int, *arguments: Any) -> None:
    """Call `kernel(claims, *arguments)` on so many threads at once, the calling one included.

    The kernel does tasks as long as there are any, and says whether all of them are finished.
    """
    claims = np.zeros(CLAIMS, np.int64)
    if threads == 1:
        kernel(claims, *arguments)
        return
    if torch.get_num_threads() > 1:  # else torch has no threads that could spin, nor could a second team be made
        sleep_early()
    pool = _workers(threads - 1)
    helpers = [pool.submit(kernel, claims, *arguments) for _ in range(threads - 1)]
    finished = kernel(claims, *arguments)
    for helper in helpers:
        # One that has not begun is not needed any more; one that is only about to see so finds no task to touch.
        if not helper.cancel() and not finished:
            helper.result()


def run_shares(kernel: Callable[..., None], shares: int, *arguments: Any) -> None:
    """Call `kernel(share, shares, *arguments)` for every share, on as many threads; others do what a late one would."""
    if shares == 1:
        kernel(0, 1, *arguments)
        return
    left = iter(range(shares))

    def work() -> None:
        for share in left:  # the GIL gives each number to one thread
            kernel(share, shares, *arguments)

    pool = _workers(shares - 1)
    helpers = [pool.submit(work) for _ in range(shares - 1)]
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


@cache
def sleep_early() -> None:
    """Let torch's waiting OpenMP threads spin a short time only, also where torch was loaded before this library.

    They spin 300,000 times, milliseconds, before they sleep, and take the processor from the kernels' own threads and
    from every other program meanwhile. libgomp spins 1,000 times instead if it knows of more threads than processors;
    a second team, which does nothing, makes it so. (`crn_lib/__init__.py` says the same to a libgomp not yet loaded.)
    """
    if not sys.platform.startswith("linux"):
        return
    ready = threading.Event()

    def second_team() -> None:
        torch.ones(2**17).exp_()  # large enough for torch to make a team of this thread's own
        ready.set()
        threading.Event().wait()  # the team is counted as long as its first thread lives

    threading.Thread(target=second_team, daemon=True, name="crn-second-team").start()
    ready.wait(timeout=1)
