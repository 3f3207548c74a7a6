"""Experiments: grids of frozen configurations whose results are stored as rows."""

from crn_lib.experiments.ablations import GRID, Variant, ablation_cells, ablation_config, indispensable
from crn_lib.experiments.executors import Executor, InlineExecutor, ProcessExecutor
from crn_lib.experiments.lengths import Run, read_runs
from crn_lib.experiments.rows import append_row, config_key, newest_rows, read_rows
from crn_lib.experiments.run import SweepBusy, SweepState, read_histories, run_sweep, sweep_state
from crn_lib.experiments.sweep import Sweep, load_sweep, own_sweeps

__all__ = [
    "GRID",
    "Executor",
    "InlineExecutor",
    "ProcessExecutor",
    "Run",
    "Sweep",
    "SweepBusy",
    "SweepState",
    "Variant",
    "ablation_cells",
    "ablation_config",
    "append_row",
    "config_key",
    "indispensable",
    "load_sweep",
    "newest_rows",
    "own_sweeps",
    "read_histories",
    "read_rows",
    "read_runs",
    "run_sweep",
    "sweep_state",
]
