"""What all drivers share: a driver runs the units of a cell over whole sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .launch import Kernel
from .unit import Unit

# Rows of a batch that one thread takes through all steps at once: few enough to stay in its cache.
ROWS = 256


@dataclass
class Run:
    """One call of a driver: S members, T steps, B sequences, n units.

    Attributes:
        drive: ``(S, T, B, blocks * n)``, or ``(S, 1, B, blocks * n)`` if it is constant in time.
        weights: what the cell's ``recurrence`` returns, each ``(S, rows, columns)``.
        parameters: the unit's parameters that do not learn, ``(S, blocks * n)``.
        state: the initial state, ``(S, B, states * n)``.
        rows: for every step, how many sequences it has; the sequences lie in an order such that
            they are always the first ones. The state of the others stays.
        training: whether :meth:`Driver.backward` will follow.
    """

    drive: Tensor
    weights: Sequence[Tensor]
    parameters: Tensor
    state: Tensor
    rows: np.ndarray
    training: bool

    def __post_init__(self) -> None:
        self.members, self.batch, _ = self.state.shape
        self.steps = len(self.rows)
        threads = torch.get_num_threads()
        # Enough tiles for all threads, of at least 8 rows where there are that many.
        wanted = max(-(-self.batch // ROWS), -(-threads // self.members))
        self.tiles = max(1, min(wanted, self.batch // 8))

    def new(self, steps: int, columns: int) -> Tensor:
        """Return memory for ``(S, steps, B, columns)`` numbers."""
        return self.state.new_empty((self.members, steps, self.batch, columns))


def launch(kernel: Kernel, run: Run, *tensors: Tensor) -> None:
    """Call a driver's kernel: it takes the run's sizes, and the tensors as arrays of rows."""
    sizes = (run.members, run.tiles, run.batch, run.rows)
    kernel(run.state.dtype, run.members * run.tiles, *sizes, *map(flat, tensors))


def flat(tensor: Tensor) -> np.ndarray:
    """Return a tensor as an array with its last axis as columns, and all others as rows."""
    return tensor.contiguous().flatten(0, -2).numpy()


@dataclass
class Gradients:
    """Gradients with respect to what a run was given, in the same shapes.

    ``drive`` has all steps, also for a drive that is constant in time, unless the driver has summed
    over them.
    """

    drive: Tensor
    weights: tuple[Tensor, ...]
    state: Tensor


class Driver:
    """Runs a unit over sequences, for one shape of recurrence.

    The active state, ``(S, T + 1, B, n)``, begins with that of the initial state.
    """

    def __init__(self, unit: Unit):
        self.unit = unit

    def forward(self, run: Run) -> dict[str, Tensor]:
        """Run over all steps.

        Returns:
            at least ``active``, and ``state`` ``(S, B, states * n)`` after the last step; all that
            :meth:`backward` needs.
        """
        raise NotImplementedError

    def backward(
        self, run: Run, kept: dict[str, Tensor], grad_active: Tensor | None, grad_state: Tensor
    ) -> Gradients:
        """Return the gradients.

        Args:
            run: what was run.
            kept: what :meth:`forward` returned.
            grad_active: gradient of the active states of all steps, ``(S, T, B, n)``, or None.
            grad_state: gradient of the state after the last step.
        """
        raise NotImplementedError
