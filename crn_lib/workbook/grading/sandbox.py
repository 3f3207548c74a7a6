"""Cells of a submission in a process of its own, which has so long and so much memory, and cannot harm this one."""

import contextlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from crn_lib.workbook.grading import inside

LONGEST_REPORT = 200_000
START = 120.0
"""Seconds a process may take to begin: the first one imports torch."""

_BOOKS = threading.Lock()
"""Starting a process, multiprocessing asks all others whether they have ended, also one that another thread closes: it
would read from a file number that is something else by then."""

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
    reports, process = _start(sources, limits.memory)
    outcomes: list[Outcome] = []
    try:
        reports.next(START)  # it is ready
        for _ in sources:
            outcomes.append(_outcome(reports.next(limits.seconds)))
            if outcomes[-1].error:
                break
    except TimeoutError:
        outcomes.append(Outcome(error=("Timeout", f"it took longer than {limits.seconds:g} seconds, and was ended")))
    except (EOFError, OSError, ValueError, LookupError, TypeError):  # the last two: a report of its own making
        outcomes.append(Outcome(error=("Ended", "it ended its own process")))
    finally:
        _end(process)
        reports.connection.close()
    return outcomes


def start_server() -> tuple[bool, bool]:
    """Start the process that submissions' processes are copies of.

    Returns:
        Whether this system keeps a submission from the network, and from files.
    """
    reports, process = _start([], Limits().memory)
    try:
        network, files = reports.next(START)["apart"]
        return bool(network), bool(files)
    finally:
        _end(process)
        reports.connection.close()


class _Reports:
    """What a process sends, a line each. Part of a line, which a student's code can write, is not waited for longer."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.left = connection, b""

    def next(self, seconds: float) -> Any:
        """The next one.

        Raises:
            TimeoutError, EOFError, ValueError: it did not come, there is none any more, or it is no report.
        """
        end = time.monotonic() + seconds
        while b"\n" not in self.left:
            if len(self.left) > LONGEST_REPORT:
                raise ValueError("a report without an end")
            if not self.connection.poll(max(0.0, end - time.monotonic())):
                raise TimeoutError
            part = os.read(self.connection.fileno(), 2**16)
            if not part:
                raise EOFError
            self.left += part
        line, _, self.left = self.left.partition(b"\n")
        return json.loads(line)


def _start(sources: Sequence[str], memory: int) -> tuple[_Reports, Any]:
    here, there = _context.Pipe(duplex=False)
    process = _context.Process(target=inside.work, args=(there, list(sources), memory), daemon=True)
    with _BOOKS:
        process.start()
    there.close()
    return _Reports(here), process


def _outcome(report: Any) -> Outcome:
    error = report["error"]
    return Outcome(str(report["text"]), None if error is None else (str(error[0]), str(error[1])))


def _end(process: Any) -> None:
    """End a process that leads a group, and the group."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    wait([process.sentinel])
    with _BOOKS:
        process.join()
        process.close()
