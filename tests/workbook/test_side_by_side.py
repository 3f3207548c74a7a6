"""Several lessons at once: never more than were asked for, each ending reported, nobody left after Ctrl-C."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from crn_lib.workbook import side_by_side
from crn_lib.workbook.outcomes import Outcome
from crn_lib.workbook.side_by_side import run_side_by_side

# Takes the place of `crn run NAME --junit FILE WORDS`: says when it begins and ends, and does what its name says.
STANDIN = """
import os, signal, sys, time
from pathlib import Path
name, _, report, log = sys.argv[1:]
def write(element):
    case = f'<testcase classname="lessons" name="{name}" time="1.5">{element}</testcase>'
    Path(report).write_text(f'<testsuites><testsuite>{case}</testsuite></testsuites>')
def say(word):
    with open(log, "a") as file: file.write(f"{word} {name} {os.environ['OMP_NUM_THREADS']}\\n")
def interrupted(*_):
    write('<error message="interrupted"/>'); say("interrupted"); sys.exit(130)
signal.signal(signal.SIGINT, interrupted); signal.signal(signal.SIGTERM, interrupted)
say("begins")
if name == "dies": print("error: no room", file=sys.stderr); os._exit(3)
time.sleep(60 if name == "long" else 0.2)
write('<failure message="cell [3]"/>' if name == "fails" else "")
say("ends")
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "standin.py").write_text(STANDIN)
    monkeypatch.setattr("crn_lib.workbook.side_by_side.RUN", (sys.executable, "-S", str(tmp_path / "standin.py")))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    return tmp_path / "log"


def test_so_many_run_at_once_and_each_ending_is_reported(log: Path) -> None:
    ended: list[Outcome] = []
    names = ["one", "fails", "dies", "two"]
    assert run_side_by_side({name: [str(log)] for name in names}, 2, lambda _: None, ended.append) == 0
    found = {outcome.lesson: (outcome.result, outcome.error) for outcome in ended}
    assert found == {
        "one": ("ok", ""),
        "fails": ("FAILED", "cell [3]"),
        "dies": ("FAILED", "dies: error: no room"),
        "two": ("ok", ""),
    }
    words = [line.split() for line in log.read_text().splitlines()]
    assert {threads for _, _, threads in words} == {"3"}, "half of six processors each"
    at_once = most = 0
    for word, name, _ in words:
        at_once += 1 if word == "begins" else -1
        at_once -= name == "dies"
        most = max(most, at_once)
    assert most == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_those_at_work_in_order_and_begins_no_more(log: Path, number: int, code: int) -> None:
    ended: list[Outcome] = []

    def began(_: str) -> None:
        def when_it_has_begun() -> None:
            while not (log.exists() and log.read_text()):  # the file is there before its first word
                pass
            os.kill(os.getpid(), number)

        threading.Thread(target=when_it_has_begun).start()

    before = signal.getsignal(signal.SIGTERM)
    assert run_side_by_side({"long": [str(log)], "never": [str(log)]}, 1, began, ended.append) == code
    assert [(outcome.lesson, outcome.result) for outcome in ended] == [("long", "interrupted")]
    assert [line.split()[:2] for line in log.read_text().splitlines()] == [["begins", "long"], ["interrupted", "long"]]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_between_the_start_of_a_process_and_the_note_of_it_leaves_nobody_behind(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, ended = side_by_side._start, list[Outcome]()

    def interrupted_start(*arguments: Any) -> Any:
        child = start(*arguments)
        while not (log.exists() and log.read_text()):
            pass
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(side_by_side, "_start", interrupted_start)
    assert run_side_by_side({"long": [str(log)], "never": [str(log)]}, 2, lambda _: None, ended.append) == 130
    assert [(outcome.lesson, outcome.result) for outcome in ended] == [("long", "interrupted")]
