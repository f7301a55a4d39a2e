"""Optimum extraction: the best configuration by the surrogate, not by single noisy observations.

The score of the best observed configuration is biased upwards: it was selected for its noise too.
So the optimum is the minimum of the surrogate's mean over all observations, and a study evaluates
it with fresh seeds. Refits with other seeds show how far it depends on the fit of the surrogate.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Literal

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from skopt.learning import GaussianProcessRegressor

from ..random.streams import stream
from .observations import ObservationError, usable_observations
from .space import Space
from .surrogate import Kind, surrogate

#: Points per axis of the grid, at i / GRID for i = 0 ... GRID - 1 (as published).
GRID = 50
#: Refinement divides a cell of the grid into this many steps.
FINE = 20
#: How often the surrogate is fitted again to see how stable its optimum is.
REFITS = 10
#: Two optima are the same if no parameter differs by more than this many cells of the grid.
SAME = 2


def fit(
    observations: pd.DataFrame, space: Space, kind: Kind = "robust", seed: int = 0
) -> GaussianProcessRegressor:
    """Fit the surrogate to minus the score, over the unit cube."""
    model = surrogate(kind, len(space), seed)
    model.fit(space.to_unit(observations), -observations["score"].to_numpy(float))
    return model


def grid_minimum(model: GaussianProcessRegressor, dimensions: int) -> np.ndarray:
    """Return the point of the grid of 50 points per axis where the surrogate's mean is least."""
    best, least = None, np.inf
    for points, means in grid_means(model, dimensions):
        if means.min() < least:
            best, least = points[means.argmin()].copy(), means.min()
    return best


def refined(model: GaussianProcessRegressor, point: np.ndarray) -> np.ndarray:
    """Move a point of the grid to the minimum nearby, one axis at a time in finer steps."""
    offsets = np.arange(-FINE, FINE + 1) / (GRID * FINE)
    for axis in range(len(point)):
        line = np.repeat(point[None], len(offsets), 0)
        line[:, axis] = np.clip(point[axis] + offsets, 0.0, 1.0)
        point = line[relative_mean(model, line).argmin()]
    return point


def refit(
    observations: pd.DataFrame,
    space: Space,
    kind: Kind,
    model: GaussianProcessRegressor,
    point: np.ndarray,
) -> np.ndarray:
    """Return the grid minima of the surrogate fitted with the seeds 1 to :data:`REFITS`.

    Fits that end in the same mode of the likelihood have the same minimum, which is computed once:
    a grid of four dimensions takes half a minute. ``model`` is the fit with seed 0, and ``point``
    its minimum.
    """
    modes = [(_log_parameters(model), point)]
    minima = []
    for seed in range(1, REFITS + 1):
        other = fit(observations, space, kind, seed)
        parameters = _log_parameters(other)
        same = (at for known, at in modes if np.allclose(parameters, known, rtol=0.0, atol=1e-3))
        if (minimum := next(same, None)) is None:
            minimum = grid_minimum(other, len(space))
            modes.append((parameters, minimum))
        minima.append(minimum)
    return np.array(minima)


def _log_parameters(model: GaussianProcessRegressor) -> np.ndarray:
    return np.append(model.kernel_.k1.theta, np.log(model.noise_))


def stability(point: np.ndarray, minima: np.ndarray, space: Space) -> dict:
    """Describe how far the minima of other fits lie from the grid minimum ``point``.

    Returns:
        ``refits``; ``within_two_cells``, how many of them lie within :data:`SAME` cells of the grid
        on every axis; ``range``, name -> least and largest value over all fits.
    """
    distance = np.abs(minima - point).max(axis=1) * GRID
    everywhere = np.vstack([point, minima])
    low, high = space.from_unit(everywhere.min(axis=0)), space.from_unit(everywhere.max(axis=0))
    return {
        "refits": len(minima),
        "within_two_cells": int((distance <= SAME + 1e-9).sum()),
        "range": {name: [low[name], high[name]] for name in space.names},
    }


def relative_mean(model: GaussianProcessRegressor, points: np.ndarray) -> np.ndarray:
    r"""Return the surrogate's mean at ``points`` in the units of its normalised targets.

    .. math::
        \sum_j \alpha_j\, (1 + d_j + d_j^2 / 3)\, e^{-d_j}, \qquad
        d_j = \sqrt{5}\, \lVert (u - u_j) / \ell \rVert

    which has its minimum where ``model.predict`` has it.
    """
    scale = np.sqrt(5.0) / model.kernel_.k1.k2.length_scale
    squares = cdist(points * scale, model.X_train_ * scale, "sqeuclidean")
    return _from_squares(model, squares, np.empty_like(squares))


