"""A reader's function under watch: an error is told with what was given, and what was given must stay as it was."""

import copy
import inspect
import itertools
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crn_lib.course.checks import Exercise, NotAttempted, fail, shown
from crn_lib.course.failures import CheckFailed, own_lines

COPIED = (np.ndarray, set, bytearray, deque)
"""Containers besides Python's lists, tuples and mappings that can change in place."""

MOST_YIELDED = 100_000
"""Values that are taken of an answer which yields them: one that never ends must not keep the lesson."""


def watched(exercise: Exercise, attempt: Callable[..., Any]) -> Callable[..., Any]:
    """The reader's function: where it stops, the arguments are named, and where asked, they must stay as they were."""

    def call(*given: Any) -> Any:
        before = snapshot(list(given)) if exercise.untouched else None
        try:
            result = attempt(*given)
            if inspect.isgenerator(result):  # its errors come when it is read
                result = list(itertools.islice(result, MOST_YIELDED))
        except (CheckFailed, NotAttempted):
            raise
        except Exception as error:
            plain = [(name, value) for name, value in _named(attempt, given) if not callable(value)]
            named = ", ".join(shown(value) if name.isdigit() else f"{name}={shown(value)}" for name, value in plain)
            message = f"it stopped with {in_one_line(error)}{named and ', given '}{named:.240}"
            raise CheckFailed(message, own_lines(error.__traceback__)) from None
        if before is None:
            return result
        for place, (old, new) in enumerate(zip(before, snapshot(list(given)), strict=True)):
            if not unchanged(old, new):
                name, _ = _named(attempt, given)[place]
                fail(exercise.untouched, f"it changed its argument {name}: {_change(old, new)}; work on a copy")
        return result

    return call


def in_one_line(error: Exception) -> str:
    """An error's name and the first line of its message."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), 'no message'):.200}"


def _named(function: Callable[..., Any], given: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """What was given, by the arguments' names, or by number where the function takes them by other ways."""
    try:
        bound = inspect.signature(function).bind(*given).arguments
    except (TypeError, ValueError):
        bound = {}
    if len(bound) != len(given) or any(value is not own for value, own in zip(bound.values(), given, strict=True)):
        return [(str(number), value) for number, value in enumerate(given, start=1)]
    return list(bound.items())


def snapshot(value: Any, path: tuple[int, ...] = ()) -> Any:
    """What a value holds now: copies of its tensors and containers, and of the attributes of a reader's own objects.

    What cannot be looked into stands for itself. `path` are the ids on the way here: an object may hold itself.
    """
    inner = (*path, id(value))
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, list | tuple):
        return [snapshot(each, inner) for each in value]
    if isinstance(value, dict):
        return {key: snapshot(each, inner) for key, each in value.items()}
    if isinstance(value, COPIED):
        return copy.copy(value)
    if id(value) in path or callable(value) or isinstance(value, ModuleType):
        return value
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()) if hasattr(value, name)]
    held = {**getattr(value, "__dict__", {}), **{name: getattr(value, name) for name in slots}}
    return {"of": type(value), **snapshot(held, inner)} if held else value


def unchanged(old: Any, new: Any) -> bool:
    """Whether two snapshots are alike; attributes and keys that came anew are no change of what was given."""
    if isinstance(old, Tensor):
        alike = isinstance(new, Tensor) and (old.shape, old.dtype) == (new.shape, new.dtype)
        return alike and torch.allclose(old, new, rtol=0, atol=0, equal_nan=True)
    if type(old) is not type(new):
        return False
    if isinstance(old, list):
        return len(old) == len(new) and all(map(unchanged, old, new))
    if isinstance(old, dict):
        same = all(key in new and unchanged(value, new[key]) for key, value in old.items())
        return same and ("of" in old or len(old) == len(new))
    if isinstance(old, np.ndarray):
        return bool(np.array_equal(old, new, equal_nan=old.dtype.kind in "fc"))
    return old is new or bool(old == new)


def _change(old: Any, new: Any) -> str:
    """The first entry, item or attribute that differs, where shapes are alike, otherwise both values."""
    if isinstance(old, Tensor) and isinstance(new, Tensor) and (old.shape, old.dtype) == (new.shape, new.dtype):
        index = tuple((~torch.isclose(old, new, rtol=0, atol=0, equal_nan=True)).nonzero()[0].tolist())
        first, second = old[index].item(), new[index].item()
        digits = ".6g" if f"{first:.6g}" != f"{second:.6g}" else ".17g"
        place = f"at index {index[0] if len(index) == 1 else index} " if index else ""
        return f"{place}it was {first:{digits}} and is {second:{digits}}"
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        item = next(item for item, pair in enumerate(zip(old, new, strict=True)) if not unchanged(*pair))
        return f"its item {item}: {_change(old[item], new[item])}"
    if isinstance(old, dict) and isinstance(new, dict):
        lost = [key for key, value in old.items() if not (key in new and unchanged(value, new[key]))]
        if lost and lost[0] in new:
            return f"its {lost[0]}: {_change(old[lost[0]], new[lost[0]])}"
    return f"it was {shown(old)} and is {shown(new)}"
