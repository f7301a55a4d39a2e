"""Adam's step as one pass over all parameters, each member with its own learning rate."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from torch import Tensor

from .columns import load, store
from .launch import Kernel
from .tables import arrays


def adam_step(
    parameters: Sequence[Tensor],
    grads: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    rates: np.ndarray,
    active: np.ndarray,
    constants: np.ndarray,
) -> None:
    """Make a step; see :meth:`rnncells.kernels.backend.Backend.adam_step`."""
    tensors = [t for group in zip(parameters, grads, means, squares, strict=True) for t in group]
    _kernel()(len(rates), tensors, len(parameters), len(rates), rates, active, constants)


@cache
def _kernel() -> Kernel:
    def adam(first, last, table, like, parameters, members, rates, active, constants):
        kind = np.empty((1, 4), like.dtype)
        for c in range(4):
            kind[0, c] = constants[c]
        rate = np.empty(members, like.dtype)
        for k in range(members):
            rate[k] = rates[k]
        for which in range(parameters):
            parameter, grad, mean, square = arrays(4, table[4 * which :], like)
            size = parameter.size // members
            for k in range(first, last):
                if active[k]:
                    for j in range(k * size, (k + 1) * size):
                        beta1, beta2, scale, epsilon = load("parameters", 4, kind, 0, 0, 1)
                        g = load("grad", 1, grad, 0, j, size)[0]
                        m = load("mean", 1, mean, 0, j, size)[0]
                        v = load("square", 1, square, 0, j, size)[0]
                        m = g + beta1 * (m - g)
                        v = g * g + beta2 * (v - g * g)
                        step = rate[k] * m / (math.sqrt(v) / scale + epsilon)
                        p = load("parameter", 1, parameter, 0, j, size)[0]
                        store("mean", mean, 0, j, size, (m,))
                        store("square", square, 0, j, size, (v,))
                        store("parameter", parameter, 0, j, size, (p - step,))

    return Kernel(adam, "Adam")
