"""Kernels of the predictive-coding cells."""

from ...cells.predictive import PCRNNGC, PCRNNGCHCA, PCRNNGCHCM, PCRNNHCA, PCRNNHCM, PCRNNV
from ..recurrence import Coupled, Dense, Factored
from ..registry import register
from ..scalars import one, through_tanh
from ..unit import Stage, Unit, scalar
from .integrator import LEAKY, rate


@scalar
def velocity_forward(projected, recurrent, previous, state, parameters):
    """Return v' = (1 - rate) v + rate (recurrent - h), h' = h + v'."""
    (rate,) = parameters
    h, velocity = state
    velocity = (one(rate) - rate) * velocity + rate * (recurrent[0] - h)
    return (h + velocity, velocity), ()


@scalar
def velocity_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`velocity_forward`."""
    (rate,) = parameters
    dh, dvelocity = grad_state
    dvelocity = dvelocity + dh
    dtotal = rate * dvelocity
    return (), (dtotal,), (dh - dtotal, (one(rate) - rate) * dvelocity)


VELOCITY = Unit(
    "velocity", velocity_forward, velocity_backward, states=2, parameters=1, activated=True
)


@scalar
def error_forward(projected, recurrent, state, parameters):
    """Return e = v - rate (recurrent - h): what the velocity is too large by."""
    rate, _ = parameters
    h, velocity = state
    return velocity - rate * (recurrent[0] - h), ()


@scalar
def error_backward(saved, grad_error, parameters):
    """Derivative of :func:`error_forward`."""
    rate, _ = parameters
    dtotal = rate * grad_error
    return (), (-dtotal,), (dtotal, grad_error)


@scalar
def corrected_forward(projected, recurrent, previous, state, parameters):
    """Return v' = v - alpha e, h' = h + v' + alpha rate ((1 - previous^2) recurrent - e)."""
    rate, alpha = parameters
    h, velocity = state
    (error,) = projected
    velocity = velocity - alpha * error
    pull = through_tanh(recurrent[0], previous) - error
    return (h + velocity + alpha * rate * pull, velocity), recurrent


@scalar
def corrected_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`corrected_forward`; that through ``previous`` is the state's."""
    rate, alpha = parameters
    dh, dvelocity = grad_state
    dvelocity = dvelocity + dh
    dpull = alpha * rate * dh
    half = dpull * previous * saved[0]
    derror = -(dpull + alpha * dvelocity)
    dprevious = -(half + half)
    return (
        (derror,),
        (through_tanh(dpull, previous),),
        (dh + through_tanh(dprevious, previous), dvelocity),
    )


CORRECTED = Unit(
    "PC-RNN-GC",
    corrected_forward,
    corrected_backward,
    states=2,
    parameters=2,
    saved=1,
    activated=True,
    stage=Stage(error_forward, error_backward, states=2, parameters=2, direct=True),
)

register(PCRNNV, Dense(LEAKY), rate)
register(PCRNNHCA, Dense(LEAKY), rate)
register(PCRNNHCM, Factored(LEAKY), rate)
register(PCRNNGC, Coupled(CORRECTED), lambda cell: (1 / cell.tau, cell.alpha_h_prime))
register(PCRNNGCHCA, Dense(VELOCITY), rate)
register(PCRNNGCHCM, Factored(VELOCITY), rate)
