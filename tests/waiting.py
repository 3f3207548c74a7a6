"""How tests wait for another process or for a page: until something is so, with patience for a busy machine."""

import time
from collections.abc import Callable

PATIENCE = 300
"""Seconds that any wait may take. It says nothing about speed: whatever a test waits for is there in far less, and
what is not there after so long does not come. Tests that wait for a reason of their own say so where they do."""


def wait_until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Raises `AssertionError` if it does not become true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
