r"""The loop over time: one for all shapes of recurrence, forward and backward.

.. math::
    \text{projected}_t = x_t W_x + b_x, \qquad
    \text{recurrent}_t = \text{active}_{t-1} W + b, \qquad
    h_t = \text{unit}(\text{projected}_t, \text{recurrent}_t, h_{t-1})

A cell may have no matrix W, or a second one, with a stage of its own before it:

.. math::
    \text{inner}_t = \text{stage}(\text{projected}_t, \text{recurrent}_t, h_{t-1}), \qquad
    h_t = \text{unit}(\text{inner}_t, \text{inner}_t W_2 + b_2, h_{t-1})

Intermediate results that only one step needs are in buffers of one step, which stay in the cache.
What the backward pass needs, and what it returns, is kept for all steps. Gradients of weights are
accumulated step by step, separately for every tile.

A task is one tile (some sequences of the batch) of one member. Arrays are rows as
:mod:`rnncells.kernels.numba.vector` describes; those with steps have a row for every member, step
and sequence, in this order.
"""

from functools import cache

import numpy as np

from ..scalars import identity, quick_tanh, through_identity, through_tanh
from ..unit import NO_STAGE, Unit
from .compiler import compiled
from .functions import inlined, jitable
from .launch import Kernel
from .product import accumulate, multiply, multiply_and_fetch, pack, pack_transposed, packed
from .tables import arrays
from .vector import add, lanes_of, load, prefetch, store

#: Rows of a tile that go through a step together: their inputs should stay in the L1 and L2 caches.
CHUNK = 48


@compiled
def tile_of(task, tiles, batch):
    """Return the member of a task, and the first and last sequence of its tile."""
    member, tile = task // tiles, task % tiles
    return member, batch * tile // tiles, batch * (tile + 1) // tiles


@compiled
def add_rows(total, rows, count):
    """Add the first ``count`` rows of an array to those of another."""
    for b in range(count):
        for j in range(rows.shape[1]):
            total[b, j] += rows[b, j]


@compiled
def copy_row(rows, source, target):
    """Copy a row to another. (A loop, because slices take longer to compile.)"""
    for j in range(rows.shape[1]):
        rows[target, j] = rows[source, j]


@compiled
def clear_rows(rows, first, last):
    """Set the rows ``first <= k < last`` to 0."""
    for k in range(first, last):
        for j in range(rows.shape[1]):
            rows[k, j] = 0


