"""How long a reader waits for the first fused call of a fresh process, once its kernels are cached on disk."""

import subprocess
import sys

PROGRAM = """
import sys, time
import crn_lib, torch
from crn_lib.measure import finish
from crn_lib.ops import relation
a, b = (x.requires_grad_() for x in torch.randn(2, 8, 130, 192, device=sys.argv[1]))
begun = time.perf_counter()
relation(a, b, backend="fused").sum().backward()
finish(a.device)
print(time.perf_counter() - begun)
"""


def first_call_seconds(device: str = "cpu") -> float:
    """Seconds of the first forward and backward of a new process, after `import crn_lib.ops`; torch is loaded then.

    Two processes run, one after the other: the first may have to compile, the second is the one that counts.
    """
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", PROGRAM, device], capture_output=True, text=True, check=True)
    return float(done.stdout)
