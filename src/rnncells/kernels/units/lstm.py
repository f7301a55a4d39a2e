"""Kernel of the LSTM."""

from ...cells.lstm import LSTM
from ..recurrence import Dense
from ..registry import register
from ..scalars import quick_sigmoid, quick_tanh, through_sigmoid, through_tanh, zero
from ..unit import Unit, scalar


@scalar
def lstm_forward(projected, recurrent, previous, state, parameters):
    """Return c' = f c + i g, h' = o tanh(c')."""
    c = state[1]
    i = quick_sigmoid(recurrent[0])
    f = quick_sigmoid(recurrent[1])
    g = quick_tanh(recurrent[2])
    o = quick_sigmoid(recurrent[3])
    following = f * c + i * g
    return (o * quick_tanh(following), following), (i, f, g, o, c)


@scalar
def lstm_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`lstm_forward`."""
    i, f, g, o, c = saved
    dh, dc = grad_state
    squashed = quick_tanh(f * c + i * g)
    do = dh * squashed
    dsquashed = dh * o
    dc = dc + through_tanh(dsquashed, squashed)
    grad = (
        through_sigmoid(dc * g, i),
        through_sigmoid(dc * c, f),
        through_tanh(dc * i, g),
        through_sigmoid(do, o),
    )
    # The step sees h through the active state only.
    return (), grad, (zero(dh), dc * f)


register(
    LSTM,
    Dense(Unit("LSTM", lstm_forward, lstm_backward, projected=4, recurrent=4, states=2, saved=5)),
)
