"""Adam's step as one pass over all parameters, each member with its own learning rate."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from torch import Tensor

from .functions import inlined
from .launch import Kernel
from .tables import arrays
from .vector import lanes_of, load, store


def adam_step(
    parameters: Sequence[Tensor],
    grads: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    lr: Tensor,
    active: Tensor,
    steps: Tensor,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """Make a step; see :meth:`rnncells.kernels.backend.Backend.adam_step`."""
    (beta1, beta2), made = betas, steps.item()
    rates = lr.numpy() / (1 - beta1**made)
    constants = np.array([beta1, beta2, (1 - beta2**made) ** 0.5, eps])
    tensors = [t for group in zip(parameters, grads, means, squares, strict=True) for t in group]
    _kernel()(len(rates), tensors, len(parameters), len(rates), rates, active.numpy(), constants)


@cache
def _kernel() -> Kernel:
    @inlined
    def update(parameter, grad, mean, square, rate, beta1, beta2, scale, epsilon, j, some):
        g, m, v, p = (
            load(1, grad, 0, j, 0, some)[0],
            load(1, mean, 0, j, 0, some)[0],
            load(1, square, 0, j, 0, some)[0],
            load(1, parameter, 0, j, 0, some)[0],
        )
        m = g + beta1 * (m - g)
        v = g * g + beta2 * (v - g * g)
        store(mean, 0, j, 0, (m,), some)
        store(square, 0, j, 0, (v,), some)
        store(parameter, 0, j, 0, (p - rate * m / (math.sqrt(v) / scale + epsilon),), some)

    def adam(first, last, table, like, parameters, members, rates, active, constants):
        beta1, beta2, scale, epsilon = constants[0], constants[1], constants[2], constants[3]
        lanes = lanes_of(like)
        for which in range(parameters):
            parameter, grad, mean, square = arrays(4, table[4 * which :], like)
            size = parameter.size // members
            for k in range(first, last):
                if active[k]:
                    begin, end = k * size, (k + 1) * size
                    last_whole = end - size % lanes
                    for j in range(begin, last_whole, lanes):
                        update(
                            parameter, grad, mean, square, rates[k], beta1, beta2, scale, epsilon,
                            j, None,
                        )  # fmt: skip
                    if last_whole < end:
                        update(
                            parameter, grad, mean, square, rates[k], beta1, beta2, scale, epsilon,
                            last_whole, end - last_whole,
                        )  # fmt: skip

    return Kernel(adam, "Adam")
