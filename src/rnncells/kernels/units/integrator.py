"""The leaky integrator, which is the unit of many cells."""

from ..scalars import one
from ..unit import Unit, scalar


@scalar
def leaky_forward(projected, recurrent, previous, state, parameters):
    """Return h' = (1 - rate) h + rate recurrent."""
    (rate,) = parameters
    (h,) = state
    return ((one(rate) - rate) * h + rate * recurrent[0],), ()


@scalar
def leaky_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`leaky_forward`."""
    (rate,) = parameters
    (dh,) = grad_state
    return (), (rate * dh,), ((one(rate) - rate) * dh,)


LEAKY = Unit("leaky", leaky_forward, leaky_backward, parameters=1, activated=True)


def rate(cell):
    """Return the parameters of a leaky unit."""
    return (1 / cell.tau,)
