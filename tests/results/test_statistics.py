"""The statistics against closed forms, SciPy, and their own promise: coverage, simulated."""

import itertools

import numpy as np
import pytest
from scipy import stats

from rnncells.results.statistics import (
    binomial_interval,
    bootstrap_improvement,
    bootstrap_interquartile_mean,
    holm,
    interquartile_mean,
    mean,
    paired_p,
    standard_error,
    superiority,
    t_interval,
)

STUDIES = 20_000  # simulated ones; the share covered has a standard error of 0.0015


NEAR_NORMAL = {
    "normal": (lambda rng, shape: rng.normal(0.7, 0.1, shape), 0.7),
    "accuracy on 100 samples": (lambda rng, shape: rng.binomial(100, 0.8, shape) / 100, 0.8),
    "loss": (lambda rng, shape: rng.lognormal(0.0, 0.2, shape), np.exp(0.02)),
}
FAR_FROM_NORMAL = {
    "flat": (lambda rng, shape: rng.uniform(0.2, 0.8, shape), 0.5),
    "accuracy near 1": (lambda rng, shape: rng.beta(10, 2, shape), 10 / 12),
}


def covered(draw, truth, n):
    low, high = t_interval(draw(np.random.default_rng(n), (STUDIES, n)))
    return np.mean((low <= truth) & (truth <= high))


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("metric", NEAR_NORMAL)
def test_the_t_interval_covers_the_mean_in_95_percent(metric, n):
    assert 0.93 <= covered(*NEAR_NORMAL[metric], n) <= 0.97


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("metric", FAR_FROM_NORMAL)
def test_the_t_interval_loses_little_where_values_are_not_normal(metric, n):
    assert 0.9 <= covered(*FAR_FROM_NORMAL[metric], n) <= 0.97


@pytest.mark.parametrize("n", [3, 5, 10])
def test_paired_differences_are_covered_in_95_percent(n):
    rng = np.random.default_rng(100 + n)
    seeds = rng.normal(0.0, 0.3, (STUDIES, n))  # what a seed does to both cells
    x, y = (seeds + rng.normal(mean, 0.1, (STUDIES, n)) for mean in (0.8, 0.6))
    low, high = t_interval(x - y)
    assert 0.93 <= np.mean((low <= 0.2) & (high >= 0.2)) <= 0.97


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_exact_interval_covers_every_probability_in_95_percent_at_least(n):
    intervals = [binomial_interval(k, n) for k in range(n + 1)]
    for p in np.linspace(0, 1, 101):
        counts = stats.binom.pmf(range(n + 1), n, p)
        covered = [low <= p <= high for low, high in intervals]
        assert counts[covered].sum() >= 0.95


def test_mean_error_and_interval_are_scipys():
    values = np.random.default_rng(0).random((50, 5))
    error = stats.sem(values, axis=1)
    np.testing.assert_allclose(mean(values), values.mean(1))
    np.testing.assert_allclose(standard_error(values), error)
    wanted = stats.t.interval(0.9, 4, loc=values.mean(1), scale=error)
    np.testing.assert_allclose(t_interval(values, 0.9), wanted)


def test_equal_values_have_exact_bounds_and_a_single_one_has_none():
    assert t_interval(np.full((1, 7), 0.1)) == (0.1, 0.1)
    assert np.isnan(t_interval(np.ones((1, 1)))).all()


def test_exact_interval_of_no_and_of_all():
    # (1 - p)^n = 0.025
    assert binomial_interval(0, 3) == (0.0, pytest.approx(1 - 0.025 ** (1 / 3)))
    assert binomial_interval(3, 3) == (pytest.approx(0.025 ** (1 / 3)), 1.0)
    assert binomial_interval(0, 0) == (0.0, 1.0)


def test_paired_p_is_scipys():
    x, y = np.random.default_rng(1).normal(size=(2, 8))
    assert paired_p(x - y) == pytest.approx(stats.ttest_rel(x, y).pvalue)
    assert paired_p(np.zeros(3)) == 1.0
    assert np.isnan(paired_p(np.full(3, 0.5)))
    assert np.isnan(paired_p(np.ones(1)))


def test_holm_against_its_definition():
    # 0.01 x 4, 0.02 x 3, then never below the one before: max(0.06, 0.03 x 2), max(.., 0.5 x 1)
    p = np.array([0.5, 0.01, np.nan, 0.03, 0.02])
    np.testing.assert_allclose(holm(p), [0.5, 0.04, np.nan, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.4, 0.7])), [0.8, 0.8])
    assert holm(np.array([])).size == 0


def test_holm_keeps_the_level_of_the_family():
    rng = np.random.default_rng(2)
    families = rng.random((STUDIES, 6))  # no difference anywhere
    rejected = [(holm(p) < 0.05).any() for p in families[:4000]]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.012)


def test_interquartile_mean_is_the_mean_of_the_middle_half():
    scores = np.random.default_rng(3).random(40)
    assert interquartile_mean(scores) == pytest.approx(np.sort(scores)[10:30].mean())


def test_superiority_counts_all_pairs():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0])
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(x, y)]
    assert superiority(x, y) == pytest.approx(np.mean(pairs))
    u = stats.mannwhitneyu(x, y).statistic
    assert superiority(x, y) == pytest.approx(u / 6)
    assert superiority(y, x) == pytest.approx(1 - u / 6)


def test_stratified_bootstrap_draws_within_each_task():
    # The runs of each task are equal: every resample is the same, although the tasks differ.
    tasks = [np.full(3, 0.2), np.full(5, 0.4), np.full(4, 0.9)]
    estimate, low, high = bootstrap_interquartile_mean(tasks, np.random.default_rng(0))
    assert estimate == low == high == pytest.approx(stats.trim_mean(np.concatenate(tasks), 0.25))


def test_bootstrap_of_the_interquartile_mean_is_scipys_for_one_task():
    scores = np.random.default_rng(4).normal(size=30)
    _, low, high = bootstrap_interquartile_mean([scores], np.random.default_rng(5))
    theirs = stats.bootstrap(
        (scores,),
        lambda x, axis: stats.trim_mean(x, 0.25, axis=axis),
        method="percentile",
        rng=np.random.default_rng(6),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)


def test_improvement_is_the_mean_over_tasks_and_its_bootstrap_is_scipys():
    rng = np.random.default_rng(7)
    pairs = [
        (rng.normal(0.3, 1, 12), rng.normal(0, 1, 9)),
        (rng.normal(0, 1, 8), rng.normal(0, 1, 8)),
    ]
    estimate, low, high = bootstrap_improvement(pairs, np.random.default_rng(8))
    wanted = [stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in pairs]
    assert estimate == pytest.approx(np.mean(wanted))

    def statistic(x, y, z, w, axis):
        u = stats.mannwhitneyu(x, y, axis=axis).statistic / (x.shape[axis] * y.shape[axis])
        v = stats.mannwhitneyu(z, w, axis=axis).statistic / (z.shape[axis] * w.shape[axis])
        return (u + v) / 2

    theirs = stats.bootstrap(
        (*pairs[0], *pairs[1]),
        statistic,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(9),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)
