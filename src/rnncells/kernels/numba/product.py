"""Matrix products for kernels: of a few rows, again and again with the same matrix.

A sequence meets its weights at every step. Here they are laid out once for all steps
(:func:`pack`), in panels of columns that lie in memory in the order in which they are read; BLAS
does so at every step, which for few rows takes longer than the product itself. Blocks of the result
stay in vector registers until they are complete.
"""

from functools import cache
from itertools import chain
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from .compiler import compiled, compiled_for_c
from .processor import VECTORS

#: Bytes of a vector.
VECTOR = VECTORS.bytes
#: The widest panel, in vectors.
WIDEST = 3
#: The highest block, in rows: with 3 vectors it takes 28 of 32 registers, or all of 16. As many
#: sums at least as the processor has additions under way are then computed at once.
HIGHEST = 8 if VECTORS.registers == 32 else 4


@compiled
def packed(depth, columns, like):
    """Return memory to :func:`pack` a matrix of ``depth`` rows and ``columns`` columns into."""
    spare = 2 * WIDEST * VECTOR // like.itemsize
    return np.empty(depth * (columns + spare), like.dtype)


@compiled
def pack(matrix, first, depth, panels):
    """Lay out ``matrix[first : first + depth]``."""
    columns, at, column = matrix.shape[1], 0, 0
    while column < columns:
        column, width, _ = _panel(column, columns, VECTOR // matrix.itemsize)
        for k in range(depth):
            for j in range(width):
                panels[at + j] = matrix[first + k, column + j]
            at += width
        column += width


@compiled
def pack_transposed(matrix, first, columns, panels):
    """Lay out the transpose of ``matrix[first : first + columns]``."""
    depth, at, column = matrix.shape[1], 0, 0
    while column < columns:
        column, width, _ = _panel(column, columns, VECTOR // matrix.itemsize)
        for j in range(width):
            for k in range(depth):
                panels[at + k * width + j] = matrix[first + column + j, k]
        at += depth * width
        column += width


@compiled
def _panel(column, columns, lanes):
    """Return the first column of the panel for a column, its width, and its number of vectors.

    The last panel may begin before that column, so that all are full. A matrix that is narrower
    than a vector has one panel, of 0 vectors.
    """
    if columns < lanes:
        return 0, columns, 0
    left = (columns - column + lanes - 1) // lanes
    # Narrow panels are slow: 4 vectors are 2 and 2.
    vectors = min(2 if left == 4 else left, WIDEST, columns // lanes)
    return min(column, columns - vectors * lanes), vectors * lanes, vectors


@compiled
def multiply_rows(left, first, count, panels, out, to, start, start_row, start_step):
    """Set ``out[to + b] = start[start_row + b * start_step] + left[first + b] @ matrix``.

    Args:
        left: the rows, of which ``count`` from ``first`` on are meant.
        panels: the matrix, laid out by :func:`pack`.
        out: gets the result, from row ``to`` on.
        start: what the products are added to, rows of the same width; not ``out`` itself, because
            panels overlap.
        start_row: its first row.
        start_step: 1, or 0 to take the same row every time.
    """
    depth, columns = left.shape[1], out.shape[1]
    at = column = 0
    while column < columns:
        column, width, vectors = _panel(column, columns, VECTOR // left.itemsize)
        if vectors:
            _panel_product(
                vectors, count, depth, left, first * depth, depth, 1, panels, at, width,
                out, to * columns + column, columns,
                start, start_row * columns + column, start_step * columns, 0,
            )  # fmt: skip
        else:
            for b in range(count):
                for j in range(columns):
                    total = start[start_row + b * start_step, j]
                    for k in range(depth):
                        total += left[first + b, k] * panels[k * columns + j]
                    out[to + b, j] = total
        at += depth * width
        column += width


@compiled
def accumulate_rows(left, left_row, right, right_row, count, out, to):
    """Add the product of two stacks of ``count`` rows, the left one transposed, to ``out``.

    ``out[to + i, j] += sum over b of left[left_row + b, i] * right[right_row + b, j]``
    """
    high, columns, column = left.shape[1], right.shape[1], 0
    while column < columns:
        begin, width, vectors = _panel(column, columns, VECTOR // left.itemsize)
        if vectors:
            place = to * columns + begin
            _panel_product(
                vectors, high, count, left, left_row * high, 1, high,
                right, right_row * columns + begin, columns,
                out, place, columns, out, place, columns, column - begin,
            )  # fmt: skip
        else:
            for b in range(count):
                for i in range(high):
                    for j in range(columns):
                        out[to + i, j] += left[left_row + b, i] * right[right_row + b, j]
        column = begin + width


@compiled
def _panel_product(
    vectors, rows, depth, left, i, i_row, i_depth, right, r, r_depth,
    out, o, o_row, start, s, s_row, skip,
):  # fmt: skip
    """Compute a panel of the result, block by block; arguments as for :func:`_block`."""
    if vectors == 3:
        _three(
            rows, depth, left, i, i_row, i_depth, right, r, r_depth,
            out, o, o_row, start, s, s_row, skip,
        )  # fmt: skip
    elif vectors == 2:
        _two(
            rows, depth, left, i, i_row, i_depth, right, r, r_depth,
            out, o, o_row, start, s, s_row, skip,
        )  # fmt: skip
    else:
        _one(
            rows, depth, left, i, i_row, i_depth, right, r, r_depth,
            out, o, o_row, start, s, s_row, skip,
        )  # fmt: skip


def _panel_of(vectors):
    # Blocks of few vectors are higher: a sum waits for the one before, and others can be computed
    # meanwhile.
    highest = 8 if vectors == 1 else HIGHEST
    half = highest // 2

    def panel(
        rows, depth, left, i, i_row, i_depth, right, r, r_depth,
        out, o, o_row, start, s, s_row, skip,
    ):  # fmt: skip
        while rows >= highest:
            _block(
                highest, vectors, depth, left, i, i_row, i_depth, right, r, r_depth,
                out, o, o_row, start, s, s_row, skip,
            )  # fmt: skip
            rows -= highest
            i, o, s = i + highest * i_row, o + highest * o_row, s + highest * s_row
        if rows >= half:
            _block(
                half, vectors, depth, left, i, i_row, i_depth, right, r, r_depth,
                out, o, o_row, start, s, s_row, skip,
            )  # fmt: skip
            rows, i, o, s = rows - half, i + half * i_row, o + half * o_row, s + half * s_row
        while rows >= 2:
            _block(
                2, vectors, depth, left, i, i_row, i_depth, right, r, r_depth,
                out, o, o_row, start, s, s_row, skip,
            )  # fmt: skip
            rows, i, o, s = rows - 2, i + 2 * i_row, o + 2 * o_row, s + 2 * s_row
        if rows:
            _block(
                1, vectors, depth, left, i, i_row, i_depth, right, r, r_depth,
                out, o, o_row, start, s, s_row, skip,
            )  # fmt: skip

    panel.__qualname__ = f"panel_of_{vectors}"
    return compiled(panel)


_one, _two, _three = map(_panel_of, (1, 2, 3))


@intrinsic(prefer_literal=True)
def _block(
    typing: Any, rows: Any, vectors: Any, depth: Any,
    left: Any, i: Any, i_row: Any, i_depth: Any,
    right: Any, r: Any, r_depth: Any,
    out: Any, o: Any, o_row: Any,
    start: Any, s: Any, s_row: Any, skip: Any,
) -> Any:  # fmt: skip
    """Compute a block of the result: ``rows`` rows and ``vectors`` vectors, both constants.

    ``out[row, v] = start[row, v] + sum over k < depth of left[row, k] * right[k, v]``, where the
    first element of the left array is ``left[i]``, its next row is ``i_row`` elements further on,
    and its next k ``i_depth``; and likewise for the other arrays. To the first ``skip`` columns
    (less than a vector) nothing is added.
    """
    high, wide, size = rows.literal_value, vectors.literal_value, left.dtype.bitwidth // 8
    lanes = VECTOR // size

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (
            _, _, depth_, left_, i_, i_row_, i_depth_, right_, r_, r_depth_,
            out_, o_, o_row_, start_, s_, s_row_, skip_,
        ) = arguments  # fmt: skip
        vector = ir.VectorType(context.get_value_type(left.dtype), lanes)

        def pointer(kind: Any, array: Any, offset: Any) -> Any:
            data = context.make_array(kind)(context, builder, array).data
            return builder.gep(data, [offset])

        def after(offset: Any, step: Any, times: int) -> Any:
            return builder.add(offset, builder.mul(step, ir.Constant(step.type, times)))

        def vector_at(place: Any, v: int) -> Any:
            place = builder.gep(place, [ir.Constant(ir.IntType(64), v * lanes)])
            return builder.bitcast(place, vector.as_pointer())

        lefts = [pointer(left, left_, after(i_, i_row_, row)) for row in range(high)]
        right_at = pointer(right, right_, r_)
        # Of few sums each is split, because a sum waits for the one before.
        parts = max(1, 8 // (high * wide))
        sums = [
            [[cgutils.alloca_once(builder, vector) for _ in range(wide)] for _ in range(high)]
            for _ in range(parts)
        ]
        for total in chain.from_iterable(chain.from_iterable(sums)):
            builder.store(ir.Constant(vector, [0.0] * lanes), total)
        fma = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(vector, [vector] * 3),
            f"llvm.fma.v{lanes}f{8 * size}",
        )
        nothing = ir.Constant(vector, ir.Undefined)
        first = ir.Constant(ir.IntType(32), 0)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)

        def add(k: Any, part: int) -> None:
            here = builder.gep(right_at, [builder.mul(k, r_depth_)])
            across = [builder.load(vector_at(here, v), align=size) for v in range(wide)]
            for row in range(high):
                number = builder.load(builder.gep(lefts[row], [builder.mul(k, i_depth_)]))
                number = builder.insert_element(nothing, number, first)
                number = builder.shuffle_vector(number, nothing, everywhere)
                for v in range(wide):
                    total = sums[part][row][v]
                    total_ = builder.call(fma, [number, across[v], builder.load(total)])
                    builder.store(total_, total)

        together = ir.Constant(depth_.type, parts)
        times = builder.sdiv(depth_, together)
        with cgutils.for_range(builder, times) as loop:
            for part in range(parts):
                k = builder.mul(loop.index, together)
                add(builder.add(k, ir.Constant(k.type, part)), part)
        if parts > 1:
            done = builder.mul(times, together)
            with cgutils.for_range(builder, builder.sub(depth_, done)) as loop:
                add(builder.add(done, loop.index), 0)
        lane = ir.VectorType(skip_.type, lanes)
        skipped = builder.insert_element(ir.Constant(lane, ir.Undefined), skip_, first)
        skipped = builder.shuffle_vector(skipped, ir.Constant(lane, ir.Undefined), everywhere)
        skipped = builder.icmp_signed("<", ir.Constant(lane, list(range(lanes))), skipped)
        for row in range(high):
            from_ = pointer(start, start_, after(s_, s_row_, row))
            to = pointer(out, out_, after(o_, o_row_, row))
            for v in range(wide):
                before = builder.load(vector_at(from_, v), align=size)
                total = builder.load(sums[0][row][v])
                for part in sums[1:]:
                    total = builder.fadd(total, builder.load(part[row][v]))
                if v == 0:
                    total = builder.select(skipped, ir.Constant(vector, [0.0] * lanes), total)
                total = builder.fadd(before, total)
                builder.store(total, vector_at(to, v), align=size)
        return context.get_dummy_value()

    whole = types.intp
    return (
        types.void(
            rows, vectors, whole, left, whole, whole, whole, right, whole, whole,
            out, whole, whole, start, whole, whole, whole,
        ),
        code,
    )  # fmt: skip


# Numba makes a function that is called a part of its caller, and optimises it there once more. For
# the products that takes longer than for all the rest of a kernel, so kernels call them by address.


@cache
def addresses(dtype: np.dtype) -> tuple[int, int]:
    """Return where :func:`multiply_rows` and :func:`accumulate_rows` are, for arrays of a type."""
    pointer, whole = types.CPointer(numba.from_dtype(dtype)), types.int64

    def multiply_at(left, depth, panels, out, columns, start, first, count, to, row, step):
        multiply_rows(
            carray(left, (1, depth)), first, count, carray(panels, (1,)),
            carray(out, (1, columns)), to, carray(start, (1, columns)), row, step,
        )  # fmt: skip

    def accumulate_at(left, high, right, columns, out, left_row, right_row, count, to):
        accumulate_rows(
            carray(left, (1, high)), left_row, carray(right, (1, columns)), right_row, count,
            carray(out, (1, columns)), to,
        )  # fmt: skip

    multiplied = pointer, whole, pointer, pointer, whole, pointer, *[whole] * 5
    accumulated = pointer, whole, pointer, whole, pointer, *[whole] * 4
    multiply_at.__qualname__ = f"multiply_{dtype}"
    accumulate_at.__qualname__ = f"accumulate_{dtype}"
    return (
        compiled_for_c(multiply_at, types.void(*multiplied)).address,
        compiled_for_c(accumulate_at, types.void(*accumulated)).address,
    )


def _parts(context: Any, builder: Any, kind: Any, array: Any) -> tuple[Any, Any]:
    """Return an array's address and its number of columns."""
    made = context.make_array(kind)(context, builder, array)
    return made.data, builder.extract_value(made.shape, kind.ndim - 1)


def _call(context: Any, builder: Any, places: Any, which: int, given: list[Any]) -> Any:
    """Call a function of :func:`addresses`, which lie at ``places``, with numbers and pointers."""
    address = builder.load(builder.gep(places, [ir.Constant(ir.IntType(64), which)]))
    function = ir.FunctionType(ir.VoidType(), [value.type for value in given])
    builder.call(builder.inttoptr(address, function.as_pointer()), given)
    return context.get_dummy_value()


@intrinsic
def multiply(
    typing: Any, products: Any, left: Any, first: Any, count: Any, panels: Any, out: Any, to: Any,
    start: Any, start_row: Any, start_step: Any,
) -> Any:  # fmt: skip
    """Call :func:`multiply_rows`; ``products`` is an array of :func:`addresses`."""
    whole = types.int64
    signature = types.void(products, left, whole, whole, panels, out, whole, start, whole, whole)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        products_, left_, first_, count_, panels_, out_, to_, start_, row, step = arguments
        left_at, depth = _parts(context, builder, left, left_)
        out_at, columns = _parts(context, builder, out, out_)
        panels_at, _ = _parts(context, builder, panels, panels_)
        start_at, _ = _parts(context, builder, start, start_)
        given = [left_at, depth, panels_at, out_at, columns, start_at]
        given += [first_, count_, to_, row, step]
        places, _ = _parts(context, builder, products, products_)
        return _call(context, builder, places, 0, given)

    return signature, code


@intrinsic
def accumulate(
    typing: Any, products: Any, left: Any, left_row: Any, right: Any, right_row: Any, count: Any,
    out: Any, to: Any,
) -> Any:  # fmt: skip
    """Call :func:`accumulate_rows`; ``products`` is an array of :func:`addresses`."""
    whole = types.int64
    signature = types.void(products, left, whole, right, whole, whole, out, whole)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        products_, left_, left_row_, right_, right_row_, count_, out_, to_ = arguments
        left_at, high = _parts(context, builder, left, left_)
        right_at, columns = _parts(context, builder, right, right_)
        out_at, _ = _parts(context, builder, out, out_)
        given = [left_at, high, right_at, columns, out_at, left_row_, right_row_, count_, to_]
        places, _ = _parts(context, builder, products, products_)
        return _call(context, builder, places, 1, given)

    return signature, code
