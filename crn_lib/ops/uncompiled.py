"""The compiled CPU kernels for callers that `torch.compile` traces: it breaks its graph around them.

Only such callers import this file. `torch.compiler.disable` loads the compiler, which takes longer than everything else
between `import crn_lib` and a first result.
"""

import torch

from crn_lib.ops import fused_cpu, scan_cpu, selective_scan

fused_relation = torch.compiler.disable(fused_cpu.fused_relation)
scan_relation = torch.compiler.disable(scan_cpu.scan_relation)
selective_scan_uncompiled = torch.compiler.disable(selective_scan.selective_scan)
