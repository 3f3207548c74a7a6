"""Compiled kernels on torch's number of threads.

The kernels release the GIL, so plain Python threads run them at once. Unlike Numba's own parallel loops this
brings no second OpenMP or TBB runtime that could clash with torch's or with a cluster worker's.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any


@cache
def _workers(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="crn-kernel")


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool but none of its threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_workers.cache_clear)


def run_shares(kernel: Callable[..., None], shares: int, *arguments: Any) -> None:
    """Call `kernel(share, shares, *arguments)` for every share, the last one on the calling thread."""
    if shares == 1:
        kernel(0, 1, *arguments)
        return
    pool = _workers(shares - 1)
    others = [pool.submit(kernel, share, shares, *arguments) for share in range(shares - 1)]
    kernel(shares - 1, shares, *arguments)
    for other in others:
        other.result()