def _from_squares(
    model: GaussianProcessRegressor, squares: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """Return :func:`relative_mean` given d_j^2; both arrays are overwritten."""
    np.sqrt(squares, out=distance)
    squares /= 3.0
    squares += distance
    squares += 1.0
    np.negative(distance, out=distance)
    squares *= np.exp(distance, out=distance)
    return squares @ model.alpha_


def grid_means(
    model: GaussianProcessRegressor, dimensions: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield all points of the grid in chunks, with :func:`relative_mean`; buffers are reused.

    A four-dimensional grid has six million points. The squared distances are sums over the axes,
    so those along the last two are computed once.
    """
    ticks = np.arange(GRID) / GRID
    scale = np.sqrt(5.0) / (model.kernel_.k1.k2.length_scale * np.ones(dimensions))
    squares = ((ticks[:, None, None] - model.X_train_) * scale) ** 2  # (GRID, observations, axes)
    outer = max(0, dimensions - 2)
    inner = np.array(list(product(range(GRID), repeat=dimensions - outer)))
    along_inner = sum(squares[i, :, outer + k] for k, i in enumerate(inner.T))
    points = np.empty((len(inner), dimensions))
    points[:, outer:] = ticks[inner]
    total, buffer = np.empty_like(along_inner), np.empty_like(along_inner)
    for index in product(range(GRID), repeat=outer):
        points[:, :outer] = ticks[list(index)]
        np.add(along_inner, sum(squares[i, :, k] for k, i in enumerate(index)), out=total)
        yield points, _from_squares(model, total, buffer)


def extract(
    observations: pd.DataFrame,
    settings: Mapping,
    kind: Kind = "robust",
    evaluate: Literal["grid", "refined"] = "grid",
) -> tuple[dict, pd.DataFrame]:
    """Find the optimum, and describe the surrogate for the figures.

    Args:
        observations: columns of the parameters, in their own units, and ``score``, to be
            maximised (2 * count - p in the capacity study).
        settings: the search's ``space``: name -> mapping with low, high and scale.
        kind: how the surrogate is fitted.
        evaluate: which point is the optimum: that of the grid, as published, or that one refined
            along each axis.

    Returns:
        the optimum (values, predicted score and its standard deviation, best observed
        configuration, parameters on a bound, :func:`stability`), and the table of partial
        dependences with the columns x_name, y_name, x, y, mean, sd (see
        :func:`partial_dependence`).

    Raises:
        ObservationError: if the observations cannot be used.
    """
    space = Space(settings)
    observations = usable_observations(observations, space)
    if len(observations) < 2:
        raise ObservationError(
            f"observations have {len(observations)} rows of finite numbers; at least 2 are needed"
        )
    model = fit(observations, space, kind)
    on_grid = grid_minimum(model, len(space))
    points = {"grid": on_grid, "refined": refined(model, on_grid)}
    point = points[evaluate]
    minima = refit(observations, space, kind, model, on_grid)
    mean, sd = model.predict(point[None], return_std=True)
    best = observations.loc[observations["score"].astype(float).idxmax()]
    optimum = {
        "values": space.from_unit(point),
        "evaluate": evaluate,
        **{name: space.from_unit(at) for name, at in points.items()},
        "surrogate": kind,
        "stability": stability(on_grid, minima, space),
        "score": -float(mean[0]),
        "score_sd": float(sd[0]),
        "on_bound": [
            # The grid has no point at 1, so that only the refined point can lie there.
            name
            for name, u, v in zip(space.names, point, points["refined"], strict=True)
            if min(u, v) <= 0.0 or max(u, v) >= 1.0
        ],
        "best_observed": {
            "values": {name: float(best[name]) for name in space.names},
            "score": float(best["score"]),
            "configuration": int(best.get("configuration", best.name)),
        },
        "observations": len(observations),
        "space": {
            d.name: {"low": d.low, "high": d.high, "scale": d.scale} for d in space.dimensions
        },
    }
    return optimum, partial_dependence(model, space)


def partial_dependence(
    model: GaussianProcessRegressor, space: Space, samples: int = 100, pair_points: int = 20
) -> pd.DataFrame:
    """Return the surrogate's mean score over one and over two parameters.

    The other parameters are averaged over the same uniform draws everywhere. ``sd`` is the mean
    standard deviation of the surrogate there. For one parameter y_name is empty and y is NaN.
    """
    draws = stream(0, "partial dependence").random((samples, len(space)))
    axes = [(axis,) for axis in range(len(space))] + list(combinations(range(len(space)), 2))
    tables = []
    for pair in axes:
        ticks = np.linspace(0.0, 1.0, 50 if len(pair) == 1 else pair_points)
        points = np.stack(np.meshgrid(*[ticks] * len(pair), indexing="ij"), -1)
        points = points.reshape(-1, len(pair))
        at = np.tile(draws, (len(points), 1, 1))
        at[:, :, list(pair)] = points[:, None]
        at = at.reshape(-1, len(space))
        sd = np.nan
        if len(pair) == 1:
            means, sds = model.predict(at, return_std=True)
            sd = sds.reshape(-1, samples).mean(1)
        else:
            means = model.predict(at)
        mean = -means.reshape(-1, samples).mean(1)
        x, y = space.dimensions[pair[0]], space.dimensions[pair[-1]]
        tables.append(
            pd.DataFrame(
                {
                    "x_name": x.name,
                    "y_name": y.name if len(pair) == 2 else "",
                    "x": x.from_unit(points[:, 0]),
                    "y": y.from_unit(points[:, 1]) if len(pair) == 2 else np.nan,
                    "mean": mean,
                    "sd": sd,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
