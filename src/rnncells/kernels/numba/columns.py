"""Columns: how the kernels read and write their arrays.

All arrays of a kernel are two-dimensional, with a row per sequence (or per member) and one or more
blocks of n columns side by side. :func:`load` and :func:`store` take the same column j of all
blocks of a row at once, as a tuple.

They also tell the compiler what it cannot find out: that blocks of different names never overlap.
Without that it would have to fear that every store changes what is loaded next, and it would not
use vector instructions. So the rule for whoever writes a kernel is: **one name, one array**; a name
may never stand for the memory of another name, nor two blocks of one name for the same columns.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: The names of arrays in kernels, and how many blocks an array has at most.
NAMES = (
    "drive",
    "recurrent",
    "received",
    "parameters",
    "state",
    "active",
    "saved",
    "inner",
    "inner_saved",
    "grad_output",
    "grad_drive",
    "grad_parameters",
    "grad_recurrent",
    "grad_received",
    "grad_active",
    "grad_inner",
    "grad_direct",
    "carry",
    "parameter",
    "grad",
    "mean",
    "square",
)
BLOCKS = 6


@intrinsic(prefer_literal=True)
def load(typing: Any, name: Any, blocks: Any, array: Any, row: Any, column: Any, width: Any) -> Any:
    """Return ``array[row, column + k * width]`` for k in range(blocks), as a tuple.

    ``name`` and ``blocks`` must be constants.
    """
    count = blocks.literal_value

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *_, array_, row_, column_, width_ = arguments
        values = []
        for k in range(count):
            at = _address(context, builder, array, array_, row_, column_, width_, k)
            value = builder.load(at)
            _mark(builder.module, value, name.literal_value, k)
            values.append(value)
        return cgutils.pack_array(builder, values, context.get_value_type(array.dtype))

    result = types.UniTuple(array.dtype, count)
    return result(name, blocks, array, types.intp, types.intp, types.intp), code


@intrinsic(prefer_literal=True)
def store(
    typing: Any, name: Any, array: Any, row: Any, column: Any, width: Any, values: Any
) -> Any:
    """Set ``array[row, column + k * width] = values[k]`` for all k; ``name`` must be a constant."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, array_, row_, column_, width_, values_ = arguments
        for k in range(len(values)):
            at = _address(context, builder, array, array_, row_, column_, width_, k)
            instruction = builder.store(builder.extract_value(values_, k), at)
            _mark(builder.module, instruction, name.literal_value, k)
        return context.get_dummy_value()

    return types.void(name, array, types.intp, types.intp, types.intp, values), code


@intrinsic(prefer_literal=True)
def add(typing: Any, name: Any, array: Any, row: Any, column: Any, width: Any, values: Any) -> Any:
    """Add ``values[k]`` to ``array[row, column + k * width]`` for all k; ``name`` is a constant."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, array_, row_, column_, width_, values_ = arguments
        for k in range(len(values)):
            at = _address(context, builder, array, array_, row_, column_, width_, k)
            before = builder.load(at)
            after = builder.store(builder.fadd(before, builder.extract_value(values_, k)), at)
            for instruction in (before, after):
                _mark(builder.module, instruction, name.literal_value, k)
        return context.get_dummy_value()

    return types.void(name, array, types.intp, types.intp, types.intp, values), code


def _address(
    context: Any, builder: Any, kind: Any, array: Any, row: Any, column: Any, width: Any, k: int
) -> Any:
    view = context.make_array(kind)(context, builder, array)
    _, columns = cgutils.unpack_tuple(builder, view.shape, 2)
    start = builder.add(builder.mul(row, columns), column)
    block = builder.mul(width, ir.Constant(width.type, k))
    return builder.gep(view.data, [builder.add(start, block)])


def _mark(module: Any, instruction: Any, name: str, block: int) -> None:
    """Say that the instruction touches this block, and none of the others."""
    domain = module.add_metadata(["rnncells"])
    scopes = {
        (other, k): module.add_metadata([f"{other}.{k}", domain])
        for other in NAMES
        for k in range(BLOCKS)
    }
    own = scopes.pop((name, block))
    instruction.set_metadata("alias.scope", module.add_metadata([own]))
    instruction.set_metadata("noalias", module.add_metadata(list(scopes.values())))
