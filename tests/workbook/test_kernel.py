"""The kernel of a lesson: any number at once, of this Python, and gone with all it started whatever ends it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
import zmq.asyncio
from jupyter_client.session import Session

from crn_lib.workbook.kernel import ShellChannel
from crn_lib.workbook.runner import run_lesson
from tests.waiting import PATIENCE, wait_until
from tests.workbooks import make_workbook, write_lesson

pytestmark = pytest.mark.notebooks


def test_a_reply_that_comes_while_a_widget_is_told_something_is_read_at_once(tmp_path: Path) -> None:
    async def reply() -> dict[str, Any]:
        with zmq.Context() as context, zmq.asyncio.Context() as ours:
            kernel, socket = context.socket(zmq.ROUTER), ours.socket(zmq.DEALER)
            kernel.bind(f"ipc://{tmp_path}/socket")
            socket.connect(f"ipc://{tmp_path}/socket")
            session = Session(key=b"")
            client = ShellChannel(socket, session)
            client.send(session.msg("execute_request"))
            sender, *_ = kernel.recv_multipart()
            reply = asyncio.ensure_future(client.get_msg())
            await asyncio.sleep(0.05)
            session.send(kernel, "execute_reply", ident=sender)
            time.sleep(0.1)  # not asyncio's: the reply is there, and nobody has looked
            client.send(session.msg("comm_msg"))
            try:
                return await asyncio.wait_for(reply, PATIENCE)
            finally:
                kernel.close(0)
                socket.close(0)

    assert asyncio.run(reply())["msg_type"] == "execute_reply"


TWENTY = """
import sys
from multiprocessing import get_context
# Read once, here, and not by each of them.
import crn_lib.course.parameters, crn_lib.workbook.pictures, crn_lib.workbook.runner
from crn_lib.cli import main

def crn_run(number):
    sys.argv = ["crn", "run"]
    try:
        main()
    except SystemExit as ended:
        return ended.code

if __name__ == "__main__":
    with get_context("fork").Pool(20) as pool:
        print(pool.map(crn_run, range(20), chunksize=1))
"""


@pytest.mark.slow
def test_twenty_runs_at_once_in_one_checkout_all_finish_and_leave_nothing_in_its_folders(tmp_path: Path) -> None:
    there = "import os\nassert os.listdir('.') == ['00_tiny.ipynb'], os.listdir('.')"
    workbook = make_workbook(tmp_path, **{"00_tiny": ["profile = 'laptop'", there]})
    command = [sys.executable, "-c", TWENTY]
    ran = subprocess.run(command, cwd=workbook, capture_output=True, text=True, timeout=PATIENCE)
    assert ran.stdout.splitlines()[-1:] == [str([0] * 20)], ran.stderr[-3000:]
    assert sorted(path.name for path in workbook.glob("*/*")) == ["00_tiny.ipynb", "00_tiny.ipynb"]


SWALLOWS = """
try:
    time.sleep(600)
except KeyboardInterrupt:
    pass
"""
DEAF = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "waits", "code"),
    [
        ([signal.SIGINT], SWALLOWS, 130),
        ([signal.SIGTERM], "time.sleep(600)", 143),
        ([signal.SIGTERM, signal.SIGTERM], DEAF, 143),
    ],
    ids=["Ctrl-C, swallowed by the cell", "SIGTERM", "SIGTERM twice to a deaf cell"],
)
def test_a_signal_ends_the_lesson_in_order(
    sent: list[signal.Signals],
    waits: str,
    code: int,
    tmp_path: Path,
    ends_with_test: Callable[[psutil.Popen], psutil.Popen],
) -> None:
    start = "import pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
    start += "pathlib.Path('../child').write_text(str(child.pid))\n"
    cells = ["profile = 'laptop'", start + waits, "pathlib.Path('../went_on').touch()"]
    workbook = make_workbook(tmp_path / "workbook", **{"00_waits": cells, "01_next": ["profile = 'laptop'"]})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = ends_with_test(
        psutil.Popen(
            [sys.executable, "-m", "crn_lib.cli", "run"],
            cwd=workbook,
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    child = workbook / "child"
    wait_until(lambda: child.exists() and child.read_text())
    kernels = process.children(recursive=True)
    assert kernels, "the lesson runs"
    for each in sent:
        process.send_signal(each)
        if each is not sent[-1]:
            wait_until(lambda: process.status() == psutil.STATUS_SLEEPING)
    table, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "00_waits" in table and "interrupted" in table and "1 of 2 lessons" in table and "01_next" not in table
    # The kernel's own event loop may complain of a task that was cut off; that is ipykernel's, and one line or two.
    ours = [line for line in said.splitlines() if not line.startswith(("Task was destroyed", "task: <Task pending"))]
    assert "Traceback" not in said and len(ours) < 8, said
    assert not (workbook / "went_on").exists(), "no cell runs after it"
    assert psutil.wait_procs(kernels, PATIENCE)[1] == []
    assert sorted(path.name for path in (workbook / "notebooks").iterdir()) == ["00_waits.ipynb", "01_next.ipynb"]
    assert (workbook / "out" / "00_waits.ipynb").exists() and list(temporary.glob("crn-*")) == []


def test_it_is_this_python_whatever_kernelspecs_and_long_folders_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = '{"argv": ["/nowhere/python", "-f", "{connection_file}"], "display_name": "Python 3", "language": "python"}'
    (foreign / "kernel.json").write_text(spec)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    far = tmp_path / ("f" * 70)
    far.mkdir()
    for name in ("JUPYTER_RUNTIME_DIR", "XDG_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(far))
    monkeypatch.setattr(tempfile, "tempdir", str(far))
    source = f"import sys\nassert sys.executable == {sys.executable!r}, sys.executable"
    folder = tmp_path / "a {name} in braces, a blank and a $"
    folder.mkdir()
    path = write_lesson(folder / "00_mine.ipynb", "seed = 0", source, metadata={"title": "no kernelspec at all"})
    run_lesson(path, tmp_path / "copy.ipynb", {"seed": 1}, progress=False)
    assert [each.name for each in folder.iterdir()] == ["00_mine.ipynb"]
