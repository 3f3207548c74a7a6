"""Explicit vectors for the CPU kernels: 64 bytes of float32 or float64 as one value inside Numba code.

LLVM vectorises a loop only after it has proved that no two arrays overlap, and gives up where a loop has many; and it
reorders sums as it sees fit. With a vector as a value there is nothing to prove and nothing to reorder: `a + b` is one
instruction on AVX-512, two on AVX2, four on NEON, and the order of every sum is written down.

    u = fma(scale, load(a, d) + load(b, d), shift)

Arrays must be one-dimensional views with contiguous elements; `d` is the first of `lanes(a)` of them.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.cgutils import get_or_insert_function
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model
from numba.np.arrayobj import make_array

from crn_lib.ops.cpu.kernel_cache import HELPER
from crn_lib.ops.cpu.target import TARGET

BYTES = 64
"""Of one vector: a cache line, and the widest register there is."""

REGISTER = TARGET.register
"""Bytes of this CPU's widest register. Loops that hold many vectors at once take these, each a part of a `BYTES`
vector: with vectors of two registers, the 16 registers of AVX2 would not hold what such a loop needs."""

INDEX = ir.IntType(32)
"""What LLVM counts the lanes of a vector in."""

_ELEMENTS = {
    types.float32: (ir.FloatType(), ir.IntType(32), "f32"),
    types.float64: (ir.DoubleType(), ir.IntType(64), "f64"),
}


class Vector(types.Type):
    """The Numba type of a vector; `dtype` is its elements' type, `size` its bytes."""

    def __init__(self, dtype: Any, size: int = BYTES) -> None:
        element, integer, suffix = _ELEMENTS[dtype]
        self.dtype, self.lanes = dtype, size * 8 // dtype.bitwidth
        self.floats, self.integers = ir.VectorType(element, self.lanes), ir.VectorType(integer, self.lanes)
        self.suffix = f"v{self.lanes}{suffix}"
        super().__init__(name=f"Vector({dtype}, {size})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Any) -> None:
        super().__init__(manager, vector, vector.floats)


def _call(builder: Any, vector: Vector, name: str, arguments: Any) -> Any:
    """Call the LLVM intrinsic `llvm.<name>` that takes and gives vectors."""
    function_type = ir.FunctionType(vector.floats, [vector.floats] * len(arguments))
    return builder.call(
        get_or_insert_function(builder.module, function_type, f"llvm.{name}.{vector.suffix}"), arguments
    )


def _constant(vector: Vector, value: float) -> Any:
    return ir.Constant(vector.floats, [value] * vector.lanes)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: Vector) -> Any:
    data = make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index], inbounds=True), vector.floats.as_pointer())


def _load(size: int, words: str) -> Any:
    """An intrinsic that loads a vector of so many bytes."""

    @intrinsic
    def load(context: Any, row: Any, d: Any) -> Any:
        vector = Vector(row.dtype, size)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            found = builder.load(_pointer(context, builder, signature.args[0], arguments[0], arguments[1], vector))
            found.align = row.dtype.bitwidth // 8  # a row may start anywhere
            return found

        return vector(row, types.intp), generate

    load.__doc__ = words
    return load


load = _load(BYTES, "The vector that starts at `row[d]`.")
load_register = _load(REGISTER, "The vector of one register that starts at `row[d]`.")


@intrinsic
def store(context: Any, row: Any, d: Any, x: Any) -> Any:
    """`row[d : d + lanes(row)] = x`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], arguments[0], arguments[1], x)
        builder.store(arguments[2], place).align = row.dtype.bitwidth // 8

    return types.void(row, types.intp, x), generate


@intrinsic
def splat_like(context: Any, like: Any, x: Any) -> Any:
    """The vector of `like`'s type whose every element is the float `x`."""
    vector = like

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = builder.insert_element(ir.Constant(vector.floats, ir.Undefined), arguments[1], ir.Constant(INDEX, 0))
        everywhere = ir.Constant(ir.VectorType(INDEX, vector.lanes), [0] * vector.lanes)
        return builder.shuffle_vector(first, first, everywhere)

    return vector(like, vector.dtype), generate


