"""Sweeps: grids of frozen configurations, run once each, whose results are stored as rows."""

from crn_lib.sweeps.executors import Executor, InlineExecutor, ProcessExecutor
from crn_lib.sweeps.fill import Measurement, fill_rows
from crn_lib.sweeps.rows import RowsBusy, append_row, config_key, newest_rows, read_rows
from crn_lib.sweeps.run import SweepState, run_sweep, sweep_state
from crn_lib.sweeps.stored_runs import (
    Run,
    Spread,
    budget_in_words,
    by_kind_and_length,
    curve_over_seeds,
    read_histories,
    read_runs,
)
from crn_lib.sweeps.sweep import Sweep, expand, load_sweep, own_sweeps

__all__ = [
    "Executor",
    "InlineExecutor",
    "Measurement",
    "ProcessExecutor",
    "RowsBusy",
    "Run",
    "Spread",
    "Sweep",
    "SweepState",
    "append_row",
    "budget_in_words",
    "by_kind_and_length",
    "config_key",
    "curve_over_seeds",
    "expand",
    "fill_rows",
    "load_sweep",
    "newest_rows",
    "own_sweeps",
    "read_histories",
    "read_rows",
    "read_runs",
    "run_sweep",
    "sweep_state",
]
