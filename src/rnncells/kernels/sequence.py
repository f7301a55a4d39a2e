"""A cell's kernel as a differentiable operation on tensors."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..cells.base import Cell, State, affine
from .backend import Backend
from .registry import recurrence_of, run_of, weights_of
from .unrolled import step_through


def run_sequence(
    backend: Backend, cell: Cell, x: Tensor, state: State, rows: np.ndarray
) -> tuple[Tensor, State]:
    """Step a cell that has a kernel over a sequence.

    Args:
        backend: what runs it.
        cell: the cell.
        x: inputs ``([S,] T, B, input_size)``, or ``([S,] 1, B, input_size)`` if they are constant
            in time.
        state: the initial state, tensors ``([S,] B, n)``.
        rows: for each of the T steps, how many sequences it has, which are the first ones.

    Returns:
        the outputs of all steps ``([S,] T, B, n)``, and the state after the last one.
    """
    output, *last = _Sequence.apply(backend, cell, rows, len(state), x, *state, *weights_of(cell))
    return output, tuple(last)


class _Sequence(torch.autograd.Function):
    """(x, state, weights) -> (outputs, state), differentiable as often as one likes."""

    @staticmethod
    def forward(ctx, backend, cell, rows, parts, *tensors):
        given = tensors if cell.population else [tensor.unsqueeze(0) for tensor in tensors]
        run = run_of(cell, rows, parts, given[0], given[1:], training=any(ctx.needs_input_grad))
        kept = backend.forward(recurrence_of(cell), run)
        last = kept.pop("state")
        output = kept["active"][:, 1:]
        n = cell.hidden_size
        if output.size(-1) > n:
            # Several groups of units; the last one is the one that is read.
            output = output[..., -n:]
        if cell.population is None:
            output, last = output.squeeze(0), last.squeeze(0)
        if run.training:
            ctx.backend, ctx.cell, ctx.run = backend, cell, run
            ctx.parts, ctx.kept = parts, list(kept)
            # The output is part of what is kept. Saved too, it may not be changed in place.
            ctx.save_for_backward(output, *tensors, *kept.values())
            ctx.set_materialize_grads(False)
        return output, *(last.split(n, -1) if parts > 1 else (last,))

    @staticmethod
    def backward(ctx, grad_output, *grad_last):
        cell, run, parts = ctx.cell, ctx.run, ctx.parts
        _, *tensors = ctx.saved_tensors
        tensors, kept = tensors[: -len(ctx.kept)], tensors[-len(ctx.kept) :]
        if torch.is_grad_enabled():
            grads = _gradients_by_steps(ctx, tensors, grad_output, grad_last)
            return None, None, None, None, *grads
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
        grads = ctx.backend.backward(
            recurrence_of(cell),
            # Memory of its own: the gradients of an earlier backward pass may be in use.
            replace(run, buffers={}),
            dict(zip(ctx.kept, kept, strict=True)),
            grad_output,
            grad_state,
            with_x=ctx.needs_input_grad[4],
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
        return None, None, None, None, *shaped


def _gradients_by_steps(ctx, tensors, grad_output, grad_last):
    """Return gradients that can be differentiated again, from the cell's own steps."""
    cell, rows, parts = ctx.cell, ctx.run.rows, ctx.parts
    x, *state = tensors[: 1 + parts]
    projection, bias, *weights = tensors[1 + parts :]
    drive, last_step = affine(x, projection, bias), x.size(-3) - 1
    drives = [drive[..., min(t, last_step), :count, :] for t, count in enumerate(rows)]
    recurrence = weights[0] if len(weights) == 1 else tuple(weights)
    states, last = step_through(cell, drives, tuple(state), recurrence)
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
