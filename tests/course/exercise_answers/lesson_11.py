"""Right and wrong answers to the exercises of lesson 11."""

from collections.abc import Callable
from typing import Any

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


RIGHT: dict[str, Callable[..., Any]] = {"11.work": work, "11.resume": to_do, "11.divide": divide}

ALSO_RIGHT: dict[str, tuple[Callable[..., Any], ...]] = {
    "11.divide": (lambda hours, workers: tuple(tuple(own[::-1]) for own in divide(hours, workers)[::-1]),),
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "11.work": {
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
    },
    "11.resume": {
        "a failure once is a failure for ever": any_failure_counts,
        "a success once is a success for ever": any_success_counts,
        "the oldest row counts": oldest_counts,
        "as many as there are rows": by_count,
        "failed runs always again": lambda keys, rows, retry: to_do(keys, rows, True),
        "failed runs never again": lambda keys, rows, retry: to_do(keys, rows, False),
        "sorted": lambda keys, rows, retry: sorted(to_do(keys, rows, retry)),
        "a set": lambda keys, rows, retry: set(to_do(keys, rows, retry)),
    },
    "11.divide": {
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
    },
}
