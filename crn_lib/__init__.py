"""crn_lib: the CausalRN of arXiv 2406.16168, its baselines, its task, and what the lessons need.

Imports only ever point downwards; siblings joined by `|` do not know each other (`lint-imports` holds it):

    notebooks -> course
    cli -> commands -> workbook -> course -> viz -> experiments -> {sweeps | bench} -> {training | analysis}
        -> tasks -> {models | data} -> ops

Anyone may import config, errors, files, paths, measure, device and provenance; doctor may import ops.
"""

import os
from pathlib import Path

# torch's OpenMP threads wait for each other by spinning. Where another program wants a core too (a browser is enough),
# a step of a small model can then take 50 times as long. A short spin before they sleep costs nothing measurable on a
# quiet machine. OpenMP reads this once, when torch is loaded, so it stands before that; the user's own value wins.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

# A large new array costs a page fault for every 4 KiB, which at 64,000 tokens takes longer than the linear relation
# itself. torch asks Linux for pages of 2 MiB instead where this is set; it reads it once, too.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

# A user's own folder, where the library may be one that many share: what is run and compiled goes there. Whole, since
# lessons run in other folders; Numba reads its variable once, when it is loaded.
if os.environ.get("CRN_HOME"):
    os.environ["CRN_HOME"] = str(Path(os.environ["CRN_HOME"]).expanduser().absolute())
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(os.environ["CRN_HOME"], "kernels")))

__version__ = "0.1.0"
