"""Writes what students see for each named wrong answer of the tests: `crn_lib/workbook/editions/mistakes.json`.

The guides of `crn course build` show it, which executes nothing. `tests/course/test_exercises.py` says when it is
stale.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from crn_lib.course import CheckFailed, check  # noqa: E402
from tests.course.exercise_answers import WRONG  # noqa: E402


def message_for(key: str, name: str) -> str:
    """What the check says of this wrong answer."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # wrong answers that draw, draw the same every time
            check(key, WRONG[key][name])
    except CheckFailed as failed:
        return str(failed)
    raise AssertionError(f"{key}: the wrong answer {name!r} passes its check")


if __name__ == "__main__":
    found = {key: {name: message_for(key, name) for name in WRONG[key]} for key in sorted(WRONG)}
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (ROOT / "crn_lib/workbook/editions/mistakes.json").write_text(text + "\n", encoding="utf-8")
