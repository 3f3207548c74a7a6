"""A kernel's result does not depend on where in memory its arrays lie.

LLVM compiles a loop that stores twice: in vectors, and one number after another for arrays that lie so close that a
vector could overlap the next one's input. A sum made in such a loop has two orders, and a small allocation's address
chooses between them: about once in 2,000 steps of a narrow CausalRN the last digit was another.
"""

import re

import numba
import numpy as np
import pytest
import torch

from crn_lib.ops import relation
from crn_lib.ops.cpu.decoding import block_step, newest_row, normalise
from crn_lib.ops.cpu.kernel_cache import KERNELS
from crn_lib.ops.selective_scan import selective_scan

LABEL = re.compile(r"^([\w.$-]+):")
SET = re.compile(r"^  (%[\w.$-]+) = (\w+) (.*)")
NAME, GOAL = re.compile(r"%[\w.$-]+"), re.compile(r"label %([\w.$-]+)")
NEAR = "%diff.check"
"""How LLVM names the comparison of a distance; that of whole ranges, `%found.conflict`, tells arrays apart rightly."""
FOLDED = re.compile(r"rdx\S* = f|@llvm\.vector\.reduce\.f")
"""The end of a sum that was made in lanes."""


def blocks_of(function):
    """A function's basic blocks in LLVM's text, by name."""
    blocks, name = {}, None
    for line in function.splitlines():
        if found := LABEL.match(line):
            name = found.group(1)
            blocks[name] = []
        elif name and line.startswith("  "):
            blocks[name].append(line)
    return blocks


def hang_on_addresses(blocks):
    """Names of the truth values that such a comparison has a part in."""
    sets = [found.groups() for lines in blocks.values() for line in lines if (found := SET.match(line))]
    known, new = set(), {name for name, _, _ in sets if name.startswith(NEAR)}
    while new:
        known |= new
        logic = ((name, words) for name, how, words in sets if how in ("and", "or", "xor", "select", "phi", "freeze"))
        new = {name for name, words in logic if "i1" in words and known & set(NAME.findall(words))} - known
    return known


def sums_that_depend_on_addresses(text):
    """Names of LLVM's blocks in which a comparison of addresses chooses between two orders of one sum."""
    found = []
    for function in text.split("\ndefine ")[1:]:
        blocks = blocks_of(function)
        known = hang_on_addresses(blocks)
        for block, lines in blocks.items():
            if not lines or not lines[-1].startswith("  br i1 ") or not known & set(NAME.findall(lines[-1])[:1]):
                continue
            scalar, vector = GOAL.findall(lines[-1])
            seen, waiting = {scalar}, [vector]
            while waiting:
                name = waiting.pop()
                if name in seen:
                    continue
                seen.add(name)
                if any(map(FOLDED.search, blocks[name])):
                    found.append(block)
                    break
                if "middle.block" not in name:  # behind which the loop is over
                    waiting += GOAL.findall(blocks[name][-1])
    return found


@numba.njit(fastmath=True)
def stores_and_sums(row, result):
    total = np.float32(0)
    for d in range(row.size):
        result[d] = row[d] + np.float32(1)
        total += result[d] * result[d]
    return total


@numba.njit(fastmath=True)
def stores_then_sums(row, result):
    total = np.float32(0)
    for d in range(row.size):
        result[d] = row[d] + np.float32(1)
    for d in range(row.size):
        total += result[d] * result[d]
    return total


@pytest.mark.parametrize(("function", "depends"), [(stores_and_sums, True), (stores_then_sums, False)])
def test_the_compilers_text_is_read_rightly(function, depends):
    """Should LLVM come to name things in another way, the first of these fails: what is below would prove nothing."""
    row = numba.float32[::1]
    function.compile((row, row))
    text = function.inspect_llvm((row, row))
    assert NEAR in text and bool(sums_that_depend_on_addresses(text)) is depends


def run_every_kernel():
    """Once each in float32, so that it knows its arguments' types."""
    for norm in ("exact", "approx"):
        a, b = (torch.ones(1, 5, 16, requires_grad=True) for _ in range(2))
        relation(a, b, norm=norm).sum().backward()
    pool, lengths = torch.zeros(1, 4, 16), torch.tensor([3])
    newest_row(torch.ones(1, 16), pool, lengths, 2)
    matrix, row = torch.ones(16, 16), torch.ones(16)
    block_step(torch.ones(1, 16), (matrix, row, matrix, matrix, row), pool, lengths, 2, True)
    u, delta, B, C = (torch.ones(1, 5, 4, requires_grad=True) for _ in range(4))
    selective_scan(u, delta, torch.ones(4, 4, requires_grad=True), B, C)[0].sum().backward()


NOT_RUN = {"exponential_kernel", "advance", "retreat"}
"""The bench's, which only writes; and two that are inlined into the scan's kernels."""


@pytest.mark.slow
def test_no_kernel_sums_in_an_order_that_addresses_choose():
    run_every_kernel()
    kernels = {kernel.py_func.__name__: kernel for kernel in KERNELS}
    assert kernels.keys() > NOT_RUN
    for name in kernels.keys() - NOT_RUN:
        kernel = kernels[name]
        assert kernel.signatures, f"{name} has not run"
        again = numba.njit(**{key: value for key, value in kernel.targetoptions.items() if key != "nopython"})(
            kernel.py_func
        )
        again.compile(kernel.signatures[0])
        (text,) = again.inspect_llvm().values()
        assert sums_that_depend_on_addresses(text) == [], name


@numba.njit
def normalised(row, shift, result):
    return normalise(row, shift, row.dtype.type(1e-5), result)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [7, 12, 16, 32, 64])
def test_a_row_is_normalised_alike_wherever_the_result_lies(width, dtype):
    generator = np.random.default_rng(0)
    for _ in range(50):
        memory = np.zeros(500, dtype)
        row, shift = memory[:width], memory[width : 2 * width]
        row[:], shift[:] = generator.normal(size=(2, width))
        near, far = memory[2 * width : 3 * width], memory[400 : 400 + width]
        assert normalised(row, shift, near) == normalised(row, shift, far)
        assert np.array_equal(near, far)
