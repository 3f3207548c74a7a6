"""Exercises of lesson 03: the prefix form, a scan that cannot overflow, and one that can be stopped and resumed."""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from crn_lib.course.checks import AS_PRECISE, Exercise, expect, expect_parts, expect_same, expect_tensor, shown
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.course.exercises.work_counter import WorkCounter, expect_in_torch, numbers_in
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.prefix_sum import log_relation

LONG, FAIR_SHARE = 600, 150
"""A form of linear work touches each of its numbers a few times; one of quadratic work, some hundred times at LONG."""


def _definition(a: Tensor, b: Tensor) -> Tensor:
    """The truth: every pair, `(batch, length, width)`."""
    return naive_relation(a, b, norm="none", activation="exp", causal=True)


def _log_truth(a: Tensor, b: Tensor) -> Tensor:
    """The logarithm of the causal mean, `(length, width)`."""
    return log_relation(a[None], b[None], causal=True)[0]


def _expect_linear(requirement: int, work: WorkCounter, numbers: int) -> None:
    expect_in_torch(requirement, work)
    expect(
        requirement,
        work.touched <= FAIR_SHARE * numbers,
        f"for {LONG} tokens it read or wrote {work.touched:,} numbers, {work.touched // numbers} for each number of "
        "the input; a prefix sum needs a few, a sum of its own for every receiver needs hundreds",
    )


def _examine_prefix(attempt: Callable[..., Any]) -> None:
    for dtype in DTYPES:
        for batch, length, width in ((1, 2, 1), *shapes(3, seed=3, count=12), (1, 7, 1), (1, 32, 2)):
            a, b = normal(2, batch, length, width, seed=length, dtype=dtype)
            requirement = 2 if length == 1 else 3 if batch > 1 else 1
            case = f"a = {shown(a)}, b = {shown(b)}, batch {batch}, length {length}, width {width}, {dtype}"
            expect_same(requirement, case, expect_tensor(5, case, attempt(a, b), a), _definition(a, b))
    a, b = normal(2, 1, LONG, 3, seed=2)
    with WorkCounter() as work:
        attempt(a, b)
    _expect_linear(4, work, a.numel())


def _examine_scan(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, a: Tensor, b: Tensor) -> None:
        case = f"{case}, {a.dtype}"
        expect_same(requirement, case, expect_tensor(5, case, attempt(a, b), a), _log_truth(a, b))

    for dtype in DTYPES:
        for length, width in ((2, 1), *shapes(2, seed=31, count=8), (9, 4)):
            a, b = normal(2, length, width, seed=length, dtype=dtype)
            compare(1, f"a = {shown(a)}, b = {shown(b)}, length {length}, width {width}", a, b)
    # In what order two sums are rescaled shows where the larger sender comes second.
    for b in ([[0.0], [1.0]], [[1.0], [0.0]]):
        rising = torch.tensor(b, dtype=torch.float64)
        compare(1, f"a = [[0], [0]], b = {shown(rising)}", torch.zeros_like(rising), rising)
    a, b = normal(2, 8, 3, seed=5)
    for shift in (2000.0, -2000.0, 9000.0, -9000.0):
        compare(2, f"every b near {shift:g}", a, b + shift)
        compare(2, f"every a near {shift:g}", a + shift, b)
        compare(2, f"one token, b near {shift:g}", a[:1], b[:1] + shift)
    slope = torch.linspace(-4000, 4000, 8, dtype=torch.float64)[:, None]
    compare(3, "b that rises from -4,000 to 4,000", a, b + slope)
    compare(3, "b that falls from 4,000 to -4,000", a, b - slope)
    compare(3, "columns near -3,000, 0 and 3,000", a, b + torch.tensor([-3000.0, 0.0, 3000.0], dtype=torch.float64))
    for seed in range(8):
        jumps = 3000 * normal(8, 3, seed=50 + seed)
        compare(3, "b that jumps by thousands from token to token", a, b + jumps)
    a, b = normal(2, LONG, 3, seed=6)
    with WorkCounter() as work:
        attempt(a, b)
    ready_made = sorted(work.names & {"logcumsumexp", "logsumexp"})
    expect(4, not ready_made, f"it calls torch.{'/'.join(ready_made)}, which is the scan you are to write")
    _expect_linear(4, work, a.numel())


