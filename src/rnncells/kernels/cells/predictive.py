"""Kernels of the predictive-coding cells."""

from ...cells.predictive import PCRNNGC, PCRNNGCHCA, PCRNNGCHCM, PCRNNHCA, PCRNNHCM, PCRNNV
from ..drivers.coupled import Coupled
from ..drivers.dense import Dense
from ..drivers.factored import Factored
from ..leaky import LEAKY, rate
from ..sequence import register
from ..unit import Unit, scalar


@scalar
def velocity_forward(drive, recurrent, state, parameters):
    """Return v' = v + rate (recurrent + drive - h - v), h' = h + v'."""
    (rate,) = parameters
    h, velocity = state
    velocity = velocity + rate * (recurrent[0] + drive[0] - h - velocity)
    return (h + velocity, velocity), ()


@scalar
def velocity_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`velocity_forward`."""
    (rate,) = parameters
    dh, dvelocity = grad_state
    dvelocity = dvelocity + dh
    dtotal = rate * dvelocity
    return (dtotal,), (dtotal,), (dh - dtotal, dvelocity - dtotal)


VELOCITY = Unit(
    "velocity", velocity_forward, velocity_backward, states=2, parameters=1, activated=True
)

register(PCRNNV, Dense(LEAKY), rate)
register(PCRNNHCA, Dense(LEAKY), rate)
register(PCRNNHCM, Factored(LEAKY), rate)
register(PCRNNGC, Coupled(), lambda cell: (1 / cell.tau, cell.alpha_h_prime))
register(PCRNNGCHCA, Dense(VELOCITY), rate)
register(PCRNNGCHCM, Factored(VELOCITY), rate)
