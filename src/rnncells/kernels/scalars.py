"""Functions of one number that units are made of.

Backends have code of their own for those that are not marked; what is here says what they return.
Functions called quick may have a larger error in float32, up to 3e-7. Cells that amplify small
differences, as bistable ones do, should not use them.
"""

import numpy as np

from .unit import scalar


def zero(x: float) -> float:
    """Return the number 0 of the type of x."""
    return 0.0


def one(x: float) -> float:
    """Return the number 1 of the type of x."""
    return 1.0


def tanh(x: float) -> float:
    """Return the hyperbolic tangent."""
    return float(np.tanh(x))


def sigmoid(x: float) -> float:
    """Return the logistic function."""
    return float(1 / (1 + np.exp(-x)))


def quick_tanh(x: float) -> float:
    """Return the hyperbolic tangent, in float32 with an error of up to 3e-7."""
    return tanh(x)


def quick_sigmoid(x: float) -> float:
    """Return the logistic function, in float32 with an error of up to 2e-7."""
    return sigmoid(x)


@scalar
def identity(h):
    """Return h."""
    return h


@scalar
def through_tanh(grad, active):
    """Return the gradient of h from that of active = tanh(h)."""
    return grad * (one(active) - active * active)


@scalar
def through_sigmoid(grad, gate):
    """Return the gradient of x from that of gate = sigmoid(x)."""
    return grad * (one(gate) - gate) * gate


@scalar
def through_identity(grad, active):
    """Return the gradient of h from that of active = h."""
    return grad
