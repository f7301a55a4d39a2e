"""Kernels of the leaky integrators: sRNN, TRNN and MTRNN."""

from ...cells.leaky import MTRNN, SRNN, TRNN
from ..recurrence import Dense
from ..registry import register
from ..scalars import zero
from ..unit import Unit, scalar
from .integrator import LEAKY, rate


@scalar
def simple_forward(projected, recurrent, previous, state, parameters):
    """Return h' = recurrent."""
    return recurrent, ()


@scalar
def simple_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`simple_forward`."""
    return (), grad_state, (zero(grad_state[0]),)


register(SRNN, Dense(Unit("sRNN", simple_forward, simple_backward, activated=True)))
register(TRNN, Dense(LEAKY), rate)
# One group of 2n units: the rates of n slow ones, then those of n fast ones.
register(MTRNN, Dense(LEAKY), lambda cell: (1 / cell.tau_slow, 1 / cell.tau_fast))
