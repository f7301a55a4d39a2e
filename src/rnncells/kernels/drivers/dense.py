r"""The driver of cells whose units see each other through one matrix of weights.

.. math::
    h_t = \text{unit}(\text{drive}_t,\; \text{active}_{t-1} W,\; h_{t-1})

sRNN, TRNN, MTRNN, LSTM, GRU, UGRNN, AntisymmetricRNN, ESN, nBRC, PC-RNN-V, -HC-A and -GC-HC-A.
"""

from functools import cache

import numpy as np

from ..columns import load, store
from ..driver import Driver, Gradients, launch
from ..launch import Kernel
from ..unit import Unit


class Dense(Driver):
    """See the module.

    The weights are (W,) or (W, b), ``(S, n, recurrent * n)`` and ``(S, 1, recurrent * n)``. A unit
    with a recurrent bias b takes it as its parameters, and adds it to the recurrent input.
    """

    def forward(self, run):
        """Run over all steps."""
        weight, *bias = run.weights
        (parameters,) = bias or (run.parameters,)
        unit, n = self.unit, weight.size(-2)
        active = run.new(run.steps + 1, n)
        saved = run.new(run.steps if run.training else 1, unit.saved * n)
        state = run.new(2, unit.states * n)
        state[:, 0] = run.state
        arrays = (run.drive, weight, parameters, state, active, saved)
        launch(_kernels(unit)[0], run, *arrays)
        return {"active": active, "saved": saved, "state": state[:, run.steps % 2]}

    def backward(self, run, kept, grad_active, grad_state):
        """Return the gradients."""
        weight, *bias = run.weights
        (parameters,) = bias or (run.parameters,)
        unit, n = self.unit, weight.size(-2)
        active = kept["active"]
        grad_recurrent = run.new(run.steps, unit.recurrent * n)
        grad_drive = grad_recurrent if unit.additive else run.new(run.steps, unit.drive * n)
        carry = run.new(2, unit.states * n)
        carry[:, run.steps % 2] = grad_state
        if grad_active is None:
            grad_active = run.new(1, n).zero_()
        arrays = (weight.mT, parameters, active, kept["saved"], grad_active)
        results = (grad_drive, grad_recurrent, carry)
        launch(_kernels(unit)[1], run, *arrays, *results)
        received = grad_recurrent.flatten(1, 2)
        grad_weights = (active[:, :-1].flatten(1, 2).mT @ received,)
        if bias:
            grad_weights += (received.sum(1),)
        return Gradients(grad_drive, grad_weights, carry[:, 0])


@cache
def _kernels(unit: Unit) -> tuple[Kernel, Kernel]:
    """Make the kernels of a unit; what they take from it is constant when they are compiled."""
    unit_forward, unit_backward = unit.forward, unit.backward
    n_drive, n_recurrent, n_state = unit.drive, unit.recurrent, unit.states
    n_parameters, n_saved, additive = unit.parameters, unit.saved, unit.additive
    activate, through = unit.activation

    def forward(
        first, last, members, tiles, batch, rows,
        drive, weight, parameters, state, active, saved,
    ):  # fmt: skip
        steps, n = rows.size, active.shape[1]
        drive_steps = drive.shape[0] // (members * batch)
        saved_steps = saved.shape[0] // (members * batch)
        recurrent = np.empty((batch // tiles + 1, n_recurrent * n), drive.dtype)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            w = weight[m * n : (m + 1) * n]
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    h = load("state", 1, state, 2 * m * batch + b, j, n)[0]
                    store("active", active, a + b, j, n, (activate(h),))
            for t in range(steps):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + t % 2) * batch, (2 * m + 1 - t % 2) * batch
                d = (m * drive_steps + min(t, drive_steps - 1)) * batch
                k = (m * saved_steps + min(t, saved_steps - 1)) * batch
                np.dot(active[a + begin : a + running], w, recurrent[: running - begin])
                for b in range(begin, running):
                    for j in range(n):
                        new, keep = unit_forward(
                            load("drive", n_drive, drive, d + b, j, n),
                            load("recurrent", n_recurrent, recurrent, b - begin, j, n),
                            load("state", n_state, state, now + b, j, n),
                            load("parameters", n_parameters, parameters, m, j, n),
                        )
                        store("state", state, then + b, j, n, new)
                        store("saved", saved, k + b, j, n, keep)
                        store("active", active, a + batch + b, j, n, (activate(new[0]),))
                for b in range(running, end):
                    state[then + b] = state[now + b]
                    active[a + batch + b] = active[a + b]
                a += batch

    def backward(
        first, last, members, tiles, batch, rows,
        weight_t, parameters, active, saved, grad_output, grad_drive, grad_recurrent, carry,
    ):  # fmt: skip
        steps, n = rows.size, active.shape[1]
        output_steps = grad_output.shape[0] // (members * batch)
        grad_active = np.empty((batch // tiles + 1, n), active.dtype)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            w = weight_t[m * n_recurrent * n : (m + 1) * n_recurrent * n]
            grad_active[:] = 0
            for t in range(steps - 1, -1, -1):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + 1 - t % 2) * batch, (2 * m + t % 2) * batch
                a = (m * (steps + 1) + t) * batch
                k = (m * steps + t) * batch
                g = (m * output_steps + min(t, output_steps - 1)) * batch
                for b in range(begin, running):
                    for j in range(n):
                        active_before = load("active", 1, active, a + b, j, n)[0]
                        grad = (
                            load("grad_output", 1, grad_output, g + b, j, n)[0]
                            + load("grad_active", 1, grad_active, b - begin, j, n)[0]
                        )
                        grad = through(grad, load("active", 1, active, a + batch + b, j, n)[0])
                        grad_state = load("carry", n_state, carry, now + b, j, n)
                        to_drive, to_recurrent, to_state = unit_backward(
                            load("saved", n_saved, saved, k + b, j, n),
                            active_before,
                            (grad_state[0] + grad, *grad_state[1:]),
                            load("parameters", n_parameters, parameters, m, j, n),
                        )
                        store("grad_recurrent", grad_recurrent, k + b, j, n, to_recurrent)
                        if not additive:
                            store("grad_drive", grad_drive, k + b, j, n, to_drive)
                        store("carry", carry, then + b, j, n, to_state)
                for b in range(running, end):
                    carry[then + b] = carry[now + b]
                    grad_recurrent[k + b] = 0
                    grad_drive[k + b] = 0
                np.dot(grad_recurrent[k + begin : k + running], w, grad_active[: running - begin])
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    grad = through(grad_active[b - begin, j], active[a + b, j])
                    carry[2 * m * batch + b, j] += grad

    calls = unit.forward, unit.backward
    return (
        Kernel(forward, f"{unit.name}_forward", *calls),
        Kernel(backward, f"{unit.name}_backward", *calls),
    )
