"""Right and wrong answers to the exercises of lesson 12."""

import heapq
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Row = dict[str, Any]


def work(kind: str, letters: int, width: int, blocks: int, batch: int, steps: int) -> tuple[float, float]:
    tokens, sequences = 2 * (letters + 1), batch * steps
    matrices = (3 if kind == "causal_rn" else 12) * width**2 * blocks + 29 * width
    operations = 6 * matrices * tokens * sequences
    if kind == "transformer":
        return 0, operations + 12 * tokens**2 * width * blocks * sequences
    return tokens * (tokens + 1) / 2 * width * blocks * sequences, operations


def changed(
    elements: Callable[..., float] = lambda *_: 0, operations: Callable[..., float] = lambda *_: 0
) -> Callable[..., tuple[float, float]]:
    """The right answer plus something: functions of `(kind, tokens, width, blocks, sequences)`."""

    def wrong(kind: str, letters: int, width: int, blocks: int, batch: int, steps: int) -> tuple[float, float]:
        right = work(kind, letters, width, blocks, batch, steps)
        given = kind, 2 * (letters + 1), width, blocks, batch * steps
        return right[0] + elements(*given), right[1] + operations(*given)

    return wrong


def letters_for_tokens(kind: str, letters: int, *rest: int) -> tuple[float, float]:
    tokens = letters / 2 - 1
    return work(kind, tokens, *rest)  # type: ignore[arg-type]


