"""The readable path: a cell's own steps over a sequence. Kernels must agree with it."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from ..cells.base import Cell, State


def step_through(
    cell: Cell, projections: Iterable[Tensor], state: State, recurrence: Any
) -> tuple[list[Tensor], State]:
    """Step a cell over the projections of all steps.

    Args:
        cell: the cell.
        projections: for each step the input projection of the sequences that it has,
            ``([S,] rows, width)``. They are the first of the batch; the state of the
            others stays as it is.
        state: initial state, of tensors ``([S,] B, n)``.
        recurrence: what ``cell.recurrence()`` returned.

    Returns:
        for each step, the state tensor that the cell's output reads, ``([S,] rows, n)``; and the
        state after the last step.
    """
    read = cell.state_names.index(cell.output_state)
    batch = state[read].size(-2)
    states = []
    for projected in projections:
        rows = projected.size(-2)
        if rows == batch:
            state = cell.step(projected, state, recurrence)
            states.append(state[read])
        else:
            ran = cell.step(projected, tuple(part[..., :rows, :] for part in state), recurrence)
            state = tuple(
                torch.cat([new, old[..., rows:, :]], -2)
                for new, old in zip(ran, state, strict=True)
            )
            states.append(ran[read])
    return states, state
