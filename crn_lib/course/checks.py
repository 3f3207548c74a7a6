"""Exercise checks: many drawn inputs, special cases, and a message that says which requirement failed, and where."""

import math
import operator
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from crn_lib.course.failures import CheckFailed

UNTOUCHED = "Its arguments are left unchanged."
AS_PRECISE = "Its arguments are left unchanged. The result is a tensor, float64 if the arguments are."

ONE_OF_MANY = re.compile(
    r"(?<![\d.,])1 (bit|block|byte|channel|coordinate|element|feature|kind|letter|number|object|operation|output|pair|"
    r"point|receiver|row|run|sender|step|sum|target|token|value|worker)s\b"
)
"""Counted things in messages: `1 letters` is to be `1 letter`."""


class NotAttempted(Exception):
    """What a stub raises, and nothing else does: the reader has written nothing yet."""


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
        untouched: the number of the requirement that arguments stay as they are, which every call is held to; 0 where
            they may change, or cannot.
    """

    key: str
    title: str
    difficulty: int
    minutes: int
    requirements: tuple[str, ...]
    examine: Callable[[Callable[..., Any]], None]
    untouched: int = 0

    def card(self) -> str:
        """The exercise's card in Markdown: what a lesson shows above the stub."""
        bullets = "\n".join(f"{number}. {text}" for number, text in enumerate(self.requirements, start=1))
        stars = "●" * self.difficulty + "○" * (3 - self.difficulty)
        return f"### Exercise {self.key}: {self.title}\n\nDifficulty {stars} · {self.minutes} minutes\n\n{bullets}"


def fail(requirement: int, message: str) -> NoReturn:
    """Raise `CheckFailed` for requirement number `requirement`."""
    raise CheckFailed(ONE_OF_MANY.sub(r"1 \1", f"requirement {requirement}: {message}"))


def expect(requirement: int, holds: bool, message: str) -> None:
    """Raise `CheckFailed` unless the condition holds."""
    if not holds:
        fail(requirement, message)


def shown(value: Any, most: int = 8) -> str:
    """A value in a message: whole where it is small (a tensor of so many numbers), otherwise its kind and size."""
    if isinstance(value, Tensor):
        numbers = value.detach().tolist() if value.numel() <= most else None
        return f"a tensor of shape {tuple(value.shape)}" if numbers is None else _rounded(numbers)
    text = " ".join((_in_order(value) if isinstance(value, set | frozenset) else repr(value)).split())
    return text if len(text) <= 120 else f"{text[:100]} ... (a {type(value).__name__} of {len(text):,} characters)"


def _in_order(values: Set[Any]) -> str:
    """A set as Python writes it, its members in an order that does not change from process to process."""
    inside = ", ".join(sorted(map(repr, values)))
    plain = f"{{{inside}}}" if inside else "set()"
    return plain if type(values) is set else f"{type(values).__name__}({plain if inside else ''})"


def _rounded(numbers: Any) -> str:
    if isinstance(numbers, list):
        return f"[{', '.join(map(_rounded, numbers))}]"
    return f"{numbers:.4g}" if isinstance(numbers, float) else str(numbers)


def expect_tensor(requirement: int, case: str, got: Any, like: Tensor) -> Tensor:
    """Raise `CheckFailed` unless `got` is a tensor no less precise than `like`; returns it without its history."""
    if got is None:
        fail(1, f"for {case}: got None, wanted a tensor; is there a `return`?")
    if not isinstance(got, Tensor):
        fail(requirement, f"for {case}: got {shown(got)} ({type(got).__name__}), wanted a tensor")
    expect(requirement, not got.is_complex(), f"for {case}: got complex numbers, wanted real ones")
    precise = torch.promote_types(got.dtype, like.dtype) == got.dtype
    expect(requirement, precise, f"for {case}: got {got.dtype}, wanted {like.dtype} as what came in")
    return got.detach()


def plain(value: Any) -> Any:
    """A number out of a tensor or an array of a single one; all else as it is."""
    return value.item() if isinstance(value, Tensor | np.ndarray | np.generic) and value.ndim == 0 else value


def expect_parts(requirement: int, case: str, got: Any, names: Sequence[str]) -> list[Any]:
    """Raise `CheckFailed` unless `got` can be unpacked into as many values as there are names."""
    try:
        parts = list(got)
    except TypeError:
        parts = []
    if len(parts) != len(names):
        fail(requirement, f"for {case}: return {len(names)} values, {' and '.join(names)}; got {shown(got)}")
    return parts


