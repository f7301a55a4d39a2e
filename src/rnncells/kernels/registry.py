"""Which classes of cells have kernels, and what a call of one is made of."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..cells.base import Cell
from .recurrence import Recurrence
from .run import Run

OWN_CELLS = Cell.__module__.rpartition(".")[0]

Parameters = Callable[[Any], tuple[float | Tensor, ...]]


class Binding(NamedTuple):
    """The kernel of a class of cells; see :func:`register`."""

    recurrence: Callable[[Any], Recurrence]
    parameters: Parameters


_bindings: dict[type[Cell], Binding] = {}


def register(
    cell: type[Cell],
    recurrence: Recurrence | Callable[[Any], Recurrence],
    parameters: Parameters = lambda cell: (),
) -> None:
    """Give a class of cells a kernel. Subclasses may have other equations, and do not get it.

    Args:
        cell: the class. What its ``projection`` and ``recurrence`` return are the weights of the
            recurrence, and its output is the active state.
        recurrence: the form of recurrence with the cell's unit; or a function of the cell that
            returns it.
        parameters: a function of the cell that returns the unit's parameters which do not learn:
            numbers, or tensors ``(S, 1, 1)``.
    """
    choose = (lambda cell: recurrence) if isinstance(recurrence, Recurrence) else recurrence
    _bindings[cell] = Binding(choose, parameters)


def binding(cell: type[Cell]) -> Binding | None:
    """Return the kernel of a class of cells, or None."""
    if cell not in _bindings and cell.__module__.startswith(f"{OWN_CELLS}."):
        _load(cell.__module__.removeprefix(f"{OWN_CELLS}."))
    return _bindings.get(cell)


@cache
def _load(name: str) -> None:
    """Import the units of a file of our own cells: the file of the same name, if any."""
    module = f"{__package__}.units.{name}"
    if find_spec(module) is not None:
        import_module(module)


def recurrence_of(cell: Cell) -> Recurrence:
    """Return the recurrence of a cell that has a kernel."""
    return _bindings[type(cell)].recurrence(cell)


def weights_of(cell: Cell) -> tuple[Tensor, ...]:
    """Return the projection, its bias, and what the recurrence consists of."""
    projection, bias = cell.projection()
    if bias is None:
        bias = projection.new_zeros((*projection.shape[:-2], projection.size(-1)))
    recurrence = cell.recurrence()
    weights = recurrence if isinstance(recurrence, tuple) else (recurrence,)
    return projection, bias, *weights


def fit(cell: Cell, x: Tensor, state: Sequence[Tensor], weights: Sequence[Tensor]) -> bool:
    """Return whether tensors have the shapes that the kernel of a cell expects.

    Args:
        cell: the cell.
        x: inputs ``([S,] ..., input_size)``.
        state: the initial state.
        weights: what :func:`weights_of` returned.
    """
    recurrence = recurrence_of(cell)
    leading = () if cell.population is None else (cell.population,)
    n = len(state) * cell.hidden_size // recurrence.unit.states
    shapes = recurrence.shapes(cell.input_size, n, weights[2].size(-1))
    return (
        x.size(-1) == cell.input_size
        and x.shape[: len(leading)] == leading
        and all(part.shape == state[0].shape for part in state)
        and state[0].shape == (*leading, state[0].size(-2), cell.hidden_size)
        # A bias of the recurrence may be missing.
        and 3 <= len(weights) <= len(shapes)
        and all(w.shape == (*leading, *shape) for w, shape in zip(weights, shapes, strict=False))
    )


def run_of(
    cell: Cell, rows: np.ndarray, parts: int, x: Tensor, tensors: Sequence[Tensor], **options: Any
) -> Run:
    """Describe a run of a cell that has a kernel.

    Args:
        cell: the cell.
        rows: for each of the T steps, how many sequences it has, which are the first ones.
        parts: the number of the state's tensors.
        x: inputs ``(S, T, B, input_size)``, or ``(S, 1, B, input_size)``.
        tensors: the tensors of the initial state, then what :func:`weights_of` returned, each with
            the axis S.
        options: further arguments of :class:`~rnncells.kernels.run.Run`.
    """
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
