"""Exercises of lesson 06: warm-up, a loss that counts only what is scored, and when a model has learnt."""

import random
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.course.checks import AS_PRECISE, UNTOUCHED, Exercise, expect, expect_same, expect_tensor, shown
from crn_lib.course.exercises.draws import DTYPES, normal, shapes
from crn_lib.course.exercises.work_counter import WorkCounter
from crn_lib.tasks import NOT_SCORED


def _examine_warmup(attempt: Callable[..., Any]) -> None:
    draw = random.Random(6)
    drawn = [(draw.choice((1e-5, 3e-4, 0.7, 20.0)) * draw.uniform(1, 2), draw.randint(1, 300)) for _ in range(30)]
    for peak, warmup in ((1.0, 4), (2e-3, 50), (5e-4, 1), (0.5, 0), (0.5, 2), (0.5, 3), *drawn):
        ends = {warmup - 1, warmup, warmup + 1, 2 * warmup, 10 * warmup, 1_000_000}
        for step in sorted({0, 1, warmup // 3, warmup // 2, max(0, warmup - 2)} | (ends - {-1})):
            wanted = min(1.0, (step + 1) / warmup) if warmup else 1.0
            requirement = 3 if warmup == 0 else 2 if step >= warmup - 1 else 1
            case = f"step {step}, peak {peak:g}, warmup {warmup}, as a share of the peak"
            expect_same(requirement, case, attempt(step, peak, warmup) / peak, wanted)


def _examine_loss(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, case: str, logits: Tensor, targets: Tensor) -> None:
        size = f"logits {shown(logits)}, targets {shown(targets)}, {logits.dtype}"
        wanted = F.cross_entropy(logits.double().flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED)
        got = expect_tensor(4, f"{case}, {size}", attempt(logits, targets), logits)
        expect_same(requirement, f"{case}, {size}", got, wanted.to(logits.dtype))

    generator = torch.Generator().manual_seed(6)
    for dtype in DTYPES:
        for batch, length, vocab in ((1, 1, 2), (2, 6, 5), (3, 4, 29), *shapes(3, seed=6, count=12)):
            logits = normal(batch, length, vocab, seed=length, dtype=dtype)
            targets = torch.randint(vocab, (batch, length), generator=generator)
            compare(1, "targets that are all scored", logits, targets)
            for share in (0.3, 0.8):
                gone = torch.rand(batch, length, generator=generator) < share
                gone[-1, -1] = False
                some = targets.masked_fill(gone, NOT_SCORED)
                compare(2, "targets of which some are -100", logits, some)
                compare(3, "logits near 10,000", (logits + 1e4).double(), some)
                compare(3, "logits near -10,000", (logits - 1e4).double(), some)
                compare(3, "logits that differ by thousands", 3000 * logits, some)
    logits = normal(2, 3, 5, seed=60).requires_grad_()
    targets = torch.tensor([[0, 1, NOT_SCORED], [4, NOT_SCORED, 2]])
    with WorkCounter() as work:
        loss = attempt(logits, targets)
    case = "logits of shape (2, 3, 5), of which four positions are scored"
    wanted = torch.autograd.grad(F.cross_entropy(logits.flatten(0, 1), targets.flatten()), logits)[0]
    found = torch.autograd.grad(loss, logits, allow_unused=True)[0] if loss.requires_grad else None
    expect(5, found is not None, f"for {case}: the loss has no gradient; was it detached, or made anew?")
    expect_same(5, f"{case}, the gradient", found, wanted)
    ready_made = sorted(name for name in work.names if name.startswith(("log_softmax", "nll_loss", "cross_entropy")))
    expect(6, not ready_made, f"it calls torch's {' and '.join(ready_made)}, which is the loss that you are to write")
    spread = torch.tensor([[[0.0, -1000.0], [5000.0, 0.0]]], dtype=torch.float64)
    for pair in ([0, 0], [1, 0], [1, 1], [NOT_SCORED, 1], [1, NOT_SCORED]):
        compare(3, "logits that differ by thousands", spread, torch.tensor([pair]))


def _first_step(history: list[dict[str, Any]], goal: float) -> int | None:
    return next((row["step"] for row in history if row["string_accuracy"] >= goal), None)


def _examine_first_step(attempt: Callable[..., Any]) -> None:
    def history(*pairs: tuple[int, float]) -> list[dict[str, Any]]:
        return [{"step": step, "string_accuracy": reached} for step, reached in pairs]

    rising = history((25, 0.0), (50, 0.4), (75, 0.97), (100, 0.9), (125, 1.0))
    cases = [(rising, goal) for goal in (0.4, 0.95, 1.0)]
    cases += [(rising[:2], 0.5), ([], 0.5), (history((0, 0.6)), 0.5), (history((7, 0.5), (9, 0.8)), 0.5)]
    draw = random.Random(7)
    for number in range(60):
        steps = sorted(draw.sample(range(400), number % 8))
        rows = history(*((step, draw.randint(0, 10) / 10) for step in steps))
        for row in rows if number % 2 else []:
            row |= {"loss": draw.random(), "character_accuracy": draw.random()}
        cases.append((rows, draw.randint(0, 10) / 10))
    for rows, goal in cases:
        wanted = _first_step(rows, goal)
        pairs = [(row["step"], row["string_accuracy"]) for row in rows]
        case = f"a goal of {goal} and rows with (step, string_accuracy) {pairs}"
        expect_same(1 if wanted is not None else 2, case, attempt(rows, goal), wanted)


EXERCISES = (
    Exercise(
        key="06.warmup",
        title="warm up the learning rate",
        difficulty=1,
        minutes=4,
        requirements=(
            "In the first `warmup` steps, counted from 0, the rate grows by equal parts; step 0 already has one part.",
            "Step `warmup - 1` has the whole `peak`, and so has every step after it.",
            "With `warmup` 0 the rate is `peak` from the start.",
        ),
        examine=_examine_warmup,
    ),
    Exercise(
        key="06.loss",
        title="a loss that counts only what is scored",
        difficulty=2,
        minutes=8,
        requirements=(
            "The loss is the mean of `-log p(target)` over the positions, `p` being the softmax of the logits.",
            "A position with target -100 counts neither in the sum nor in the number it is divided by.",
            "Large logits do not overflow, and a position of small ones beside them stays exact.",
            AS_PRECISE,
            "Its gradient reaches the logits.",
            "You write it with exp and log, or logsumexp: no cross_entropy, nll_loss or log_softmax.",
        ),
        examine=_examine_loss,
        untouched=4,
    ),
    Exercise(
        key="06.first_step",
        title="when has it learnt?",
        difficulty=1,
        minutes=3,
        requirements=(
            "The result is the `step` of the first row whose `string_accuracy` is at least `goal`.",
            "Where no row reaches the goal, the result is `None`.",
            UNTOUCHED,
        ),
        examine=_examine_first_step,
        untouched=3,
    ),
)
