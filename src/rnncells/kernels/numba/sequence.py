"""A cell's kernel as a differentiable operation on tensors, and the cells that have one."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...cells.base import Cell, State, affine
from ..unrolled import step_through
from .driver import Driver, Run

OWN_CELLS = Cell.__module__.rpartition(".")[0]


Parameters = Callable[[Any], tuple[float | Tensor, ...]]


class Binding(NamedTuple):
    """The kernel of a cell; see :func:`register`."""

    driver: Callable[[Any], Driver]
    parameters: Parameters


_bindings: dict[type[Cell], Binding] = {}


def register(
    cell: type[Cell],
    driver: Driver | Callable[[Any], Driver],
    parameters: Parameters = lambda cell: (),
) -> None:
    """Give a class of cells a kernel. Subclasses may have other equations, and do not get it.

    Args:
        cell: the class. What its ``projection`` and ``recurrence`` return are the driver's
            weights, and its output is the driver's active state.
        driver: runs the cell's unit; or a function of the cell that returns it.
        parameters: a function of the cell that returns the unit's parameters which do not learn:
            numbers, or tensors ``(S, 1, 1)``.
    """
    choose = (lambda cell: driver) if isinstance(driver, Driver) else driver
    _bindings[cell] = Binding(choose, parameters)


def binding(cell: type[Cell]) -> Binding | None:
    """Return the kernel of a class of cells, or None."""
    if cell not in _bindings and cell.__module__.startswith(f"{OWN_CELLS}."):
        _load(cell.__module__.removeprefix(f"{OWN_CELLS}."))
    return _bindings.get(cell)


@cache
def _load(name: str) -> None:
    """Import the kernels of a file of our own cells: the file of the same name here, if any."""
    module = f"{__package__}.cells.{name}"
    if find_spec(module) is not None:
        import_module(module)


def run_sequence(cell: Cell, x: Tensor, state: State, rows: np.ndarray) -> tuple[Tensor, State]:
    """Step a cell that has a kernel over a sequence.

    Args:
        cell: the cell.
        x: inputs ``([S,] T, B, input_size)``, or ``([S,] 1, B, input_size)`` if they are constant
            in time.
        state: the initial state, tensors ``([S,] B, n)``.
        rows: for each of the T steps, how many sequences it has, which are the first ones.

    Returns:
        the outputs of all steps ``([S,] T, B, n)``, and the state after the last one.
    """
    output, *last = _Sequence.apply(cell, rows, len(state), x, *state, *weights_of(cell))
    return output, tuple(last)


def weights_of(cell: Cell) -> tuple[Tensor, ...]:
    """Return the projection, its bias, and what the recurrence consists of."""
    projection, bias = cell.projection()
    if bias is None:
        bias = projection.new_zeros((*projection.shape[:-2], projection.size(-1)))
    recurrence = cell.recurrence()
    weights = recurrence if isinstance(recurrence, tuple) else (recurrence,)
    return projection, bias, *weights


class _Sequence(torch.autograd.Function):
    """(x, state, weights) -> (outputs, state), differentiable as often as one likes."""

    @staticmethod
    def forward(ctx, cell, rows, parts, *tensors):
        given = tensors if cell.population else [tensor.unsqueeze(0) for tensor in tensors]
        run = run_of(cell, rows, parts, given[0], given[1:], training=any(ctx.needs_input_grad))
        kept = _bindings[type(cell)].driver(cell).forward(run)
        last = kept.pop("state")
        output = kept["active"][:, 1:]
        n = cell.hidden_size
        if output.size(-1) > n:
            # Several groups of units; the last one is the one that is read.
            output = output[..., -n:]
        if cell.population is None:
            output, last = output.squeeze(0), last.squeeze(0)
        if run.training:
            ctx.cell, ctx.run, ctx.parts, ctx.kept = cell, run, parts, list(kept)
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
            return None, None, None, *grads
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
        driver = _bindings[type(cell)].driver(cell)
        grads = driver.backward(
            # Memory of its own: the gradients of an earlier backward pass may be in use.
            replace(run, memory={}),
            dict(zip(ctx.kept, kept, strict=True)),
            grad_output,
            grad_state,
            with_x=ctx.needs_input_grad[3],
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
        return None, None, None, *shaped


def run_of(cell, rows, parts, x, tensors, **options):
    """Describe a run to a driver: the parameters are made, and the state is one tensor."""
    state = tensors[0] if parts == 1 else torch.cat(tensors[:parts], -1)
    projection, bias, *weights = tensors[parts:]
    values = _bindings[type(cell)].parameters(cell)
    parameters = x.new_empty((x.size(0), len(values)))
    for column, value in enumerate(values):
        if isinstance(value, Tensor):
            parameters[:, column] = value.flatten()
        else:
            parameters.select(1, column).fill_(value)
    return Run(x, projection, bias.unsqueeze(1), weights, parameters, state, rows, **options)


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
