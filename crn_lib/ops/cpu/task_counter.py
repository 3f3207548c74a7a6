"""A counter that all threads of a kernel share: each takes its next task from it (`threads.py`)."""

from typing import Any

from numba import njit, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from crn_lib.ops.cpu.kernel_cache import HELPER


@intrinsic
def add_to(context: Any, numbers: Any, index: Any, change: Any) -> Any:
    """`numbers[index]` of an int64 array before `change` was added, which no other thread can come between."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [arguments[1]], inbounds=True)
        return builder.atomic_rmw("add", place, arguments[2], "seq_cst")

    return types.int64(numbers, types.intp, types.int64), generate


@njit(**HELPER)
def claim(claims: Any) -> int:
    """The number of a task that no thread has taken yet; it may be beyond the last."""
    return add_to(claims, 0, 1)


@njit(**HELPER)
def finish(claims: Any, done: int, tasks: int) -> bool:
    """Note that this thread has done so many of the tasks; whether all are finished now."""
    return add_to(claims, len(claims) // 2, done) + done == tasks
