"""`crn bench`: named cases, each against named baselines in the same run, and against limits of this machine."""

from crn_lib.bench.busy import busy_rows, busy_table
from crn_lib.bench.cases import CASES, GPU_CASES, PANEL_CASES, Case
from crn_lib.bench.first_call import first_call_seconds
from crn_lib.bench.profile import profile_step
from crn_lib.bench.report import destination, limits_in_words, not_run, run_cases, store, table
from crn_lib.bench.timing import Disagreement, Measurement, run_case

__all__ = [
    "CASES",
    "GPU_CASES",
    "PANEL_CASES",
    "Case",
    "Disagreement",
    "Measurement",
    "busy_rows",
    "busy_table",
    "destination",
    "first_call_seconds",
    "limits_in_words",
    "not_run",
    "profile_step",
    "run_case",
    "run_cases",
    "store",
    "table",
]
