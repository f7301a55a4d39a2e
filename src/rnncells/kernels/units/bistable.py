"""Kernels of the bistable cells: BRC and nBRC."""

from ...cells.bistable import BRC, NBRC
from ..recurrence import Dense, Separate
from ..registry import register
from ..scalars import one, sigmoid, tanh, through_sigmoid, through_tanh
from ..unit import Unit, scalar


@scalar
def bistable_forward(projected, recurrent, previous, state, parameters):
    """Return h' = z h + (1 - z) c with the feedback 1 + a."""
    (h,) = state
    a = tanh(projected[0] + recurrent[0])
    update = sigmoid(projected[1] + recurrent[1])
    candidate = tanh(projected[2] + (one(a) + a) * h)
    return (candidate + update * (h - candidate),), (a, update, candidate)


@scalar
def bistable_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`bistable_forward`."""
    a, update, candidate = saved
    (dh,) = grad_state
    dkept = dh * update
    dupdate = through_sigmoid(dh * (previous - candidate), update)
    dcandidate = through_tanh(dh - dkept, candidate)
    da = through_tanh(dcandidate * previous, a)
    grad_previous = dkept + (one(a) + a) * dcandidate
    return (da, dupdate, dcandidate), (da, dupdate), (grad_previous,)


@scalar
def brc_forward(projected, recurrent, previous, state, parameters):
    """:func:`bistable_forward` with the recurrent input (w_a h, w_z h)."""
    w_a, w_z = parameters
    (h,) = state
    return bistable_forward(projected, (w_a * h, w_z * h), previous, state, ())


@scalar
def brc_backward(saved, previous, grad_state, parameters):
    """Derivative of :func:`brc_forward`, that of the parameters in the middle."""
    w_a, w_z = parameters
    grad_projected, (da, dz), (dh,) = bistable_backward(saved, previous, grad_state, ())
    return grad_projected, (da * previous, dz * previous), (dh + w_a * da + w_z * dz,)


register(
    NBRC,
    Dense(
        Unit(
            "nBRC",
            bistable_forward,
            bistable_backward,
            projected=3,
            recurrent=2,
            saved=3,
            additive=False,
        )
    ),
)
register(
    BRC,
    Separate(
        Unit(
            "BRC",
            brc_forward,
            brc_backward,
            projected=3,
            recurrent=0,
            parameters=2,
            saved=3,
            additive=False,
            learned=True,
        )
    ),
)
