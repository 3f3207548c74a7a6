"""The kernel that a lesson is run in: of this Python, reached over a folder of its own, gone with all it started."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

# The name of a socket may have 104 bytes on macOS and 108 on Linux; ours add about 20 to the folder's.
LONGEST_FOLDER = 80
GRACE = 10.0
"""Seconds a cell has for its own clean-up after an interrupt, before its process is killed."""

HAS_SIGNALS = os.name == "posix"


class Stopped(Exception):
    """Ctrl-C or SIGTERM came while no cell was running."""


class ShellChannel(AsyncZMQSocketChannel):
    """The channel of cells and their replies, on which nbclient also sends what an output widget shows.

    ZeroMQ tells of a new message once, and a send may take that word for itself; jupyter_client 8.10 sends behind
    asyncio's back. A reply that came just then was read only when the cell's time was up (one cell in twelve that
    printed into an `interact`).
    """

    def send(self, msg: dict[str, Any]) -> None:
        super().send(msg)
        self.socket.get(zmq.EVENTS)  # wakes whoever waits for what has come meanwhile


class LessonClient(AsyncKernelClient):
    """jupyter_client's own, but for that channel."""

    shell_channel_class = Type(ShellChannel)


class LessonKernel:
    """A kernel's folder and process, and what ends it.

    Attributes:
        folder: private, short and temporary: the sockets and the connection file; room for a draft too.
        process: the kernel's process id, once it is started.
        stopped_by: the signal that asked for the end, or `None`.
    """

    def __init__(self) -> None:
        place = tempfile.gettempdir()
        if HAS_SIGNALS and len(os.fsencode(place)) > LONGEST_FOLDER:
            place = "/tmp"
        self.folder = Path(tempfile.mkdtemp(prefix="crn-", dir=place))
        self.process: int | None = None
        self.stopped_by: int | None = None
        self._in_cell = False
        self._last_resort: threading.Timer | None = None

    def manager(self) -> type[AsyncKernelManager]:
        """What nbclient starts this kernel with, whatever kernelspecs Jupyter knows of."""
        kernel = self

        class Manager(AsyncKernelManager):
            def __init__(self, **settings: Any) -> None:
                super().__init__(**settings)
                self.client_factory = LessonClient
                self.connection_file = str(kernel.folder / "kernel.json")
                if HAS_SIGNALS:  # sockets in the file system instead of open TCP ports
                    self.transport, self.ip = "ipc", str(kernel.folder / "socket")

            @property
            def kernel_spec(self) -> KernelSpec:
                command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
                return KernelSpec(argv=command, display_name="Python 3", language="python")

            async def _async_launch_kernel(self, kernel_cmd: list[str], **settings: Any) -> None:
                await super()._async_launch_kernel(kernel_cmd, **settings)
                kernel.process = getattr(self.provisioner, "pid", None)

        return Manager

    def cell_begins(self) -> None:
        """Raises `Stopped` where the end was asked for: a cell that swallowed the interrupt has no successor."""
        if self.stopped_by is not None:
            raise Stopped
        self._in_cell = True

    def cell_ends(self) -> None:
        """Called after every cell, also one that failed."""
        self._in_cell = False

    @contextlib.contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM interrupt the cell and let the lesson end in order; a second one kills it.

        Raises:
            KeyboardInterrupt: at the end, where Ctrl-C came.
            SystemExit: at the end, where SIGTERM came; its code is 143.
        """

        def end(number: int, frame: FrameType | None) -> None:
            again, self.stopped_by = self.stopped_by is not None, number
            if again:
                self._signal(signal.SIGKILL)
            elif self._in_cell:
                self._signal(signal.SIGINT)
                self._last_resort = threading.Timer(GRACE, self._signal, [signal.SIGKILL])
                self._last_resort.daemon = True
                self._last_resort.start()

        if not HAS_SIGNALS or threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, end) for number in wanted}
        try:
            yield
        except BaseException:
            if self.stopped_by is None:
                raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self.stopped_by is not None:
            raise SystemExit(128 + signal.SIGTERM) if self.stopped_by == signal.SIGTERM else KeyboardInterrupt

    def close(self) -> None:
        """End whatever the lesson left running, and remove the folder."""
        if self._last_resort is not None:
            self._last_resort.cancel()
        if HAS_SIGNALS:
            self._signal(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process, number)  # Jupyter gives every kernel a group of its own
