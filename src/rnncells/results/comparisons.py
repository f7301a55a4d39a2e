"""Cells compared with each other: pair by pair within a study, and over all studies."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from ..random.streams import stream
from .columns import CONFIGURATION
from .statistics import (
    bootstrap_improvement,
    bootstrap_interquartile_mean,
    holm,
    mean,
    paired_p,
    superiority,
    t_interval,
)

#: Under which conditions cells are compared: each combination is a task in the statistics' sense.
CONDITION = CONFIGURATION[1:]


def compare_cells(metrics: pd.DataFrame, runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Compare every two cells of a study under the same conditions, on the seeds that both have.

    Args:
        metrics: the columns of ``CONFIGURATION``, seed, metric, axis, position, value.
        runs: the columns of ``CONFIGURATION``, seed, score (more is better).
        metric: which number to compare; its last position if it has several.

    Returns:
        one row per condition and pair of cells with the columns length, hidden, layers, metric,
        cell, other;

        * n: shared seeds at which both have a finite value,
        * difference, low, high: the mean of ``cell`` minus ``other`` over these, paired by seed,
          and its 95 % t interval,
        * p, p_holm: of the paired t test that the difference is 0, and corrected (Holm) for all
          rows of the table,
        * superiority: probability that a run of ``cell`` scores higher than one of ``other``, all
          runs taken, diverged ones too; equal scores count one half.
    """
    run = [*CONFIGURATION, "seed"]
    measured = metrics[metrics["metric"] == metric].sort_values("position")
    values = measured.groupby(run)["value"].last().rename("value").reset_index()
    table = runs[[*run, "score"]].merge(values, "left", on=run)
    rows = []
    for condition, here in table.groupby(CONDITION):
        by_cell = {cell: own.set_index("seed") for cell, own in here.groupby("cell", sort=False)}
        for cell, other in combinations(by_cell, 2):
            x, y = by_cell[cell], by_cell[other]
            differences = (x["value"] - y["value"]).to_numpy(float)  # aligned by seed
            differences = differences[np.isfinite(differences)]
            row = dict(zip(CONDITION, condition, strict=True))
            row |= {"metric": metric, "cell": cell, "other": other}
            rows.append(
                row
                | _difference(differences)
                | {"superiority": superiority(x["score"].to_numpy(), y["score"].to_numpy())}
            )
    columns = [*CONDITION, "metric", "cell", "other", "n", "difference", "low", "high", "p"]
    compared = pd.DataFrame(rows, columns=[*columns, "superiority"])
    compared.insert(len(columns), "p_holm", holm(compared["p"].to_numpy(float)))
    return compared


def _difference(differences: np.ndarray) -> dict:
    n = len(differences)
    if n == 0:
        return dict.fromkeys(("difference", "low", "high", "p"), np.nan) | {"n": 0}
    low, high = t_interval(differences[None])
    return {
        "n": n,
        "difference": mean(differences[None])[0],
        "low": low[0],
        "high": high[0],
        "p": paired_p(differences),
    }


def over_tasks(studies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Summarise every cell over the conditions of each study, and of all of them together.

    The rows of a study are all of the same conditions: those that more than half of its cells have
    (an echo state network's sizes are its own), and the cells that have all of these. A condition's
    scores are divided by the mean of its best cell: 1 is as good as the best. Conditions in which
    no cell has a mean score above 0 are left out.

    Args:
        studies: for each study the columns of ``CONFIGURATION``, seed, score.

    Returns:
        one row per study and cell, and if there are several studies, one per cell that is in all
        (studies joined by " + "): studies, cell, conditions, runs, and interquartile mean (iqm)
        with the bounds of its stratified bootstrap interval (low, high).
    """
    rows = []
    for name, scores in _scores(studies).items():
        for cell, tasks in scores.items():
            rng = stream(0, "interquartile mean", name, cell)
            iqm, low, high = bootstrap_interquartile_mean(list(tasks.values()), rng)
            runs = sum(map(len, tasks.values()))
            rows.append((name, cell, len(tasks), runs, iqm, low, high))
    return pd.DataFrame(
        rows, columns=["studies", "cell", "conditions", "runs", "iqm", "low", "high"]
    )


def improvements(studies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how probable it is that one cell improves on another, over the same conditions.

    Args:
        studies: as for :func:`over_tasks`, whose rows these are the pairs of.

    Returns:
        one row per ordered pair of cells: studies, cell, other, conditions, probability that a run
        of ``cell`` scores higher than one of ``other``, and the bounds of its interval (low, high).
    """
    rows = []
    for name, scores in _scores(studies).items():
        for cell, other in combinations(scores, 2):
            pairs = [(scores[cell][task], scores[other][task]) for task in scores[cell]]
            rng = stream(0, "improvement", name, cell, other)
            rows.append((name, cell, other, len(pairs), *bootstrap_improvement(pairs, rng)))
    return pd.DataFrame(
        rows, columns=["studies", "cell", "other", "conditions", "probability", "low", "high"]
    )


def _scores(studies: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, dict[tuple, np.ndarray]]]:
    """Return the relative scores of each group of studies, by cell and condition."""
    groups = {study: {study: runs} for study, runs in studies.items()}
    if len(studies) > 1:
        groups[" + ".join(studies)] = dict(studies)
    found = {}
    for name, group in groups.items():
        tasks = {
            (study, *condition): here
            for study, runs in group.items()
            for condition, here in runs.groupby(CONDITION)
            if here["cell"].nunique() > runs["cell"].nunique() / 2
        }
        cells = [set(here["cell"]) for here in tasks.values()]
        common = set.intersection(*cells) if cells else set()
        scores = {cell: {} for here in tasks.values() for cell in here["cell"] if cell in common}
        for task, here in tasks.items():
            best = here.groupby("cell")["score"].mean().max()
            if best > 0:
                for cell in scores:
                    scores[cell][task] = here.loc[here["cell"] == cell, "score"].to_numpy() / best
        if any(scores.values()):
            found[name] = scores
    return found
