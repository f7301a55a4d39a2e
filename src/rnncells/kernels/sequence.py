"""A cell's kernel as a differentiable operation on tensors."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..cells.base import Cell, State, affine
from .backend import find, possible
from .registry import binding, fit, recurrence_of, run_of, weights_of
from .unrolled import step_through


def kernel_of(
    cell: Cell, x: Tensor, state: State
) -> Callable[[Tensor, State, np.ndarray], tuple[Tensor, State]] | None:
    """Return the kernel that runs a cell over a sequence, or None if its own steps have to.

    Everything that a kernel reads is checked here, because it does not check again.

    Args:
        cell: the cell.
        x: inputs, in any shape that ends with their width.
        state: the initial state.

    Returns:
        a function of x, ``([S,] T, B, input_size)``, or ``([S,] 1, B, input_size)`` if it is
        constant in time; of the initial state, tensors ``([S,] B, n)``; and of the number of
        sequences of each of the T steps, which are the first ones. It returns the outputs of all
        steps, ``([S,] T, B, n)``, and the state after the last one.
    """
    if not possible() or binding(type(cell)) is None or state[0].size(-2) == 0:
        return None
    weights = weights_of(cell)
    backend = find(x, *state, *weights, cells=[cell])
    if backend is None or not fit(cell, x, state, weights):
        return None

    def run_sequence(x: Tensor, state: State, rows: np.ndarray) -> tuple[Tensor, State]:
        given = x, *state, *weights
        training = torch.is_grad_enabled() and any(t.requires_grad for t in given)
        output, *last = _Sequence.apply(backend, cell, rows, len(state), training, *given)
        return output, tuple(last)

    return run_sequence


class _Sequence(torch.autograd.Function):
    """(x, state, weights) -> (outputs, state), differentiable any number of times."""

    @staticmethod
    def forward(ctx, backend, cell, rows, parts, training, *tensors):
        run = _run(cell, rows, parts, training, tensors)
        kept = backend.forward(recurrence_of(cell), run)
        last = kept.pop("state")
        output = kept["active"][:, 1:]
        n = cell.hidden_size
        if output.size(-1) > n:
            # Several groups of units; the last one is the one that is read.
            output = output[..., -n:]
        if cell.population is None:
            output, last = output.squeeze(0), last.squeeze(0)
        # It shares the storage of what is kept, but is no view for autograd, so that callers may
        # change it in place.
        output = output.new_empty(0).set_(output)
        if training:
            ctx.backend, ctx.cell, ctx.rows, ctx.parts = backend, cell, rows, parts
            ctx.kept = list(kept)
            # An empty tensor that shares the version counter of the output.
            ctx.changes = output.detach()
            ctx.changes.data = output.new_empty(0)
            ctx.unchanged = output._version
            ctx.save_for_backward(*tensors, *kept.values())
            ctx.set_materialize_grads(False)
        return output, *(part.clone() for part in last.split(n, -1))

    @staticmethod
    def backward(ctx, grad_output, *grad_last):
        cell, parts = ctx.cell, ctx.parts
        saved = ctx.saved_tensors
        tensors, kept = saved[: -len(ctx.kept)], saved[-len(ctx.kept) :]
        grad_output, *grad_last = (
            grad if grad is None else _materialized(grad) for grad in (grad_output, *grad_last)
        )
        if torch.is_grad_enabled():
            grads = _gradients_by_steps(ctx, tensors, grad_output, grad_last)
            return *_NO_TENSORS, *grads
        run = _run(cell, ctx.rows, parts, True, tensors)
        if grad_output is not None:
            grad_output = grad_output if cell.population else grad_output.unsqueeze(0)
        if all(grad is None for grad in grad_last):
            grad_state = run.state.new_zeros(run.state.shape)
        else:
            grad_state = torch.cat(
                [
                    torch.zeros_like(part) if grad is None else grad
                    for grad, part in zip(grad_last, tensors[1:], strict=False)
                ],
                -1,
            ).reshape(run.state.shape)
        if ctx.changes._version == ctx.unchanged:
            kept = dict(zip(ctx.kept, kept, strict=True))
        else:  # the output was changed in place, and with it what was kept
            kept = ctx.backend.forward(recurrence_of(cell), run)
        grads = ctx.backend.backward(
            recurrence_of(cell),
            run,
            kept,
            grad_output,
            grad_state,
            with_x=ctx.needs_input_grad[len(_NO_TENSORS)],
        )
        found = (
            grads.x,
            *(grads.state.chunk(parts, -1) if parts > 1 else (grads.state,)),
            grads.projection,
            grads.bias,
            *grads.weights,
        )
        shaped = (
            None if grad is None else grad.reshape(tensor.shape)
            for grad, tensor in zip(found, tensors, strict=True)
        )
        return *_NO_TENSORS, *shaped


#: The gradients of the arguments before the tensors.
_NO_TENSORS = (None,) * 5


def _run(cell, rows, parts, training, tensors):
    """Describe a run of the operation's arguments."""
    x, *others = tensors if cell.population else [tensor.unsqueeze(0) for tensor in tensors]
    return run_of(cell, rows, parts, x, others, training=training)


def _materialized(grad: Tensor) -> Tensor:
    """Return a gradient with its values in memory: no zero tensor, no negative bit."""
    return torch.zeros_like(grad) if grad._is_zerotensor() else grad.resolve_neg()


def _gradients_by_steps(ctx, tensors, grad_output, grad_last):
    """Return gradients that can be differentiated again, by autograd through the cell's steps."""
    cell, rows, parts = ctx.cell, ctx.rows, ctx.parts
    x, *state = tensors[: 1 + parts]
    projection, bias, *weights = tensors[1 + parts :]
    projected, last_step = affine(x, projection, bias), x.size(-3) - 1
    projections = [projected[..., min(t, last_step), :count, :] for t, count in enumerate(rows)]
    recurrence = weights[0] if len(weights) == 1 else tuple(weights)
    states, last = step_through(cell, projections, tuple(state), recurrence)
    results, grads = [], []
    if grad_output is not None:
        for t, h in enumerate(states):
            results.append(cell.output(h))
            grads.append(grad_output[..., t, : h.size(-2), :])
    for part, grad in zip(last, grad_last, strict=True):
        if grad is not None:
            results.append(part)
            grads.append(grad)
    wanted = [t for t in tensors if t.requires_grad]
    found = iter(torch.autograd.grad(results, wanted, grads, create_graph=True, allow_unused=True))
    return [next(found) if t.requires_grad else None for t in tensors]
