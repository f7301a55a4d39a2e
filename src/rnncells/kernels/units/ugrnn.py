"""Kernel of the UGRNN."""

from ...cells.ugrnn import UGRNN
from ..recurrence import Dense
from ..registry import register
from ..scalars import quick_sigmoid, quick_tanh, through_sigmoid, through_tanh
from ..unit import Unit, scalar


@scalar
def ugrnn_forward(projected, recurrent, previous, state, parameters):
    """Return h' = u h + (1 - u) c with the gate u and the candidate c."""
    (h,) = state
    update = quick_sigmoid(recurrent[0])
    candidate = quick_tanh(recurrent[1])
    above = h - candidate
    return (candidate + update * above,), (update, candidate, above)


@scalar
def ugrnn_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`ugrnn_forward`."""
    update, candidate, above = saved
    (dh,) = grad_state
    dkept = dh * update
    dgate = through_sigmoid(dh * above, update)
    return (), (dgate, through_tanh(dh - dkept, candidate)), (dkept,)


DRIVERS = {
    activation: Dense(
        Unit(
            f"UGRNN_{activation}",
            ugrnn_forward,
            ugrnn_backward,
            projected=2,
            recurrent=2,
            saved=3,
            activated=activation == "tanh",
        )
    )
    for activation in ("tanh", "identity")
}

register(UGRNN, lambda cell: DRIVERS[cell.state_activation])
