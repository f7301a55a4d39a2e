"""The loop over time in Triton: one program for a tile of a batch of one member, over all steps.

What is computed is that of :mod:`rnncells.kernels.numba.scan`. Arrays are rows, with one or more
blocks of n columns side by side; those with steps have a row for every member, step and sequence,
in this order. The input projection is computed before, and gradients of weights after the loop, as
products of all steps at once: always in the same order, so that the same numbers come out.
"""

# ruff: noqa: RUF005 (Triton knows no starred tuples)

import triton
import triton.language as tl


@triton.jit
def load(pointer, row, column, width, here, blocks: tl.constexpr):
    """Return the same columns of all blocks, as a tuple; 0 where nothing is."""
    values = ()
    for block in tl.static_range(blocks):
        at = pointer + row * (blocks * width) + block * width + column
        values = values + (tl.load(at, mask=here, other=0.0),)
    return values


@triton.jit
def store(pointer, row, column, width, here, values, blocks: tl.constexpr):
    """Set the same columns of all blocks."""
    for block in tl.static_range(blocks):
        tl.store(
            pointer + row * (blocks * width) + block * width + column, values[block], mask=here
        )


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
def multiply(left, matrices, blocks: tl.constexpr):
    """Return the products with several matrices."""
    products = ()
    for block in tl.static_range(blocks):
        product = tl.dot(left, matrices[block], input_precision="ieee", out_dtype=left.dtype)
        products = products + (product,)
    return products


@triton.jit
def multiply_each(values, matrices, blocks: tl.constexpr):
    """Return the product of each block with a matrix of its own."""
    products = ()
    for block in tl.static_range(blocks):
        value = values[block]
        product = tl.dot(value, matrices[block], input_precision="ieee", out_dtype=value.dtype)
        products = products + (product,)
    return products


