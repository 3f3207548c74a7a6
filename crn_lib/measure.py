"""What a run costs: memory and time. `None` where this machine cannot tell, never a made-up 0."""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak_memory(device: torch.device) -> None:
    """Start a new measurement of `peak_memory`. On a CPU outside Linux there is nothing to reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _RESET.exists():
        try:
            _RESET.write_text("5")
        except OSError:
            return


def release_free_memory() -> None:
    """Hand memory that is free, but kept by the allocator, back to the system, so that a later peak shows."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def peak_memory(device: torch.device) -> int | None:
    """Peak bytes since `reset_peak_memory`: allocated on a GPU, resident in the whole process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type != "cpu" or not sys.platform.startswith("linux"):
        return None
    line = next((line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:")), None)
    return int(line.split()[1]) * 1024 if line else None


def added_memory(compute: Callable[[], object]) -> int | None:
    """Peak bytes of this process during one call of `compute`, above what it held before; for work on the CPU."""
    device = torch.device("cpu")
    release_free_memory()
    reset_peak_memory(device)
    before = peak_memory(device)
    compute()
    after = peak_memory(device)
    return None if before is None or after is None else max(0, after - before)


def call_times(compute: Callable[[], object], *, least_seconds: float = 0.6, most_repeats: int = 30) -> list[float]:
    """Seconds of each of several calls; the smallest says most about the work, the others about the machine's rest.

    Args:
        compute: called at least twice, then again until `least_seconds` have gone or `most_repeats` calls are made.
    """
    times: list[float] = []
    while len(times) < 2 or (sum(times) < least_seconds and len(times) < most_repeats):
        started = time.perf_counter()
        compute()
        times.append(time.perf_counter() - started)
    return times
