"""Sweeps and trainings killed at random moments: `tests/killing.py` says how, and what must hold."""

import json
import os
import subprocess
import sys

import pytest

from crn_lib.paths import workbook_folder

KILLS = int(os.environ.get("CRN_KILLS", "0"))
"""Of every drill; where it is not set, as many as take some ten seconds."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
@pytest.mark.parametrize(("where", "kills"), [("inline", 8), ("train", 8), ("processes", 1)])
def test_a_kill_loses_doubles_changes_and_leaves_nothing(tmp_path, where, kills):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.killing", where, str(tmp_path), str(KILLS or kills)],
        cwd=workbook_folder(),
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(workbook_folder())},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["kills"] >= (KILLS or kills) and figures["rounds"] >= 1
