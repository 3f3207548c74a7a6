"""Exercises of lesson 03: the prefix form, a scan that cannot overflow, and one that can be stopped and resumed."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from crn_lib.course.checks import Exercise, expect, expect_same
from crn_lib.course.exercises.work_counter import WorkCounter
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.prefix_sum import log_relation

LONG, FAIR_SHARE = 600, 60
"""A form of linear work touches each of its numbers a few times; one of quadratic work, some hundred times at LONG."""


def _pair(*shape: int, seed: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return iter(torch.randn(2, *shape, generator=generator, dtype=torch.float64))


def _definition(a: Tensor, b: Tensor) -> Tensor:
    """The truth: every pair, `(batch, length, width)`."""
    return naive_relation(a, b, norm="none", activation="exp", causal=True)


def _log_truth(a: Tensor, b: Tensor) -> Tensor:
    """The logarithm of the causal mean, `(length, width)`."""
    return log_relation(a[None], b[None], causal=True)[0]


def _expect_linear(requirement: int, work: WorkCounter, numbers: int) -> None:
    expect(
        requirement,
        work.touched <= FAIR_SHARE * numbers,
        f"for {LONG} tokens it read or wrote {work.touched:,} numbers, {work.touched // numbers} for each number of "
        "the input; a prefix sum needs a few, a sum of its own for every receiver needs hundreds",
    )


def _examine_prefix(attempt: Callable[..., Any]) -> None:
    a, b = _pair(1, 1, 1, seed=1)
    expect_same(2, "one token", attempt(a.clone(), b.clone()), (a + b).exp())
    for requirement, shape in ((1, (1, 7, 1)), (1, (1, 32, 2)), (3, (3, 5, 1)), (3, (2, 9, 4))):
        a, b = _pair(*shape, seed=sum(shape))
        case = "batch {}, length {}, width {}".format(*shape)
        expect_same(requirement, case, attempt(a.clone(), b.clone()), _definition(a, b))
    a, b = _pair(1, LONG, 3, seed=2)
    with WorkCounter() as work:
        attempt(a, b)
    _expect_linear(4, work, a.numel())


def _examine_scan(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        expect_same(requirement, case, attempt(a.clone(), b.clone()), _log_truth(a, b), tolerance=1e-9)

    for length, width in ((1, 3), (2, 1), (9, 4)):
        compare(1, f"ordinary numbers, length {length}, width {width}", *_pair(length, width, seed=length))
    a, b = _pair(8, 3, seed=5)
    for shift in (2000.0, -2000.0):
        compare(2, f"every b near {shift:g}", a, b + shift)
        compare(2, f"every a near {shift:g}", a + shift, b)
    slope = torch.linspace(-4000, 4000, 8, dtype=torch.float64)[:, None]
    compare(3, "b that rises from -4,000 to 4,000", a, b + slope)
    compare(3, "b that falls from 4,000 to -4,000", a, b - slope)
    compare(3, "columns near -3,000, 0 and 3,000", a, b + torch.tensor([-3000.0, 0.0, 3000.0], dtype=torch.float64))
    a, b = _pair(LONG, 3, seed=6)
    with WorkCounter() as work:
        attempt(a, b)
    ready_made = sorted(work.names & {"logcumsumexp", "logsumexp"})
    expect(4, not ready_made, f"it calls torch.{'/'.join(ready_made)}, which is the scan you are to write")
    _expect_linear(4, work, a.numel())


def _numbers_in(state: Any) -> int:
    """How many numbers a state holds, whatever it is made of."""
    leaves = tree_leaves(state)
    return sum(leaf.numel() if isinstance(leaf, Tensor) else 1 for leaf in leaves)


def _run_chunks(attempt: Callable[..., Any], a: Tensor, b: Tensor, cuts: tuple[int, ...]) -> tuple[Tensor, Any]:
    """All outputs, and the last state, of a sequence given in chunks that end at `cuts` and at its end."""
    outputs, state = [], None
    edges = (0, *cuts, len(a))
    for start, end in pairwise(edges):
        out, state = attempt(a[start:end].clone(), b[start:end].clone(), state)
        outputs.append(torch.as_tensor(out))
    return torch.cat(outputs), state


def _examine_resume(attempt: Callable[..., Any]) -> None:
    a, b = _pair(11, 3, seed=7)
    wanted = _definition(a[None], b[None])[0]
    expect_same(1, "11 tokens in one chunk", _run_chunks(attempt, a, b, ())[0], wanted)
    for cuts in ((4,), (10,), (3, 5)):
        case = f"11 tokens, cut after {' and '.join(map(str, cuts))}"
        expect_same(2, case, _run_chunks(attempt, a, b, cuts)[0], wanted)
    expect_same(2, "11 chunks of one token", _run_chunks(attempt, a, b, tuple(range(1, 11)))[0], wanted)

    a, b = _pair(200, 3, seed=8)
    sizes = [_numbers_in(attempt(a[:length].clone(), b[:length].clone(), None)[1]) for length in (2, 200)]
    expect(3, sizes[0] == sizes[1], f"the state holds {sizes[0]} numbers after 2 tokens and {sizes[1]} after 200")

    _, state = attempt(a[:5].clone(), b[:5].clone(), None)
    first, again = (attempt(a[5:9].clone(), b[5:9].clone(), state)[0] for _ in range(2))
    expect_same(4, "the same chunk twice from the same state", again, first)


EXERCISES = (
    Exercise(
        key="03.prefix",
        title="write the prefix form",
        difficulty=1,
        minutes=6,
        requirements=(
            "Row i is exp(a_i) times the sum of exp(b_j) over j ≤ i, divided by the i + 1 senders seen.",
            "A receiver sees its own sender: with one token the answer is exp(a_0 + b_0).",
            "Every sequence of the batch and every column is on its own.",
            "The work grows with the length, not with its square.",
        ),
        examine=_examine_prefix,
    ),
    Exercise(
        key="03.scan",
        title="write the scan that cannot overflow",
        difficulty=3,
        minutes=12,
        requirements=(
            "The result is the logarithm of the causal mean: log of 1/(i+1) Σ_{j≤i} exp(a_i + b_j).",
            "It is finite and right when every a or every b is in the thousands, of either sign.",
            "It is right when b rises or falls by thousands along the sequence, and when columns differ by thousands.",
            (
                "You write the scan: no torch.logcumsumexp or logsumexp, and no work that grows with the length "
                "squared. torch.logaddexp, which adds two numbers, is allowed."
            ),
        ),
        examine=_examine_scan,
    ),
    Exercise(
        key="03.resume",
        title="stop and resume",
        difficulty=2,
        minutes=8,
        requirements=(
            "It returns the outputs of a chunk and the state after it; the state before the first chunk is `None`.",
            "However a sequence is cut into chunks, the outputs are those of the whole.",
            "The state holds as many numbers after 200 tokens as after 2.",
            "The state it is given is left as it was, so that one can resume from it twice.",
        ),
        examine=_examine_resume,
    ),
)
