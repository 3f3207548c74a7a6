"""Exercises of lesson 10: recall's generator, the static test, and two estimators for regression in context."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from crn_lib.course.checks import (
    AS_PRECISE,
    UNTOUCHED,
    Exercise,
    expect,
    expect_parts,
    expect_same,
    expect_tensor,
    expect_whole,
    fail,
    shown,
)
from crn_lib.course.exercises.draws import DTYPES, normal
from crn_lib.tasks import NOT_SCORED
from crn_lib.tasks.estimators import averaging, least_squares

Call = Callable[..., Any]


class Problem(NamedTuple):
    """One problem of recall that meets requirements 1 to 4, and at which places behind its pairs the keys come back."""

    tokens: list[int]
    targets: list[int]
    places: list[int]

    @property
    def asked(self) -> list[int]:
        """The keys in the order in which they come back."""
        return [self.tokens[place] for place in self.places]


def _problem(attempt: Call, pairs: int, length: int, vocab: int, seed: int) -> Problem:
    """The answer's problem for this generator; raises `CheckFailed` where it breaks one of requirements 1 to 4."""
    case = f"{pairs} pairs, length {length}, vocab {vocab} and a generator of seed {seed}"
    answer = attempt(pairs, length, vocab, torch.Generator().manual_seed(seed))
    parts = expect_parts(1, case, answer, ("tokens", "targets"))
    tokens, targets = (expect_whole(1, case, part) for part in parts)
    found = f"got {len(tokens)} tokens and {len(targets)} targets"
    expect(1, len(tokens) == len(targets) == length, f"for {case}: {found}, wanted {length} of each")
    keys, values = tokens[: 2 * pairs : 2], tokens[1 : 2 * pairs : 2]
    half = vocab // 2
    right = len(set(keys)) == pairs and all(1 <= key < half for key in keys)
    expect(2, right, f"for {case}: got the keys {keys}, wanted {pairs} different ones from 1 to {half - 1}")
    right = len(set(values)) == pairs and all(half <= value < vocab for value in values)
    expect(2, right, f"for {case}: got the values {values}, wanted {pairs} different ones, {half} to {vocab - 1}")
    problem = Problem(tokens, targets, [place for place in range(2 * pairs, length) if tokens[place] != 0])
    again = f"for {case}: behind the pairs stand {problem.asked} at {problem.places}"
    expect(3, sorted(problem.asked) == sorted(keys), f"{again}, wanted each key once and zeros")
    expect(3, all(place % 2 == 0 for place in problem.places), f"{again}, wanted even places")
    value = dict(zip(keys, values, strict=True))
    wanted = [value[tokens[place]] if place in problem.places else NOT_SCORED for place in range(length)]
    expect_same(4, case, targets, wanted)
    return problem


def _examine_recall(attempt: Call) -> None:
    seen: set[tuple[Any, ...]] = set()
    same_order = total = 0
    for pairs, length, vocab in ((1, 4, 4), (2, 8, 8), (3, 16, 10), (4, 20, 32)):
        for seed in range(30):
            problem = _problem(attempt, pairs, length, vocab, seed)
            same_order += pairs > 1 and problem.asked == problem.tokens[: 2 * pairs : 2]
            total += pairs > 1
            seen.add((vocab, *problem.tokens))
    expect(5, len(seen) > 80, f"of 120 problems with seeds of their own only {len(seen)} differ")
    expect(5, same_order < 0.6 * total, f"{same_order} of {total} problems ask the keys in the order of the pairs")
    _expect_all_drawn(attempt)
    before = torch.random.get_rng_state()
    first = _problem(attempt, 4, 20, 32, 7)
    expect(5, first == _problem(attempt, 4, 20, 32, 7), "two generators of one seed give two different problems")
    generator = torch.Generator().manual_seed(7)
    drawn = [[list(map(int, part)) for part in attempt(4, 20, 32, generator)] for _ in range(2)]
    expect(5, drawn[0] != drawn[1], "two problems drawn one after the other from one generator are the same")
    expect(
        5, torch.equal(before, torch.random.get_rng_state()), "it draws from torch's own generator, not the one given"
    )


def _expect_all_drawn(attempt: Call) -> None:
    """Over many problems every place, key, value and order comes up: with 300, none of them stays away by chance."""
    problems = [_problem(attempt, 4, 20, 32, seed) for seed in range(300)]
    case = "in 300 problems of 4 pairs, length 20 and vocab 32"
    for what, all_of_them, found in (
        ("key", range(1, 16), [problem.tokens[:8:2] for problem in problems]),
        ("value", range(16, 32), [problem.tokens[1:8:2] for problem in problems]),
        ("even place behind the pairs", range(8, 20, 2), [problem.places for problem in problems]),
    ):
        never = sorted(set(all_of_them).difference(*found))
        expect(5, not never, f"{case} the {what} {never[0] if never else ''} never comes up")
    orders = len({tuple(map(problem.tokens[:8:2].index, problem.asked)) for problem in problems})
    expect(5, orders > 12, f"{case} the keys come back in {orders} of the 24 possible orders")


def _static(scores: Tensor) -> list[bool]:
    """By plain loops: no two receivers order two senders in opposite ways."""
    found = []
    for channel in scores.permute(2, 0, 1).tolist():
        above = {(j, k) for row in channel for j, x in enumerate(row) for k, y in enumerate(row) if x > y}
        found.append(not any((k, j) in above for j, k in above))
    return found


