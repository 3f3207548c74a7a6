"""`crn bench`: named cases, each against named baselines in the same run, and against limits of this machine."""

from crn_lib.bench.cases import CASES, Case
from crn_lib.bench.report import run_cases, store, table
from crn_lib.bench.timing import Disagreement, Measurement, run_case

__all__ = ["CASES", "Case", "Disagreement", "Measurement", "run_case", "run_cases", "store", "table"]
