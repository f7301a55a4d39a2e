r"""The driver of PC-RNN-GC, whose weights carry its errors back within a step.

.. math::
    e_t = \text{error}(\text{drive}_t,\; \text{active}_{t-1} W,\; h_{t-1}), \qquad
    h_t = \text{step}(e_t,\; e_t W^\top,\; h_{t-1})
"""

from functools import cache

import numpy as np

from ..columns import load, store
from ..driver import Driver, Gradients, launch
from ..functions import tanh, through_tanh
from ..launch import Kernel
from ..unit import scalar


class Coupled(Driver):
    """See the module; the weights are (W,), ``(S, n, n)``."""

    def __init__(self) -> None:
        """There is one such cell, and its functions are the only unit."""

    def forward(self, run):
        """Run over all steps."""
        (weight,) = run.weights
        n = weight.size(-1)
        steps = run.steps if run.training else 1
        active, state = run.new(run.steps + 1, n), run.new(2, 2 * n)
        state[:, 0] = run.state
        errors, back = run.new(steps, n), run.new(steps, n)
        arrays = (run.drive, weight, weight.mT, run.parameters, state, active, errors, back)
        launch(_kernels()[0], run, *arrays)
        state = state[:, run.steps % 2]
        return {"active": active, "errors": errors, "back": back, "state": state}

    def backward(self, run, kept, grad_active, grad_state):
        """Return the gradients."""
        (weight,) = run.weights
        active, errors, back = kept["active"], kept["errors"], kept["back"]
        n = weight.size(-1)
        if grad_active is None:
            grad_active = run.new(1, n).zero_()
        grad_recurrent, grad_back = run.new(run.steps, n), run.new(run.steps, n)
        carry = run.new(2, 2 * n)
        carry[:, run.steps % 2] = grad_state
        arrays = (weight, weight.mT, run.parameters, active, back, grad_active)
        results = (grad_recurrent, grad_back, carry)
        launch(_kernels()[1], run, *arrays, *results)
        before = active[:, :-1].flatten(1, 2)
        grad_weight = before.mT @ grad_recurrent.flatten(1, 2)
        grad_weight = grad_weight + grad_back.flatten(1, 2).mT @ errors.flatten(1, 2)
        return Gradients(grad_recurrent, (grad_weight,), carry[:, 0])


@scalar
def _error(drive, recurrent, state, parameters):
    """Return e = v - rate (recurrent + drive - h): what the velocity is too large by."""
    rate, _ = parameters
    h, velocity = state
    return velocity - rate * (recurrent + drive - h)


@scalar
def _forward(error, back, active, state, parameters):
    """Return v' = v - alpha e, h' = h + v' + alpha rate ((1 - active^2) back - e)."""
    rate, alpha = parameters
    h, velocity = state
    velocity = velocity - alpha * error
    return h + velocity + alpha * rate * (through_tanh(back, active) - error), velocity


@scalar
def _back_backward(back, active, grad_state, parameters):
    """Derivative of :func:`_forward` with respect to back and to active."""
    rate, alpha = parameters
    pull = alpha * rate * grad_state[0]
    half = pull * active * back
    return through_tanh(pull, active), -(half + half)


@scalar
def _backward(grad_error, grad_state, parameters):
    """Derivative of both: of the recurrent input, and of the state.

    ``grad_error`` is what the error gets through back.
    """
    rate, alpha = parameters
    dh, dvelocity = grad_state
    dvelocity = dvelocity + dh
    derror = grad_error - alpha * rate * dh - alpha * dvelocity
    dtotal = rate * derror
    return -dtotal, (dh + dtotal, dvelocity + derror)


