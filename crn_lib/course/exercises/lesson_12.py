"""Exercises of lesson 12: the work of a run counted, which runs are still to be done, runs divided among workers."""

import random
from collections.abc import Callable
from typing import Any

from crn_lib.course.checks import UNTOUCHED, Exercise, expect, expect_numbers, expect_same, expect_whole, fail, shown
from crn_lib.experiments.cost import sequence_work
from crn_lib.models import ModelConfig


def _examine_work(attempt: Callable[..., Any]) -> None:
    draw = random.Random(11)
    sizes = [(1, 2, 1, 1, 1), (2, 2, 1, 1, 1), (16, 64, 4, 64, 150), (255, 192, 12, 320, 2000)]
    for _ in range(12):
        letters, width, blocks, batch, steps = (draw.randint(1, most) for most in (60, 200, 12, 64, 900))
        sizes.append((letters, 1 + width, blocks, batch, steps))  # an exact norm needs two channels
    for letters, width, blocks, batch, steps in sizes:
        tokens = 2 * (letters + 1)
        case = f"{letters} letters, width {width}, {blocks} blocks, batch {batch}, {steps} steps"
        names = ("elements", "operations")
        for requirement, kind, place in ((1, "causal_rn", 0), (2, "causal_rn", 1), (3, "transformer", 1)):
            shape = ModelConfig(kind=kind, width=width, blocks=blocks, max_length=tokens)
            one = sequence_work(shape, tokens).times(batch * steps)
            wanted = (one.elements, one.operations)
            got = expect_numbers(1, f"{kind}, {case}", attempt(kind, letters, width, blocks, batch, steps), names)
            expect_same(requirement, f"{kind}, {case}, {names[place]}", got[place], float(wanted[place]))
        expect(3, got[0] == 0, f"for transformer, {case}: got {got[0]:g} elements, and it has no relation")


def _to_do(keys: list[str], rows: list[dict[str, Any]], retry_failed: bool) -> list[str]:
    newest = {row["key"]: row["error"] for row in rows}
    return [key for key in keys if key not in newest or (retry_failed and newest[key] is not None)]


def _examine_resume(attempt: Callable[..., Any]) -> None:
    def row(key: str, error: str | None = None) -> dict[str, Any]:
        return {"key": key, "error": error}

    cases: tuple[tuple[int, str, list[str], list[dict[str, Any]]], ...] = (
        (1, "no rows yet", ["c", "a", "b"], []),
        (1, "the second of three is stored", ["c", "a", "b"], [row("a")]),
        (1, "everything is stored", ["a", "b"], [row("b"), row("a")]),
        (1, "rows of another sweep", ["a", "b"], [row("z"), row("y", "out of memory"), row("b")]),
        (2, "one failed", ["a", "b", "c"], [row("a"), row("b", "out of memory")]),
        (2, "one failed without a word", ["a", "b", "c"], [row("a"), row("b", "")]),
        (3, "one failed and then succeeded", ["a", "b"], [row("b", "killed"), row("b")]),
        (3, "one succeeded, and its newest row failed", ["a", "b"], [row("a"), row("b"), row("a", "killed")]),
    )
    draw = random.Random(12)
    drawn = []
    for number in range(80):
        letters = [letter * (1 + number % 3) for letter in "abcdefg"]
        keys = draw.sample(letters, number % 6)
        rows = [row(draw.choice(letters), draw.choice((None, None, "killed", ""))) for _ in range(draw.randint(0, 8))]
        for each in rows if number % 2 else []:
            each |= {"seed": draw.randint(0, 9), "string_accuracy": 1.0}
        repeated = len({each["key"] for each in rows}) < len(rows)
        text = ", ".join(f"{each['key']}: {each['error']!r}" for each in rows)
        drawn.append((3 if repeated else 2, f"the keys {keys} and the rows' errors {text or '(no rows)'}", keys, rows))
    for requirement, case, keys, rows in (*cases, *drawn):
        for retry in (False, True):
            got, wanted = attempt(keys, rows, retry), _to_do(keys, rows, retry)
            if not isinstance(got, list):
                fail(1, f"return a list of keys; got {shown(got)}")
            text = f"{case}, retry_failed={retry}"
            expect(requirement, got == wanted, f"for {text}: got {shown(got)}, wanted {wanted!r}")


def _longest_first(hours: list[float], workers: int) -> float:
    loads = [0.0] * workers
    for each in sorted(hours, reverse=True):
        loads[loads.index(min(loads))] += each
    return max(loads)


def _examine_divide(attempt: Callable[..., Any]) -> None:
    cases = [([3.0, 3.0, 2.0, 2.0, 2.0], 2), ([1.0] * 6 + [6.0], 2), ([5.0], 3), ([4.0, 1.0, 1.0, 1.0, 1.0], 2)]
    cases += [([], 2), ([2.0, 2.0, 2.0], 1), ([0.0, 0.0, 1.0], 2)]
    draw = random.Random(13)
    for number in range(60):
        hours = [20 * draw.random() ** 3 + 0.1 for _ in range(1 + number // 2)]
        if number % 3 == 0:
            hours = [float(round(each)) for each in hours]  # equal ones among them
        cases.append((hours, 1 + number % 5))
    for hours, workers in cases:
        case = f"{workers} workers and hours {', '.join(f'{each:.3g}' for each in hours)}"
        got = attempt(hours, workers)
        if not isinstance(got, list | tuple) or len(got) != workers:
            fail(1, f"for {case}: wanted a list of {workers} lists, got {shown(got)}")
        indices = sorted(expect_whole(1, case, [index for own in got for index in own]))
        wanted = list(range(len(hours)))
        expect(1, indices == wanted, f"for {case}: the runs given out are {indices}, wanted each of {wanted} once")
        finish = max(sum(hours[index] for index in own) for own in got)
        best = _longest_first(hours, workers)
        expect(
            2, finish <= best * (1 + 1e-9), f"for {case}: the last worker ends after {finish:.3g}, wanted {best:.3g}"
        )


EXERCISES = (
    Exercise(
        key="12.work",
        title="count the work of a run",
        difficulty=2,
        minutes=8,
        requirements=(
            (
                "For `causal_rn`, the first number is the elements of all steps: causal pairs, a receiver's pair with "
                "itself among them, times width, blocks, batch and steps. A string of S letters makes 2(S + 1) tokens."
            ),
            (
                "The second is the operations in linear maps, 6 for each parameter and token: `causal_rn` has 3 square "
                "matrices in each block, and one head for the model, of width × 29."
            ),
            (
                "`transformer` has 12 square matrices in each block and the same head; attention adds 12 × tokens² × "
                "width for each block and sequence. It has no elements."
            ),
        ),
        examine=_examine_work,
    ),
    Exercise(
        key="12.resume",
        title="what is still to be done",
        difficulty=1,
        minutes=6,
        requirements=(
            "It returns the keys of the runs that have no row, in the sweep's order; rows of other runs do not matter.",
            "A failed run has a row whose error is not None. It is left alone unless retry_failed is true.",
            "If a run has several rows, the newest (the last) counts.",
            UNTOUCHED,
        ),
        examine=_examine_resume,
        untouched=4,
    ),
    Exercise(
        key="12.divide",
        title="divide runs among workers",
        difficulty=2,
        minutes=8,
        requirements=(
            "It returns a list for every worker, of indices into hours; every run is in exactly one of them.",
            "The last worker ends no later than if the longest run left always went to whoever has the least to do.",
            UNTOUCHED,
        ),
        examine=_examine_divide,
        untouched=3,
    ),
)
