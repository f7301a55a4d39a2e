"""The surrogate of a search: a Gaussian process over the unit cube."""

import numpy as np
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern


def surrogate(dimensions: int, seed: int) -> GaussianProcessRegressor:
    """Return the surrogate: Gaussian process, Matérn 5/2 with a length scale per axis, noise."""
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
