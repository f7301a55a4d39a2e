"""What a cell adds to the kernels: the scalar arithmetic of one unit at one step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function of numbers that backends compile.

    It may call functions of :mod:`rnncells.kernels.scalars`, and others that are marked.
    """
    function.scalar = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class Stage:
    """A stage of the recurrence before the units.

    :class:`rnncells.kernels.recurrence.Factored` and ``Coupled`` have one.

    Two functions, like those of a :class:`Unit`:

    * ``forward(projected, recurrent, state, parameters) -> inner, saved``, inner being one number;
    * ``backward(saved, grad_inner, parameters)
      -> grad_projected, grad_recurrent, what is added to the gradient of the state``.

    Attributes:
        forward, backward: the functions.
        projected, states, parameters, saved: how many numbers each of these is.
        direct: whether the unit sees the inner number also directly, as its input projection.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    projected: int = 0
    states: int = 0
    parameters: int = 0
    saved: int = 0
    direct: bool = False


@scalar
def _no_forward(projected, recurrent, state, parameters):
    """Stand in where there is no stage; never called."""
    return recurrent[0], ()


@scalar
def _no_backward(saved, grad_inner, parameters):
    """Stand in where there is no stage; never called."""
    return (), (grad_inner,), ()


NO_STAGE = Stage(_no_forward, _no_backward)


@dataclass(frozen=True)
class Unit:
    """The equations of one unit of a cell, and of their derivative, as functions of numbers.

    Both functions take and return tuples with a number for every block of n columns:

    * ``forward(projected, recurrent, previous, state, parameters) -> state, saved``;
    * ``backward(saved, previous, grad_state, parameters)
      -> grad_projected, grad_recurrent, grad_state of the step before``.

    The recurrent input comes from the active state, tanh(h) or h, where h is the first number of
    the state; ``previous`` is the active state of the step before. The kernels themselves take the
    derivative through the active state.

    Both are decorated with :func:`scalar`. They hold no constants: ``1 - u`` would turn a float32
    into a float64, and is written ``one(u) - u``.

    Attributes:
        name: what messages call it.
        forward, backward: the functions.
        projected, recurrent, states, parameters, saved: how many numbers each of these is.
        activated: whether the active state is tanh(h), else h.
        additive: whether only the sum of projected and recurrent input enters, which the functions
            then get and return as the recurrent input. The input projection is ().
        learned: whether the parameters are learned. There is no recurrent input then, and
            ``backward`` returns the gradient of the parameters in its place.
        stage: what comes before the unit, if anything.
    """

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    projected: int = 1
    recurrent: int = 1
    states: int = 1
    parameters: int = 0
    saved: int = 0
    activated: bool = False
    additive: bool = True
    learned: bool = False
    stage: Stage | None = None

    def through_active(self, grad: Any, active: Any) -> Any:
        """Return the gradient of h, given that of the active state."""
        return grad * (1 - active * active) if self.activated else grad
