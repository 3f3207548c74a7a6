"""Exercise checks: many drawn inputs, special cases, and a message that says which requirement failed, and where."""

import copy
import inspect
import math
import operator
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

UNTOUCHED = "Its arguments are left unchanged."
AS_PRECISE = "Its arguments are left unchanged. The result is a tensor, float64 if the arguments are."

ONE_OF_MANY = re.compile(
    r"(?<![\d.,])1 (bit|block|byte|channel|coordinate|feature|kind|letter|object|output|pair|point|receiver|row|run|"
    r"sender|step|sum|token|worker)s\b"
)
"""Counted things in messages: `1 letters` is to be `1 letter`."""

OF_A_PACKAGE = re.compile(r"[\\/](crn_lib|site-packages|IPython|python3\.\d+)[\\/]")
"""Files whose lines say nothing about the reader's answer."""


class NotAttempted(Exception):
    """What a stub raises, and nothing else does: the reader has written nothing yet."""


class CheckFailed(AssertionError):
    """An answer that does not meet a requirement; the message says which one, for which input, and at which index."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints: the reader's line that stopped, and the message. Lines of the check hold the answer."""
        frames = traceback.extract_tb(self.__cause__.__traceback__) if self.__cause__ else []
        own = [frame for frame in frames if not OF_A_PACKAGE.search(frame.filename)]
        places = [f"line {frame.lineno} of {frame.name}: {frame.line}" for frame in own]
        return [*places, f"\x1b[31mNot yet: {self}\x1b[0m"]


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


def watched(exercise: Exercise, attempt: Callable[..., Any]) -> Callable[..., Any]:
    """The reader's function: where it stops, the arguments are named, and where asked, they must stay as they were."""

    def call(*given: Any) -> Any:
        before = _snapshot(given) if exercise.untouched else None
        try:
            result = attempt(*given)
        except (CheckFailed, NotAttempted):
            raise
        except Exception as error:
            names = _names(attempt, len(given))
            plain = [(name, shown(value)) for name, value in zip(names, given, strict=True) if not callable(value)]
            named = ", ".join(value if name.isdigit() else f"{name}={value}" for name, value in plain)
            raise CheckFailed(f"it stopped with {in_one_line(error)}{named and ', given '}{named:.240}") from error
        if before is None:
            return result
        for name, old, new in zip(_names(attempt, len(given)), before, _snapshot(given), strict=True):
            if not _equal(old, new):
                fail(exercise.untouched, f"it changed its argument {name}: {_change(old, new)}; work on a copy")
        return result

    return call


def in_one_line(error: Exception) -> str:
    """An error's name and the first line of its message."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), 'no message'):.200}"


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's arguments, or their numbers where it takes them by other ways."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return names if len(names) == count else [str(number) for number in range(1, count + 1)]


def _change(old: Any, new: Any) -> str:
    """The first entry that differs where shapes are alike, otherwise both values."""
    if isinstance(old, Tensor) and isinstance(new, Tensor) and old.shape == new.shape and old.ndim:
        index = tuple((~torch.isclose(old, new, rtol=0, atol=0, equal_nan=True)).nonzero()[0].tolist())
        first, second = old[index].item(), new[index].item()
        digits = ".6g" if f"{first:.6g}" != f"{second:.6g}" else ".17g"
        return f"at index {_index(index)} it was {first:{digits}} and is {second:{digits}}"
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        place = next(place for place, (one, other) in enumerate(zip(old, new, strict=True)) if not _equal(one, other))
        return f"its item {place} was {shown(old[place])} and is {shown(new[place])}"
    return f"it was {shown(old)} and is {shown(new)}"


def _snapshot(value: Any) -> Any:
    """What a value holds now: copies of its tensors, and of the attributes of an object of the reader's own class."""

    def copied(leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return leaf.detach().clone()
        if callable(leaf):
            return leaf
        return _snapshot(vars(leaf)) if hasattr(leaf, "__dict__") else copy.copy(leaf)

    return tree_map(copied, value)


def _equal(old: Any, new: Any) -> bool:
    first, second = tree_leaves(old), tree_leaves(new)
    return len(first) == len(second) and all(map(_same_leaf, first, second))


def _same_leaf(old: Any, new: Any) -> bool:
    if not isinstance(old, Tensor):
        return old is new or bool(np.all(old == new))
    return old.shape == new.shape and torch.allclose(old, new, rtol=0, atol=0, equal_nan=True)


def shown(value: Any) -> str:
    """A value in a message: whole where it is small, otherwise its kind and size."""
    if isinstance(value, Tensor):
        numbers = value.detach().tolist() if value.numel() <= 8 else None
        return f"a tensor of shape {tuple(value.shape)}" if numbers is None else _rounded(numbers)
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]} ... (a {type(value).__name__} of {len(text):,} characters)"


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
    precise = torch.promote_types(got.dtype, like.dtype) == got.dtype
    expect(requirement, precise, f"for {case}: got {got.dtype}, wanted {like.dtype} as what came in")
    return got.detach()


