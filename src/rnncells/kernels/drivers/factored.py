r"""The driver of cells whose recurrence goes through factors that the input gates.

.. math::
    \text{factors}_t = \text{active}_{t-1} W_p, \qquad
    h_t = \text{unit}(b,\; (\text{factors}_t \odot \text{drive}_t)\, W_f,\; h_{t-1})

PC-RNN-HC-M and -GC-HC-M.
"""

from functools import cache

import numpy as np

from ..columns import add, load, store
from ..driver import Driver, Gradients, launch
from ..launch import Kernel
from ..unit import Unit


class Factored(Driver):
    """See the module.

    The weights are (W_p, W_f, b), ``(S, n, d)``, ``(S, d, n)`` and ``(S, 1, n)``.
    """

    def forward(self, run):
        """Run over all steps."""
        into, out_of, bias = run.weights
        unit, n, d = self.unit, into.size(-2), into.size(-1)
        steps = run.steps if run.training else 1
        active, state = run.new(run.steps + 1, n), run.new(2, unit.states * n)
        state[:, 0] = run.state
        factors, gated = run.new(steps, d), run.new(steps, d)
        arrays = (run.drive, into, out_of, bias, run.parameters, state, active, factors, gated)
        launch(_kernels(unit)[0], run, *arrays)
        state = state[:, run.steps % 2]
        return {"active": active, "factors": factors, "gated": gated, "state": state}

    def backward(self, run, kept, grad_active, grad_state):
        """Return the gradients."""
        into, out_of, _ = run.weights
        unit, n, d = self.unit, into.size(-2), into.size(-1)
        active, factors, gated = kept["active"], kept["factors"], kept["gated"]
        if grad_active is None:
            grad_active = run.new(1, n).zero_()
        grad_recurrent, grad_factors = run.new(run.steps, n), run.new(run.steps, d)
        grad_drive = run.new(run.drive.size(1), d).zero_()
        carry = run.new(2, unit.states * n)
        carry[:, run.steps % 2] = grad_state
        arrays = (run.drive, into.mT, out_of.mT, run.parameters, active, factors, grad_active)
        results = (grad_drive, grad_recurrent, grad_factors, carry)
        launch(_kernels(unit)[1], run, *arrays, *results)
        grad_recurrent, grad_factors = grad_recurrent.flatten(1, 2), grad_factors.flatten(1, 2)
        return Gradients(
            grad_drive,
            (
                active[:, :-1].flatten(1, 2).mT @ grad_factors,
                gated.flatten(1, 2).mT @ grad_recurrent,
                grad_recurrent.sum(1),
            ),
            carry[:, 0],
        )


