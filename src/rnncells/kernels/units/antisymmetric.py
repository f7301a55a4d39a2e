"""Kernel of the AntisymmetricRNN."""

from ...cells.antisymmetric import AntisymmetricRNN
from ..recurrence import Dense
from ..registry import register
from ..scalars import quick_tanh, through_tanh
from ..unit import Unit, scalar


@scalar
def antisymmetric_forward(projected, recurrent, previous, state, parameters):
    """Return h' = h + rate tanh(recurrent - gamma h)."""
    rate, gamma = parameters
    (h,) = state
    slope = quick_tanh(recurrent[0] - gamma * h)
    return (h + rate * slope,), (slope,)


@scalar
def antisymmetric_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`antisymmetric_forward`."""
    rate, gamma = parameters
    (slope,) = saved
    (dh,) = grad_state
    dtotal = through_tanh(rate * dh, slope)
    return (), (dtotal,), (dh - gamma * dtotal,)


DRIVERS = {
    activation: Dense(
        Unit(
            f"AntisymmetricRNN_{activation}",
            antisymmetric_forward,
            antisymmetric_backward,
            parameters=2,
            saved=1,
            activated=activation == "tanh",
        )
    )
    for activation in ("tanh", "identity")
}

register(
    AntisymmetricRNN,
    lambda cell: DRIVERS[cell.state_activation],
    lambda cell: (1 / cell.tau, cell.gamma),
)