def expect_numbers(requirement: int, case: str, got: Any, names: Sequence[str]) -> list[float]:
    """Raise `CheckFailed` unless `got` is as many numbers as there are names, in whatever holds them."""
    try:
        numbers = [float(number) for number in got]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != len(names):
        fail(requirement, f"for {case}: got {shown(got)}, wanted {len(names)} numbers: {', '.join(names)}")
    return numbers


def expect_tensors(requirement: int, case: str, got: Any, names: Sequence[str]) -> list[Tensor]:
    """Raise `CheckFailed` unless `got` is a tuple or list of as many tensors (or arrays) as there are names."""
    if not isinstance(got, tuple | list) or len(got) != len(names):
        of = f" of {len(got)}" if isinstance(got, tuple | list) else ""
        found = f"got {shown(got)}" if isinstance(got, Tensor) else f"got a {type(got).__name__}{of}"
        fail(requirement, f"for {case}: return {len(names)} tensors, {' and '.join(names)}; {found}")
    return [torch.as_tensor(each) for each in got]


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
        alike = type(got) is type(wanted) and got == wanted
        expect(requirement, alike, f"for {case}: got {shown(got)}, wanted {wanted!r}")
        return
    if got is None:
        fail(requirement, f"for {case}: got None, wanted {shown(wanted)}; is there a `return`?")
    try:
        found = torch.as_tensor(got, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        fail(requirement, f"for {case}: got {shown(got)}, wanted {shown(wanted)}")
    right = torch.as_tensor(wanted, dtype=torch.float64)
    if found.shape != right.shape:
        if found.numel() + right.numel() <= 16 and not isinstance(got, Tensor):
            fail(requirement, f"for {case}: got {shown(got)}, wanted {shown(wanted)}")
        fail(requirement, f"for {case}: got shape {_shape(found)}, wanted {_shape(right)}")
    if tolerance is None:
        single = "float32" in str(getattr(got, "dtype", ""))
        tolerance = 1e-6 if single and not isinstance(wanted, Tensor) else 1e-9
        if isinstance(wanted, Tensor) and wanted.dtype == torch.float32:
            tolerance = 2e-5
    scale = max([1.0, *right[right.isfinite()].abs().flatten().tolist()])
    wrong = ~torch.isclose(found, right, rtol=0, atol=tolerance * scale)
    if bool(wrong.any()):
        index = tuple(int(i) for i in wrong.nonzero()[0]) if right.ndim else ()
        place = f" at index {_index(index)}" if right.ndim else ""
        fail(requirement, f"for {case}:{place} {_apart(found[index].item(), right[index].item(), tolerance)}")


def _apart(got: float, wanted: float, tolerance: float) -> str:
    """Both numbers; how far apart they are where they print alike, and what it may come from where they are near."""
    near = tolerance > 0 and abs(got - wanted) <= 1e-3 * abs(wanted) < math.inf
    why = ": is there float32, or an epsilon, on the way?" if near else ""
    if f"{got:g}" != f"{wanted:g}":
        return f"got {got:g}, wanted {wanted:g}{why}"
    return f"got {got:g}, wanted {wanted:g}, off by {abs(got - wanted):.0g}{why}"


def _shape(x: Tensor) -> str:
    return "of a single number" if x.ndim == 0 else str(tuple(x.shape))


def _index(index: Sequence[int]) -> str:
    return str(index[0]) if len(index) == 1 else str(tuple(index))
