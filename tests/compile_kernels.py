"""Compile the CPU's kernels, each in the types that the tests call it with: `python -m tests.compile_kernels`.

`make test` does so while the style is checked, on a processor that would be idle. A fresh checkout has no kernels yet,
and the first tests of all workers, and the lessons they start, would each compile the same ones.
"""

import crn_lib  # noqa: F401  (before torch: it says how torch's threads wait)

# isort: split
from concurrent.futures import ProcessPoolExecutor

import torch

from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import relation

TYPES = (torch.float32, torch.float64)


def compile_relation() -> None:
    for dtype in TYPES:
        rows = torch.ones(1, 9, 8, dtype=dtype, requires_grad=True)
        for activation in ("exp", "relu"):  # `exp` has kernels of its own
            relation(rows, rows, activation=activation).sum().backward()
    build_model(ModelConfig(width=8, blocks=1)).generate(torch.tensor([[0, 3, 4]]), 3)


def compile_scans() -> None:
    for dtype in TYPES:
        rows = torch.ones(1, 9, 8, dtype=dtype, requires_grad=True)
        relation(rows, rows, norm="approx").sum().backward()
        model = build_model(ModelConfig(kind="ssm", width=8, blocks=1)).to(dtype)
        model(torch.tensor([[0, 3, 4]])).sum().backward()


if __name__ == "__main__":
    # No kernel in both: Numba can mix up two types of one kernel that two processes store at the same moment.
    with ProcessPoolExecutor(2) as pool:
        for done in [pool.submit(compile_relation), pool.submit(compile_scans)]:
            done.result()
