"""What a cell adds to the kernels: the scalar arithmetic of one unit at one step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba.extending import register_jitable

from .functions import INLINED, identity, tanh, through_identity, through_tanh


@dataclass(frozen=True)
class Unit:
    """The equations of one unit of a cell, and of their derivative, as functions of numbers.

    Both functions take and return tuples with a number for every block of n columns:

    * ``forward(drive, recurrent, state, parameters) -> state, saved``;
    * ``backward(saved, previous, grad_state, parameters)
      -> grad_drive, grad_recurrent, grad_state of the step before``.

    The recurrent input comes from the active state, tanh(h) or h, where h is the first number of
    the state. ``previous`` is the active state of the step before. The driver adds the derivative
    through the active state to what ``backward`` returns.

    Both are decorated with :func:`scalar`. They hold no constants: ``1 - u`` would turn a float32
    into a float64, so that ``(1 - u) * x`` is written ``x - u * x``.

    Attributes:
        name: what messages call it.
        forward, backward: the functions.
        drive, recurrent, states, parameters, saved: how many numbers each of these is.
        activated: whether the active state is tanh(h), else h.
        additive: whether drive and recurrent input only enter as their sum, so that both have the
            same gradient.
    """

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    drive: int = 1
    recurrent: int = 1
    states: int = 1
    parameters: int = 0
    saved: int = 0
    activated: bool = False
    additive: bool = True

    @property
    def activation(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The active state as a function of h, and the derivative through it."""
        return (tanh, through_tanh) if self.activated else (identity, through_identity)


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call a function of numbers."""
    return register_jitable(**INLINED)(function)
