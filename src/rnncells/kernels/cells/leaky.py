"""Kernels of the leaky integrators: sRNN, TRNN and MTRNN."""

from ...cells.leaky import MTRNN, SRNN, TRNN
from ..drivers.dense import Dense
from ..sequence import register
from ..unit import Unit, scalar


@scalar
def leaky_forward(drive, recurrent, state, parameters):
    """H' = h + rate (recurrent + drive - h)."""
    (rate,) = parameters
    (h,) = state
    return (h + rate * (recurrent[0] + drive[0] - h),), ()


@scalar
def leaky_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`leaky_forward`."""
    (rate,) = parameters
    (dh,) = grad_state
    dtotal = rate * dh
    return (dtotal,), (dtotal,), (dh - dtotal,)


LEAKY = Unit("leaky", leaky_forward, leaky_backward, parameters=1, activated=True)


def rate(cell):
    """Return the parameters of a leaky unit."""
    return (1 / cell.tau,)


for leaky in (SRNN, TRNN):
    register(leaky, Dense(LEAKY), rate)
# One group of 2n units: the rates of n slow ones, then those of n fast ones.
register(MTRNN, Dense(LEAKY), lambda cell: (1 / cell.tau_slow, 1 / cell.tau_fast))
