"""The summary of a study over its seeds: a row per configuration, metric and position.

Groups with the same number of seeds are computed together, as the rows of one matrix, so that
thousands take a second.
"""

import numpy as np
import pandas as pd

from .columns import CONFIGURATION, SOLVED
from .statistics import SUMMARY, binomial_interval

#: What identifies a group of the summary: all seeds measured under the same conditions.
GROUP = [*CONFIGURATION, "metric", "axis", "position"]
#: Metrics with a row per step or sequence, which a summary leaves out.
NOT_SUMMARISED = ("train_loss", "sequence_error")
#: The column ``interval``: how ``low`` and ``high`` were found.
T_INTERVAL, BINOMIAL = "t", "binomial"


def solved(
    metrics: pd.DataFrame, runs: pd.DataFrame, criterion: tuple[str, str, float] | None
) -> pd.DataFrame:
    """Return for every run whether it solves its task, as rows of the metric ``solved``, 1 or 0.

    Args:
        metrics: the columns of ``GROUP``, seed, value.
        runs: the columns of ``CONFIGURATION``, seed.
        criterion: the task's ``solved``: (metric, ``below`` or ``above``, threshold), for the
            metric's value at its last position, such as the greatest test length. None: no rows.

    Returns:
        rows as in ``metrics``. A run without a finite value, such as a diverged one, is unsolved.
    """
    if criterion is None:
        return metrics[:0]
    metric, side, threshold = criterion
    run = [*CONFIGURATION, "seed"]
    last = metrics[metrics["metric"] == metric].sort_values("position").groupby(run)["value"].last()
    value = runs[run].merge(last.rename("value").reset_index(), "left", on=run)["value"]
    reached = value < threshold if side == "below" else value > threshold
    rows = runs[run].reset_index(drop=True)
    rows[["metric", "axis", "position"]] = SOLVED, "none", 0
    return rows.assign(value=reached.astype(float))


def summarise(metrics: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Summarise every metric over the seeds that have a finite value.

    Args:
        metrics: the columns of ``GROUP``, seed, value.
        runs: the columns of ``CONFIGURATION``, seed, diverged.

    Returns:
        one row per group, in the order of ``GROUP``, with the columns

        * mean, sem: the mean and its standard error,
        * low, high, interval: the bounds of the 95 % interval, and its kind. ``t``: Student's t
          interval of the mean. ``binomial``: the exact interval of the share of seeds that solve
          the task (metric ``solved``; its mean is that share),
        * n: seeds with a finite value,
        * diverged: seeds of the configuration that diverged.

        A single seed has a mean and no t interval; a group without a finite value is NaN.
    """
    rows = metrics[~metrics["metric"].isin(NOT_SUMMARISED)].sort_values([*GROUP, "seed"])
    groups = rows.groupby(GROUP)
    summary = groups.size().index.to_frame(index=False)
    group, value = groups.ngroup().to_numpy(), rows["value"].to_numpy(float)
    finite = np.isfinite(value)
    group, value = group[finite], value[finite]
    count = np.bincount(group, minlength=len(summary))
    columns = [column for names in SUMMARY for column in names]
    statistics = np.full((len(columns), len(summary)), np.nan)
    for n in np.unique(count[count > 0]):
        chosen = count == n
        values = value[chosen[group]].reshape(-1, n)
        statistics[:, chosen] = np.vstack([function(values) for function in SUMMARY.values()])
    summary[columns] = statistics.T
    summary["interval"] = T_INTERVAL
    summary["n"] = count
    _count_solved(summary)
    diverged = runs.groupby(CONFIGURATION)["diverged"].sum().reset_index()
    summary = summary.merge(diverged, "left", on=CONFIGURATION)
    summary["diverged"] = summary["diverged"].fillna(0).astype(int)
    return summary


def _count_solved(summary: pd.DataFrame) -> None:
    """Replace the t interval of shares of seeds by the binomial interval."""
    shares = summary["metric"] == SOLVED
    bounds = [
        binomial_interval(round(share * n), n)
        for share, n in summary.loc[shares, ["mean", "n"]].itertuples(index=False)
    ]
    summary.loc[shares, "sem"] = np.nan
    summary.loc[shares, ["low", "high"]] = np.array(bounds).reshape(-1, 2)
    summary.loc[shares, "interval"] = BINOMIAL