@intrinsic
def in_register(context: Any, x: Any) -> Any:
    """`x`, of which LLVM then no longer knows that it is a constant, if it is.

    Where AVX2's 16 registers do not hold all that a loop needs, LLVM makes a constant anew each time it is used, with
    two instructions; any other value it takes from memory, in the instruction that uses it.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if TARGET.vectors not in ("avx", "avx2") or x.lanes * x.dtype.bitwidth != 8 * REGISTER:
            return arguments[0]
        return builder.asm(ir.FunctionType(x.floats, [x.floats]), "", "=x,0", arguments, False)

    return x(x), generate


def _zero(size: int) -> Any:
    """An intrinsic that gives a vector of so many bytes, of zeros of the type of `x`."""

    @intrinsic
    def zero(context: Any, x: Any) -> Any:
        vector = Vector(x, size)
        return vector(x), lambda context, builder, signature, arguments: _constant(vector, 0.0)

    return zero


_zero_vector, _zero_register = _zero(BYTES), _zero(REGISTER)


@njit(**HELPER)
def splat(x: Any) -> Any:
    """The vector whose every element is the float `x`."""
    return splat_like(_zero_vector(x), x)


@njit(**HELPER)
def splat_register(x: Any) -> Any:
    """The vector of one register whose every element is the float `x`."""
    return splat_like(_zero_register(x), x)


@intrinsic
def fma(context: Any, x: Any, y: Any, z: Any) -> Any:
    """`x * y + z`, rounded once; twice on a CPU without such an instruction, where that is a call for every element."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if TARGET.fused:
            return _call(builder, x, "fma", arguments)
        return builder.fadd(builder.fmul(*arguments[:2]), arguments[2])

    return x(x, x, x), generate


@intrinsic
def absolute(context: Any, x: Any) -> Any:
    """`|x|`."""
    return x(x), lambda context, builder, signature, arguments: _call(builder, x, "fabs", arguments)


@intrinsic
def square_root(context: Any, x: Any) -> Any:
    """The square root of every element."""
    return x(x), lambda context, builder, signature, arguments: _call(builder, x, "sqrt", arguments)


@intrinsic
def larger(context: Any, x: Any, y: Any) -> Any:
    """The larger of two numbers, element by element."""
    return x(x, x), lambda context, builder, signature, arguments: _call(builder, x, "maxnum", arguments)


@intrinsic
def with_sign_of(context: Any, size: Any, sign: Any) -> Any:
    """`size` with the signs of `sign`."""
    return size(size, size), lambda context, builder, signature, arguments: _call(builder, size, "copysign", arguments)


@intrinsic
def where_positive(context: Any, u: Any, x: Any) -> Any:
    """`x` where `u > 0` or `u` is no number, else 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        positive = builder.fcmp_unordered(">", arguments[0], _constant(u, 0.0))
        return builder.select(positive, arguments[1], _constant(u, 0.0))

    return x(u, x), generate


@intrinsic
def times_power_of_two(context: Any, x: Any, shifted: Any) -> Any:
    """`x * 2**n` on the exponent bits, where `shifted` is `n` plus a number whose last mantissa bit counts ones."""
    mantissa = 23 if x.dtype == types.float32 else 52

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = ir.Constant(x.integers, [mantissa] * x.lanes)
        exponent = builder.shl(builder.bitcast(arguments[1], x.integers), places)
        return builder.bitcast(builder.add(builder.bitcast(arguments[0], x.integers), exponent), x.floats)

    return x(x, x), generate


def _each_lane(name: str) -> Any:
    """A function of the C library, called for one element after another: right, and slow."""

    @intrinsic
    def apply(context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = x.floats.element
            suffix = "f" if x.dtype == types.float32 else ""
            called = get_or_insert_function(builder.module, ir.FunctionType(element, [element]), name + suffix)
            result = arguments[0]
            for lane in range(x.lanes):
                place = ir.Constant(INDEX, lane)
                one = builder.call(called, [builder.extract_element(arguments[0], place)])
                result = builder.insert_element(result, one, place)
            return result

        return x(x), generate

    return apply


each_log1p = _each_lane("log1p")
each_erf = _each_lane("erf")


def _operation(operator_: Any, name: str) -> None:
    """Let the operator work on two vectors of one type, by the LLVM instruction of that name."""

    @intrinsic
    def apply(context: Any, x: Any, y: Any) -> Any:
        return x(x, x), lambda context, builder, signature, arguments: getattr(builder, name)(*arguments)

    def on_vectors(x: Any, y: Any) -> Any:
        def operation(x: Any, y: Any) -> Any:
            return apply(x, y)

        return operation if isinstance(x, Vector) and x == y else None

    overload(operator_)(on_vectors)


for _operator, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operation(_operator, _name)


def register_lanes(row: Any) -> int:
    """Elements in a register of this array's type."""
    return REGISTER // int(row.itemsize)


@overload(register_lanes)
def _register_lanes(row: Any) -> Any:
    count = REGISTER * 8 // row.dtype.bitwidth

    def constant(row: Any) -> Any:
        return count

    return constant


def lanes(row: Any) -> int:
    """Elements in a vector of this array's type."""
    return BYTES // int(row.itemsize)


@overload(lanes)
def _lanes(row: Any) -> Any:
    count = BYTES * 8 // row.dtype.bitwidth

    def constant(row: Any) -> Any:
        return count

    return constant