def expect_numbers(requirement: int, case: str, got: Any, names: Sequence[str]) -> list[float]:
    """Raise `CheckFailed` unless `got` is as many numbers as there are names, in whatever holds them."""
    try:
        return [float(number) for number in expect_parts(requirement, case, got, names)]
    except (TypeError, ValueError, OverflowError):
        fail(requirement, f"for {case}: got {shown(got)}, wanted {len(names)} numbers: {', '.join(names)}")


def expect_tensors(requirement: int, case: str, got: Any, names: Sequence[str]) -> list[Tensor]:
    """Raise `CheckFailed` unless `got` is as many tensors (or arrays) as there are names, in whatever holds them."""
    parts = expect_parts(requirement, case, got, names)
    for name, part in zip(names, parts, strict=True):
        if not isinstance(part, Tensor | np.ndarray):
            fail(requirement, f"for {case}: {name} is {shown(part)} ({type(part).__name__}), wanted a tensor")
    return [torch.as_tensor(part) for part in parts]


def expect_whole(requirement: int, case: str, got: Any) -> list[int]:
    """Raise `CheckFailed` unless `got` is a sequence of whole numbers; returns them as Python's."""
    try:
        return [operator.index(number) for number in got]
    except TypeError:
        kind = f" ({got.dtype})" if isinstance(got, Tensor) else ""
        fail(requirement, f"for {case}: got {shown(got)}{kind}, wanted a list of whole numbers")


def expect_same(requirement: int, case: str, got: Any, wanted: Any, tolerance: float | None = None) -> None:
    """Compare an answer with the right one, and name the first index that differs.

    Args:
        requirement: the number reported.
        case: the input, in words.
        got, wanted: numbers, strings, `None`, or sequences or tensors of numbers.
        tolerance: for floating-point numbers, relative to the largest finite one wanted; if not given, 1e-9, 2e-5 where
            a float32 tensor is wanted, and 1e-6 where plain numbers are wanted and float32 ones came.
    """
    if wanted is None or isinstance(wanted, str | bool):
        got = plain(got) if isinstance(got, np.bool_) else got
        kind = str if isinstance(wanted, str) else type(wanted)
        alike = isinstance(got, kind) and got == wanted
        expect(requirement, alike, f"for {case}: got {shown(got)}, wanted {wanted!r}")
        return
    if got is None:
        fail(requirement, f"for {case}: got None, wanted {shown(wanted)}; is there a `return`?")
    if isinstance(got, Tensor) and got.is_complex():
        fail(requirement, f"for {case}: got complex numbers, wanted real ones")
    try:
        found = torch.as_tensor(got, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        fail(requirement, f"for {case}: got {shown(got)}, wanted {shown(wanted)}")
    right = torch.as_tensor(wanted, dtype=torch.float64)
    if found.shape != right.shape:
        if found.numel() + right.numel() <= 16 and not isinstance(got, Tensor):
            fail(requirement, f"for {case}: got {shown(got)}, wanted {shown(wanted)}")
        fail(requirement, f"for {case}: got shape {_shape(found)}, wanted {_shape(right)}")
    if tolerance is None:
        # A tensor that is wanted says itself how precise it is to be; for plain numbers, float32 is good enough.
        asks, single = (wanted.dtype, 2e-5) if isinstance(wanted, Tensor) else (getattr(got, "dtype", ""), 1e-6)
        tolerance = single if "float32" in str(asks) else 1e-9
    scale = max([1.0, *right[right.isfinite()].abs().flatten().tolist()])
    wrong = ~torch.isclose(found, right, rtol=0, atol=tolerance * scale)
    if bool(wrong.any()):
        index = tuple(int(i) for i in wrong.nonzero()[0]) if right.ndim else ()
        place = f" at index {_index(index)}" if right.ndim else ""
        fail(requirement, f"for {case}:{place} {_apart(found[index].item(), right[index].item(), tolerance)}")


def _apart(got: float, wanted: float, tolerance: float) -> str:
    """Both numbers; how far apart they are where they print alike, and what it may come from where they are near."""
    near = tolerance > 0 and abs(got - wanted) <= 1e-5 * abs(wanted) < math.inf
    why = ": is there float32, or an epsilon, on the way?" if near else ""
    if f"{got:g}" != f"{wanted:g}":
        return f"got {got:g}, wanted {wanted:g}{why}"
    return f"got {got:g}, wanted {wanted:g}, off by {abs(got - wanted):.0g}{why}"


def _shape(x: Tensor) -> str:
    return "of a single number" if x.ndim == 0 else str(tuple(x.shape))


def _index(index: Sequence[int]) -> str:
    return str(index[0]) if len(index) == 1 else str(tuple(index))