@cache
def _kernels() -> tuple[Kernel, Kernel]:
    def forward(
        first, last, members, tiles, batch, rows,
        drive, weight, weight_t, parameters, state, active, errors, back,
    ):  # fmt: skip
        steps, n = rows.size, active.shape[1]
        drive_steps = drive.shape[0] // (members * batch)
        error_steps = errors.shape[0] // (members * batch)
        recurrent = np.empty((batch // tiles + 1, n), drive.dtype)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            w, w_t = weight[m * n : (m + 1) * n], weight_t[m * n : (m + 1) * n]
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    h = load("state", 1, state, 2 * m * batch + b, j, n)[0]
                    store("active", active, a + b, j, n, (tanh(h),))
            for t in range(steps):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + t % 2) * batch, (2 * m + 1 - t % 2) * batch
                d = (m * drive_steps + min(t, drive_steps - 1)) * batch
                k = (m * error_steps + min(t, error_steps - 1)) * batch
                np.dot(active[a + begin : a + running], w, recurrent[: running - begin])
                for b in range(begin, running):
                    for j in range(n):
                        error = _error(
                            load("drive", 1, drive, d + b, j, n)[0],
                            load("recurrent", 1, recurrent, b - begin, j, n)[0],
                            load("state", 2, state, now + b, j, n),
                            load("parameters", 2, parameters, m, j, n),
                        )
                        store("errors", errors, k + b, j, n, (error,))
                np.dot(errors[k + begin : k + running], w_t, back[k + begin : k + running])
                for b in range(begin, running):
                    for j in range(n):
                        new = _forward(
                            load("errors", 1, errors, k + b, j, n)[0],
                            load("back", 1, back, k + b, j, n)[0],
                            load("active", 1, active, a + b, j, n)[0],
                            load("state", 2, state, now + b, j, n),
                            load("parameters", 2, parameters, m, j, n),
                        )
                        store("state", state, then + b, j, n, new)
                        store("active", active, a + batch + b, j, n, (tanh(new[0]),))
                for b in range(running, end):
                    state[then + b] = state[now + b]
                    active[a + batch + b] = active[a + b]
                    errors[k + b] = 0
                    back[k + b] = 0
                a += batch

    def backward(
        first, last, members, tiles, batch, rows,
        weight, weight_t, parameters, active, back, grad_output,
        grad_recurrent, grad_back, carry,
    ):  # fmt: skip
        steps, n = rows.size, active.shape[1]
        output_steps = grad_output.shape[0] // (members * batch)
        grad_active = np.empty((batch // tiles + 1, n), active.dtype)
        # What the active state gets besides through the weights, and what the error gets.
        direct = np.empty((batch // tiles + 1, n), active.dtype)
        grad_errors = np.empty((batch // tiles + 1, n), active.dtype)
        for task in range(first, last):
            m, tile = task // tiles, task % tiles
            begin, end = batch * tile // tiles, batch * (tile + 1) // tiles
            w, w_t = weight[m * n : (m + 1) * n], weight_t[m * n : (m + 1) * n]
            grad_active[:] = 0
            direct[:] = 0
            for t in range(steps - 1, -1, -1):
                running = min(max(rows[t], begin), end)
                now, then = (2 * m + 1 - t % 2) * batch, (2 * m + t % 2) * batch
                a = (m * (steps + 1) + t) * batch
                k = (m * steps + t) * batch
                g = (m * output_steps + min(t, output_steps - 1)) * batch
                for b in range(begin, running):
                    for j in range(n):
                        grad = (
                            load("grad_output", 1, grad_output, g + b, j, n)[0]
                            + load("grad_active", 1, grad_active, b - begin, j, n)[0]
                            + load("direct", 1, direct, b - begin, j, n)[0]
                        )
                        grad = through_tanh(grad, load("active", 1, active, a + batch + b, j, n)[0])
                        dh, dvelocity = load("carry", 2, carry, now + b, j, n)
                        to_back, to_active = _back_backward(
                            load("back", 1, back, k + b, j, n)[0],
                            load("active", 1, active, a + b, j, n)[0],
                            (dh + grad, dvelocity),
                            load("parameters", 2, parameters, m, j, n),
                        )
                        store("carry", carry, now + b, j, n, (dh + grad, dvelocity))
                        store("grad_back", grad_back, k + b, j, n, (to_back,))
                        store("direct", direct, b - begin, j, n, (to_active,))
                np.dot(grad_back[k + begin : k + running], w, grad_errors[: running - begin])
                for b in range(begin, running):
                    for j in range(n):
                        to_recurrent, to_state = _backward(
                            load("grad_errors", 1, grad_errors, b - begin, j, n)[0],
                            load("carry", 2, carry, now + b, j, n),
                            load("parameters", 2, parameters, m, j, n),
                        )
                        store("grad_recurrent", grad_recurrent, k + b, j, n, (to_recurrent,))
                        store("carry", carry, then + b, j, n, to_state)
                for b in range(running, end):
                    carry[then + b] = carry[now + b]
                    grad_recurrent[k + b] = 0
                    grad_back[k + b] = 0
                np.dot(grad_recurrent[k + begin : k + running], w_t, grad_active[: running - begin])
            a = m * (steps + 1) * batch
            for b in range(begin, end):
                for j in range(n):
                    grad = grad_active[b - begin, j] + direct[b - begin, j]
                    carry[2 * m * batch + b, j] += through_tanh(grad, active[a + b, j])

    return Kernel(forward, "PC-RNN-GC_forward"), Kernel(backward, "PC-RNN-GC_backward")
