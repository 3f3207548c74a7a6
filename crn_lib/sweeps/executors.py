"""Where the runs of a sweep are computed: here, or in processes of this machine. On Ray: `ray_executor.py`."""

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import Protocol

import torch

from crn_lib.config import require_whole
from crn_lib.sweeps.jobs import Job, failed_row, run_job
from crn_lib.sweeps.rows import Row

SECONDS_TO_SAVE = 10.0
"""How long an interrupted sweep waits for its runs to end their step and save."""

WORKER_DIED = "the process of this run died (killed, or out of memory)"


class Executor(Protocol):
    """Runs jobs and gives each one's row as soon as it is there, in any order."""

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Row]]:
        """Every job with its row; a job that fails gives a row with its error."""
        ...


class InlineExecutor:
    """One run after another in this process, with all of torch's threads."""

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Row]]:
        """Every job with its row."""
        for job in jobs:
            yield job, run_job(job)


class ProcessExecutor:
    """Several runs at once, each worker a process with threads and processors of its own.

    A worker that dies (out of memory, killed) costs the run it was at, which gets a row with the error; a new worker
    takes its place. Workers end when this process does, however it ends.

    Args:
        workers: processes; one a processor where it is not given.
        threads: of each worker. More workers of one thread each finish a sweep of small models sooner.

    Raises:
        ConfigError: not whole numbers of at least 1.
    """

    def __init__(self, workers: int | None = None, threads: int = 1) -> None:
        require_whole("threads", threads)
        self.threads = threads
        self.workers = max(1, (os.cpu_count() or 1) // threads) if workers is None else workers
        require_whole("workers", self.workers)

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Row]]:
        """Every job with its row, in the order they end."""
        waiting = iter(jobs)
        pools = [self._pool(number) for number in range(min(self.workers, len(jobs)))]
        running: dict[Future[Row], tuple[int, Job]] = {}

        def start(number: int) -> None:
            for job in itertools.islice(waiting, 1):
                try:
                    future = pools[number].submit(run_job, job)
                except BrokenProcessPool:  # its worker died with no run in hand
                    renew(number)
                    future = pools[number].submit(run_job, job)
                running[future] = number, job

        def renew(number: int) -> None:
            pools[number].shutdown()
            pools[number] = self._pool(number)

        try:
            for number in range(len(pools)):
                start(number)
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    number, job = running.pop(future)
                    try:
                        row = future.result()
                    except BrokenProcessPool:
                        row = failed_row(job, WORKER_DIED, threads=self.threads)
                        renew(number)
                    start(number)
                    yield job, row
        finally:
            _end(pools, {future: number for future, (number, _) in running.items()})

    def _pool(self, number: int) -> ProcessPoolExecutor:
        # One worker a pool: where a pool breaks, it is known whose run that was. Spawned, since torch's threads do not
        # survive a fork.
        return ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
            initargs=(self.threads, range(number * self.threads, (number + 1) * self.threads)),
        )


def _begin_worker(threads: int, places: range) -> None:
    torch.set_num_threads(threads)
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[place % len(allowed)] for place in places})
    # A Ctrl-C in a terminal reaches every process of the group. Here it must come once, from the parent: a second one
    # would end a run in the middle of a step.
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """A killed sweep must not leave workers that train for nobody."""
    wait_for([sentinel])
    os._exit(1)


def _end(pools: Sequence[ProcessPoolExecutor], running: Mapping[Future[Row], int]) -> None:
    """Send idle workers home. Where runs are still going (Ctrl-C, an error), let them save, and end what does not."""
    busy = {future: pools[number] for future, number in running.items() if not future.done()}
    try:
        if busy:
            _signal(busy.values(), signal.SIGINT)
            wait(busy, timeout=SECONDS_TO_SAVE)
    finally:
        _signal([pool for future, pool in busy.items() if not future.done()], signal.SIGTERM)
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)


def _signal(pools: Iterable[ProcessPoolExecutor], number: signal.Signals) -> None:
    for pool in pools:
        for process in list((pool._processes or {}).values()):
            if process.is_alive() and process.pid is not None:
                os.kill(process.pid, number)
