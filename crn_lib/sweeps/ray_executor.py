"""Runs of a sweep on a Ray cluster: a local one that is started here, or a real one that is there already."""

import contextlib
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from crn_lib.config import ConfigError, require, require_whole
from crn_lib.errors import RunFailed
from crn_lib.sweeps.executors import SECONDS_TO_SAVE, WORKER_DIED
from crn_lib.sweeps.jobs import Job, failed_row, run_job
from crn_lib.sweeps.rows import Row

STORE_BYTES = 100_000_000
"""Of the local cluster's object store, near the least that Ray takes: a row is a few kilobytes."""

# How a local cluster is started. The first is Ray's own switch for clusters that stay on one machine: without it
# Ray replaces a loopback address by the network's, and listens on all interfaces. With the others nothing is reported,
# and no other user of this machine can run code in the cluster: a key is needed, and is not left in the home folder.
LOCAL_ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
}

SECONDS_TO_ANSWER = 10.0
"""How long a cluster may take to accept a connection."""

QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}


class RayExecutor:
    """Several runs at once as Ray tasks, one processor a thread, and one GPU each where the device is `cuda`.

    A worker that dies costs the run it was at, which gets a row with the error. On a real cluster every machine needs
    this library at the same path or installed, and the workbook's folder on a shared file system: there the
    checkpoints lie.

    Args:
        address: `host:port` of a Ray cluster, or `auto` on one of its machines. Without one a local cluster is
            started, reachable from this machine only, and ended with the sweep.
        workers: runs at once; a local cluster has one a processor where it is not given, a real one as many as fit.
        threads: of each run.

    Raises:
        ConfigError: not whole numbers of at least 1, or Ray is not installed.
    """

    def __init__(self, address: str = "", *, workers: int | None = None, threads: int = 1) -> None:
        require_whole("threads", threads)
        if workers is None and not address:
            workers = max(1, (os.cpu_count() or 1) // threads)
        if workers is not None:
            require_whole("workers", workers)
        self.address, self.workers, self.threads = address, workers, threads
        if not address and "ray" not in sys.modules:  # Ray reads its environment when it is imported
            os.environ.update(LOCAL_ENVIRONMENT)
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        try:
            import ray
        except ImportError:
            raise ConfigError(
                "--executor ray needs Ray, which is not installed; run "
                "`pip install -c requirements.txt -e '.[cluster]'` in the workbook's folder, "
                "or choose --executor processes"
            ) from None
        self._ray: Any = ray

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Row]]:
        """Every job with its row, in the order they end.

        Raises:
            ConfigError: no cluster answers at the address, or no machine of it has so many processors.
            RunFailed: a local cluster did not start, or would be reachable from outside.
        """
        if not jobs:
            return
        with self._cluster():
            yield from self._run(jobs)

    def _run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Row]]:
        ray = self._ray
        # A task that is tried again by Ray itself would hide that a worker died.
        task = ray.remote(num_cpus=self.threads, max_retries=0)(_run_job)
        gpus = ray.cluster_resources().get("GPU", 0)
        waiting = list(reversed(jobs))
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                while waiting and (self.workers is None or len(running) < self.workers):
                    job = waiting.pop()
                    # Without a GPU in the cluster the task would wait for ever; like this, the run says what is wrong.
                    share = 1 if gpus and job.device.startswith("cuda") else 0
                    running[task.options(num_gpus=share).remote(job, self.threads)] = job
                (done,), _ = ray.wait(list(running), num_returns=1)
                job = running.pop(done)
                try:
                    row = ray.get(done)
                except ray.exceptions.RayError as error:
                    died = isinstance(error, ray.exceptions.WorkerCrashedError)
                    words = WORKER_DIED if died else f"{type(error).__name__}: {_first_line(error)}"
                    row = failed_row(job, words, threads=self.threads)
                yield job, row
        finally:
            self._end(list(running))

    def _end(self, running: list[Any]) -> None:
        """Where runs are still going (Ctrl-C, an error), let them save, and end what does not."""
        if not running:
            return
        for one in running:
            self._ray.cancel(one)  # reaches the run as a Ctrl-C
        _, late = self._ray.wait(running, num_returns=len(running), timeout=SECONDS_TO_SAVE)
        for one in late:
            self._ray.cancel(one, force=True)

    @contextlib.contextmanager
    def _cluster(self) -> Iterator[None]:
        ray = self._ray
        require(not ray.is_initialized(), "this process uses Ray already; call ray.shutdown() first")
        with contextlib.ExitStack() as stack:
            if self.address:
                stack.callback(ray.shutdown)
                self._connect()
            else:
                # A short path, since a socket's name has at most 104 characters. Some process of the cluster may still
                # write its last line when the folder goes.
                base = "/tmp" if os.name == "posix" else None
                logs = tempfile.TemporaryDirectory(prefix="crn-ray-", dir=base, ignore_cleanup_errors=True)
                folder = stack.enter_context(logs)
                stack.callback(ray.shutdown)
                self._start_local(folder)
            yield

    def _connect(self) -> None:
        ray = self._ray
        host, _, port = self.address.rpartition(":")
        try:
            if host and port.isdecimal():  # where nobody listens, Ray itself would try for minutes
                socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
            ray.init(address=self.address, **QUIET)
        except (OSError, ValueError, RuntimeError) as error:  # ConnectionError is an OSError
            raise ConfigError(f"no Ray cluster answers at {self.address!r} ({_first_line(error)})") from None
        most = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
        require(
            self.threads <= most,
            f"threads must be at most {most:g}, the processors of the cluster's largest machine; got {self.threads}",
        )

    def _start_local(self, folder: str) -> None:
        ray = self._ray
        assert self.workers is not None
        for last_try in (False, False, True):
            try:
                ray.init(
                    address="local", num_cpus=self.workers * self.threads, include_dashboard=False,
                    object_store_memory=STORE_BYTES, _node_ip_address="127.0.0.1", _temp_dir=folder, **QUIET,
                )  # fmt: skip
                break
            except Exception as error:  # on a busy machine a first start can take longer than Ray waits
                ray.shutdown()
                if last_try:
                    raise RunFailed(f"no local Ray cluster started ({_first_line(error)})") from error
        address = ray.util.get_node_ip_address()
        if address != "127.0.0.1":
            raise RunFailed(
                f"the local Ray cluster would listen at {address}, not on this machine alone, since Ray was imported "
                "before RayExecutor was made; make it first, or choose --executor processes"
            )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _run_job(job: Job, threads: int) -> Row:
    torch.set_num_threads(threads)
    return run_job(job)
