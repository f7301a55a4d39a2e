"""Statistics over the seeds of a study: mean, standard error, bootstrap interval.

A group is everything measured under the same conditions with different seeds. Groups with the same
number of seeds are computed together, as the rows of one matrix, so that thousands take seconds.
"""

import numpy as np
import pandas as pd

from ..random.streams import stream
from .columns import CONFIGURATION

#: What identifies a group of the summary.
GROUP = [*CONFIGURATION, "metric", "axis", "position"]
#: Metrics that are too long for a summary, and not needed in one.
NOT_SUMMARISED = ("train_loss", "sequence_error")
RESAMPLES = 10_000
CONFIDENCE = 0.95


def summarise(metrics: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Summarise every metric over the seeds that have a finite value.

    Args:
        metrics: the columns of ``GROUP``, seed, value.
        runs: the columns of ``CONFIGURATION``, seed, diverged.

    Returns:
        one row per group, in the order of ``GROUP``, with mean, sem (standard error of the mean),
        low and high (bootstrap interval of the mean), n (seeds with a finite value), and diverged
        (seeds of the configuration that diverged). A single seed has a mean and NaN for the rest;
        a group without a finite value is NaN throughout.
    """
    rows = metrics[~metrics["metric"].isin(NOT_SUMMARISED)].sort_values([*GROUP, "seed"])
    groups = rows.groupby(GROUP)
    summary = groups.size().index.to_frame(index=False)
    group, value = groups.ngroup().to_numpy(), rows["value"].to_numpy(float)
    finite = np.isfinite(value)
    group, value = group[finite], value[finite]
    count = np.bincount(group, minlength=len(summary))
    statistics = np.full((4, len(summary)), np.nan)
    for n in np.unique(count[count > 0]):
        chosen = count == n
        values = value[chosen[group]].reshape(-1, n)
        statistics[:, chosen] = mean(values), standard_error(values), *bootstrap(values)
    summary[["mean", "sem", "low", "high"]] = statistics.T
    summary["n"] = count
    diverged = runs.groupby(CONFIGURATION)["diverged"].sum().reset_index()
    summary = summary.merge(diverged, "left", on=CONFIGURATION)
    summary["diverged"] = summary["diverged"].fillna(0).astype(int)
    return summary


def mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each row; equal values give exactly that value."""
    return values[:, 0] + (values - values[:, :1]).mean(1)


def standard_error(values: np.ndarray) -> np.ndarray:
    """Return the sample standard deviation over the root of n, for each row; NaN for n = 1."""
    n = values.shape[1]
    if n == 1:
        return np.full(len(values), np.nan)
    return (values - values[:, :1]).std(1, ddof=1) / np.sqrt(n)


def bootstrap(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of the percentile bootstrap interval of each row's mean; NaN for n = 1.

    A resample of n values is how often each of them is drawn, a multinomial draw. The draws depend
    on n only, so that a group's interval does not depend on which other groups there are.
    """
    groups, n = values.shape
    bounds = np.full((2, groups), np.nan)
    if n == 1:
        return bounds[0], bounds[1]
    draws = stream(0, "bootstrap", int(n)).multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
    tail = (1 - CONFIDENCE) / 2
    # Resampling the differences from the first value keeps equal values exact.
    first = values[:, :1]
    for start in range(0, groups, 500):  # bounds the memory
        part = slice(start, start + 500)
        means = (values[part] - first[part]) @ draws.T
        bounds[:, part] = first[part, 0] + np.quantile(means, (tail, 1 - tail), axis=1)
    return bounds[0], bounds[1]
