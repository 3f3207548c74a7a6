"""Cells of a submission in a process of its own, which has so long and so much memory, and cannot harm this one."""

import contextlib
import json
import multiprocessing
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from crn_lib.workbook.grading import inside

LONGEST_REPORT = 200_000
START = 120.0
"""Seconds a process may take to begin: the first one imports torch."""

_METHOD = "forkserver" if os.name == "posix" else "spawn"
_context: Any = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    _context.set_forkserver_preload([inside.__name__])


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds a cell, bytes of memory a process."""

    seconds: float = 20.0
    memory: int = 2 * 2**30


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: what it printed, and its error's name and message."""

    text: str = ""
    error: tuple[str, str] | None = None


def run_cells(sources: Sequence[str], limits: Limits) -> list[Outcome]:
    """Run cells one after the other, in a fresh process; the first with an error is the last.

    Whatever the code does, this returns: after the time of a cell the process is killed with all it started.
    """
    here, there = _context.Pipe(duplex=False)
    process = _context.Process(target=inside.work, args=(there, list(sources), limits.memory), daemon=True)
    process.start()
    there.close()
    outcomes: list[Outcome] = []
    try:
        _receive(here, START)  # it is ready
        for _ in sources:
            outcomes.append(_outcome(_receive(here, limits.seconds)))
            if outcomes[-1].error:
                break
    except TimeoutError:
        outcomes.append(Outcome(error=("Timeout", f"it took longer than {limits.seconds:g} seconds, and was ended")))
    except (EOFError, OSError, ValueError):
        outcomes.append(Outcome(error=("Ended", "it ended its own process")))
    finally:
        _end(process)
        here.close()
    return outcomes


def start_server() -> tuple[bool, bool]:
    """Start the process that submissions' processes are copies of.

    Returns:
        Whether this system keeps a submission from the network, and from files.
    """
    here, there = _context.Pipe(duplex=False)
    process = _context.Process(target=inside.work, args=(there, [], Limits().memory), daemon=True)
    process.start()
    there.close()
    try:
        network, files = _receive(here, START)["apart"]
        return bool(network), bool(files)
    finally:
        _end(process)
        here.close()


def _receive(connection: Connection, seconds: float) -> Any:
    if not connection.poll(seconds):
        raise TimeoutError
    return json.loads(connection.recv_bytes(LONGEST_REPORT))


def _outcome(report: Any) -> Outcome:
    error = report["error"]
    return Outcome(str(report["text"]), None if error is None else (str(error[0]), str(error[1])))


def _end(process: Any) -> None:
    """End a process that leads a group, and the group."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
    process.close()
