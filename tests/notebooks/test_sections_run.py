"""Every section of a lesson runs when a reader restarts at its heading: from a new process, after the set-up cells."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from tests.notebooks.sections import GATHERS, sections
from tests.notebooks.test_lessons import LESSONS, ROOT

# Processes are forked instead of started: one for each lesson, and from its set-up one for each of its sections.
RUN = """
import json, os, sys
import crn_lib.course, crn_lib.experiments, crn_lib.ops, crn_lib.viz, numba, torch._dynamo
from IPython.core.interactiveshell import InteractiveShell

def in_a_new_process(name, work, *arguments):
    child = os.fork()
    if child == 0:
        try:
            work(*arguments)
        except BaseException as error:
            print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)

def run(sources):
    for source in sources:
        InteractiveShell.instance().run_cell(source).raise_error()

def run_lesson(lesson, parts):
    run(parts.pop(""))
    for heading, sources in parts.items():
        in_a_new_process(f"{lesson}, {heading}", run, sources)
    print("SET UP", lesson, flush=True)

os.chdir("notebooks")
for lesson, parts in json.load(sys.stdin).items():
    in_a_new_process(lesson, run_lesson, lesson, parts)
"""


# 84 seconds of processor, for what `missing_names` finds by reading, almost always: by hand, before a lesson is merged.
@pytest.mark.skipif("CRN_SECTIONS" not in os.environ or not hasattr(os, "fork"), reason="only with CRN_SECTIONS=1")
@pytest.mark.notebooks
def test_every_section_runs_from_a_new_process_after_the_set_up() -> None:
    wanted = {}
    for lesson in LESSONS:
        parts = sections(nbformat.read(lesson, as_version=4).cells)
        parts[""] = [source.replace('profile = "laptop"', 'profile = "smoke"') for source in parts[""]]
        wanted[lesson.stem] = {heading: sources for heading, sources in parts.items() if sources and heading != GATHERS}
    assert all(any('profile = "smoke"' in source for source in parts[""]) for parts in wanted.values())
    wanted["broken"] = {"": ["known = 1"], "A section": ["known"], "Leans on another": ["unknown"]}

    command, given = [sys.executable, "-c", RUN], json.dumps(wanted)
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=given)
    said = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED ", "SET UP "))]
    broken = "FAILED broken, Leans on another: NameError: name 'unknown' is not defined"
    assert said == [*(f"SET UP {name}" for name in wanted if name != "broken"), broken, "SET UP broken"], ran.stderr[
        -3000:
    ]
