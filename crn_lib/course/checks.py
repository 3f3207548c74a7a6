"""Exercise checks: several inputs, a special case, and a message that says which requirement failed, and where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch


class CheckFailed(AssertionError):
    """An answer that does not meet a requirement; the message says which one, for which input, and at which index."""


@dataclass(frozen=True)
class Exercise:
    """One exercise, as its card in the lesson states it.

    Attributes:
        key: lesson and name, as in `01.targets`.
        title: what to write, in a few words.
        difficulty: 1 to 3.
        minutes: a reader's.
        requirements: what is asked, one sentence each; the check reports them by number.
        examine: takes the reader's function and raises `CheckFailed` where a requirement is not met.
    """

    key: str
    title: str
    difficulty: int
    minutes: int
    requirements: tuple[str, ...]
    examine: Callable[[Callable[..., Any]], None]

    def card(self) -> str:
        """The exercise's card in Markdown: what a lesson shows above the stub."""
        bullets = "\n".join(f"{number}. {text}" for number, text in enumerate(self.requirements, start=1))
        stars = "●" * self.difficulty + "○" * (3 - self.difficulty)
        return f"### Exercise {self.key}: {self.title}\n\nDifficulty {stars} · {self.minutes} minutes\n\n{bullets}"


def fail(requirement: int, message: str) -> None:
    """Raise `CheckFailed` for requirement number `requirement`."""
    raise CheckFailed(f"requirement {requirement}: {message}")


def expect(requirement: int, holds: bool, message: str) -> None:
    """Raise `CheckFailed` unless the condition holds."""
    if not holds:
        fail(requirement, message)


def expect_same(requirement: int, case: str, got: Any, wanted: Any, tolerance: float = 1e-6) -> None:
    """Compare an answer with the right one, and name the first index that differs.

    Args:
        requirement: the number reported.
        case: the input, in words.
        got, wanted: numbers, strings, `None`, or sequences or tensors of numbers.
        tolerance: for floating-point numbers, relative to the largest wanted one.
    """
    if wanted is None or isinstance(wanted, str | bool):
        expect(requirement, type(got) is type(wanted) and got == wanted, f"for {case}: got {got!r}, wanted {wanted!r}")
        return
    if got is None:
        fail(requirement, f"for {case}: got None, wanted {wanted!r}; is there a `return`?")
    try:
        found = torch.as_tensor(got, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        fail(requirement, f"for {case}: got {got!r}, wanted {wanted!r}")
    right = torch.as_tensor(wanted, dtype=torch.float64)
    if found.shape != right.shape:
        fail(requirement, f"for {case}: got shape {_shape(found)}, wanted {_shape(right)}")
    scale = max(1.0, float(right.abs().max())) if right.numel() else 1.0
    wrong = ~torch.isclose(found, right, rtol=0, atol=tolerance * scale)
    if bool(wrong.any()):
        index = tuple(int(i) for i in wrong.nonzero()[0]) if right.ndim else ()
        place = f" at index {_index(index)}" if right.ndim else ""
        fail(requirement, f"for {case}:{place} got {found[index].item():g}, wanted {right[index].item():g}")


def _shape(x: torch.Tensor) -> str:
    return "of a single number" if x.ndim == 0 else str(tuple(x.shape))


def _index(index: Sequence[int]) -> str:
    return str(index[0]) if len(index) == 1 else str(tuple(index))
