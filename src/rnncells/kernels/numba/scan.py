r"""The loop over time: one for all shapes of recurrence, forward and backward.

.. math::
    \text{drive}_t = x_t W_x + b_x, \qquad
    \text{recurrent}_t = \text{active}_{t-1} W + b, \qquad
    h_t = \text{unit}(\text{drive}_t, \text{recurrent}_t, h_{t-1})

A cell may have no matrix W, or a second one, with a stage of its own before it:

.. math::
    \text{inner}_t = \text{stage}(\text{drive}_t, \text{recurrent}_t, h_{t-1}), \qquad
    h_t = \text{unit}(\text{inner}_t, \text{inner}_t W_2 + b_2, h_{t-1})

Everything that one step needs and no other is in memory for one step, which stays in the cache.
What the backward pass needs, and what it gives, is kept for all steps. Gradients of weights are
added up step by step, separately for every tile.

A task is one tile (some sequences of the batch) of one member. Arrays are rows as
:mod:`rnncells.kernels.numba.columns` describes; those with steps have a row for every member,
step and sequence, in this order.
"""

from functools import cache

import numpy as np

from ..scalars import identity, quick_tanh, through_identity, through_tanh
from ..unit import NO_STAGE, Unit
from .columns import add, load, store
from .compiler import compiled
from .functions import jitable
from .launch import Kernel
from .product import VECTOR, accumulate, multiply, pack, pack_transposed, packed
from .tables import arrays


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
    """Set a row to another. (Slices would do; compiling them takes longer.)"""
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
    """Repeat each number of a row for as many columns that follow each other as there are."""
    times = columns.size // max(1, numbers.shape[1])
    for j in range(columns.size):
        columns[0, j] = numbers[row, j // times]


@compiled
def spans(columns, like):
    """Return where loops over columns begin and end, so that all numbers are parts of vectors.

    The last vector may overlap the one before, and its numbers are computed twice. What a loop
    writes must not be what it reads, therefore.
    """
    lanes = VECTOR // like.itemsize
    whole = columns - columns % lanes
    if columns < lanes or whole == columns:
        return (0, columns), (columns, columns)
    return (0, whole), (columns - lanes, columns)


@cache
def kernels(unit: Unit) -> tuple[Kernel, Kernel]:
    """Return the forward and the backward kernel of a unit, to be compiled at their first call.

    What they take from the unit is constant then, so that the branches on it cost nothing.
    """
    # Numba cannot look into a dataclass, hence all the names.
    unit_forward, unit_backward = unit.forward, unit.backward
    activate, through = (
        (quick_tanh, through_tanh) if unit.activated else (identity, through_identity)
    )
    matrix, additive = unit.recurrent > 0, unit.additive
    n_drive = 0 if additive else unit.drive
    n_recurrent, n_state, n_saved = unit.recurrent, unit.states, unit.saved
    n_parameters, learned = unit.parameters, unit.learned
    staged, stage = unit.stage is not None, unit.stage or NO_STAGE
    stage_forward, stage_backward = stage.forward, stage.backward
    stage_drive, stage_saved = stage.drive, stage.saved
    stage_state, stage_parameters, direct = stage.states, stage.parameters, stage.direct
    n_inner = 1 if direct else 0

    def forward(first, last, table, like, members, tiles, batch, rows, x_steps, kept_steps):
        (
            x, projection, bias, weight, weight_bias, second, second_bias, parameters,
            state, active, saved, inner, inner_saved,
        ) = arrays(13, table, like)  # fmt: skip
        via = table[-1]  # where the products are
        steps, n = rows.size, active.shape[1]
        d = inner.shape[1]  # the width of the stage
        size = batch // tiles + 1
        into = packed(projection.shape[0] // members, projection.shape[1], x)
        onward = packed(weight.shape[0] // members, weight.shape[1], x)
        outward = packed(second.shape[0] // members, second.shape[1], x)
        drive = np.empty((size, projection.shape[1]), x.dtype)
        recurrent = np.empty((size, weight.shape[1]), x.dtype)
        received = np.empty((size, n), x.dtype) if staged else recurrent
        spread = np.empty((1, n_parameters * n), x.dtype)
        for task in range(first, last):
            m, begin, end = tile_of(task, tiles, batch)
            spread_row(parameters, m, spread)
            pack(projection, m * x.shape[1], x.shape[1], into)
            if matrix:
                pack(weight, m * n, n, onward)
            if staged:
                pack(second, m * d, d, outward)
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    h = load("state", 1, state, 2 * m * batch + b, j, n)[0]
                    store("active", active, a + b, j, n, (activate(h),))
            for t in range(steps):
                running = min(max(rows[t], begin), end)
                count = running - begin
                now = (2 * m + t % 2) * batch + begin
                then = (2 * m + 1 - t % 2) * batch + begin
                a = (m * (steps + 1) + t) * batch + begin
                k = (m * kept_steps + min(t, kept_steps - 1)) * batch + begin
                if t < x_steps:
                    at = (m * x_steps + t) * batch + begin
                    multiply(via, x, at, count, into, drive, 0, bias, m, 0)
                if matrix:
                    if additive:
                        multiply(via, active, a, count, onward, recurrent, 0, drive, 0, 1)
                    else:
                        multiply(via, active, a, count, onward, recurrent, 0, weight_bias, m, 0)
                if staged:
                    for b in range(count):
                        for j in range(d):
                            value, keep = stage_forward(
                                load("drive", stage_drive, drive, b, j, d),
                                load("recurrent", 1, recurrent, b, j, d),
                                load("state", stage_state, state, now + b, j, d),
                                load("parameters", stage_parameters, spread, 0, j, d),
                            )
                            store("inner", inner, k + b, j, d, (value,))
                            store("inner_saved", inner_saved, k + b, j, d, keep)
                    multiply(via, inner, k, count, outward, received, 0, second_bias, m, 0)
                for b in range(count):
                    for span in spans(n, like):
                        for j in range(*span):
                            if staged:
                                driven = load("inner", n_inner, inner, k + b, j, n)
                            else:
                                driven = load("drive", n_drive, drive, b, j, n)
                            new, keep = unit_forward(
                                driven,
                                load("received", n_recurrent, received, b, j, n),
                                load("active", 1, active, a + b, j, n)[0],
                                load("state", n_state, state, now + b, j, n),
                                load("parameters", n_parameters, spread, 0, j, n),
                            )
                            store("state", state, then + b, j, n, new)
                            store("saved", saved, k + b, j, n, keep)
                            store("active", active, a + batch + b, j, n, (activate(new[0]),))
                for b in range(count, end - begin):
                    copy_row(state, now + b, then + b)
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
        size = batch // tiles + 1
        into = packed(projection.shape[1], x.shape[1], x)
        onward = packed(weight.shape[1], n, x)
        outward = packed(n, d, x)
        zero = np.zeros((1, max(x.shape[1], n, d)), x.dtype)
        one = np.ones((size, 1), x.dtype)
        grad_active = np.empty((size, n), x.dtype)
        # Learned parameters are in the place of a recurrent input.
        n_received = n_parameters * n if learned else weight.shape[1]
        grad_recurrent = np.empty((size, n_received), x.dtype)
        grad_drive = grad_recurrent if additive else np.empty((size, width), x.dtype)
        if staged:
            grad_received, grad_direct = np.empty((size, n), x.dtype), np.empty((size, d), x.dtype)
            grad_inner = np.empty((size, d), x.dtype)
        else:
            grad_received = grad_direct = grad_inner = grad_recurrent
        # For an input that is constant in time: the gradient of its drive, all steps together.
        total = np.empty((size, width), x.dtype)
        spread = np.empty((1, n_parameters * n), x.dtype)
        for task in range(first, last):
            m, begin, end = tile_of(task, tiles, batch)
            spread_row(parameters, m, spread)
            if grad_x.size:
                pack_transposed(projection, m * x.shape[1], x.shape[1], into)
            if matrix:
                pack_transposed(weight, m * n, n, onward)
            if staged:
                pack_transposed(second, m * d, d, outward)
            clear_rows(grad_active, 0, size)
            clear_rows(total, 0, size)
            for t in range(steps - 1, -1, -1):
                running = min(max(rows[t], begin), end)
                count = running - begin
                now = (2 * m + 1 - t % 2) * batch + begin
                then = (2 * m + t % 2) * batch + begin
                a = (m * (steps + 1) + t) * batch + begin
                k = (m * steps + t) * batch + begin
                g = (m * output_steps + min(t, output_steps - 1)) * batch + begin
                for b in range(count):
                    for span in spans(n, like):
                        for j in range(*span):
                            before = load("active", 1, active, a + b, j, n)[0]
                            grad = (
                                load("grad_output", 1, grad_output, g + b, j, n)[0]
                                + load("grad_active", 1, grad_active, b, j, n)[0]
                            )
                            grad = through(grad, load("active", 1, active, a + batch + b, j, n)[0])
                            grad_state = load("carry", n_state, carry, now + b, j, n)
                            to_drive, to_received, to_state = unit_backward(
                                load("saved", n_saved, saved, k + b, j, n),
                                before,
                                (grad_state[0] + grad, *grad_state[1:]),
                                load("parameters", n_parameters, spread, 0, j, n),
                            )
                            store("carry", carry, then + b, j, n, to_state)
                            store("grad_received", grad_received, b, j, n, to_received)
                            if staged:
                                if direct:
                                    store("grad_direct", grad_direct, b, j, n, to_drive)
                            elif not additive:
                                store("grad_drive", grad_drive, b, j, n, to_drive)
                for b in range(count, end - begin):
                    copy_row(carry, now + b, then + b)
                if learned:
                    accumulate(via, one, 0, grad_received, 0, count, grad_parameters, task)
                if staged:
                    if direct:
                        multiply(
                            via, grad_received, 0, count, outward, grad_inner, 0, grad_direct, 0, 1
                        )
                    else:
                        multiply(via, grad_received, 0, count, outward, grad_inner, 0, zero, 0, 0)
                    accumulate(via, inner, k, grad_received, 0, count, grad_second, task * d)
                    accumulate(via, one, 0, grad_received, 0, count, grad_second_bias, task)
                    for b in range(count):
                        for j in range(d):
                            to_drive, to_recurrent, to_state = stage_backward(
                                load("inner_saved", stage_saved, inner_saved, k + b, j, d),
                                load("grad_inner", 1, grad_inner, b, j, d)[0],
                                load("parameters", stage_parameters, spread, 0, j, d),
                            )
                            store("grad_recurrent", grad_recurrent, b, j, d, to_recurrent)
                            if not additive:
                                store("grad_drive", grad_drive, b, j, d, to_drive)
                            if stage_state:
                                add("carry", carry, then + b, j, d, to_state)
                if matrix:
                    multiply(via, grad_recurrent, 0, count, onward, grad_active, 0, zero, 0, 0)
                    accumulate(via, active, a, grad_recurrent, 0, count, grad_weight, task * n)
                    if not additive:
                        accumulate(via, one, 0, grad_recurrent, 0, count, grad_weight_bias, task)
                if x_steps < steps:
                    add_rows(total, grad_drive, count)
                else:
                    at = (m * steps + t) * batch + begin
                    accumulate(via, x, at, grad_drive, 0, count, grad_projection, task * x.shape[1])
                    accumulate(via, one, 0, grad_drive, 0, count, grad_bias, task)
                    if grad_x.size:
                        multiply(via, grad_drive, 0, count, into, grad_x, at, zero, 0, 0)
                        clear_rows(grad_x, at + count, at + end - begin)
            if x_steps < steps:
                at, count = m * batch + begin, end - begin
                accumulate(via, x, at, total, 0, count, grad_projection, task * x.shape[1])
                accumulate(via, one, 0, total, 0, count, grad_bias, task)
                if grad_x.size:
                    multiply(via, total, 0, count, into, grad_x, at, zero, 0, 0)
            a = m * (steps + 1) * batch + begin
            for b in range(end - begin):
                for j in range(n):
                    grad = through(grad_active[b, j], active[a + b, j])
                    carry[2 * m * batch + begin + b, j] += grad

    scalars = unit_forward, unit_backward, stage_forward, stage_backward, activate, through
    calls = [call for scalar in scalars for call in jitable(scalar)]
    return (
        Kernel(forward, f"{unit.name}_forward", *calls),
        Kernel(backward, f"{unit.name}_backward", *calls),
    )
