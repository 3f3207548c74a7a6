"""Cells that take long, said aloud: which one, and since when."""

import sys
import threading
import time

from tqdm import tqdm

ANNOUNCE_AFTER = 30.0
"""Seconds until a cell is announced; then again whenever it has taken twice as long."""


class LongCells:
    """The code cells of one lesson, told when each begins and ends.

    Attributes:
        number: of the cell that began last, from 1: its execution count.
    """

    def __init__(self, lesson: str, limit: int | None) -> None:
        self.lesson, self.number = lesson, 0
        self._limit = "it may take as long as it needs" if limit is None else f"it is ended after {limit} s"
        self._running = 0

    def begin(self) -> None:
        """The next cell runs now."""
        self.number += 1
        self._running = self.number
        self._announce(self.number, time.strftime("%H:%M:%S"), 0.0, ANNOUNCE_AFTER)

    def end(self) -> None:
        """No cell runs now."""
        self._running = 0

    def _announce(self, number: int, since: str, taken: float, then: float) -> None:
        def say() -> None:
            if self._running == number:
                words = f"{self.lesson}, cell [{number}]: running since {since}, {then:g} s by now; {self._limit}"
                tqdm.write(words, file=sys.stderr)  # above the progress bar, not through it
                self._announce(number, since, then, 2 * then)

        timer = threading.Timer(then - taken, say)
        timer.daemon = True
        timer.start()
