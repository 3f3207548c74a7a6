"""The Triton kernels through the real compiler, for GPUs that are not here. Run by `test_fused.py`.

The interpreter accepts what the compiler refuses. So every kernel is compiled to machine code as `fused_cuda` would
launch it, arguments, specialisation and options included; only the launch is left out.
"""

import re
import subprocess

import pytest
import torch
import triton
from triton.backends.compiler import GPUTarget

from crn_lib.ops.cuda import fused as fused_cuda
from tests.ops.relation_cases import pair

KERNELS = ("mean_kernel", "forward_kernel", "gradient_kernel")


class AbsentGPU:
    """As much of a driver as the compiler asks for."""

    def __init__(self, capability):
        self.capability = capability

    def get_current_device(self):
        return self.capability  # what is compiled for one is not taken for another

    def get_current_stream(self, device):
        return 0

    def get_current_target(self):
        return GPUTarget("cuda", self.capability, 32)


class CompiledOnly:
    """Stands for a kernel: compiles what would be launched, and keeps it."""

    def __init__(self, kernel, kept):
        self.kernel, self.kept = kernel, kept

    def __getitem__(self, grid):
        return lambda *arguments, **options: self.kept.append(
            self.kernel.run(*arguments, grid=grid, warmup=True, **options)
        )


@pytest.fixture
def compiled(monkeypatch):
    """A function that returns the machine code of one relation and its gradients: mean, forward, d_a, d_b."""

    def compile_for(capability, shape, dtype, activation="exp", norm="exact", causal=True, heads=1):
        kept = []
        with monkeypatch.context() as patch:
            for name in KERNELS:
                patch.setattr(fused_cuda, name, CompiledOnly(getattr(fused_cuda, name), kept))
            triton.runtime.driver.set_active(AbsentGPU(capability))
            a, b = (x.requires_grad_() for x in pair(*shape, dtype=dtype))
            options = {"norm": norm, "activation": activation, "causal": causal, "heads": heads}
            fused_cuda.fused_relation(a, b, **options).sum().backward()
        return kept

    return compile_for


def resources(kernel, folder):
    """Registers a lane, and bytes a lane in memory because there were too few."""
    (folder / "kernel.cubin").write_bytes(kernel.asm["cubin"])
    tool = triton.knobs.nvidia.cuobjdump.path
    shown = subprocess.run([tool, "-res-usage", folder / "kernel.cubin"], capture_output=True, text=True, check=True)
    registers, stack, local = re.search(r"REG:(\d+) STACK:(\d+) .*LOCAL:(\d+)", shown.stdout).groups()
    return int(registers), int(stack) + int(local)


@pytest.mark.parametrize(
    ("capability", "width", "dtype"),
    [
        (80, 192, torch.float32),
        (90, 64, torch.float32),
        (90, 192, torch.bfloat16),
        (90, 768, torch.float32),
        (90, 1024, torch.float16),
    ],
)
def test_the_tilings_fit_into_registers(compiled, tmp_path, capability, width, dtype):
    kernels = compiled(capability, (1, 130, width), dtype)
    assert len(kernels) == 4
    for kernel in kernels:
        registers, in_memory = resources(kernel, tmp_path)
        assert 0 < registers <= 208 and in_memory <= 8
    for kernel in kernels[1:]:
        assert kernel.metadata.shared == 0 and "bar.sync" not in kernel.asm["ptx"]  # no warp waits for another
        assert kernel.asm["ptx"].count("ld.global.v") > width // 128  # whole vectors


@pytest.mark.parametrize(
    ("length", "width", "options"),
    [
        (1, 65, {}),  # a length of 1 is a constant to the compiler
        (48, 255, {"activation": "gelu"}),
        (2, 6, {"activation": "relu", "norm": "none", "heads": 3}),
        (100, 40, {"activation": "squared_relu", "causal": False, "heads": 2}),
    ],
)
def test_every_form_compiles(compiled, length, width, options):
    kernels = compiled(90, (2, length, width), torch.float32, **options)
    assert len(kernels) == (3 if options.get("norm") == "none" else 4)
    uses_powers = options.get("activation", "exp") in ("exp", "gelu")
    assert ("ex2.approx" in kernels[-1].asm["ptx"]) == uses_powers
    assert all(kernel.asm["cubin"] for kernel in kernels)
