"""A submission's process: what it may not do, and that it is gone afterwards."""

import contextlib
import os
import sys
import time

import psutil
import pytest

from crn_lib.workbook.grading.sandbox import Limits, Outcome, run_cells, start_server

QUICK = Limits(seconds=2.0, memory=2**30)
HOSTILE = {
    "an endless loop": ("while True: pass", "Timeout"),
    "endless printing": ("while True: print('x' * 1000)", "Timeout"),
    "the end of the process": ("import os; os._exit(0)", "Ended"),
    "exit": ("exit()", "Ended"),
    "sys.exit": ("import sys; sys.exit(3)", "SystemExit"),
    "more memory than there is": ("x = bytearray(8 * 10**9)", "MemoryError"),
    "more memory by torch": ("import torch; torch.zeros(10**9)", "RuntimeError"),
    "part of a report in every file": (
        "import os\nfor n in range(3, 99):\n    try: os.write(n, bytes(4))\n    except OSError: pass\nwhile True: pass",
        "Timeout",
    ),
    "an error as long as a book": ("raise ValueError('x' * 10**7)", "ValueError"),
    "no Python": ("def f(:", "SyntaxError"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_cell_does_ends_only_its_own_process(name: str) -> None:
    source, expected = HOSTILE[name]
    begun = time.monotonic()
    (outcome,) = run_cells([source], QUICK)
    assert outcome.error is not None and outcome.error[0] == expected and len(outcome.error[1]) < 1000
    assert time.monotonic() - begun < 60


@pytest.mark.slow
def test_cells_share_their_names_and_the_first_error_ends_it() -> None:
    ran = run_cells(["x = 2", "print(x)\nx + 1", "1 / 0", "print('never')"], QUICK)
    assert [outcome.error and outcome.error[0] for outcome in ran] == [None, None, "ZeroDivisionError"]
    assert ran[0] == Outcome() and ran[1].text.startswith("2\n") and "3" in ran[1].text


@pytest.mark.slow
def test_a_flood_of_output_is_cut_and_what_was_dropped_is_said() -> None:
    (outcome,) = run_cells(["print('y' * 5_000_000)"], QUICK)
    assert len(outcome.text) < 10_000 and "characters more" in outcome.text


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no fork")
def test_children_do_not_outlive_their_submission() -> None:
    source = "import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        time.sleep(86_399)\nprint('go')"
    network, _ = start_server()
    (outcome,) = run_cells([source], QUICK)
    assert outcome.text == "go\n"
    if network:  # with it, the view of other processes: a session of one's own does not help there
        assert len(servers_of_this_process()) == 1, "only the server is left"


def servers_of_this_process() -> list[psutil.Process]:
    """Processes that look like the server, begun since this one, below it or orphaned: other tests have theirs."""
    own = psutil.Process()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            ours = process.ppid() in (0, 1) or own in process.parents()
            alive = process.status() != psutil.STATUS_ZOMBIE and process.create_time() >= own.create_time()
            if ours and alive and "forkserver" in str(process.cmdline()):
                found.append(process)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has namespaces")
def test_where_the_system_allows_it_there_is_no_network_and_no_file_to_write() -> None:
    network, files = start_server()
    if not (network and files):
        pytest.skip("this system lets no ordinary process make namespaces")
    outside = "/tmp" if os.access("/tmp", os.W_OK) else "."
    marker = f"{outside}/crn-was-here-{os.getpid()}"
    (sent,) = run_cells(["import socket; socket.create_connection(('192.0.2.1', 80), 1)"], QUICK)
    assert sent.error is not None and "unreachable" in sent.error[1]
    (here,) = run_cells([f"open({__file__!r}, 'a')"], QUICK)
    assert here.error is not None and "Read-only" in here.error[1]
    (scratch,) = run_cells([f"open({marker!r}, 'w').write('x'); print(open({marker!r}).read())"], QUICK)
    assert scratch.text.startswith("x") and not os.path.exists(marker)  # noqa: PTH110  (one call, no Path needed)
    (killed,) = run_cells(["import os\ntry: os.kill(os.getppid(), 9)\nexcept OSError: pass\nprint('alive')"], QUICK)
    assert killed.text.endswith("alive\n") or killed.error == ("Ended", "it ended its own process")
    assert psutil.pid_exists(os.getpid())
