"""Matrix products of a few rows at a time, with a right operand that is packed once.

A sequence is multiplied by the same weights at every step. Here they are packed once for all steps
(:func:`pack`), in panels of columns that are contiguous in the order in which they are read; BLAS
packs at every step, which for few rows takes longer than the product itself. The micro-kernel keeps
a block of the result in vector registers until it is complete, as in Goto & van de Geijn 2008.
"""

from functools import cache
from itertools import chain
from typing import Any

import numba
import numpy as np
from filelock import FileLock
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from .compiler import cache_folder, compiled, compiled_for_c
from .functions import inlined
from .processor import VECTORS
from .vector import fetch, spread

#: Bytes of a vector.
VECTOR = VECTORS.bytes
#: Bytes of a cache line; where lines are longer, some are prefetched twice.
LINE = 64
#: Register blocking: for panels of so many vectors, the numbers of rows of a block, the highest
#: first, and the others for the remaining rows. A block's accumulators take most of the registers,
#: and where possible are enough of them to hide the latency of a fused multiply-add.
HEIGHTS = {
    32: {1: (16, 8, 4, 2, 1), 2: (8, 4, 2, 1), 3: (8, 4, 2, 1), 4: (6, 4, 2, 1)},
    16: {1: (8, 4, 2, 1), 2: (4, 2, 1), 3: (4, 2, 1)},
}[VECTORS.registers]
#: Vectors of every panel of a matrix but the last ones.
USUAL = 3
#: The widest panel.
WIDEST = max(HEIGHTS)


@compiled
def packed(depth, columns, like):
    """Return a buffer for :func:`pack`, for a matrix of ``depth`` rows and ``columns`` columns."""
    spare = 2 * WIDEST * VECTOR // like.itemsize
    return np.empty(depth * (columns + spare), like.dtype)