def _examine_static(attempt: Call) -> None:
    def compare(requirement: int, case: str, scores: Tensor) -> None:
        answer, wanted = attempt(scores), _static(scores)
        try:
            given = [bool(value) for value in answer]
        except (TypeError, RuntimeError):
            fail(1, f"for {case}: got {shown(answer)}, wanted one truth value per channel")
        expect(1, len(given) == len(wanted), f"for {case}: got {len(given)} truth values, wanted {len(wanted)}")
        for channel in [c for c in range(len(wanted)) if given[c] != wanted[c]][:1]:
            few = scores[:, :, channel].numel() <= 12
            rows = f", scores {shown(scores[:, :, channel], most=12)}" if few else ""
            found = f"channel {channel}{rows}: got {given[channel]}, wanted {wanted[channel]}"
            fail(requirement, f"for {case}: {found}")

    for seed, (receivers, senders, channels) in enumerate(((1, 1, 1), (3, 3, 3), (2, 4, 5), (5, 3, 2), (7, 6, 4))):
        shape = f"{receivers} receivers, {senders} senders, {channels} channels"
        drawn = normal(receivers, senders, channels, seed=seed)
        compare(2, f"drawn scores of {shape}", drawn)
        summed = normal(receivers, 1, channels, seed=seed) + normal(1, senders, channels, seed=seed + 50)
        compare(2, f"sums a + b of {shape}", summed)
        mixed = torch.cat([summed, drawn[:, :, :1]], dim=2)
        compare(2, f"sums a + b and one drawn channel, {shape}", mixed)
        compare(3, f"max(0, a + b) of {shape}", summed.clamp(min=0))
        crowned = drawn.clone()
        crowned[:, 0] = 9.0  # all agree on the best sender, and on nothing else
        compare(4, f"drawn scores with one best sender for all, {shape}", crowned)
    compare(3, "scores that are all 0, 4 receivers, 3 senders, 2 channels", torch.zeros(4, 3, 2))
    for seed in range(20):
        numbers = torch.randint(0, 2, (3, 3, 6), generator=torch.Generator().manual_seed(seed)).double()
        compare(3, f"scores of 0 and 1 (seed {seed}), 3 receivers, 3 senders, 6 channels", numbers)


def _examine_fit(attempt: Call) -> None:
    for dtype in DTYPES:
        for points, dims in ((1, 1), (3, 3), (2, 5), (5, 2), (6, 1), (9, 4)):
            x = normal(points, dims, seed=points, dtype=dtype)
            y = x @ normal(dims, seed=dims + 40, dtype=dtype) + normal(points, seed=9, dtype=dtype)
            case = f"{points} points of {dims} coordinates, {dtype}"
            answer = expect_tensor(5, case, attempt(x, y), x)
            right = answer.shape == (2, points)
            expect(1, right, f"for {case}: got shape {tuple(answer.shape)}, wanted {(2, points)}")
            expect_same(4, f"{case}, before any example", answer[:, 0], torch.zeros(2, dtype=dtype))
            tolerance = 1e-6 if dtype == torch.float64 else 2e-3
            for row, requirement, estimate in ((0, 2, least_squares), (1, 3, averaging)):
                expect_same(requirement, case, answer[row], estimate(x[None], y[None])[0], tolerance)
            later = y.clone()
            later[-1] += 100.0
            moved = expect_tensor(5, case, attempt(x, later), x)
            expect_same(4, f"{case}, the last y changed", moved, answer, tolerance)


EXERCISES = (
    Exercise(
        key="10.recall",
        title="a generator for recall",
        difficulty=2,
        minutes=10,
        requirements=(
            "It returns `length` tokens and `length` targets, whole numbers. `length` is even and at least 4 · pairs.",
            (
                "The tokens begin with `pairs` pairs, key, value, key, value: different keys from 1 to vocab / 2 − 1, "
                "different values from vocab / 2 to vocab − 1."
            ),
            "After them each key stands once more, at an even place (counted from 0); all other tokens are 0.",
            "The target at such a place is the key's value; all other targets are −100.",
            (
                "All is drawn from the generator, also at which places the keys come back and in which order. Every "
                "key, value, place and order may come up; a uniform draw is fine. Torch's own generator is not touched."
            ),
        ),
        examine=_examine_recall,
    ),
    Exercise(
        key="10.static",
        title="the static test",
        difficulty=2,
        minutes=8,
        requirements=(
            (
                "From `scores`, `(receivers, senders, channels)`, it makes one truth value per channel, of shape "
                "`(channels,)`."
            ),
            (
                "It is true where no two receivers disagree: nowhere does one score sender j above sender k, and "
                "another k above j."
            ),
            "Equal scores are no disagreement.",
            "All senders count, not only the best.",
            UNTOUCHED,
        ),
        examine=_examine_static,
        untouched=5,
    ),
    Exercise(
        key="10.fit",
        title="fit, or average",
        difficulty=3,
        minutes=12,
        requirements=(
            "From `x`, `(points, dims)`, and `y`, `(points,)`, it makes predictions of each y, of shape `(2, points)`.",
            (
                "Row 0 is least squares: the weights that fit all earlier points best, and of many such weights those "
                "of the smallest norm; it predicts their dot product with x. No intercept, no penalty; the points need "
                "not lie on one plane."
            ),
            "Row 1 is averaging: the dot product of x with the mean of y x over all earlier points.",
            "Before any example both predict 0, and nothing depends on a y that has not been seen.",
            AS_PRECISE,
        ),
        examine=_examine_fit,
        untouched=5,
    ),
)
