"""Several lessons at once, each by a `crn run` of its own, so that they share nothing but the folder of copies."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from crn_lib.workbook.kernel import GRACE
from crn_lib.workbook.outcomes import Outcome, read_junit

RUN = (sys.executable, "-m", "crn_lib.cli", "run")


@dataclass(frozen=True)
class _Child:
    lesson: str
    process: subprocess.Popen[bytes]
    report: Path
    errors: Path
    began: float

    def outcome(self) -> Outcome:
        """What its report says; where it wrote none, the last it said."""
        with suppress(OSError):
            return read_junit(self.report)[0]
        seconds, code = time.perf_counter() - self.began, self.process.returncode
        if code in (130, 143, -signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL):
            return Outcome(self.lesson, seconds, "interrupted")
        said = self.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        words = f"{self.lesson}: {said[-1] if said else f'its process ended with {code}'}"
        return Outcome(self.lesson, seconds, "FAILED", words)


def run_side_by_side(
    lessons: Mapping[str, Sequence[str]],
    jobs: int,
    began: Callable[[str], None],
    ended: Callable[[Outcome], None],
) -> int:
    """Run lessons, so many at once.

    Args:
        lessons: their names, in order, to what `crn run NAME` is told beside the name.
        jobs: at most so many processes; each has its share of the processors, where `OMP_NUM_THREADS` says nothing.
        began, ended: called with each lesson when it begins, and when it ends.

    Returns:
        0, or where they were interrupted 130 (Ctrl-C) or 143 (SIGTERM). Then those at work ended in order.
    """
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    environment = {"OMP_NUM_THREADS": threads, **os.environ}
    waiting, running = list(lessons), list[_Child]()
    with tempfile.TemporaryDirectory(prefix="crn-") as folder, _signals_noted() as noted:
        try:
            while (waiting or running) and not noted:
                while waiting and len(running) < jobs and not noted:
                    name = waiting.pop(0)
                    began(name)
                    running.append(_start(name, lessons[name], Path(folder), environment))
                for child in [child for child in running if child.process.poll() is not None]:
                    running.remove(child)
                    ended(child.outcome())
                time.sleep(0.05)
            if noted:
                _end(running, noted[0])
                for child in running:
                    ended(child.outcome())
        finally:
            _kill(running)
    return 128 + noted[0] if noted else 0


def _start(name: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> _Child:
    report, errors = folder / f"{name}.xml", folder / f"{name}.txt"
    command = [*RUN, name, "--junit", str(report), *arguments]
    with errors.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches this process only, which passes it on once
        )
    return _Child(name, process, report, errors, time.perf_counter())


def _end(running: Sequence[_Child], number: int) -> None:
    """Ask them to end in order, and wait; a second Ctrl-C ends the wait."""
    for child in running:
        child.process.send_signal(number)
    with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
        until = time.monotonic() + 2 * GRACE
        for child in running:
            child.process.wait(max(0.0, until - time.monotonic()))


def _kill(running: Sequence[_Child]) -> None:
    for child in running:
        if child.process.poll() is None:
            child.process.kill()
            child.process.wait()


@contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """The numbers of Ctrl-C and SIGTERM, as they come. Only the second one raises, in the wait for those at work: the
    first could come between the start of a process and the note of it, and nobody would end that process."""
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        if len(noted) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
