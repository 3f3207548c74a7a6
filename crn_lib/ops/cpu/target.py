"""The CPU that Numba compiles for: which vector registers it has, and whether it multiplies and adds in one operation.

Asked of LLVM itself, by a look at what it makes of two operations, so that `NUMBA_CPU_NAME` and `NUMBA_CPU_FEATURES`
count (a name without features leaves this machine's: for AVX2 on a machine with AVX-512, `NUMBA_CPU_NAME=haswell
NUMBA_CPU_FEATURES=`).
"""

from typing import NamedTuple

import llvmlite.binding as llvm
from numba.core.registry import cpu_target

_PROBE = """
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
define void @probe(<16 x float>* %place) {
  %x = load <16 x float>, <16 x float>* %place
  %y = fmul <16 x float> %x, %x
  %z = call <16 x float> @llvm.fma.v16f32(<16 x float> %y, <16 x float> %x, <16 x float> %y)
  store <16 x float> %z, <16 x float>* %place
  ret void
}
"""


class Target(NamedTuple):
    """What the kernels' shape depends on.

    Attributes:
        vectors: the widest vector extension that is used: avx512, avx2, avx, sse2 or neon; `other` where none of them
            is recognised.
        register: bytes of a vector register.
        fused: whether there is an instruction for `x * y + z`.
    """

    vectors: str
    register: int
    fused: bool


def target_of(machine: llvm.TargetMachine) -> Target:
    """What LLVM makes of operations on 16 numbers on this machine."""
    code = machine.emit_assembly(llvm.parse_assembly(_PROBE))
    fused = "fmaf" not in code  # otherwise the C library's function, one element after another
    if "%zmm" in code:
        return Target("avx512", 64, fused)
    if "%ymm" in code:
        return Target("avx2" if fused else "avx", 32, fused)
    return Target("sse2" if "%xmm" in code else "neon" if "fmla" in code else "other", 16, fused)


def _numbas_target() -> Target:
    codegen = cpu_target.target_context.codegen()
    cpu, features = codegen._get_host_cpu_name(), codegen._get_host_cpu_features()
    return target_of(llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features))


TARGET = _numbas_target()
