"""One call of a kernel: what goes in, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor


@dataclass
class Run:
    """One call: S members, T steps, B sequences, n units.

    Attributes:
        x: the input, ``(S, T, B, i)``, or ``(S, 1, B, i)`` if it is constant in time.
        projection: weight of the input projection, ``(S, i, width)``.
        bias: of the input projection, ``(S, 1, width)``.
        weights: what the cell's ``recurrence`` returns, each ``(S, rows, columns)``.
        parameters: the unit's parameters that are not learned, ``(S, count)``; each is for an
            equal share of the units, or of the blocks of units.
        state: the initial state, ``(S, B, states * n)``.
        rows: for every step, how many sequences it has; the sequences lie in an order such that
            they are always the first ones. The state of the others stays.
        training: whether the backward pass will follow.
        buffers: by name and shape. A later run with the same dictionary reuses them, and overwrites
            the outputs of this one.
    """

    x: Tensor
    projection: Tensor
    bias: Tensor
    weights: Sequence[Tensor]
    parameters: Tensor
    state: Tensor
    rows: np.ndarray
    training: bool
    buffers: dict[tuple, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members, self.batch, _ = self.state.shape
        self.steps = len(self.rows)

    def buffer(self, name: str, *shape: int) -> Tensor:
        """Return an uninitialised buffer ``(S, *shape)``: the same for the same name and shape."""
        key = name, *shape
        if key not in self.buffers:
            self.buffers[key] = self.state.new_empty((self.members, *shape))
        return self.buffers[key]

    def zeros(self, name: str, *shape: int) -> Tensor:
        """Return a buffer ``(S, *shape)`` of zeros."""
        return self.buffer(name, *shape).zero_()

    def copy(self, name: str, state: Tensor) -> Tensor:
        """Return a buffer with a copy of a state, which a kernel may update in place."""
        return self.buffer(name, *state.shape[1:]).copy_(state)


@dataclass
class Weights:
    """The learned operands of a recurrence; empty tensors for those that it does not have.

    Attributes:
        weight, bias: from the active state to the recurrent input, and what is added to it.
        second, second_bias: from the stage to the unit, and what is added.
        parameters: of the unit.
    """

    weight: Tensor
    bias: Tensor
    second: Tensor
    second_bias: Tensor
    parameters: Tensor


@dataclass
class Gradients:
    """Gradients with respect to what a run was given, in the same shapes."""

    x: Tensor | None
    projection: Tensor
    bias: Tensor
    weights: tuple[Tensor, ...]
    state: Tensor