def _run_chunks(attempt: Callable[..., Any], a: Tensor, b: Tensor, cuts: list[int]) -> tuple[Tensor, Any]:
    """All outputs, and the last state, of a sequence given in chunks that end at `cuts` and at its end."""
    outputs, state = [], None
    for start, end in pairwise([0, *cuts, len(a)]):
        case = f"tokens {start} to {end - 1} of {len(a)}"
        answer = attempt(a[start:end].clone(), b[start:end].clone(), state)
        out, state = expect_parts(1, case, answer, ("outputs", "state"))
        outputs.append(expect_tensor(1, case, out, a))
        expect(1, outputs[-1].shape == a[start:end].shape, f"for {case}: got shape {tuple(out.shape)}")
    return torch.cat(outputs), state


def _examine_resume(attempt: Callable[..., Any]) -> None:
    draw = random.Random(3)
    a, b = normal(2, 11, 3, seed=7)
    wanted = _definition(a[None], b[None])[0]
    for length in (1, 2, 11):
        expect_same(
            1, f"{length} tokens in one chunk", _run_chunks(attempt, a[:length], b[:length], [])[0], wanted[:length]
        )
    for cuts in ([4], [10], [1], [3, 5], list(range(1, 11))):
        case = f"11 tokens, cut after {' and '.join(map(str, cuts))}"
        expect_same(2, case, _run_chunks(attempt, a, b, cuts)[0], wanted)
    for number in range(20):
        dtype = DTYPES[number % 2]
        length, width = draw.randint(2, 9), draw.randint(1, 9)
        a, b = normal(2, length, width, seed=number, dtype=dtype)
        cuts = sorted(draw.sample(range(1, length), draw.randint(1, length - 1)))
        case = f"{length} tokens of width {width}, cut after {' and '.join(map(str, cuts))}, {dtype}"
        expect_same(2, case, _run_chunks(attempt, a, b, cuts)[0], _definition(a[None], b[None])[0])

    a, b = normal(2, 200, 3, seed=8)
    sizes = [numbers_in(attempt(a[:length].clone(), b[:length].clone(), None)[1]) for length in (2, 200)]
    expect(3, sizes[0] == sizes[1], f"the state holds {sizes[0]} numbers after 2 tokens and {sizes[1]} after 200")

    wanted = _definition(a[None, :9], b[None, :9])[0, 5:]
    _, state = attempt(a[:5].clone(), b[:5].clone(), None)
    # Another sequence in between: what is remembered outside the state would get into the first one.
    attempt(a[20:23].clone(), b[20:23].clone(), None)
    for case in ("a chunk, after another sequence was begun", "the same chunk again, from the same state"):
        expect_same(4, case, attempt(a[5:9].clone(), b[5:9].clone(), state)[0], wanted)


EXERCISES = (
    Exercise(
        key="03.prefix",
        title="write the prefix form",
        difficulty=1,
        minutes=6,
        requirements=(
            "Row i is exp(a_i) times the sum of exp(b_j) over j ≤ i, divided by the i + 1 senders seen.",
            "A receiver sees its own sender: with one token the answer is exp(a_0 + b_0).",
            "Every sequence of the batch and every channel is on its own.",
            "The work grows with the length, not with its square, and all of it is done in torch.",
            AS_PRECISE,
        ),
        examine=_examine_prefix,
        untouched=5,
    ),
    Exercise(
        key="03.scan",
        title="write the scan that cannot overflow",
        difficulty=2,
        minutes=10,
        requirements=(
            "The result is the logarithm of the causal mean: log of 1/(i+1) Σ_{j≤i} exp(a_i + b_j).",
            "It is finite and right when every a or every b is in the thousands, of either sign.",
            "It is right when b rises or falls by thousands along the sequence, and when channels differ by thousands.",
            (
                "You write the scan, in torch: no torch.logcumsumexp or logsumexp, and no work that grows with the "
                "length squared. torch.logaddexp, which adds two numbers, is allowed."
            ),
            AS_PRECISE,
        ),
        examine=_examine_scan,
        untouched=5,
    ),
    Exercise(
        key="03.resume",
        title="stop and resume",
        difficulty=2,
        minutes=8,
        requirements=(
            (
                "It returns the outputs of a chunk, float64 where float64 comes in, and the state after it; the state "
                "before the first chunk is `None`."
            ),
            "However a sequence is cut into chunks, the outputs are those of the whole.",
            "The state holds as many numbers after 200 tokens as after 2.",
            "The chunk and the state are left as they were, so that one can resume twice; nothing is kept elsewhere.",
        ),
        examine=_examine_resume,
        untouched=4,
    ),
)
