"""The loop over time in Triton: one program for a tile of a batch of one member, over all steps.

What is computed is that of :mod:`rnncells.kernels.numba.scan`. Arrays are rows, with one or more
blocks of n columns side by side; those with steps have a row for every member, step and sequence,
in this order. The input projection is computed before, and gradients of weights after the loop, as
products of all steps at once: always in the same order, so that the same numbers come out.

Layers may have any size. A program goes through a step by tiles of columns, and takes from the
matrices a chunk of rows at a time. What it comes back to at the next step, it finds in the L1 cache
if it fits there: matrices of up to some 200 KB on an H100 or H200, less for each further program on
the same processor. Otherwise it streams from L2. Matrices kept in registers from step to step
would need more of these than there are, already for a GRU of 60 units.

States go through global memory, which is in the same caches. What one thread wrote, others read
after a barrier.
"""

# ruff: noqa: RUF005 (Triton knows no starred tuples)

import triton
import triton.language as tl


@triton.jit
def load(pointer, first, b, column, width, here, blocks: tl.constexpr):
    """Return the same columns of all blocks, as a tuple; 0 where nothing is.

    The row is ``first + b``, with ``first`` a number of 64 bits, and ``b`` as many as it takes.
    """
    values = ()
    for block in tl.static_range(blocks):
        at = pointer + first * (blocks * width) + (b * (blocks * width) + (block * width + column))
        values = values + (tl.load(at, mask=here, other=0.0),)
    return values


@triton.jit
def store(pointer, first, b, column, width, here, values, blocks: tl.constexpr):
    """Set the same columns of all blocks."""
    for block in tl.static_range(blocks):
        at = pointer + first * (blocks * width) + (b * (blocks * width) + (block * width + column))
        tl.store(at, values[block], mask=here)


@triton.jit
def choose(condition, values, others, blocks: tl.constexpr):
    """Return ``values`` where the condition holds, ``others`` elsewhere."""
    chosen = ()
    for block in tl.static_range(blocks):
        chosen = chosen + (tl.where(condition, values[block], others[block]),)
    return chosen


@triton.jit
def only(condition, values, blocks: tl.constexpr):
    """Return ``values`` where the condition holds, 0 elsewhere."""
    chosen = ()
    for block in tl.static_range(blocks):
        chosen = chosen + (tl.where(condition, values[block], 0.0),)
    return chosen


@triton.jit
def plus(values, others, blocks: tl.constexpr):
    """Return the sums."""
    sums = ()
    for block in tl.static_range(blocks):
        sums = sums + (values[block] + others[block],)
    return sums


@triton.jit
def first_plus(values, number, blocks: tl.constexpr):
    """Return the values, with a number added to the first."""
    sums = (values[0] + number,)
    for block in tl.static_range(1, blocks):
        sums = sums + (values[block],)
    return sums


