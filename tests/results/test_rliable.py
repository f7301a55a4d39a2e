"""Statistics over tasks against rliable, the package of the publication that defines them."""

import numpy as np
import pytest

from rnncells.random.streams import stream
from rnncells.results.statistics import (
    bootstrap_improvement,
    bootstrap_interquartile_mean,
    interquartile_mean,
    superiority,
)

# Its module `library` needs arch < 8, which does not import with pandas 3.
metrics = pytest.importorskip("rliable.metrics", reason="rliable, of the extra peers, is missing")

RUNS, TASKS = 5, 14


def scores(name, runs=RUNS, ties=False):
    """Return scores (runs, tasks): tasks differ in level and in spread."""
    rng = stream(0, "test rliable", name)
    drawn = rng.beta(rng.uniform(1, 6, TASKS), rng.uniform(1, 6, TASKS), (runs, TASKS))
    return drawn.round(1) if ties else drawn


def interval(statistic, *arrays):
    """Return the percentile interval of rliable's statistic, runs drawn anew within each task."""
    rng = stream(0, "test rliable", "resamples")
    resampled = []
    for _ in range(600):
        drawn = [rng.integers(len(x), size=x.shape) for x in arrays]
        resampled.append(
            statistic(*(np.take_along_axis(x, i, 0) for x, i in zip(arrays, drawn, strict=True)))
        )
    return np.quantile(resampled, (0.025, 0.975))


@pytest.mark.parametrize("runs", [1, 3, 5, 10])
def test_interquartile_mean(runs):
    x = scores("x", runs)
    assert interquartile_mean(x.ravel()) == pytest.approx(metrics.aggregate_iqm(x), rel=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_probability_of_improvement(ties):
    x, y = scores("x", 5, ties), scores("y", 3, ties)
    x[:3, 0] = y[:, 0] = 0.0  # a task that nobody learns, and one with equal runs
    ours = np.mean([superiority(a, b) for a, b in zip(x.T, y.T, strict=True)])
    assert ours == pytest.approx(metrics.probability_of_improvement(x, y), rel=1e-12)
    assert np.mean([superiority(a, a) for a in x.T]) == metrics.probability_of_improvement(x, x)


def test_stratified_bootstrap_of_the_interquartile_mean():
    x = scores("x")
    low, high = interval(metrics.aggregate_iqm, x)
    ours = bootstrap_interquartile_mean(list(x.T), stream(0, "test rliable", "ours"))
    assert high - low > 0.02
    assert ours[1:] == pytest.approx((low, high), abs=0.15 * (high - low))


def test_stratified_bootstrap_of_the_probability_of_improvement():
    x, y = scores("x"), scores("y", 3)
    low, high = interval(metrics.probability_of_improvement, x, y)
    pairs = list(zip(x.T, y.T, strict=True))
    ours = bootstrap_improvement(pairs, stream(0, "test rliable", "ours"))
    assert high - low > 0.05
    assert ours[1:] == pytest.approx((low, high), abs=0.15 * (high - low))
