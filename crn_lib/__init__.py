"""crn_lib: the CausalRN of arXiv 2406.16168, its baselines, its task, and what the lessons need.

Imports only ever point downwards:

    notebooks -> crn_lib.course -> crn_lib.{viz, measure, training} -> crn_lib.{tasks, models} -> crn_lib.ops
"""

__version__ = "0.1.0"
