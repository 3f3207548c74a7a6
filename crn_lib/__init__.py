"""crn_lib: the CausalRN of arXiv 2406.16168, its baselines, its task, and what the lessons need.

Imports only ever point downwards:

    notebooks -> course -> {experiments, viz, measure, training} -> {tasks, models} -> ops
"""

import os

# torch's OpenMP threads wait for each other by spinning. Where another program wants a core too (a browser is enough),
# every step of a small model then takes 50 times as long; sleeping costs nothing measurable when the machine is quiet.
# OpenMP reads this once, when torch is loaded, so it has to stand before that; a value of the user's own is kept.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
