"""Initial values of a cell's tensors, drawn by NumPy so that they do not depend on the device.

An initializer takes the generator and the shape ``(in, out)`` of one member of a population. Those
with a constant are partial functions, not closures, so that modules can be pickled.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

Initializer = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """All zeros."""
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """All ones."""
    return np.ones(shape)


def normal(scale: float) -> Initializer:
    """N(0, 1) times ``scale``."""
    return partial(_normal, scale)


def _normal(scale: float, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return scale * rng.standard_normal(shape)


def normal_over_rows(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """N(0, 1) divided by the number of rows (the fan-in), as in the capacity study."""
    return rng.standard_normal(shape) / max(shape[0], 1)


def uniform(bound: float) -> Initializer:
    """U(-bound, bound)."""
    return partial(_uniform, bound)


def _uniform(bound: float, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-bound, bound, shape)


def xavier_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """U(-a, a) with a = sqrt(6 / (in + out)) (Glorot & Bengio 2010)."""
    bound = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-bound, bound, shape)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A random orthogonal square matrix, uniform over the orthogonal group (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.standard_normal(shape))
    return q * np.sign(np.diag(r))


def side_by_side(initial: Initializer, blocks: int) -> Initializer:
    """``blocks`` independent draws of ``initial`` next to each other along the output axis.

    The draws are independent matrices, which matters where the initializer depends on the shape of
    one block (Xavier, orthogonal).
    """
    return partial(_side_by_side, initial, blocks)


def _side_by_side(
    initial: Initializer, blocks: int, rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray:
    block = (*shape[:-1], shape[-1] // blocks)
    return np.concatenate([initial(rng, block) for _ in range(blocks)], axis=-1)
