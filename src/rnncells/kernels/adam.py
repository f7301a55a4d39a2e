"""Adam's step as one pass over a parameter, each member with its own learning rate."""

import math
from functools import cache

from torch import Tensor

from .columns import load, store
from .driver import flat
from .launch import Kernel


def adam_step(
    parameter: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    rates: Tensor,
    active: Tensor,
    numbers: tuple[float, float, float, float],
) -> None:
    """Make a step in place; what is not active stays as it is.

    Args:
        parameter, grad, mean, square: ``(S, ...)``, on the CPU.
        rates: step size of each member, ``(S,)``.
        active: ``(S,)``, bool.
        numbers: beta_1, beta_2, the correction of the square root of ``square``, and epsilon.
    """
    rows = [t.detach().reshape(len(rates), -1).numpy() for t in (parameter, grad, mean, square)]
    constants = parameter.new_tensor([numbers])
    _kernel()(
        parameter.dtype, len(rates), *rows, flat(rates[:, None]), active.numpy(), flat(constants)
    )


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
                    step = rates[k, 0] * m / (math.sqrt(v) / scale + epsilon)
                    p = load("parameter", 1, parameter, k, j, size)[0]
                    store("mean", mean, k, j, size, (m,))
                    store("square", square, k, j, size, (v,))
                    store("parameter", parameter, k, j, size, (p - step,))

    return Kernel(adam, "Adam")
