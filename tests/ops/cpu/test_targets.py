"""CPUs other than this one: what LLVM would use there, and that the kernels are right on those that run here."""

import json
import os
import subprocess
import sys

import llvmlite.binding as llvm
import pytest

from crn_lib.ops.cpu.target import TARGET, Target, target_of

OTHERS = {"haswell": Target("avx2", 32, True), "generic": Target("sse2", 16, False)}
HERE = "x86_64" in llvm.get_default_triple()


@pytest.mark.parametrize(
    ("triple", "cpu", "target"),
    [
        ("x86_64-unknown-linux-gnu", "znver4", Target("avx512", 64, True)),
        *(("x86_64-unknown-linux-gnu", cpu, target) for cpu, target in OTHERS.items()),
        ("x86_64-unknown-linux-gnu", "sandybridge", Target("avx", 32, False)),
        ("aarch64-unknown-linux-gnu", "generic", Target("neon", 16, True)),
        ("arm64-apple-macosx", "apple-m1", Target("neon", 16, True)),
    ],
)
def test_the_vectors_that_llvm_takes_are_told(triple, cpu, target):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    assert target_of(llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features="")) == target


PROGRAM = """
import hashlib, json, torch
from crn_lib.doctor import examine
from crn_lib.ops.cpu.target import TARGET
from tests.ops.relation_cases import pair, relative_error, with_gradients
errors, digest = [], hashlib.sha256()
for dtype, batch, length, width in ((torch.float32, 2, 45, 48), (torch.float32, 1, 63, 50)):
    for causal in (True, False):
        a, b = pair(batch, length, width, dtype=dtype)
        truth = with_gradients(a.double(), b.double(), causal=causal, backend="naive")
        found = with_gradients(a, b, causal=causal, backend="fused")
        errors.append(max(map(relative_error, found, truth)) / torch.finfo(dtype).eps)
        for x in found:
            digest.update(x.numpy().tobytes())
said = next(line.detail for line in examine() if line.what == "vectors of the kernels")
print(json.dumps([TARGET, max(errors), digest.hexdigest(), said]))
"""


def run_as(cpu):
    forced = {} if cpu is None else {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": ""}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | forced, capture_output=True, text=True, check=True
    )
    target, error, digest, said = json.loads(ran.stdout)
    return Target(*target), error, digest, said


@pytest.mark.slow
@pytest.mark.skipif(not HERE, reason="needs an x86-64 processor")
def test_the_kernels_are_right_on_older_processors_and_equal_where_rounding_is():
    """Compiles for each of them the first time; float32 only, since that takes long."""
    digests = {}
    for cpu in (None, *OTHERS):
        target, error, digests[cpu], said = run_as(cpu)
        assert target == OTHERS.get(cpu, TARGET) and said.startswith(target.vectors)
        assert error < 40
    if TARGET.fused:
        assert digests["haswell"] == digests[None]