@triton.jit
def forward_kernel(
    projections, weights, biases, seconds, second_biases, parameter_rows, first_state, rows,
    last_state, actives, saves, inners, inner_saves,
    batch, n, d, width, steps, drive_steps, kept_steps,
    unit: tl.constexpr, stage: tl.constexpr, activate: tl.constexpr, ACTIVATED: tl.constexpr,
    MATRIX: tl.constexpr, ADDITIVE: tl.constexpr, STAGED: tl.constexpr, DIRECT: tl.constexpr,
    N_DRIVE: tl.constexpr, N_PRODUCT: tl.constexpr, N_STATE: tl.constexpr,
    N_PARAMETER: tl.constexpr, N_SAVED: tl.constexpr, N_STAGE_STATE: tl.constexpr,
    N_STAGE_PARAMETER: tl.constexpr, N_STAGE_SAVED: tl.constexpr,
    N: tl.constexpr, D: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Run over all steps."""
    tiles = tl.cdiv(batch, ROWS)
    member = (tl.program_id(0) // tiles).to(tl.int64)
    b = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)[:, None]
    j, i = tl.arange(0, N)[None, :], tl.arange(0, D)[None, :]
    here, here_i = (b < batch) & (j < n), (b < batch) & (i < d)
    # Columns of the input projection and of the product with the active state.
    if STAGED:
        c, columns, here_c = i, d, here_i
    else:
        c, columns, here_c = j, n, here
    parameters = load(parameter_rows, member, j, n, j < n, N_PARAMETER)
    state = load(first_state, member * batch + b, j, n, here, N_STATE)
    if MATRIX:
        source = tl.arange(0, N)[:, None]
        here_weight = (source < n) & (c < columns)
        weight = load(weights, member * n + source, c, columns, here_weight, N_PRODUCT)
        if not ADDITIVE:
            bias = load(biases, member, c, columns, c < columns, N_PRODUCT)
    if STAGED:
        source = tl.arange(0, D)[:, None]
        second = load(seconds, member * d + source, j, n, (source < d) & (j < n), 1)
        second_bias = load(second_biases, member, j, n, j < n, 1)
        stage_parameters = load(parameter_rows, member, i, d, i < d, N_STAGE_PARAMETER)
    active = state[0]
    if ACTIVATED:
        active = activate(active)
    tl.store(actives + (member * (steps + 1) * batch + b) * n + j, active, mask=here)
    for t in range(steps):
        running = b < tl.load(rows + t)
        row = (member * drive_steps + tl.minimum(t, drive_steps - 1)) * batch + b
        kept = (member * kept_steps + tl.minimum(t, kept_steps - 1)) * batch + b
        projected = load(projections, row, c, columns, here_c & running, N_DRIVE)
        received = ()
        if MATRIX:
            received = multiply(active, weight, N_PRODUCT)
            if ADDITIVE:
                received = plus(received, projected, N_PRODUCT)
                projected = ()
            else:
                received = plus(received, bias, N_PRODUCT)
        if STAGED:
            inner, stage_saved = stage(projected, received, state[:N_STAGE_STATE], stage_parameters)
            inner = tl.where(here_i, inner, 0.0)
            tl.store(inners + kept * d + i, inner, mask=here_i)
            store(inner_saves, kept, i, d, here_i, stage_saved, N_STAGE_SAVED)
            received = plus(multiply(inner, second, 1), second_bias, 1)
            projected = ()
            if DIRECT:
                projected = (inner,)
        following, saved = unit(projected, received, active, state, parameters)
        store(saves, kept, j, n, here, saved, N_SAVED)
        state = choose(here & running, following, state, N_STATE)
        active = state[0]
        if ACTIVATED:
            active = activate(active)
        tl.store(actives + ((member * (steps + 1) + t + 1) * batch + b) * n + j, active, mask=here)
    store(last_state, member * batch + b, j, n, here, state, N_STATE)


@triton.jit
def backward_kernel(
    weights, seconds, parameter_rows, rows, actives, saves, inner_saves, grad_actives, last_grad,
    grad_state, grad_drives, grad_products, grad_receiveds,
    batch, n, d, width, steps, grad_steps,
    unit: tl.constexpr, stage: tl.constexpr, through: tl.constexpr, ACTIVATED: tl.constexpr,
    MATRIX: tl.constexpr, ADDITIVE: tl.constexpr, STAGED: tl.constexpr, DIRECT: tl.constexpr,
    N_DRIVE: tl.constexpr, N_PRODUCT: tl.constexpr, N_RECEIVED: tl.constexpr,
    N_STATE: tl.constexpr, N_PARAMETER: tl.constexpr, N_SAVED: tl.constexpr,
    N_STAGE_STATE: tl.constexpr, N_STAGE_PARAMETER: tl.constexpr, N_STAGE_SAVED: tl.constexpr,
    N: tl.constexpr, D: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Go back over all steps, and keep the gradients of what was computed in each."""
    tiles = tl.cdiv(batch, ROWS)
    member = (tl.program_id(0) // tiles).to(tl.int64)
    b = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)[:, None]
    j, i = tl.arange(0, N)[None, :], tl.arange(0, D)[None, :]
    here, here_i = (b < batch) & (j < n), (b < batch) & (i < d)
    parameters = load(parameter_rows, member, j, n, j < n, N_PARAMETER)
    carry = load(last_grad, member * batch + b, j, n, here, N_STATE)
    # Transposed matrices: a row for what the product gave, a column for the active state.
    if STAGED:
        target, columns, here_c, c = tl.arange(0, D)[:, None], d, here_i, i
        target_j = tl.arange(0, N)[:, None]
        second = load(seconds, member * d + i, target_j, n, (i < d) & (target_j < n), 1)
        stage_parameters = load(parameter_rows, member, i, d, i < d, N_STAGE_PARAMETER)
    else:
        target, columns, here_c, c = tl.arange(0, N)[:, None], n, here, j
    if MATRIX:
        here_weight = (target < columns) & (j < n)
        weight = load(weights, member * n + j, target, columns, here_weight, N_PRODUCT)
    grad_active = tl.zeros_like(carry[0])
    active = tl.load(actives + ((member * (steps + 1) + steps) * batch + b) * n + j, here, 0.0)
    for back in range(steps):
        t = steps - 1 - back
        go = here & (b < tl.load(rows + t))
        go_c = here_c & (b < tl.load(rows + t))
        row = (member * steps + t) * batch + b
        output_row = (member * grad_steps + tl.minimum(t, grad_steps - 1)) * batch + b
        before = tl.load(actives + ((member * (steps + 1) + t) * batch + b) * n + j, here, 0.0)
        grad = tl.load(grad_actives + output_row * n + j, go, 0.0) + grad_active
        if ACTIVATED:
            grad = through(grad, active)
        saved = load(saves, row, j, n, go, N_SAVED)
        to_drive, to_received, to_state = unit(
            saved, before, first_plus(carry, grad, N_STATE), parameters
        )
        carry = choose(go, to_state, carry, N_STATE)
        to_received = only(go, to_received, N_RECEIVED)
        to_product = to_received
        if STAGED:
            tl.store(grad_receiveds + row * n + j, to_received[0], mask=here)
            (grad_inner,) = multiply_each(to_received, second, 1)
            if DIRECT:
                grad_inner = grad_inner + tl.where(go, to_drive[0], 0.0)
            stage_saved = load(inner_saves, row, i, d, go_c, N_STAGE_SAVED)
            to_drive, to_product, to_stage_state = stage(stage_saved, grad_inner, stage_parameters)
            to_product = only(go_c, to_product, N_PRODUCT)
            if N_STAGE_STATE:
                carry = plus(carry, only(go, to_stage_state, N_STATE), N_STATE)
        elif not MATRIX:  # learned parameters
            store(grad_receiveds, row, j, n, here, to_received, N_RECEIVED)
        if not ADDITIVE:
            store(grad_drives, row, c, columns, here_c, only(go_c, to_drive, N_DRIVE), N_DRIVE)
        if MATRIX:
            store(grad_products, row, c, columns, here_c, to_product, N_PRODUCT)
            products = multiply_each(to_product, weight, N_PRODUCT)
            total = products[0]
            for block in tl.static_range(1, N_PRODUCT):
                total += products[block]
            # That of a sequence that begins later waits for the initial state.
            grad_active = tl.where(go, total, grad_active)
        active = before
    if ACTIVATED:
        grad_active = through(grad_active, active)
    carry = first_plus(carry, grad_active, N_STATE)
    store(grad_state, member * batch + b, j, n, here, carry, N_STATE)
