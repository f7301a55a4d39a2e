"""Statistics for few seeds: one function per statistic, arrays in, numbers out.

A mean has Student's t interval, which holds its 95 % at three seeds, where a bootstrap of the seeds
covers the mean three times in four. A count has an exact binomial interval. Differences are taken
seed by seed, and their p values corrected for how many there are. Over several tasks the
interquartile mean and the probability of improvement are those of Agarwal et al. 2021 (Deep
reinforcement learning at the edge of the statistical precipice), with their stratified bootstrap.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy  # which loads scipy.stats, a third of a second, where it is first used

CONFIDENCE = 0.95
RESAMPLES = 2_000

Interval = tuple[np.ndarray, np.ndarray]


def mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each row of ``values`` ``(groups, n)``.

    Equal values give exactly that value.
    """
    return values[:, 0] + (values - values[:, :1]).mean(1)


def standard_error(values: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean, s / √n, of each row; NaN for n = 1."""
    n = values.shape[1]
    if n == 1:
        return np.full(len(values), np.nan)
    return (values - values[:, :1]).std(1, ddof=1) / np.sqrt(n)


def t_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Return the bounds of Student's t interval of each row's mean; NaN for n = 1.

    The interval is mean ± t · s / √n with n - 1 degrees of freedom: exact for normal values.
    """
    n = values.shape[1]
    half = scipy.special.stdtrit(max(n - 1, 1), (1 + confidence) / 2) * standard_error(values)
    return mean(values) - half, mean(values) + half


#: The statistics of a summary, by the columns that they fill: functions of ``(groups, seeds)``.
SUMMARY: dict[tuple[str, ...], Callable[[np.ndarray], np.ndarray | Interval]] = {
    ("mean",): mean,
    ("sem",): standard_error,
    ("low", "high"): t_interval,
}


def binomial_interval(count: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a probability, from ``count`` successes of n.

    Its coverage is at least ``confidence``. For n = 0 it is (0, 1).
    """
    if n == 0:
        return 0.0, 1.0
    interval = scipy.stats.binomtest(count, n).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)


def paired_p(differences: np.ndarray) -> float:
    """Return the two-sided p value of Student's t test that the mean of differences is 0.

    It is NaN where there is no variance to test against: for a single difference other than 0, and
    for equal ones.
    """
    if not differences.any():
        return 1.0
    if len(differences) < 2 or np.ptp(differences) == 0:
        return float("nan")
    return float(scipy.stats.ttest_1samp(differences, 0.0).pvalue)


def holm(p: np.ndarray) -> np.ndarray:
    """Return Holm's step-down correction of p values; NaN stays NaN and is no test.

    All tests whose corrected value is below α are significant together at the level α.
    """
    corrected = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Return the mean of the middle half of the last axis."""
    quarter = scores.shape[-1] // 4
    return np.sort(scores)[..., quarter : scores.shape[-1] - quarter].mean(-1)


def superiority(x: np.ndarray, y: np.ndarray) -> float:
    """Return P(X > Y) + P(X = Y) / 2 for a run of each: Mann-Whitney's U over its largest value."""
    return float(_wins(x, y).mean())


def _wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.sign(x[:, None] - y[None, :]) + 1) / 2


def bootstrap_interquartile_mean(
    tasks: Sequence[np.ndarray], rng: np.random.Generator, confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Return the interquartile mean over the runs of all tasks, and the bounds of its interval.

    The interval is the percentile bootstrap that draws runs within each task.

    Args:
        tasks: the scores of each task's runs, on one scale.
        rng: draws the runs.
        confidence: of the interval.
    """
    drawn = [scores[rng.integers(len(scores), size=(RESAMPLES, len(scores)))] for scores in tasks]
    resampled = interquartile_mean(np.concatenate(drawn, axis=1))
    estimate = interquartile_mean(np.concatenate(tasks))
    return float(estimate), *_percentiles(resampled, confidence)


def bootstrap_improvement(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> tuple[float, float, float]:
    """Return the probability of improvement of X over Y, and the bounds of its interval.

    It is the mean over tasks of :func:`superiority`; the interval is the percentile bootstrap that
    draws runs of X and of Y within each task.

    Args:
        pairs: for each task, the scores of the runs of X and of Y; more is better.
        rng: draws the runs.
        confidence: of the interval.
    """
    resampled = np.zeros(RESAMPLES)
    for x, y in pairs:
        # A resample is the number of times that each run is drawn.
        of_x, of_y = (
            rng.multinomial(len(runs), np.full(len(runs), 1 / len(runs)), RESAMPLES) / len(runs)
            for runs in (x, y)
        )
        resampled += ((of_x @ _wins(x, y)) * of_y).sum(1)
    estimate = float(np.mean([superiority(x, y) for x, y in pairs]))
    return estimate, *_percentiles(resampled / len(pairs), confidence)


def _percentiles(resampled: np.ndarray, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, (tail, 1 - tail))
    return float(low), float(high)
