r"""The surrogate of a search: a Gaussian process over the unit cube.

Matérn 5/2 covariance with a length scale per axis, and Gaussian noise:

.. math::
    k(u, v) = s\,(1 + d + d^2 / 3)\,e^{-d} + \sigma^2 [u = v], \qquad
    d = \sqrt{5}\, \lVert (u - v) / \ell \rVert

for scores in units of their standard deviation. The two kinds differ in how :math:`s`,
:math:`\ell` and :math:`\sigma^2` are estimated:

``published``
    maximum likelihood from two random restarts, with the bounds of scikit-optimize. The noise may
    vanish, so that a mode where the process interpolates noise is sometimes the likeliest.
``robust``
    maximum a posteriori from the prior's median and eight draws of it. The prior expects the score
    to vary over half an axis and says little else (:data:`PRIOR`); the bounds exclude
    interpolation.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from ..random.streams import stream

Kind = Literal["published", "robust"]

#: Log-normal prior: parameter -> median, standard deviation of the logarithm, lower, upper bound.
PRIOR = {
    "variance": (1.0, 3.0, 0.01, 1000.0),
    "length_scale": (0.5, 1.0, 0.05, 10.0),
    "noise": (0.01, 2.0, 1e-4, 1.0),
}
#: Draws of the prior that the robust fit starts from, besides its median.
RESTARTS = 8


def surrogate(kind: Kind, dimensions: int, seed: int) -> GaussianProcessRegressor:
    """Return an unfitted surrogate; ``seed`` draws the restarts of its fit."""
    if kind == "published":
        kernel = ConstantKernel(1.0, (0.01, 1000.0)) * Matern(
            np.ones(dimensions), [(0.01, 100.0)] * dimensions, nu=2.5
        )
        return GaussianProcessRegressor(
            kernel=kernel,
            normalize_y=True,
            noise="gaussian",
            n_restarts_optimizer=2,
            random_state=seed,
        )
    variance, length_scale, noise = PRIOR.values()
    kernel = ConstantKernel(variance[0], variance[2:]) * Matern(
        np.full(dimensions, length_scale[0]), [length_scale[2:]] * dimensions, nu=2.5
    ) + WhiteKernel(noise[0], noise[2:])
    return GaussianProcessRegressor(
        kernel=kernel,
        normalize_y=True,
        noise="gaussian",
        optimizer=maximum_a_posteriori(dimensions, seed),
        n_restarts_optimizer=0,
        random_state=seed,
    )


def maximum_a_posteriori(dimensions: int, seed: int) -> Callable:
    """Return an ``optimizer`` for scikit-learn's Gaussian process that adds :data:`PRIOR`."""
    variance, length_scale, noise = PRIOR.values()
    parameters = [variance, *[length_scale] * dimensions, noise]
    mean = np.log([median for median, *_ in parameters])
    sd = np.array([parameter[1] for parameter in parameters])

    def optimise(objective: Callable, initial_theta: np.ndarray, bounds: np.ndarray) -> tuple:
        def minus_log_posterior(theta):
            minus_log_likelihood, gradient = objective(theta)
            z = (theta - mean) / sd
            return minus_log_likelihood + 0.5 * z @ z, gradient + z / sd

        draws = stream(seed, "surrogate", "restarts").standard_normal((RESTARTS, len(mean)))
        found = [
            minimize(
                minus_log_posterior,
                np.clip(start, bounds[:, 0], bounds[:, 1]),
                jac=True,
                bounds=bounds,
                method="L-BFGS-B",
            )
            for start in (mean, *(mean + sd * draws))
        ]
        best = min(found, key=lambda result: result.fun)
        return best.x, best.fun

    return optimise
