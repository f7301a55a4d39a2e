"""Adam's step as one pass over a parameter, each member with its own learning rate."""

import math
from functools import cache

import numpy as np
import torch

from .columns import load, store
from .launch import Kernel


def adam_step(
    parameter: np.ndarray,
    grad: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    rates: np.ndarray,
    active: np.ndarray,
    constants: np.ndarray,
) -> None:
    """Make a step in place; what is not active stays as it is.

    Args:
        parameter, grad, mean, square: ``(S, size)``.
        rates: step size of each member, ``(S,)``.
        active: ``(S,)``, bool.
        constants: beta_1, beta_2, the correction of the square root of ``square``, and epsilon,
            ``(1, 4)``.
    """
    dtype = torch.float32 if parameter.dtype == np.float32 else torch.float64
    _kernel()(dtype, len(rates), parameter, grad, mean, square, rates, active, constants)


@cache
def _kernel() -> Kernel:
    def adam(first, last, parameter, grad, mean, square, rates, active, constants):
        size = parameter.shape[1]
        for k in range(first, last):
            if active[k]:
                for j in range(size):
                    beta1, beta2, scale, epsilon = load("parameters", 4, constants, 0, 0, 1)
                    g = load("grad", 1, grad, k, j, size)[0]
                    m = load("mean", 1, mean, k, j, size)[0]
                    v = load("square", 1, square, k, j, size)[0]
                    m = g + beta1 * (m - g)
                    v = g * g + beta2 * (v - g * g)
                    step = rates[k] * m / (math.sqrt(v) / scale + epsilon)
                    p = load("parameter", 1, parameter, k, j, size)[0]
                    store("mean", mean, k, j, size, (m,))
                    store("square", square, k, j, size, (v,))
                    store("parameter", parameter, k, j, size, (p - step,))

    return Kernel(adam, "Adam")
