"""Kernel of the GRU."""

from ...cells.gru import GRU
from ..recurrence import Dense
from ..registry import register
from ..scalars import quick_sigmoid, quick_tanh, through_sigmoid, through_tanh
from ..unit import Unit, scalar


@scalar
def gru_forward(projected, recurrent, previous, state, parameters):
    """Return h' = z h + (1 - z) c."""
    (h,) = state
    reset = quick_sigmoid(projected[0] + recurrent[0])
    update = quick_sigmoid(projected[1] + recurrent[1])
    candidate = quick_tanh(projected[2] + reset * recurrent[2])
    return (candidate + update * (h - candidate),), (reset, update, candidate, recurrent[2])


@scalar
def gru_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`gru_forward`."""
    reset, update, candidate, inner = saved
    (dh,) = grad_state
    dkept = dh * update
    dupdate = through_sigmoid(dh * (previous - candidate), update)
    dcandidate = through_tanh(dh - dkept, candidate)
    dinner = dcandidate * reset
    dreset = through_sigmoid(dcandidate * inner, reset)
    return (dreset, dupdate, dcandidate), (dreset, dupdate, dinner), (dkept,)


register(
    GRU,
    Dense(
        Unit(
            "GRU",
            gru_forward,
            gru_backward,
            projected=3,
            recurrent=3,
            saved=4,
            additive=False,
        )
    ),
)