def to_do(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    newest = {row["key"]: row["error"] for row in rows}
    return [key for key in keys if key not in newest or (retry_failed and newest[key] is not None)]


def any_failure_counts(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    failed = {row["key"] for row in rows if row["error"]}
    stored = {row["key"] for row in rows}
    return [key for key in keys if key not in stored or (retry_failed and key in failed)]


def any_success_counts(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    good = {row["key"] for row in rows if row["error"] is None}
    stored = {row["key"] for row in rows}
    return [key for key in keys if key not in stored or (retry_failed and key not in good)]


def oldest_counts(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    return to_do(keys, rows[::-1], retry_failed)


def by_count(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    return keys[len(rows) :]


def divide(hours: list[float], workers: int) -> list[list[int]]:
    shares: list[list[int]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for index in sorted(range(len(hours)), key=lambda i: -hours[i]):
        least = loads.index(min(loads))
        shares[least].append(index)
        loads[least] += hours[index]
    return shares


def in_any_order(order: Callable[[list[float]], list[int]]) -> Callable[[list[float], int], list[list[int]]]:
    """To the worker with the least to do, in this order."""

    def give(hours: list[float], workers: int) -> list[list[int]]:
        shares: list[list[int]] = [[] for _ in range(workers)]
        loads = [0.0] * workers
        for index in order(hours):
            least = loads.index(min(loads))
            shares[least].append(index)
            loads[least] += hours[index]
        return shares

    return give


def round_robin(hours: list[float], workers: int) -> list[list[int]]:
    order = sorted(range(len(hours)), key=lambda i: -hours[i])
    return [order[number::workers] for number in range(workers)]


def equal_counts(hours: list[float], workers: int) -> list[list[int]]:
    each = -(-len(hours) // workers)
    return [list(range(len(hours)))[number * each : (number + 1) * each] for number in range(workers)]


def to_do_by_truth(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    """An empty error is none."""
    newest = {row["key"]: row["error"] for row in rows}
    return [key for key in keys if key not in newest or (retry_failed and newest[key])]


def to_do_taken_away(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    wanted = to_do(keys, rows, retry_failed)
    for key in [key for key in keys if key not in wanted]:
        keys.remove(key)
    return keys


def failed_last(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    new = to_do(keys, rows, False)
    return new + [key for key in to_do(keys, rows, retry_failed) if key not in new]


def failed_of_other_sweeps(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    strange = {row["key"] for row in rows if row["error"] is not None} - set(keys)
    return to_do(keys, rows, retry_failed) + (sorted(strange) if retry_failed else [])


def newest_row_of_all(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    return to_do(keys, rows, retry_failed and bool(rows) and rows[-1]["error"] is not None)


def to_do_from_the_end(keys: list[str], rows: list[Row], retry_failed: bool) -> list[str]:
    good: dict[str, bool] = {}
    for row in rows[::-1]:
        good.setdefault(row["key"], row["error"] is None or not retry_failed)
    return list(filter(lambda key: not good.get(key, False), keys))


def divide_by_value(hours: list[float], workers: int) -> list[list[int]]:
    return [[hours.index(hours[index]) for index in own] for own in divide(hours, workers)]


def divide_that_sorts(hours: list[float], workers: int) -> list[list[int]]:
    shares = divide(hours, workers)
    hours.sort(reverse=True)
    return shares


def snake(hours: list[float], workers: int) -> list[list[int]]:
    order = sorted(range(len(hours)), key=lambda i: -hours[i])
    there_and_back = [*range(workers), *range(workers - 1, -1, -1)]
    shares: list[list[int]] = [[] for _ in range(workers)]
    for place, index in enumerate(order):
        shares[there_and_back[place % len(there_and_back)]].append(index)
    return shares


def fewest_runs(hours: list[float], workers: int) -> list[list[int]]:
    shares: list[list[int]] = [[] for _ in range(workers)]
    for index in sorted(range(len(hours)), key=lambda i: -hours[i]):
        min(shares, key=len).append(index)
    return shares


def divide_with_a_heap(hours: list[float], workers: int) -> list[set[int]]:
    loads = [(0.0, worker, set[int]()) for worker in range(workers)]
    for index in np.argsort(-np.array(hours, dtype=float)):
        load, worker, own = heapq.heappop(loads)
        heapq.heappush(loads, (load + hours[index], worker, own | {index}))
    return [own for _, _, own in loads]


RIGHT: dict[str, Callable[..., Any]] = {"12.work": work, "12.resume": to_do, "12.divide": divide}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "12.work": [
        lambda *given: tuple(np.float64(number) for number in work(*given)),
        lambda *given: tuple(Fraction(number) for number in work(*given)),
        lambda *given: np.array(work(*given)),
    ],
    "12.resume": [to_do_from_the_end],
    "12.divide": [
        lambda hours, workers: tuple(tuple(own[::-1]) for own in divide(hours, workers)[::-1]),
        divide_with_a_heap,
    ],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "12.work": {
        "all pairs": changed(elements=lambda kind, n, w, L, s: n * (n - 1) / 2 * w * L * s * (kind == "causal_rn")),
        "its own sender left out": changed(elements=lambda kind, n, w, L, s: -n * w * L * s * (kind == "causal_rn")),
        "letters for tokens": letters_for_tokens,
        "no head": changed(operations=lambda kind, n, w, L, s: -6 * 29 * w * n * s),
        "a head in every block": changed(operations=lambda kind, n, w, L, s: 6 * 29 * w * (L - 1) * n * s),
        "attention without its products": changed(
            operations=lambda kind, n, w, L, s: -12 * n**2 * w * L * s * (kind == "transformer")
        ),
        "attention forward only": changed(
            operations=lambda kind, n, w, L, s: -8 * n**2 * w * L * s * (kind == "transformer")
        ),
        "a relation in the Transformer": changed(elements=lambda kind, n, w, L, s: n * w * (kind == "transformer")),
        "one number": lambda *given: sum(work(*given)),
        "26 letters": changed(operations=lambda kind, n, w, L, s: -18 * w * n * s),
        "attention over the past only": changed(
            operations=lambda kind, n, w, L, s: -6 * n * (n - 1) * w * L * s * (kind == "transformer")
        ),
        "two square matrices": changed(
            operations=lambda kind, n, w, L, s: -6 * w**2 * L * n * s * (kind == "causal_rn")
        ),
        "one string": lambda kind, letters, width, blocks, batch, steps: work(kind, letters, width, blocks, 1, steps),
        "tokens of one string": lambda kind, letters, *rest: work(kind, (letters - 1) / 2, *rest),
        "the other way round": lambda *given: work(*given)[::-1],
    },
    "12.resume": {
        "a failure once is a failure for ever": any_failure_counts,
        "a success once is a success for ever": any_success_counts,
        "the oldest row counts": oldest_counts,
        "as many as there are rows": by_count,
        "failed runs always again": lambda keys, rows, retry: to_do(keys, rows, True),
        "failed runs never again": lambda keys, rows, retry: to_do(keys, rows, False),
        "sorted": lambda keys, rows, retry: sorted(to_do(keys, rows, retry)),
        "a set": lambda keys, rows, retry: set(to_do(keys, rows, retry)),
        "an error without a word is none": to_do_by_truth,
        "takes from the keys": to_do_taken_away,
        "failed runs last": failed_last,
        "failed runs of other sweeps": failed_of_other_sweeps,
        "the newest row of all": newest_row_of_all,
    },
    "12.divide": {
        "in the order given": in_any_order(lambda hours: list(range(len(hours)))),
        "shortest first": in_any_order(lambda hours: sorted(range(len(hours)), key=lambda i: hours[i])),
        "in turn": round_robin,
        "equal counts": equal_counts,
        "all to the first": lambda hours, workers: [list(range(len(hours)))] + [[]] * (workers - 1),
        "the longest run lost": lambda hours, workers: [
            [index for index in own if hours[index] < max(hours)] for own in divide(hours, workers)
        ],
        "a run twice": lambda hours, workers: [[*own, 0] for own in divide(hours, workers)],
        "hours and not indices": lambda hours, workers: [
            [hours[index] for index in own] for own in divide(hours, workers)
        ],
        "looked up by their hours": divide_by_value,
        "sorts the hours": divide_that_sorts,
        "there and back": snake,
        "to whoever has the fewest": fewest_runs,
        "no list for who has nothing": lambda hours, workers: [own for own in divide(hours, workers) if own],
        "floats": lambda hours, workers: [[float(index) for index in own] for own in divide(hours, workers)],
    },
}
