"""Experiments: grids of frozen configurations whose results are stored as rows."""

from crn_lib.experiments.rows import config_key, read_rows, run_grid

__all__ = ["config_key", "read_rows", "run_grid"]
