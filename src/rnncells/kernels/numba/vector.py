"""SIMD vectors as a Numba type: code that is written for one number works on a whole vector.

Arithmetic of vectors with each other and with numbers becomes vector instructions, without relying
on LLVM's loop vectoriser.

All arrays of a kernel are two-dimensional, with a row per sequence (or per member) and one or more
blocks of n columns side by side. :func:`load`, :func:`store` and :func:`add` take the same columns
``j, j + 1, ...`` of all blocks of a row at once, as a tuple of vectors: as many columns as a vector
has numbers, or only the first few of them.
"""

import math
import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, register_model

from .processor import VECTORS


class Vector(types.Type):
    """A vector of as many numbers of a type as the processor's vectors hold."""

    def __init__(self, dtype: Any):
        self.dtype = dtype
        self.lanes = VECTORS.bytes * 8 // dtype.bitwidth
        super().__init__(f"vector of {self.lanes} {dtype}")


@register_model(Vector)
class _Model(models.PrimitiveModel):
    """Data model of a vector: LLVM's vector type."""

    def __init__(self, manager: Any, kind: Vector):
        element = manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(element, kind.lanes))


def spread(builder: Any, number: Any, lanes: int) -> Any:
    """Broadcast a number to all lanes of a vector."""
    vector, index = ir.VectorType(number.type, lanes), ir.IntType(32)
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(index, 0))
    return builder.shuffle_vector(
        first, nothing, ir.Constant(ir.VectorType(index, lanes), [0] * lanes)
    )


def same_type(context: Any, builder: Any, kind: Any, like: Any, value: Any) -> Any:
    """Broadcast ``value`` if it is a number and ``like`` is the type of a vector."""
    if not isinstance(like, Vector) or isinstance(kind, Vector):
        return value
    return spread(builder, context.cast(builder, value, kind, like.dtype), like.lanes)


