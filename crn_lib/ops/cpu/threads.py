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
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

CLAIMS = 16
"""Numbers in an array of claims: the tasks taken stand at 0, those finished in another cache line, at `CLAIMS // 2`."""

SMALL = 200_000
"""Numbers in a batch's residual stream below which torch's operations on it take one thread: to wake a second one costs
more than it saves, and beside other programs many times as much."""


class _Limit(threading.local):
    """Of this Python thread: torch's number of threads before it was limited to one, 0 where it is not, and whether a
    backward pass did so."""

    before = 0
    by_backward = False


_LIMIT = _Limit()


def kernel_threads() -> int:
    """How many threads a kernel may take: torch's number, also where torch itself keeps to one just now."""
    return _LIMIT.before or torch.get_num_threads()


def is_small(tokens: Tensor, width: int) -> bool:
    """Whether a batch, `(batch, length, ...)`, is on the CPU with fewer than `SMALL` numbers in its residual stream."""
    return tokens.device.type == "cpu" and tokens.shape[0] * tokens.shape[1] * width < SMALL


@contextmanager
def kernels_only(wanted: bool = True) -> Iterator[None]:
    """Within it torch's own operations run on one thread, the kernels on as many as before; nothing if not `wanted`.

    No result depends on it.
    """
    outermost = wanted and not _LIMIT.before
    if outermost:
        _limit()
    try:
        yield
    finally:
        if outermost:
            _lift()


def kernels_only_behind(result: Tensor) -> Tensor:
    """The same tensor. Backward passes go on as under `kernels_only` once they have reached it, to their end.

    A pass that fails leaves torch on one thread until another one ends.
    """

    def begin(_: Tensor) -> None:
        if _LIMIT.by_backward or not _LIMIT.before:
            _limit()
            _LIMIT.by_backward = True
            torch.autograd.Variable._execution_engine.queue_callback(_lift)

    if result.requires_grad and kernel_threads() > 1:
        result.register_hook(begin)
    return result


def _limit() -> None:
    _let_torch_sleep()  # what is not within, such as the loss, wakes its threads all the same
    _LIMIT.before = _LIMIT.before or torch.get_num_threads()
    torch.set_num_threads(1)


def _lift() -> None:
    if _LIMIT.before:
        torch.set_num_threads(_LIMIT.before)
        _LIMIT.before, _LIMIT.by_backward = 0, False


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
    _let_torch_sleep()  # also for one thread: what spins in the way of others is torch's
    if threads == 1:
        kernel(claims, *arguments)
        return
    pool = _workers(threads - 1)
    helpers = [pool.submit(kernel, claims, *arguments) for _ in range(threads - 1)]
    finished = kernel(claims, *arguments)
    for helper in helpers:
        # One that has not begun is not needed any more; one that is only about to see so finds no task to touch.
        if not helper.cancel() and not finished:
            helper.result()


def run_shares(kernel: Callable[..., None], shares: int, *arguments: Any) -> None:
    """Call `kernel(share, shares, *arguments)` for every share, on as many threads; others do what a late one would."""
    _let_torch_sleep()
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


def _let_torch_sleep() -> None:
    if torch.get_num_threads() > 1:  # else it has no threads that could spin, nor could a second team be made
        sleep_early()


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
