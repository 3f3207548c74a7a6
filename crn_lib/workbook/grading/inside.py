"""What runs in the process of a submission: its cells in IPython, one after the other, each reported as it ends.

`sandbox.py` has this file imported once, in a process that every submission's is a copy of: torch and the kernels take
seconds to import.
"""

import io
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import crn_lib.course
import crn_lib.ops.cpu.fused  # noqa: F401
from crn_lib.workbook.grading.confine import become_first, limit, separate

MOST_TEXT = 8_000
"""Characters kept of what a cell prints."""
LONGEST_MESSAGE = 600


class BoundedText(io.TextIOBase):
    """A stream that keeps the beginning of what is written to it."""

    def __init__(self) -> None:
        self.kept, self.dropped = "", 0

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        room = MOST_TEXT - len(self.kept)
        self.kept += text[:room]
        self.dropped += max(0, len(text) - room)
        return len(text)

    def text(self) -> str:
        """What was kept, and how much was not."""
        return self.kept + (f"\n… {self.dropped:,} characters more" if self.dropped else "")


def work(connection: Connection, sources: Sequence[str], memory: int) -> None:
    """Run cells, and send for each what it printed and its error; the first error ends it.

    Messages are lines of JSON: the other side must not unpickle what a student's process sends.
    """
    apart = separate()
    become_first()
    channel = connection.fileno()
    os.closerange(3, channel)  # what multiprocessing keeps open leads to its server, which a byte would end
    os.closerange(channel + 1, os.sysconf("SC_OPEN_MAX"))
    report = os.fdopen(channel, "wb", closefd=False)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    os.chdir(tempfile.gettempdir())
    torch.set_num_threads(1)
    shell = _shell()
    limit(memory)
    for content in itertools.chain([{"apart": apart}], (_run(shell, source) for source in sources)):
        report.write(json.dumps(content).encode() + b"\n")
        report.flush()


def _shell() -> InteractiveShell:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Minimal"
    shell: InteractiveShell = InteractiveShell.instance(config=config)
    shell.ask_exit = lambda: os._exit(0)  # type: ignore[attr-defined]  # what `exit` in a cell asks for
    return shell


def _run(shell: InteractiveShell, source: str) -> dict[str, Any]:
    printed = BoundedText()
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = printed
    try:
        result = shell.run_cell(source, silent=False, store_history=False)
    finally:
        sys.stdout, sys.stderr = before
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return {"text": printed.text(), "error": None}
    return {"text": "", "error": [type(error).__name__, str(error)[:LONGEST_MESSAGE]]}