@triton.jit
def products(
    values, row, b, width, here, matrices, member, column, columns,
    blocks: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """Return the products of rows with some columns of all blocks of a member's matrix.

    The matrix has ``width`` rows, and blocks of ``columns`` columns.
    """
    sums = ()
    for _ in tl.static_range(blocks):
        sums = sums + (tl.zeros((ROWS, TILE), values.dtype.element_ty),)
    for first in range(0, width, CHUNK):
        k = first + tl.arange(0, CHUNK)
        (left,) = load(values, row, b, k[None, :], width, here & (k[None, :] < width), 1)
        here_right = (k[:, None] < width) & (column < columns)
        right = load(matrices, member * width, k[:, None], column, columns, here_right, blocks)
        added = ()
        for block in tl.static_range(blocks):
            added = added + (
                tl.dot(
                    left, right[block], sums[block], input_precision="ieee", out_dtype=left.dtype
                ),
            )
        sums = added
    return sums


@triton.jit
def product_back(
    values, row, b, width, here, matrices, member, column, columns,
    ROWS: tl.constexpr, TILE: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """Return the product of rows with some columns of a member's transposed matrix.

    The matrix has ``columns`` rows and ``width`` columns: all of its blocks.
    """
    total = tl.zeros((ROWS, TILE), values.dtype.element_ty)
    for first in range(0, width, CHUNK):
        k = first + tl.arange(0, CHUNK)
        (left,) = load(values, row, b, k[None, :], width, here & (k[None, :] < width), 1)
        here_right = (k[:, None] < width) & (column < columns)
        (right,) = load(matrices, member * columns, column, k[:, None], width, here_right, 1)
        total = tl.dot(left, right, total, input_precision="ieee", out_dtype=left.dtype)
    return total


@triton.jit
def forward_kernel(
    projections, weights, biases, seconds, second_biases, parameter_rows, first_state, rows,
    last_state, actives, saves, inners, inner_saves,
    batch, n, d, steps, drive_steps, kept_steps,
    unit: tl.constexpr, stage: tl.constexpr, activate: tl.constexpr, ACTIVATED: tl.constexpr,
    MATRIX: tl.constexpr, ADDITIVE: tl.constexpr, STAGED: tl.constexpr, DIRECT: tl.constexpr,
    N_DRIVE: tl.constexpr, N_PRODUCT: tl.constexpr, N_STATE: tl.constexpr,
    N_PARAMETER: tl.constexpr, N_SAVED: tl.constexpr, N_STAGE_STATE: tl.constexpr,
    N_STAGE_PARAMETER: tl.constexpr, N_STAGE_SAVED: tl.constexpr,
    ROWS: tl.constexpr, TILE: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """Run over all steps."""
    tiles = tl.cdiv(batch, ROWS)
    member = (tl.program_id(0) // tiles).to(tl.int64)
    b = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)[:, None]
    tile = tl.arange(0, TILE)[None, :]
    row_of_state = member * batch
    # Units that do not see each other are spread over programs.
    begin, end = 0, n
    if not MATRIX:
        begin = tl.program_id(1) * TILE
        end = tl.minimum(begin + TILE, n)
    for first in range(begin, end, TILE):
        j = first + tile
        here = (b < batch) & (j < n)
        state = load(first_state, row_of_state, b, j, n, here, N_STATE)
        store(last_state, row_of_state, b, j, n, here, state, N_STATE)
        active = state[0]
        if ACTIVATED:
            active = activate(active)
        store(actives, member * (steps + 1) * batch, b, j, n, here, (active,), 1)
    tl.debug_barrier()
    for t in range(steps):
        running = b < tl.load(rows + t)
        row = (member * drive_steps + tl.minimum(t, drive_steps - 1)) * batch
        kept = (member * kept_steps + tl.minimum(t, kept_steps - 1)) * batch
        before = (member * (steps + 1) + t) * batch
        if STAGED:
            for first in range(0, d, TILE):
                i = first + tile
                here = (b < batch) & (i < d)
                projected = load(projections, row, b, i, d, here & running, N_DRIVE)
                received = products(
                    actives, before, b, n, b < batch, weights, member, i, d,
                    N_PRODUCT, ROWS, TILE, CHUNK,
                )  # fmt: skip
                if ADDITIVE:
                    received = plus(received, projected, N_PRODUCT)
                    projected = ()
                else:
                    bias = load(biases, member, 0, i, d, i < d, N_PRODUCT)
                    received = plus(received, bias, N_PRODUCT)
                state = load(last_state, row_of_state, b, i, n, here, N_STATE)
                parameters = load(parameter_rows, member, 0, i, d, i < d, N_STAGE_PARAMETER)
                inner, saved = stage(projected, received, state[:N_STAGE_STATE], parameters)
                store(inners, kept, b, i, d, here, (inner,), 1)
                store(inner_saves, kept, b, i, d, here, saved, N_STAGE_SAVED)
            tl.debug_barrier()
        for first in range(begin, end, TILE):
            j = first + tile
            here = (b < batch) & (j < n)
            projected, received = (), ()
            if STAGED:
                received = products(
                    inners, kept, b, d, b < batch, seconds, member, j, n, 1, ROWS, TILE, CHUNK
                )
                received = plus(received, load(second_biases, member, 0, j, n, j < n, 1), 1)
                if DIRECT:
                    projected = load(inners, kept, b, j, n, here, 1)
            else:
                projected = load(projections, row, b, j, n, here & running, N_DRIVE)
                if MATRIX:
                    received = products(
                        actives, before, b, n, b < batch, weights, member, j, n,
                        N_PRODUCT, ROWS, TILE, CHUNK,
                    )  # fmt: skip
                    if ADDITIVE:
                        received = plus(received, projected, N_PRODUCT)
                        projected = ()
                    else:
                        bias = load(biases, member, 0, j, n, j < n, N_PRODUCT)
                        received = plus(received, bias, N_PRODUCT)
            (active,) = load(actives, before, b, j, n, here, 1)
            state = load(last_state, row_of_state, b, j, n, here, N_STATE)
            parameters = load(parameter_rows, member, 0, j, n, j < n, N_PARAMETER)
            following, saved = unit(projected, received, active, state, parameters)
            store(saves, kept, b, j, n, here, saved, N_SAVED)
            state = choose(here & running, following, state, N_STATE)
            store(last_state, row_of_state, b, j, n, here, state, N_STATE)
            active = state[0]
            if ACTIVATED:
                active = activate(active)
            store(actives, before + batch, b, j, n, here, (active,), 1)
        if MATRIX:
            tl.debug_barrier()


@triton.jit
def backward_kernel(
    weights, seconds, parameter_rows, rows, actives, saves, inner_saves, grad_actives, last_grad,
    grad_state, grad_drives, grad_products, grad_receiveds,
    batch, n, d, steps, grad_steps,
    unit: tl.constexpr, stage: tl.constexpr, through: tl.constexpr, ACTIVATED: tl.constexpr,
    MATRIX: tl.constexpr, ADDITIVE: tl.constexpr, STAGED: tl.constexpr, DIRECT: tl.constexpr,
    N_DRIVE: tl.constexpr, N_PRODUCT: tl.constexpr, N_RECEIVED: tl.constexpr,
    N_STATE: tl.constexpr, N_PARAMETER: tl.constexpr, N_SAVED: tl.constexpr,
    N_STAGE_STATE: tl.constexpr, N_STAGE_PARAMETER: tl.constexpr, N_STAGE_SAVED: tl.constexpr,
    ROWS: tl.constexpr, TILE: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """Go back over all steps, and keep the gradients of what was computed in each.

    The gradient that comes back through the recurrent product of a step is computed when the step
    before needs it: from the gradients of that product, all of which are kept.
    """
    tiles = tl.cdiv(batch, ROWS)
    member = (tl.program_id(0) // tiles).to(tl.int64)
    b = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)[:, None]
    tile = tl.arange(0, TILE)[None, :]
    row_of_state = member * batch
    begin, end = 0, n
    if not MATRIX:
        begin = tl.program_id(1) * TILE
        end = tl.minimum(begin + TILE, n)
    columns = d if STAGED else n
    for first in range(begin, end, TILE):
        j = first + tile
        here = (b < batch) & (j < n)
        carry = load(last_grad, row_of_state, b, j, n, here, N_STATE)
        store(grad_state, row_of_state, b, j, n, here, carry, N_STATE)
    tl.debug_barrier()
    later = 0  # how many sequences the step after has
    for back in range(steps):
        t = steps - 1 - back
        count = tl.load(rows + t)
        running = b < count
        row = (member * steps + t) * batch
        output_row = (member * grad_steps + tl.minimum(t, grad_steps - 1)) * batch
        before = (member * (steps + 1) + t) * batch
        for first in range(begin, end, TILE):
            j = first + tile
            here, go = (b < batch) & (j < n), running & (j < n)
            (grad,) = load(grad_actives, output_row, b, j, n, go, 1)
            if MATRIX:
                grad += product_back(
                    grad_products, row + batch, b, N_PRODUCT * columns, b < later,
                    weights, member, j, n, ROWS, TILE, CHUNK,
                )  # fmt: skip
            if ACTIVATED:
                (after,) = load(actives, before + batch, b, j, n, here, 1)
                grad = through(grad, after)
            # A sequence that begins later has its gradient of the initial state already.
            carry = first_plus(
                load(grad_state, row_of_state, b, j, n, here, N_STATE), grad, N_STATE
            )
            (active,) = load(actives, before, b, j, n, here, 1)
            saved = load(saves, row, b, j, n, go, N_SAVED)
            parameters = load(parameter_rows, member, 0, j, n, j < n, N_PARAMETER)
            to_drive, to_received, to_state = unit(saved, active, carry, parameters)
            carry = choose(go, to_state, carry, N_STATE)
            store(grad_state, row_of_state, b, j, n, here, carry, N_STATE)
            if STAGED or not MATRIX:  # the second product's, or those of learned parameters
                to_received = only(go, to_received, N_RECEIVED)
                store(grad_receiveds, row, b, j, n, here, to_received, N_RECEIVED)
            else:
                to_product = only(go, to_received, N_PRODUCT)
                store(grad_products, row, b, j, n, here, to_product, N_PRODUCT)
            if DIRECT:  # until the stage has it, in the place of what the stage will return
                store(grad_products, row, b, j, n, here, only(go, to_drive, 1), 1)
            elif not STAGED and not ADDITIVE:
                store(grad_drives, row, b, j, n, here, only(go, to_drive, N_DRIVE), N_DRIVE)
        if STAGED:
            tl.debug_barrier()
            for first in range(0, d, TILE):
                i = first + tile
                here, go = (b < batch) & (i < d), running & (i < d)
                grad = product_back(
                    grad_receiveds, row, b, n, b < batch, seconds, member, i, d, ROWS, TILE, CHUNK
                )
                if DIRECT:
                    grad += load(grad_products, row, b, i, d, here, 1)[0]
                saved = load(inner_saves, row, b, i, d, go, N_STAGE_SAVED)
                parameters = load(parameter_rows, member, 0, i, d, i < d, N_STAGE_PARAMETER)
                to_drive, to_product, to_state = stage(saved, grad, parameters)
                if N_STAGE_STATE:
                    carry = load(grad_state, row_of_state, b, i, n, here, N_STATE)
                    carry = plus(carry, only(go, to_state, N_STATE), N_STATE)
                    store(grad_state, row_of_state, b, i, n, here, carry, N_STATE)
                to_product = only(go, to_product, N_PRODUCT)
                store(grad_products, row, b, i, d, here, to_product, N_PRODUCT)
                if not ADDITIVE:
                    store(grad_drives, row, b, i, d, here, only(go, to_drive, N_DRIVE), N_DRIVE)
        if MATRIX:
            tl.debug_barrier()
        later = count
    if MATRIX:
        for first in range(0, n, TILE):
            j = first + tile
            here = (b < batch) & (j < n)
            grad = product_back(
                grad_products, member * steps * batch, b, N_PRODUCT * columns,
                b < later, weights, member, j, n, ROWS, TILE, CHUNK,
            )  # fmt: skip
            if ACTIVATED:
                (active,) = load(actives, member * (steps + 1) * batch, b, j, n, here, 1)
                grad = through(grad, active)
            carry = first_plus(
                load(grad_state, row_of_state, b, j, n, here, N_STATE), grad, N_STATE
            )
            store(grad_state, row_of_state, b, j, n, here, carry, N_STATE)
