"""What this machine can do at best: exponentials in cache, and memory bandwidth; and its widest vectors."""

import torch
from numba import config

from crn_lib.measure import CPU, call_times
from crn_lib.ops.cpu.fused_kernels import exponential_kernel
from crn_lib.ops.cpu.target import TARGET
from crn_lib.ops.cpu.threads import run_shares

IN_CACHE = 4096
REPEATS = 2000


def vector_extension() -> str:
    """The widest vectors that the kernels use here: those of this CPU, or of `NUMBA_CPU_NAME` and its features."""
    return TARGET.vectors


def forced_vectors() -> str:
    """`vector_extension()` where `NUMBA_CPU_NAME` or its features choose it, empty where it is this CPU's own."""
    return TARGET.vectors if config.CPU_NAME or config.CPU_FEATURES is not None else ""


def exponentials_per_second() -> float:
    """Float32 exponentials a second of the kernels' own `exp`, on arrays that stay in the first cache, all threads."""
    threads = torch.get_num_threads()
    rows = torch.randn(threads, IN_CACHE, generator=torch.Generator().manual_seed(0)).numpy()
    out = torch.empty(threads, IN_CACHE).numpy()

    def compute() -> None:
        run_shares(exponential_kernel, threads, rows, out, REPEATS)

    return threads * IN_CACHE * REPEATS / min(call_times(compute))


def bytes_per_second(device: torch.device = CPU) -> float:
    """Bytes read and written a second when a large array is copied: 64 MiB, or 1 GiB on a GPU."""
    source = torch.zeros((2**26 if device.type == "cpu" else 2**30) // 4, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / min(call_times(lambda: target.copy_(source), device))
