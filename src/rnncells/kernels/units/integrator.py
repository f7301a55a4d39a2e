"""The leaky integrator, which is the unit of many cells."""

from ..unit import Unit, scalar


@scalar
def leaky_forward(drive, recurrent, previous, state, parameters):
    """Return h' = h + rate (recurrent - h)."""
    (rate,) = parameters
    (h,) = state
    return (h + rate * (recurrent[0] - h),), ()


@scalar
def leaky_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`leaky_forward`."""
    (rate,) = parameters
    (dh,) = grad_state
    dtotal = rate * dh
    return (), (dtotal,), (dh - dtotal,)


LEAKY = Unit("leaky", leaky_forward, leaky_backward, parameters=1, activated=True)


def rate(cell):
    """Return the parameters of a leaky unit."""
    return (1 / cell.tau,)