@compiled
def spread_row(numbers, row, columns):
    """Repeat the numbers of a row, each for an equal share of consecutive columns."""
    times = columns.size // max(1, numbers.shape[1])
    for j in range(columns.size):
        columns[0, j] = numbers[row, j // times]


@cache
def kernels(unit: Unit) -> tuple[Kernel, Kernel]:
    """Return the forward and the backward kernel of a unit, to be compiled at their first call.

    What they take from the unit are compile-time constants, so that branches on it cost nothing.
    """
    # Numba does not know dataclasses, hence all the names.
    unit_forward, unit_backward = unit.forward, unit.backward
    activate, through = (
        (quick_tanh, through_tanh) if unit.activated else (identity, through_identity)
    )
    matrix, additive = unit.recurrent > 0, unit.additive
    n_projected = 0 if additive else unit.projected
    n_recurrent, n_state, n_saved = unit.recurrent, unit.states, unit.saved
    n_parameters, learned = unit.parameters, unit.learned
    staged, stage = unit.stage is not None, unit.stage or NO_STAGE
    stage_forward, stage_backward = stage.forward, stage.backward
    stage_drive, stage_saved = stage.projected, stage.saved
    stage_state, stage_parameters, direct = stage.states, stage.parameters, stage.direct
    n_inputs = (1 if direct else 0) if staged else n_projected

    # The arithmetic of one vector of columns of one row: of its first ``some`` columns, or of all
    # if that is None.

    @inlined
    def gate(projected, recurrent, state, parameters, inner, inner_saved, c, b, k, h, j, d, some):
        value, keep = stage_forward(
            load(stage_drive, projected, c, j, d, some),
            load(1, recurrent, b, j, d, some),
            load(stage_state, state, h, j, d, some),
            load(stage_parameters, parameters, 0, j, d, some),
        )
        prefetch(1, inner, k + CHUNK, j, d)
        prefetch(stage_saved, inner_saved, k + CHUNK, j, d)
        store(inner, k, j, d, (value,), some)
        store(inner_saved, k, j, d, keep, some)

    @inlined
    def advance(
        inputs, received, active, state, parameters, saved, b, c, a, following, k, h, j, n, some
    ):  # fmt: skip
        new, keep = unit_forward(
            load(n_inputs, inputs, c, j, n, some),
            load(n_recurrent, received, b, j, n, some),
            load(1, active, a, j, n, some)[0],
            load(n_state, state, h, j, n, some),
            load(n_parameters, parameters, 0, j, n, some),
        )
        if not matrix:
            prefetch(n_saved, saved, k + CHUNK, j, n)
        prefetch(1, active, following + CHUNK, j, n)
        store(state, h, j, n, new, some)
        store(saved, k, j, n, keep, some)
        store(active, following, j, n, (activate(new[0]),), some)

    @inlined
    def retreat(
        saved, active, grad_output, grad_active, carry, parameters, grad_received, grad_inputs,
        x, grad_x, b, a, following, k, g, h, j, n, some,
    ):  # fmt: skip
        grad = load(1, grad_output, g, j, n, some)[0] + load(1, grad_active, b, j, n, some)[0]
        grad = through(grad, load(1, active, following, j, n, some)[0])
        grad_state = load(n_state, carry, h, j, n, some)
        to_projected, to_received, to_state = unit_backward(
            load(n_saved, saved, k, j, n, some),
            load(1, active, a, j, n, some)[0],
            (grad_state[0] + grad, *grad_state[1:]),
            load(n_parameters, parameters, 0, j, n, some),
        )
        if not matrix:
            prefetch(n_saved, saved, k - CHUNK, j, n)
        prefetch(1, active, a - CHUNK, j, n)
        prefetch(1, grad_output, g - CHUNK, j, n)
        prefetch(1, grad_x, k - CHUNK, j, n)
        prefetch(1, x, k - CHUNK, j, n)
        store(carry, h, j, n, to_state, some)
        store(grad_received, b, j, n, to_received, some)
        if n_inputs:
            store(grad_inputs, b, j, n, to_projected, some)

    @inlined
    def ungate(
        inner_saved, grad_inner, parameters, grad_recurrent, grad_projected, carry, b, k, h, j, d,
        some,
    ):  # fmt: skip
        to_projected, to_recurrent, to_state = stage_backward(
            load(stage_saved, inner_saved, k, j, d, some),
            load(1, grad_inner, b, j, d, some)[0],
            load(stage_parameters, parameters, 0, j, d, some),
        )
        prefetch(stage_saved, inner_saved, k - CHUNK, j, d)
        store(grad_recurrent, b, j, d, to_recurrent, some)
        if not additive:
            store(grad_projected, b, j, d, to_projected, some)
        if stage_state:
            add(carry, h, j, d, to_state, some)

    @inlined
    def begin_with(state, active, a, h, j, n, some):
        store(active, a, j, n, (activate(load(1, state, h, j, n, some)[0]),), some)

    @inlined
    def end_with(grad_active, active, carry, b, a, c, j, n, some):
        grad = load(1, grad_active, b, j, n, some)[0]
        add(carry, c, j, n, (through(grad, load(1, active, a, j, n, some)[0]),), some)

    def forward(first, last, table, like, members, tiles, batch, rows, x_steps, kept_steps):
        (
            x, projection, bias, weight, weight_bias, second, second_bias, parameters,
            state, active, saved, inner, inner_saved,
        ) = arrays(13, table, like)  # fmt: skip
        via = table[-1]  # where the products are
        steps, n = rows.size, active.shape[1]
        d = inner.shape[1]  # the width of the stage
        lanes = lanes_of(like)
        whole, whole_d = n - n % lanes, d - d % lanes
        size = min(batch // tiles + 1, CHUNK)
        into = packed(projection.shape[0] // members, projection.shape[1], x)
        onward = packed(weight.shape[0] // members, weight.shape[1], x)
        outward = packed(second.shape[0] // members, second.shape[1], x)
        constant = x_steps < steps
        projected = np.empty(
            (batch // tiles + 1 if constant else size, projection.shape[1]), x.dtype
        )
        recurrent = np.empty((size, weight.shape[1]), x.dtype)
        received = np.empty((size, n), x.dtype) if staged else recurrent
        inputs = inner if staged else projected
        spread = np.empty((1, n_parameters * n), x.dtype)
        for task in range(first, last):
            m, begin, end = tile_of(task, tiles, batch)
            spread_row(parameters, m, spread)
            pack(via, projection, m * x.shape[1], x.shape[1], into)
            if matrix:
                pack(via, weight, m * n, n, onward)
            if staged:
                pack(via, second, m * d, d, outward)
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(0, whole, lanes):
                    begin_with(state, active, a + b, m * batch + b, j, n, None)
                if whole < n:
                    begin_with(state, active, a + b, m * batch + b, whole, n, n - whole)
            for t in range(steps):
                running = min(max(rows[t], begin), end)
                for lowest in range(begin, running, CHUNK):
                    count = min(running - lowest, CHUNK)
                    h = m * batch + lowest
                    a = (m * (steps + 1) + t) * batch + lowest
                    k = (m * kept_steps + min(t, kept_steps - 1)) * batch + lowest
                    # A constant input is projected once, for the whole tile.
                    c = lowest - begin if constant else 0
                    if t < x_steps:
                        at = (m * x_steps + t) * batch + lowest
                        multiply_and_fetch(
                            via, x, at, count, into, projected, c, bias, m, 0, x, at + count, count
                        )
                    if matrix:
                        base, base_row = (projected, c) if additive else (weight_bias, m)
                        multiply_and_fetch(
                            via, active, a, count, onward, recurrent, 0,
                            base, base_row, 1 if additive else 0, saved, k, count,
                        )  # fmt: skip
                    if staged:
                        for b in range(count):
                            for j in range(0, whole_d, lanes):
                                gate(
                                    projected, recurrent, state, spread, inner, inner_saved,
                                    c + b, b, k + b, h + b, j, d, None,
                                )  # fmt: skip
                            if whole_d < d:
                                gate(
                                    projected, recurrent, state, spread, inner, inner_saved,
                                    c + b, b, k + b, h + b, whole_d, d, d - whole_d,
                                )  # fmt: skip
                        multiply(via, inner, k, count, outward, received, 0, second_bias, m, 0)
                        c = k
                    for b in range(count):
                        for j in range(0, whole, lanes):
                            advance(
                                inputs, received, active, state, spread, saved,
                                b, c + b, a + b, a + batch + b, k + b, h + b, j, n, None,
                            )  # fmt: skip
                        if whole < n:
                            advance(
                                inputs, received, active, state, spread, saved,
                                b, c + b, a + b, a + batch + b, k + b, h + b, whole, n, n - whole,
                            )  # fmt: skip
                a = (m * (steps + 1) + t) * batch
                for b in range(running, end):
                    copy_row(active, a + b, a + batch + b)

    def backward(first, last, table, like, members, tiles, batch, rows, x_steps, output_steps):
        (
            x, projection, weight, second, parameters, active, saved, inner, inner_saved,
            grad_output, carry, grad_x, grad_projection, grad_bias, grad_weight, grad_weight_bias,
            grad_second, grad_second_bias, grad_parameters,
        ) = arrays(19, table, like)  # fmt: skip
        via = table[-1]  # where the products are
        steps, n = rows.size, active.shape[1]
        d, width = inner.shape[1], projection.shape[1]
        lanes = lanes_of(like)
        whole, whole_d = n - n % lanes, d - d % lanes
        constant = x_steps < steps
        size = batch // tiles + 1
        into = packed(projection.shape[1], x.shape[1], x)
        onward = packed(weight.shape[1], n, x)
        outward = packed(n, d, x)
        zero = np.zeros((1, max(x.shape[1], n, d)), x.dtype)
        one = np.ones((size, 1), x.dtype)
        grad_active = np.empty((size, n), x.dtype)
        # The gradient of learned parameters takes the place of that of the recurrent input.
        n_received = n_parameters * n if learned else weight.shape[1]
        grad_recurrent = np.empty((size, n_received), x.dtype)
        grad_projected = grad_recurrent if additive else np.empty((size, width), x.dtype)
        if staged:
            grad_received, grad_direct = np.empty((size, n), x.dtype), np.empty((size, d), x.dtype)
            grad_inner = np.empty((size, d), x.dtype)
        else:
            grad_received = grad_direct = grad_inner = grad_recurrent
        grad_inputs = grad_direct if staged else grad_projected
        # For an input that is constant in time: the gradient of its projection, over all steps.
        total = np.empty((size, width), x.dtype)
        spread = np.empty((1, n_parameters * n), x.dtype)
        for task in range(first, last):
            m, begin, end = tile_of(task, tiles, batch)
            spread_row(parameters, m, spread)
            if grad_x.size:
                pack_transposed(via, projection, m * x.shape[1], x.shape[1], into)
            if matrix:
                pack_transposed(via, weight, m * n, n, onward)
            if staged:
                pack_transposed(via, second, m * d, d, outward)
            clear_rows(grad_active, 0, size)
            clear_rows(total, 0, size)
            for t in range(steps - 1, -1, -1):
                running = min(max(rows[t], begin), end)
                count = running - begin
                # Chunks in descending order too, so that memory is traversed in one direction.
                for part in range((count - 1) // CHUNK, -1, -1):
                    r = part * CHUNK
                    lowest, high = begin + r, min(count, r + CHUNK)
                    h = m * batch + lowest - r
                    a = (m * (steps + 1) + t) * batch + lowest - r
                    k = (m * steps + t) * batch + lowest - r
                    g = (m * output_steps + min(t, output_steps - 1)) * batch + lowest - r
                    for b in range(r, high):
                        for j in range(0, whole, lanes):
                            retreat(
                                saved, active, grad_output, grad_active, carry, spread,
                                grad_received, grad_inputs, x, grad_x,
                                b, a + b, a + batch + b, k + b, g + b, h + b, j, n, None,
                            )  # fmt: skip
                        if whole < n:
                            retreat(
                                saved, active, grad_output, grad_active, carry, spread,
                                grad_received, grad_inputs, x, grad_x,
                                b, a + b, a + batch + b, k + b, g + b, h + b, whole, n, n - whole,
                            )  # fmt: skip
                    rows_here = high - r
                    if staged:
                        if direct:
                            multiply(
                                via, grad_received, r, rows_here, outward, grad_inner, r,
                                grad_direct, r, 1,
                            )  # fmt: skip
                        else:
                            multiply(
                                via, grad_received, r, rows_here, outward, grad_inner, r, zero, 0, 0
                            )
                        for b in range(r, high):
                            for j in range(0, whole_d, lanes):
                                ungate(
                                    inner_saved, grad_inner, spread, grad_recurrent, grad_projected,
                                    carry, b, k + b, h + b, j, d, None,
                                )  # fmt: skip
                            if whole_d < d:
                                ungate(
                                    inner_saved, grad_inner, spread, grad_recurrent, grad_projected,
                                    carry, b, k + b, h + b, whole_d, d, d - whole_d,
                                )  # fmt: skip
                    if matrix:
                        multiply_and_fetch(
                            via, grad_recurrent, r, rows_here, onward, grad_active, r, zero, 0, 0,
                            saved, k + r - CHUNK, CHUNK,
                        )  # fmt: skip
                    if grad_x.size and not constant:
                        multiply(via, grad_projected, r, rows_here, into, grad_x, k + r, zero, 0, 0)
                a = (m * (steps + 1) + t) * batch + begin
                k = (m * steps + t) * batch + begin
                if learned:
                    accumulate(via, one, 0, grad_received, 0, count, grad_parameters, task)
                if staged:
                    accumulate(via, inner, k, grad_received, 0, count, grad_second, task * d)
                    accumulate(via, one, 0, grad_received, 0, count, grad_second_bias, task)
                if matrix:
                    accumulate(via, active, a, grad_recurrent, 0, count, grad_weight, task * n)
                    if not additive:
                        accumulate(via, one, 0, grad_recurrent, 0, count, grad_weight_bias, task)
                if constant:
                    add_rows(total, grad_projected, count)
                else:
                    accumulate(
                        via, x, k, grad_projected, 0, count, grad_projection, task * x.shape[1]
                    )
                    accumulate(via, one, 0, grad_projected, 0, count, grad_bias, task)
                    if grad_x.size:
                        clear_rows(grad_x, k + count, k + end - begin)
            if constant:
                at, count = m * batch + begin, end - begin
                accumulate(via, x, at, total, 0, count, grad_projection, task * x.shape[1])
                accumulate(via, one, 0, total, 0, count, grad_bias, task)
                if grad_x.size:
                    multiply(via, total, 0, count, into, grad_x, at, zero, 0, 0)
            a = m * (steps + 1) * batch + begin
            c = m * batch + begin
            for b in range(end - begin):
                for j in range(0, whole, lanes):
                    end_with(grad_active, active, carry, b, a + b, c + b, j, n, None)
                if whole < n:
                    end_with(grad_active, active, carry, b, a + b, c + b, whole, n, n - whole)

    scalars = unit_forward, unit_backward, stage_forward, stage_backward, activate, through
    calls = [call for scalar in scalars for call in jitable(scalar)]
    return (
        Kernel(forward, f"{unit.name}_forward", *calls),
        Kernel(backward, f"{unit.name}_backward", *calls),
    )
