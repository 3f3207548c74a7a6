"""The Triton kernels, wherever this machine can take them.

Whether Triton interprets or compiles is settled for a whole process when it is first imported. So the tests proper lie
in files of their own, which run here in processes of their own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent

needs_triton = pytest.mark.needs("triton")


def run(arguments, **environment):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRITON_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=HERE.parents[2],
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_all_pass(file, least, **environment):
    """Run that file of tests; at least so many of them must pass, and none fail."""
    done = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / file)], **environment)
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout
    assert passed and int(passed[1]) >= least, done.stdout


@needs_triton
@pytest.mark.slow
def test_in_the_interpreter_the_kernels_give_what_the_definition_gives():
    assert_all_pass("interpreted_fused.py", least=45, TRITON_INTERPRET="1")


@needs_triton
@pytest.mark.slow
def test_the_kernels_compile_for_gpus_that_are_not_here(tmp_path):
    assert_all_pass("compiled_fused.py", least=9, TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu_the_kernels_give_what_the_definition_gives():
    assert_all_pass("interpreted_fused.py", least=80)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("interpreter", ["0", "1"])
def test_without_a_gpu_the_kernels_are_never_imported(interpreter):
    # Triton is looked for before the first call only: the Numba kernels import torch's compiler, and that imports it.
    program = """
import sys, torch
from crn_lib.ops import relation, which_backend
assert "triton" not in sys.modules
a = torch.ones(1, 3, 4, requires_grad=True)
relation(a, a).sum().backward()
assert "Numba" in which_backend().reason, which_backend()
assert str(which_backend(device="cuda")).endswith("because no CUDA device is here"), which_backend(device="cuda")
assert not {"crn_lib.ops.cuda.fused", "crn_lib.ops.cuda.fused_kernels"} & set(sys.modules)
"""
    done = run(["-c", program], TRITON_INTERPRET=interpreter)
    assert done.returncode == 0, done.stdout
