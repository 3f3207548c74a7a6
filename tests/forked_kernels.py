"""Kernels of lessons, forked from one process that has imported what every lesson imports: seconds less for each.

What Jupyter starts asks for a kernel, and stays there in its place: interrupts are passed on, and both end together.
The kernels of `crn run` begin from nothing, as those that readers start; tests of it use these.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE, wait_until

IMPORTED = ("ipykernel.ipkernel", "ipykernel.kernelapp", "crn_lib", "torch._dynamo", "numba", "ipywidgets", "tqdm.auto")
IMPORTED += tuple(f"crn_lib.{room}" for room in ("analysis", "course", "experiments", "models", "ops", "sweeps", "viz"))
IMPORTED += tuple(f"crn_lib.ops.cpu.{kernels}" for kernels in ("decoding", "fused", "scan", "selective_scan"))
ROOT = Path(__file__).parents[1]
ASKER = """
import json, os, select, signal, socket, sys
parent = os.getppid()
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
server.sendall(json.dumps([os.getcwd(), dict(os.environ), sys.argv[2:]]).encode() + b"\\n")
answers = server.makefile()
kernel = int(answers.readline())
signal.signal(signal.SIGINT, lambda *_: os.kill(kernel, signal.SIGINT))
signal.signal(signal.SIGTERM, lambda *_: os.kill(kernel, signal.SIGTERM))
while os.getppid() == parent and not select.select([server], [], [], 1)[0]:
    pass  # until the kernel ends, or whoever started it is gone
"""


@contextmanager
def forked_kernels(folder: Path) -> Iterator[dict[str, str]]:
    """The environment for programs whose kernels are to be forked: nbval, JupyterLab. Empty where that cannot be."""
    place = folder / "socket"
    spec = {"argv": [sys.executable, "-S", "-E", "-c", ASKER, str(place), "{connection_file}"]}
    spec |= {"display_name": "Python 3", "language": "python"}
    kernelspec = folder / "kernels" / "python3"
    kernelspec.mkdir(parents=True)
    (kernelspec / "kernel.json").write_text(json.dumps(spec))
    if sys.platform != "linux":  # where what is imported may have threads already
        yield {}
        return
    command = [sys.executable, "-m", "tests.forked_kernels", str(place)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as server:
        try:
            wait_until(lambda: place.exists() or server.poll() is not None)
            yield {"JUPYTER_PATH": str(folder)}
        finally:
            server.kill()
            server.wait(PATIENCE)


def serve(place: str) -> None:
    """Fork a kernel for everyone who connects."""
    for name in IMPORTED:
        importlib.import_module(name)
    # Said once a process: not again by a kernel, among the outputs that nbval compares.
    importlib.import_module("crn_lib.ops.cpu.kernel_cache")._say_that_it_takes_a_while()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a kernel ended
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{place}.new")
        listening.listen()
        Path(f"{place}.new").rename(place)  # whoever sees it finds somebody who listens
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:  # which ends with the tests
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                become_kernel(connection)
            connection.close()


def become_kernel(connection: socket.socket) -> None:
    """Never returns: this process runs a kernel, until that ends or whoever asked is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    folder, environment, (connection_file,) = json.loads(connection.makefile().readline())
    connection.sendall(f"{os.getpid()}\n".encode())

    def end_with_asker() -> None:
        connection.recv(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=end_with_asker, daemon=True).start()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())  # not of the one who asked
    sys.argv = ["ipykernel_launcher", "-f", connection_file]
    runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    serve(sys.argv[1])
