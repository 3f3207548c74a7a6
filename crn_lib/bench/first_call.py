"""How long a reader waits for what a fresh process does first, once the kernels are cached on disk."""

import json
import subprocess
import sys

RELATION = """
a, b = (x.requires_grad_() for x in torch.randn(2, 8, 130, 192, device=device))
clock("first_fused_call_seconds", lambda: relation(a, b, backend="fused").sum().backward())
"""
MODEL = """
model = clock("first_model_seconds", lambda: build_model(ModelConfig(max_length=258)))
prompt = torch.randint(3, 29, (2, 130))
clock("first_generate_seconds", lambda: model.generate(prompt, 128))
"""
PROGRAM = """
import json, sys, time
import crn_lib, torch
from crn_lib.measure import finish
from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import relation
device, spent = torch.device(sys.argv[1]), {}
def clock(name, work):
    begun = time.perf_counter()
    result = work()
    finish(device)
    spent[name] = time.perf_counter() - begun
    return result
"""


def first_call_seconds(device: str = "cpu") -> dict[str, float]:
    """Seconds of what new processes do first, after `import crn_lib.models`; torch is loaded then.

    Returns:
        `first_fused_call_seconds`: a forward and a backward pass of the relation. On a CPU, of another process, also
        `first_model_seconds`, a CausalRN's making, and `first_generate_seconds`, its first 128 tokens.
    """
    programs = (RELATION, MODEL) if device == "cpu" else (RELATION,)
    return {name: seconds for program in programs for name, seconds in _clocked(program, device).items()}


def _clocked(program: str, device: str) -> dict[str, float]:
    """Two processes run, one after the other: the first may have to compile, the second is the one that counts."""
    for _ in range(2):
        command = [sys.executable, "-c", f"{PROGRAM}{program}\nprint(json.dumps(spent))", device]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
