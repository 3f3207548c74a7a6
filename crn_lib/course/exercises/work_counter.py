"""How much an answer computes and keeps: the numbers that its operations touch, and those in a state."""

from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from types import MethodType, ModuleType
from typing import Any

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from crn_lib.course.checks import expect

EXITS = {"numpy", "tolist", "item", "__array__", "__dlpack__", "__float__", "__int__", "__complex__"}
"""Calls that take numbers out of torch, where nobody counts what is done with them."""

READS_A_PART = {"index", "index_select", "gather", "take", "embedding"}
WRITES_A_PART = {"index_put_", "index_copy_", "index_fill_", "index_add_", "scatter_", "scatter_add_"}
"""Operations that touch only what their index names, however large the tensor is."""


class WorkCounter:
    """Counts the numbers that torch operations read or write (a view costs nothing), and notes their names.

    Attributes:
        calls: the operations, views among them.
        touched: all numbers, over all operations.
        largest: the most numbers in a result.
        names: the operations.
        exits: the calls that took numbers out of torch.
    """

    def __init__(self) -> None:
        self.calls, self.touched, self.largest = 0, 0, 0
        self.names: set[str] = set()
        self.exits: set[str] = set()
        self.modes = ExitStack()

    def __enter__(self) -> "WorkCounter":
        self.modes.enter_context(_Operations(self))
        self.modes.enter_context(_Exits(self))
        return self

    def __exit__(self, *error: object) -> None:
        self.modes.__exit__(None, None, None)


class _Operations(TorchDispatchMode):
    def __init__(self, counter: WorkCounter) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counter = counter

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.counter.calls += 1
        name = func.overloadpacket.__name__
        self.counter.names.add(name.strip("_"))
        if not func.is_view:
            given = args[1:] if name in READS_A_PART | WRITES_A_PART else args
            results = () if name in WRITES_A_PART else out
            self.counter.touched += max(_sizes((given, kwargs, results)), default=0)
            self.counter.largest = max([self.counter.largest, *_sizes(results)])
        return out


class _Exits(TorchFunctionMode):
    def __init__(self, counter: WorkCounter) -> None:
        super().__init__()
        self.counter = counter

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in EXITS and isinstance(args[0], Tensor) and args[0].is_floating_point():
            self.counter.exits.add(name)
        return func(*args, **(kwargs or {}))


def expect_in_torch(requirement: int, work: WorkCounter) -> None:
    """Raise `CheckFailed` if numbers went where their work is not counted."""
    exits = ", ".join(f"{name}()" for name in sorted(work.exits))
    expect(requirement, not exits, f"numbers leave torch through {exits}, where no work is counted; stay in torch")


def _sizes(tree: Any) -> list[int]:
    return [leaf.numel() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def numbers_in(state: Any, path: tuple[int, ...] = ()) -> int:
    """How many numbers a state holds: in tensors, arrays, containers, attributes, and what a function has kept.

    `path` are the ids on the way here: an object may hold itself.
    """
    if id(state) in path or isinstance(state, ModuleType):
        return 0
    inner = (*path, id(state))
    if isinstance(state, Tensor | np.ndarray):
        return int(np.prod(state.shape))
    if isinstance(state, str | bytes | bytearray):
        return len(state)
    if isinstance(state, dict):
        return sum(numbers_in(each, inner) for each in state.values())
    if isinstance(state, Collection):
        return sum(numbers_in(each, inner) for each in state)
    kept = [cell.cell_contents for cell in getattr(state, "__closure__", None) or ()]
    kept += getattr(state, "__defaults__", None) or ()
    if isinstance(state, partial):
        kept += [*state.args, *state.keywords.values(), state.func]
    if isinstance(state, MethodType):
        kept.append(state.__self__)
    names = {*getattr(state, "__dict__", {}), *getattr(type(state), "__slots__", ())}
    kept += [getattr(state, name) for name in names if hasattr(state, name)]
    return sum(numbers_in(each, inner) for each in kept) if kept else 1
