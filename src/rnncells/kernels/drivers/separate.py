r"""The driver of cells whose units see nothing but their own state and the input.

.. math::
    h_t = \text{unit}(\text{drive}_t,\; h_{t-1};\; w)

BRC. The weights are the unit's parameters, and where other units return the gradient of the
recurrent input, these return that of their parameters.
"""

from functools import cache

from ..columns import add, load, store
from ..driver import Driver, Gradients, launch
from ..launch import Kernel
from ..unit import Unit


class Separate(Driver):
    """See the module; the weights are (w,), ``(S, 1, blocks * n)``."""

    def forward(self, run):
        """Run over all steps."""
        unit, n = self.unit, run.state.size(-1) // self.unit.states
        active = run.new(run.steps + 1, n)
        saved = run.new(run.steps if run.training else 1, unit.saved * n)
        state = run.new(2, unit.states * n)
        state[:, 0] = run.state
        arrays = (run.drive, *run.weights, state, active, saved)
        launch(_kernels(unit)[0], run, *arrays)
        return {"active": active, "saved": saved, "state": state[:, run.steps % 2]}

    def backward(self, run, kept, grad_active, grad_state):
        """Return the gradients."""
        unit, active = self.unit, kept["active"]
        n = active.size(-1)
        if grad_active is None:
            grad_active = run.new(1, n).zero_()
        grad_drive = run.new(run.steps, unit.drive * n)
        # Threads add up separately: a row for every tile.
        grad_parameters = active.new_zeros((run.members, run.tiles, unit.parameters * n))
        carry = run.new(2, unit.states * n)
        carry[:, run.steps % 2] = grad_state
        arrays = (*run.weights, active, kept["saved"], grad_active)
        results = (grad_drive, grad_parameters, carry)
        launch(_kernels(unit)[1], run, *arrays, *results)
        return Gradients(grad_drive, (grad_parameters.sum(1),), carry[:, 0])


@cache
def _kernels(unit: Unit) -> tuple[Kernel, Kernel]:
    """Make the kernels of a unit; what they take from it is constant when they are compiled."""
    unit_forward, unit_backward = unit.forward, unit.backward
    activate, through = unit.activation
    n_drive, n_state, n_parameters, n_saved = (
        unit.drive,
        unit.states,
        unit.parameters,
        unit.saved,
    )

    def forward(first, last, members, tiles, batch, rows, drive, parameters, state, active, saved):
        steps, n = rows.size, active.shape[1]
        drive_steps = drive.shape[0] // (members * batch)
        saved_steps = saved.shape[0] // (members * batch)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
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
                for b in range(begin, running):
                    for j in range(n):
                        new, keep = unit_forward(
                            load("drive", n_drive, drive, d + b, j, n),
                            (),
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
        parameters, active, saved, grad_output, grad_drive, grad_parameters, carry,
    ):  # fmt: skip
        steps, n = rows.size, active.shape[1]
        output_steps = grad_output.shape[0] // (members * batch)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            for t in range(steps - 1, -1, -1):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + 1 - t % 2) * batch, (2 * m + t % 2) * batch
                a = (m * (steps + 1) + t) * batch
                k = (m * steps + t) * batch
                g = (m * output_steps + min(t, output_steps - 1)) * batch
                for b in range(begin, running):
                    for j in range(n):
                        active_before = load("active", 1, active, a + b, j, n)[0]
                        active_after = load("active", 1, active, a + batch + b, j, n)[0]
                        grad = load("grad_output", 1, grad_output, g + b, j, n)[0]
                        grad_state = load("carry", n_state, carry, now + b, j, n)
                        to_drive, to_parameters, to_state = unit_backward(
                            load("saved", n_saved, saved, k + b, j, n),
                            active_before,
                            (grad_state[0] + through(grad, active_after), *grad_state[1:]),
                            load("parameters", n_parameters, parameters, m, j, n),
                        )
                        store("grad_drive", grad_drive, k + b, j, n, to_drive)
                        add("grad_parameters", grad_parameters, task, j, n, to_parameters)
                        store("carry", carry, then + b, j, n, to_state)
                for b in range(running, end):
                    carry[then + b] = carry[now + b]
                    grad_drive[k + b] = 0

    calls = unit.forward, unit.backward
    return (
        Kernel(forward, f"{unit.name}_forward", *calls),
        Kernel(backward, f"{unit.name}_backward", *calls),
    )