@inlined
def _panel(column, columns, lanes):
    """Return the first column of the panel for a column, its width, and its number of vectors.

    The last panel may begin before that column, so that all are full. A matrix that is narrower
    than a vector has one panel, of 0 vectors.
    """
    if columns < lanes:
        return 0, columns, 0
    left = (columns - column + lanes - 1) // lanes
    # A panel of 1 vector would be slow.
    widest = left if left <= WIDEST else 2 if left == 4 else USUAL
    vectors = min(widest, columns // lanes)
    return min(column, columns - vectors * lanes), vectors * lanes, vectors


@intrinsic(prefer_literal=True)
def _multiply_panel(
    typing: Any, vectors: Any, rows: Any, depth: Any,
    left: Any, i_row: Any, i_depth: Any,
    right: Any, r: Any, r_depth: Any,
    out: Any, o: Any, columns: Any,
    start: Any, s_row: Any, skip: Any, ahead: Any, lines: Any,
) -> Any:  # fmt: skip
    """Compute a panel of the result; ``vectors``, its width, must be a literal.

    ``out[row, v] = start[row, v] + sum over k < depth of left[row, k] * right[k, v]``, where the
    next row of the left array is ``i_row`` elements further on, and its next k ``i_depth``; and
    likewise for the other arrays. The panel begins at ``right[r]``, ``out[o]`` and ``start[o]``. To
    its first ``skip`` columns (less than a vector) nothing is added.

    With every row, so many cache ``lines`` are prefetched, from the address ``ahead`` on.
    """
    wide, size = vectors.literal_value, left.dtype.bitwidth // 8
    panel = _Panel(wide, VECTOR // size, size)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, *arguments = arguments
        for place, kind in ((2, left), (5, right), (8, out), (11, start)):
            arguments[place] = context.make_array(kind)(context, builder, arguments[place]).data
        panel.emit(builder, *arguments)
        return context.get_dummy_value()

    whole = types.intp
    return (
        types.void(
            vectors, whole, whole, left, whole, whole, right, whole, whole,
            out, whole, whole, start, whole, whole, whole, whole,
        ),
        code,
    )  # fmt: skip


class _Panel:
    """Emits the instructions of :func:`_multiply_panel`.

    Args:
        wide: vectors of the panel.
        lanes: elements of a vector.
        size: bytes of an element.
    """

    def __init__(self, wide: int, lanes: int, size: int):
        self.wide, self.lanes, self.size = wide, lanes, size

    def emit(
        self, builder: Any, rows: Any, depth: Any, left: Any, i_row: Any, i_depth: Any,
        right: Any, r: Any, r_depth: Any, out: Any, o: Any, columns: Any, start: Any, s_row: Any,
        skip: Any, ahead: Any, lines: Any,
    ) -> None:  # fmt: skip
        """Emit the loop over blocks of rows, the highest blocks first."""
        self.builder, self.depth, self.i_row, self.i_depth = builder, depth, i_row, i_depth
        self.right, self.r_depth = builder.gep(right, [r]), r_depth
        self.columns, self.s_row = columns, s_row
        self.number = left.type.pointee
        self.vector = ir.VectorType(self.number, self.lanes)
        lane = ir.Constant(ir.VectorType(skip.type, self.lanes), list(range(self.lanes)))
        self.skipped = builder.icmp_signed("<", lane, spread(builder, skip, self.lanes))
        out, start = builder.gep(out, [o]), builder.gep(start, [o])
        done: Any = ir.Constant(rows.type, 0)
        for height in HEIGHTS[self.wide]:
            high = ir.Constant(rows.type, height)
            times = builder.sdiv(builder.sub(rows, done), high)
            with cgutils.for_range(builder, times) as loop:
                row = builder.add(done, builder.mul(loop.index, high))
                from_ = builder.add(ahead, builder.mul(row, builder.mul(lines, _whole(LINE))))
                with cgutils.for_range(builder, builder.mul(lines, high)) as line:
                    fetch(builder, builder.add(from_, builder.mul(line.index, _whole(LINE))))
                self._block(
                    height,
                    builder.gep(left, [builder.mul(row, i_row)]),
                    builder.gep(out, [builder.mul(row, columns)]),
                    builder.gep(start, [builder.mul(row, s_row)]),
                )
            done = builder.add(done, builder.mul(times, high))

    def _block(self, high: int, left: Any, out: Any, start: Any) -> None:
        """Emit the micro-kernel for ``high`` rows."""
        builder, wide, vector = self.builder, self.wide, self.vector
        lefts = [self._after(left, self.i_row, row) for row in range(high)]
        # Few accumulators are split into several partial sums each, because every addition to one
        # waits for the addition before.
        parts = max(1, 8 // (high * wide))
        sums = [
            [[cgutils.alloca_once(builder, vector) for _ in range(wide)] for _ in range(high)]
            for _ in range(parts)
        ]
        for total in chain.from_iterable(chain.from_iterable(sums[1:])):
            builder.store(ir.Constant(vector, [0.0] * self.lanes), total)
        for row in range(high):
            from_ = self._after(start, self.s_row, row)
            for v in range(wide):
                builder.store(self._load(from_, v), sums[0][row][v])
        multiply_add = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(vector, [vector] * 3),
            f"llvm.fma.v{self.lanes}f{8 * self.size}",
        )

        def add(k: Any, part: int) -> None:
            here = builder.gep(self.right, [builder.mul(k, self.r_depth)])
            across = [self._load(here, v) for v in range(wide)]
            for row in range(high):
                at = builder.gep(lefts[row], [builder.mul(k, self.i_depth)])
                number = spread(builder, builder.load(at), self.lanes)
                for v in range(wide):
                    total = sums[part][row][v]
                    more = builder.call(multiply_add, [number, across[v], builder.load(total)])
                    builder.store(more, total)

        times = builder.sdiv(self.depth, _whole(parts))
        with cgutils.for_range(builder, times) as loop:
            k = builder.mul(loop.index, _whole(parts))
            for part in range(parts):
                add(builder.add(k, _whole(part)), part)
        if parts > 1:
            done = builder.mul(times, _whole(parts))
            with cgutils.for_range(builder, builder.sub(self.depth, done)) as loop:
                add(builder.add(done, loop.index), 0)
        for row in range(high):
            to = self._after(out, self.columns, row)
            for v in range(wide):
                total = builder.load(sums[0][row][v])
                for others in sums[1:]:
                    total = builder.fadd(total, builder.load(others[row][v]))
                if v == 0:
                    before = self._load(self._after(start, self.s_row, row), v)
                    total = builder.select(self.skipped, before, total)
                builder.store(total, self._vector_at(to, v), align=self.size)

    def _after(self, at: Any, step: Any, times: int) -> Any:
        return self.builder.gep(at, [self.builder.mul(step, _whole(times))])

    def _vector_at(self, at: Any, v: int) -> Any:
        at = self.builder.gep(at, [_whole(v * self.lanes)])
        return self.builder.bitcast(at, self.vector.as_pointer())

    def _load(self, at: Any, v: int) -> Any:
        return self.builder.load(self._vector_at(at, v), align=self.size)


def _whole(number: int) -> Any:
    return ir.Constant(ir.IntType(64), number)


# Numba links a callee's code into every caller, and optimises it there once more. For the products
# that takes longer than for all the rest of a kernel, so kernels call them by address.


@cache
def addresses(dtype: np.dtype) -> tuple[int, int]:
    """Return the addresses of the compiled product and packing for arrays of a dtype."""
    number = numba.from_dtype(dtype)
    lanes = VECTOR * 8 // number.bitwidth

    def product(
        left_, i_row, i_depth, rows, depth, right_, right_row, out_, columns, start_, s_row,
        ahead, lines,
    ):  # fmt: skip
        left, right = carray(left_, (1,)), carray(right_, (1,))
        out, start = carray(out_, (1,)), carray(start_, (1,))
        panels = max(1, columns // (USUAL * lanes))
        # Cache lines to prefetch per row and panel.
        share = -(-lines // max(1, rows * panels))
        column = at = 0
        while column < columns:
            begin, width, vectors = _panel(column, columns, lanes)
            # The right operand is packed, or (right_row > 0) in row-major order.
            if right_row:
                r, r_depth, skip = begin, right_row, column - begin
            else:
                r, r_depth, skip = at, width, 0
            if vectors == WIDEST:
                _multiply_panel(
                    WIDEST, rows, depth, left, i_row, i_depth, right, r, r_depth,
                    out, begin, columns, start, s_row, skip, ahead, share,
                )  # fmt: skip
            elif vectors == 3:
                _multiply_panel(
                    3, rows, depth, left, i_row, i_depth, right, r, r_depth,
                    out, begin, columns, start, s_row, skip, ahead, share,
                )  # fmt: skip
            elif vectors == 2:
                _multiply_panel(
                    2, rows, depth, left, i_row, i_depth, right, r, r_depth,
                    out, begin, columns, start, s_row, skip, ahead, share,
                )  # fmt: skip
            elif vectors == 1:
                _multiply_panel(
                    1, rows, depth, left, i_row, i_depth, right, r, r_depth,
                    out, begin, columns, start, s_row, skip, ahead, share,
                )  # fmt: skip
            else:
                for b in range(rows):
                    for j in range(columns):
                        total = start[b * s_row + j]
                        for k in range(depth):
                            total += left[b * i_row + k * i_depth] * right[r + k * r_depth + j]
                        out[b * columns + j] = total
            ahead += share * rows * LINE
            at += depth * width
            column = begin + width

    def packing(matrix_, row_step, column_step, depth, columns, panels_):
        matrix, panels = carray(matrix_, (1,)), carray(panels_, (1,))
        column = at = 0
        while column < columns:
            begin, width, _ = _panel(column, columns, lanes)
            for k in range(depth):
                first = k * row_step + begin * column_step
                for j in range(width):
                    panels[at + j] = matrix[first + j * column_step]
                at += width
            column = begin + width

    pointer, whole = types.CPointer(number), types.int64
    product.__qualname__, packing.__qualname__ = f"product_{dtype}", f"packing_{dtype}"
    multiplied = (
        pointer, *[whole] * 4, pointer, whole, pointer, whole, pointer, whole, whole, whole
    )  # fmt: skip
    laid_out = pointer, *[whole] * 4, pointer
    # Every kernel needs them, and several processes may compile kernels at the same time.
    with FileLock(cache_folder() / f"product_{dtype}.lock"):
        return (
            compiled_for_c(product, types.void(*multiplied)).address,
            compiled_for_c(packing, types.void(*laid_out)).address,
        )


def _call(context: Any, builder: Any, places: Any, which: int, given: list[Any]) -> Any:
    """Call the function whose address is ``places[which]`` (:func:`addresses`)."""
    places = context.make_array(types.Array(types.int64, 1, "C"))(context, builder, places).data
    address = builder.load(builder.gep(places, [ir.Constant(ir.IntType(64), which)]))
    function = ir.FunctionType(ir.VoidType(), [value.type for value in given])
    builder.call(builder.inttoptr(address, function.as_pointer()), given)
    return context.get_dummy_value()


def _rows(context: Any, builder: Any, kind: Any, array: Any, first: Any) -> tuple[Any, Any]:
    """Return the address of a row of an array, and its number of columns."""
    made = context.make_array(kind)(context, builder, array)
    columns = builder.extract_value(made.shape, kind.ndim - 1)
    return builder.gep(made.data, [builder.mul(first, columns)]), columns


_ROW = types.int64


@intrinsic
def pack(typing: Any, products: Any, matrix: Any, first: Any, depth: Any, panels: Any) -> Any:
    """Pack ``matrix[first : first + depth]``; ``products`` is an array of :func:`addresses`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        products_, matrix_, first_, depth_, panels_ = arguments
        at, columns = _rows(context, builder, matrix, matrix_, first_)
        panels_at = context.make_array(panels)(context, builder, panels_).data
        given = [at, columns, _whole(1), depth_, columns, panels_at]
        return _call(context, builder, products_, 1, given)

    return types.void(products, matrix, _ROW, _ROW, panels), code


@intrinsic
def pack_transposed(
    typing: Any, products: Any, matrix: Any, first: Any, columns: Any, panels: Any
) -> Any:
    """Pack the transpose of ``matrix[first : first + columns]``; ``products`` as for pack."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        products_, matrix_, first_, columns_, panels_ = arguments
        at, depth = _rows(context, builder, matrix, matrix_, first_)
        panels_at = context.make_array(panels)(context, builder, panels_).data
        given = [at, _whole(1), depth, depth, columns_, panels_at]
        return _call(context, builder, products_, 1, given)

    return types.void(products, matrix, _ROW, _ROW, panels), code


@intrinsic
def multiply(
    typing: Any, products: Any, left: Any, first: Any, count: Any, panels: Any, out: Any, to: Any,
    start: Any, start_row: Any, start_step: Any,
) -> Any:  # fmt: skip
    """Set ``out[to + b] = start[start_row + b * start_step] + left[first + b] @ matrix``.

    Args:
        products: an array of :func:`addresses`.
        left, first, count: the left operand is ``left[first : first + count]``.
        panels: the matrix, packed by :func:`pack`.
        out, to: gets the result, from row ``to`` on.
        start, start_row, start_step: what the products are added to, from ``start_row`` on: a row
            for each (step 1), or the same row for all (step 0). Not ``out`` itself, because panels
            overlap.
    """
    return _multiply(products, left, panels, out, start)


@intrinsic
def multiply_and_fetch(
    typing: Any, products: Any, left: Any, first: Any, count: Any, panels: Any, out: Any, to: Any,
    start: Any, start_row: Any, start_step: Any, ahead: Any, ahead_row: Any, ahead_rows: Any,
) -> Any:  # fmt: skip
    """:func:`multiply`, and meanwhile prefetch rows that are needed soon.

    Args:
        products, left, first, count, panels, out, to, start, start_row, start_step: as there.
        ahead, ahead_row, ahead_rows: the rows to prefetch; they may lie outside the array.
    """
    return _multiply(products, left, panels, out, start, ahead)


def _multiply(products: Any, left: Any, panels: Any, out: Any, start: Any, *ahead: Any) -> Any:
    fetched = [*ahead, _ROW, _ROW] if ahead else []
    signature = types.void(
        products, left, _ROW, _ROW, panels, out, _ROW, start, _ROW, _ROW, *fetched
    )

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        products_, left_, first_, count_, panels_, out_, to_, start_, row, step = arguments[:10]
        left_at, depth = _rows(context, builder, left, left_, first_)
        out_at, columns = _rows(context, builder, out, out_, to_)
        start_at, _ = _rows(context, builder, start, start_, row)
        panels_at = context.make_array(panels)(context, builder, panels_).data
        given = [left_at, depth, _whole(1), count_, depth, panels_at, _whole(0), out_at, columns]
        given += [start_at, builder.mul(step, columns)]
        if ahead:
            ahead_, ahead_row, ahead_rows = arguments[10:]
            ahead_at, width = _rows(context, builder, ahead[0], ahead_, ahead_row)
            per_line = _whole(LINE * 8 // left.dtype.bitwidth)
            lines = builder.sdiv(builder.mul(ahead_rows, width), per_line)
            given += [builder.ptrtoint(ahead_at, ir.IntType(64)), lines]
        else:
            given += [_whole(0), _whole(0)]
        return _call(context, builder, products_, 0, given)

    return signature, code


@intrinsic
def accumulate(
    typing: Any, products: Any, left: Any, left_row: Any, right: Any, right_row: Any, count: Any,
    out: Any, to: Any,
) -> Any:  # fmt: skip
    """Add the product of ``count`` rows of two arrays, the left one transposed, to ``out``.

    ``out[to + i, j] += sum over b of left[left_row + b, i] * right[right_row + b, j]``;
    ``products`` is an array of :func:`addresses`.
    """
    signature = types.void(products, left, _ROW, right, _ROW, _ROW, out, _ROW)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        products_, left_, left_row_, right_, right_row_, count_, out_, to_ = arguments
        left_at, high = _rows(context, builder, left, left_, left_row_)
        right_at, columns = _rows(context, builder, right, right_, right_row_)
        out_at, _ = _rows(context, builder, out, out_, to_)
        given = [left_at, _whole(1), high, high, count_, right_at, columns, out_at, columns]
        given += [out_at, columns, _whole(0), _whole(0)]
        return _call(context, builder, products_, 0, given)

    return signature, code