def _declare(function: Any, instruction: str) -> None:
    """Declare an operation of two vectors, or of a vector and a number."""

    @infer_global(function)
    class _Template(AbstractTemplate):
        def generic(self, args, kws):
            vectors = [kind for kind in args if isinstance(kind, Vector)]
            if len(args) == 2 and vectors:
                both = all(kind == vectors[0] or isinstance(kind, types.Float) for kind in args)
                return signature(vectors[0], *args) if both else None
            return None

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [
            same_type(context, builder, kind, signature.return_type, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        return getattr(builder, instruction)(*values)

    for kinds in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(function, *kinds)(code)


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _declare(_function, _instruction)


@infer_global(operator.neg)
@infer_global(math.sqrt)
class _OfOne(AbstractTemplate):
    """Type of a unary operation on a vector."""

    def generic(self, args, kws):
        if len(args) == 1 and isinstance(args[0], Vector):
            return signature(args[0], args[0])
        return None


@lower_builtin(operator.neg, Vector)
def _neg(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.fneg(arguments[0])


@lower_builtin(math.sqrt, Vector)
def _sqrt(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind, (value,) = signature.return_type, arguments
    name = f"llvm.sqrt.v{kind.lanes}f{kind.dtype.bitwidth}"
    function = ir.FunctionType(value.type, [value.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), [value])


@intrinsic
def lanes_of(typing: Any, array: Any) -> Any:
    """Return the number of lanes of a vector of an array's dtype, as a constant."""
    lanes = Vector(array.dtype).lanes

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, lanes)

    return types.intp(array), code


@intrinsic(prefer_literal=True)
def load(typing: Any, blocks: Any, array: Any, row: Any, column: Any, width: Any, some: Any) -> Any:
    """Return the vectors at ``array[row, column + k * width]`` for k in range(blocks), as a tuple.

    ``blocks`` must be a literal; ``some`` is None for whole vectors, or the number of their first
    columns to load (a masked load).
    """
    kind, count = Vector(array.dtype), blocks.literal_value

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, *place, some_ = arguments
        values = [
            _load(
                builder,
                context.get_value_type(kind),
                _address(context, builder, array, kind, place, k),
                some_,
            )
            for k in range(count)
        ]
        return cgutils.pack_array(builder, values, context.get_value_type(kind))

    result = types.UniTuple(kind, count)
    return result(blocks, array, types.intp, types.intp, types.intp, _whole(some)), code


@intrinsic
def store(
    typing: Any, array: Any, row: Any, column: Any, width: Any, values: Any, some: Any
) -> Any:
    """Set the columns at ``array[row, column + k * width]`` to ``values[k]`` for all k."""
    kind = Vector(array.dtype)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *place, values_, some_ = arguments
        for k in range(len(values)):
            at = _address(context, builder, array, kind, place, k)
            _store(builder, builder.extract_value(values_, k), at, some_)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, types.intp, values, _whole(some)), code


@intrinsic
def add(typing: Any, array: Any, row: Any, column: Any, width: Any, values: Any, some: Any) -> Any:
    """Add ``values[k]`` to the columns at ``array[row, column + k * width]`` for all k."""
    kind = Vector(array.dtype)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *place, values_, some_ = arguments
        for k in range(len(values)):
            at = _address(context, builder, array, kind, place, k)
            before = _load(builder, context.get_value_type(kind), at, some_)
            total = builder.fadd(before, builder.extract_value(values_, k))
            _store(builder, total, at, some_)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, types.intp, values, _whole(some)), code


@intrinsic(prefer_literal=True)
def prefetch(typing: Any, blocks: Any, array: Any, row: Any, column: Any, width: Any) -> Any:
    """Prefetch, for writing, the cache lines of vectors that :func:`store` will set.

    Without this the processor waits for memory that is written only once. Any address is allowed.
    """
    kind = Vector(array.dtype)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, *place = arguments
        for k in range(blocks.literal_value):
            at = _address(context, builder, array, kind, place, k)
            fetch(builder, builder.ptrtoint(at, ir.IntType(64)))
        return context.get_dummy_value()

    return types.void(blocks, array, types.intp, types.intp, types.intp), code


def fetch(builder: Any, address: Any) -> None:
    """Prefetch a cache line for writing; any address is allowed."""
    word, byte = ir.IntType(32), ir.IntType(8).as_pointer()
    function = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    called = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0")
    # For writing, with locality 2 (into the L2 cache), of data.
    options = [ir.Constant(word, number) for number in (1, 2, 1)]
    builder.call(called, [builder.inttoptr(address, byte), *options])


def _whole(some: Any) -> Any:
    return types.none if isinstance(some, types.NoneType) else types.intp


def _address(context: Any, builder: Any, kind: Any, vector: Vector, place: Any, k: int) -> Any:
    array, row, column, width = place
    view = context.make_array(kind)(context, builder, array)
    _, columns = cgutils.unpack_tuple(builder, view.shape, 2)
    start = builder.add(builder.mul(row, columns), column)
    block = builder.mul(width, ir.Constant(width.type, k))
    at = builder.gep(view.data, [builder.add(start, block)])
    return builder.bitcast(at, context.get_value_type(vector).as_pointer())


def _load(builder: Any, vector: Any, at: Any, some: Any) -> Any:
    size = _bits(vector) // 8
    if not isinstance(some.type, ir.IntType):
        return builder.load(at, align=size)
    mask = _mask(builder, vector, some)
    function = ir.FunctionType(vector, [at.type, ir.IntType(32), mask.type, vector])
    name = f"llvm.masked.load.v{vector.count}f{8 * size}.p0"
    called = cgutils.get_or_insert_function(builder.module, function, name)
    alignment, zero = ir.Constant(ir.IntType(32), size), ir.Constant(vector, [0.0] * vector.count)
    return builder.call(called, [at, alignment, mask, zero])


def _store(builder: Any, value: Any, at: Any, some: Any) -> None:
    vector = value.type
    size = _bits(vector) // 8
    if not isinstance(some.type, ir.IntType):
        builder.store(value, at, align=size)
        return
    mask = _mask(builder, vector, some)
    function = ir.FunctionType(ir.VoidType(), [vector, at.type, ir.IntType(32), mask.type])
    name = f"llvm.masked.store.v{vector.count}f{8 * size}.p0"
    called = cgutils.get_or_insert_function(builder.module, function, name)
    builder.call(called, [value, at, ir.Constant(ir.IntType(32), size), mask])


def _bits(vector: Any) -> int:
    return 32 if isinstance(vector.element, ir.FloatType) else 64


def _mask(builder: Any, vector: Any, some: Any) -> Any:
    """Return the mask of a vector's first ``some`` lanes."""
    # Integers as wide as the lanes, so that the comparison is one instruction.
    word = ir.IntType(_bits(vector))
    lane = ir.Constant(ir.VectorType(word, vector.count), list(range(vector.count)))
    some = builder.trunc(some, word) if word.width < some.type.width else some
    return builder.icmp_signed("<", lane, spread(builder, some, vector.count))
