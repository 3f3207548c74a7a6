"""What a run costs: memory and time. `None` where this machine cannot tell, never a made-up 0."""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak_memory(device: torch.device) -> bool:
    """Start a new measurement of `peak_memory`; returns whether it was.

    On a CPU outside Linux there is nothing to reset, and in some containers it is not allowed.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return True
    try:
        return _RESET.exists() and bool(_RESET.write_text("5"))
    except OSError:
        return False


def release_free_memory() -> None:
    """Hand memory that is free, but kept by the allocator, back to the system, so that a later peak shows."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def peak_memory(device: torch.device) -> int | None:
    """Peak bytes since `reset_peak_memory`: allocated on a GPU, resident in the whole process on a CPU.

    Where that could not reset it, it is the peak since the process began.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type != "cpu" or not sys.platform.startswith("linux"):
        return None
    line = next((line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:")), None)
    return int(line.split()[1]) * 1024 if line else None


CPU = torch.device("cpu")


def finish(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a CPU has, when a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def added_memory(compute: Callable[[], object], device: torch.device = CPU) -> int | None:
    """Peak bytes (`peak_memory`) during one call of `compute`, which works on the device, above those before it.

    `None` where an earlier peak cannot be forgotten: below it the call would seem to add nothing.
    """
    release_free_memory()
    finish(device)
    known = reset_peak_memory(device)
    before = peak_memory(device)
    compute()
    finish(device)
    after = peak_memory(device)
    return None if not known or before is None or after is None else max(0, after - before)


def call_times(
    compute: Callable[[], object],
    device: torch.device = CPU,
    *,
    least_seconds: float = 0.6,
    most_repeats: int = 30,
) -> list[float]:
    """Seconds of each of several calls; the smallest says most about the work, the others about the machine's rest.

    Args:
        compute: called at least twice, then again until `least_seconds` have gone or `most_repeats` calls are made.
        device: where it works; each call is waited for.
    """
    times: list[float] = []
    finish(device)
    while len(times) < 2 or (sum(times) < least_seconds and len(times) < most_repeats):
        started = time.perf_counter()
        compute()
        finish(device)
        times.append(time.perf_counter() - started)
    return times
