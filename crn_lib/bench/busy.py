"""The relation and a training step beside other programs: whether more threads than one help there, or harm.

Each row is measured in a process that has imported torch first or `crn_lib` first, for all its threads and for one
thread in turn, while so many other processes do nothing but compute.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import fmean, median
from typing import Any

import torch

from crn_lib.bench.cases import Case, step_case
from crn_lib.bench.inputs import relation_inputs, with_gradients
from crn_lib.bench.limits import vector_extension
from crn_lib.bench.own_settings import TORCHS_OWN
from crn_lib.ops import relation
from crn_lib.provenance import circumstances

LENGTHS = (34, 130, 514)
ROUNDS, SECONDS = 3, 0.4
IMPORTS = {"torch": "import torch, crn_lib", "crn_lib": "import crn_lib, torch"}

BUSY = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""
"""Computes until it is killed, or until the process that started it ends and thereby closes its standard input."""


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that keep a processor busy each; none is left when the block ends, however it ends."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            started.append(subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE))
        yield
    finally:
        for process in started:
            process.kill()
            process.communicate()


def busy_rows(busy: int) -> list[dict[str, Any]]:
    """One row for each import order, thing and number of threads, measured beside so many busy processes.

    `seconds` is the median of the calls and `mean_seconds` their mean; `ratio` is the larger of both over one thread's.

    Raises:
        subprocess.CalledProcessError: a measuring process failed.
    """
    where = {**circumstances("cpu", "float32"), "vectors": vector_extension(), "busy": busy}
    threads = where.pop("threads")
    rows: list[dict[str, Any]] = []
    for first, imports in IMPORTS.items():
        environment = os.environ | (TORCHS_OWN if first == "torch" else {})  # what a libgomp has read that came first
        for number in range(len(THINGS)):
            program = f"{imports}\nfrom crn_lib.bench.busy import measure\nmeasure({threads}, {number})"
            with busy_processes(busy):
                ran = subprocess.run(
                    [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True, check=True
                )
            rows += [{**where, "imported_first": first, **row} for row in json.loads(ran.stdout)]
    return rows


def measure(threads: int, number: int) -> None:
    """Print the two rows of one of `THINGS`, as JSON.

    Each belongs in a process of its own: the kernels' first call on several threads lets torch's threads sleep early
    from then on, which whatever comes next in that process would feel.
    """
    name, length, prepare = THINGS[number]
    compute = prepare()
    times: dict[int, list[float]] = {1: [], threads: []}
    for _ in range(ROUNDS):
        for count, taken in times.items():
            torch.set_num_threads(count)
            compute()
            taken += _call_times(compute)
    rows: list[dict[str, Any]] = []
    for count, taken in times.items():
        ratio = max(median(taken) / median(times[1]), fmean(taken) / fmean(times[1]))
        found = {"seconds": median(taken), "mean_seconds": fmean(taken), "least_seconds": min(taken)}
        rows.append({"case": name, "length": length, "threads": count, "ratio": ratio, **found})
    print(json.dumps(rows))


def _call_times(compute: Callable[[], object]) -> list[float]:
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < SECONDS:
        started = time.perf_counter()
        compute()
        times.append(time.perf_counter() - started)
    return times


def _pass(length: int) -> Callable[[], object]:
    a, b, gradient = relation_inputs(8, length, 192)
    return lambda: with_gradients(lambda a, b: relation(a, b, backend="fused"), a, b, gradient)


def _step(case: Case) -> Callable[[], object]:
    compute = case.prepare()["causal_rn"]
    assert callable(compute)
    return compute


STEP = step_case("causal_rn", 16, 32)
THINGS: tuple[tuple[str, int, Callable[[], Callable[[], object]]], ...] = (
    *(("exact relation, batch 8, width 192", length, partial(_pass, length)) for length in LENGTHS),
    (STEP.name, STEP.length, partial(_step, STEP)),
)
"""What is timed: a name, tokens, and what prepares it in the process that measures."""


def busy_table(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The rows for people."""
    lines: list[tuple[str, ...]] = [
        (
            "case",
            "length",
            "imported first",
            "busy",
            "threads",
            "median ms",
            "mean ms",
            "shortest ms",
            "of one thread's",
        )
    ]
    for row in rows:
        times = (f"{1e3 * row[name]:.2f}" for name in ("seconds", "mean_seconds", "least_seconds"))
        ratio = "" if row["threads"] == 1 else f"{row['ratio']:.2f}"
        what = (row["case"], f"{row['length']:,}", row["imported_first"], str(row["busy"]), str(row["threads"]))
        lines.append((*what, *times, ratio))
    return lines