@cache
def _kernels(unit: Unit) -> tuple[Kernel, Kernel]:
    """Make the kernels of a unit; what they take from it is constant when they are compiled."""
    unit_forward, unit_backward = unit.forward, unit.backward
    activate, through = unit.activation
    n_state, n_parameters = unit.states, unit.parameters

    def forward(
        first, last, members, tiles, batch, rows,
        drive, into, out_of, bias, parameters, state, active, factors, gated,
    ):  # fmt: skip
        steps, n, d = rows.size, active.shape[1], factors.shape[1]
        drive_steps = drive.shape[0] // (members * batch)
        factor_steps = factors.shape[0] // (members * batch)
        recurrent = np.empty((batch // tiles + 1, n), drive.dtype)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            w_in, w_out = into[m * n : (m + 1) * n], out_of[m * d : (m + 1) * d]
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    h = load("state", 1, state, 2 * m * batch + b, j, n)[0]
                    store("active", active, a + b, j, n, (activate(h),))
            for t in range(steps):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + t % 2) * batch, (2 * m + 1 - t % 2) * batch
                g = (m * drive_steps + min(t, drive_steps - 1)) * batch
                k = (m * factor_steps + min(t, factor_steps - 1)) * batch
                np.dot(active[a + begin : a + running], w_in, factors[k + begin : k + running])
                for b in range(begin, running):
                    for j in range(d):
                        factor = load("factors", 1, factors, k + b, j, d)[0]
                        gate = load("drive", 1, drive, g + b, j, d)[0]
                        store("gated", gated, k + b, j, d, (factor * gate,))
                np.dot(gated[k + begin : k + running], w_out, recurrent[: running - begin])
                for b in range(begin, running):
                    for j in range(n):
                        new, _ = unit_forward(
                            load("bias", 1, bias, m, j, n),
                            load("recurrent", 1, recurrent, b - begin, j, n),
                            load("state", n_state, state, now + b, j, n),
                            load("parameters", n_parameters, parameters, m, j, n),
                        )
                        store("state", state, then + b, j, n, new)
                        store("active", active, a + batch + b, j, n, (activate(new[0]),))
                for b in range(running, end):
                    state[then + b] = state[now + b]
                    active[a + batch + b] = active[a + b]
                    factors[k + b] = 0
                    gated[k + b] = 0
                a += batch

    def backward(
        first, last, members, tiles, batch, rows,
        drive, into_t, out_of_t, parameters, active, factors, grad_output,
        grad_drive, grad_recurrent, grad_factors, carry,
    ):  # fmt: skip
        steps, n, d = rows.size, active.shape[1], factors.shape[1]
        drive_steps = drive.shape[0] // (members * batch)
        output_steps = grad_output.shape[0] // (members * batch)
        grad_active = np.empty((batch // tiles + 1, n), active.dtype)
        grad_gated = np.empty((batch // tiles + 1, d), active.dtype)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            w_in, w_out = into_t[m * d : (m + 1) * d], out_of_t[m * n : (m + 1) * n]
            grad_active[:] = 0
            for t in range(steps - 1, -1, -1):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + 1 - t % 2) * batch, (2 * m + t % 2) * batch
                a = (m * (steps + 1) + t) * batch
                k = (m * steps + t) * batch
                g = (m * output_steps + min(t, output_steps - 1)) * batch
                z = (m * drive_steps + min(t, drive_steps - 1)) * batch
                for b in range(begin, running):
                    for j in range(n):
                        grad = (
                            load("grad_output", 1, grad_output, g + b, j, n)[0]
                            + load("grad_active", 1, grad_active, b - begin, j, n)[0]
                        )
                        grad = through(grad, load("active", 1, active, a + batch + b, j, n)[0])
                        grad_state = load("carry", n_state, carry, now + b, j, n)
                        _, to_recurrent, to_state = unit_backward(
                            (),
                            grad,
                            (grad_state[0] + grad, *grad_state[1:]),
                            load("parameters", n_parameters, parameters, m, j, n),
                        )
                        store("grad_recurrent", grad_recurrent, k + b, j, n, to_recurrent)
                        store("carry", carry, then + b, j, n, to_state)
                for b in range(running, end):
                    carry[then + b] = carry[now + b]
                    grad_recurrent[k + b] = 0
                    grad_factors[k + b] = 0
                np.dot(
                    grad_recurrent[k + begin : k + running], w_out, grad_gated[: running - begin]
                )
                for b in range(begin, running):
                    for j in range(d):
                        grad = load("grad_gated", 1, grad_gated, b - begin, j, d)[0]
                        gate = load("drive", 1, drive, z + b, j, d)[0]
                        factor = load("factors", 1, factors, k + b, j, d)[0]
                        store("grad_factors", grad_factors, k + b, j, d, (grad * gate,))
                        add("grad_drive", grad_drive, z + b, j, d, (grad * factor,))
                np.dot(grad_factors[k + begin : k + running], w_in, grad_active[: running - begin])
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    grad = through(grad_active[b - begin, j], active[a + b, j])
                    carry[2 * m * batch + b, j] += grad

    calls = unit.forward, unit.backward
    return (
        Kernel(forward, f"factored_{unit.name}_forward", *calls),
        Kernel(backward, f"factored_{unit.name}_backward", *calls),
    )
