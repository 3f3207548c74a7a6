"""Measures the most memory that each lesson holds while it is executed with its defaults.

Writes `crn_lib/workbook/editions/memory.json`, which the syllabus of `crn course build` shows. Takes minutes; lessons
may be named.
"""

import json
import sys
import tempfile
import threading
from pathlib import Path

import psutil

from crn_lib.paths import workbook_folder
from crn_lib.provenance import processor
from crn_lib.workbook.runner import find_lessons, run_lesson


def measure(lesson: Path) -> int:
    """Mebibytes of all processes that running it started, at their most."""
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.2):
            held = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    held += process.memory_info().rss
                except psutil.Error:
                    continue
            most = max(most, held)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            run_lesson(lesson, Path(folder) / lesson.name, {}, progress=False)
    finally:  # a watcher that goes on would keep a failed lesson's process alive
        over.set()
        watcher.join()
    return round(most / 2**20)


if __name__ == "__main__":
    root = workbook_folder()
    path = root / "crn_lib/workbook/editions/memory.json"
    known = json.loads(path.read_text(encoding="utf-8"))["mebibytes"] if path.exists() else {}
    for lesson in find_lessons(root / "notebooks", sys.argv[1:]):
        known[lesson.stem[:2]] = measure(lesson)
        machine = f"{processor('cpu')}, {psutil.cpu_count()} processors"
        written = {"machine": machine, "mebibytes": dict(sorted(known.items()))}
        path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
