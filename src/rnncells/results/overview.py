"""Every cell on every study, on one scale: 0 is chance level, 1 is perfect."""

from collections.abc import Mapping
from itertools import permutations

import numpy as np
import pandas as pd

from ..random.streams import stream
from .columns import CONFIGURATION
from .statistics import bootstrap_improvement, bootstrap_interquartile_mean

#: What makes a task: its sizes are counted, since an echo state network has sizes of its own.
TASK = ["study", "length", "layers", "size"]


def normalised(studies: Mapping[str, pd.DataFrame], best: Mapping[str, float]) -> pd.DataFrame:
    """Return every run's score between chance level and perfect.

    Args:
        studies: for each study the columns of ``CONFIGURATION``, seed, score.
        best: the score of a perfect run of each study; 0 is that of a guess.

    Returns:
        the columns study, those of ``CONFIGURATION``, seed, and score, within 0 and 1.
    """
    tables = []
    for study, runs in studies.items():
        table = runs[[*CONFIGURATION, "seed"]].copy()
        table.insert(0, "study", study)
        table["score"] = (runs["score"] / best[study]).clip(0, 1)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def cells_over_studies(scores: pd.DataFrame) -> pd.DataFrame:
    """Rank the cells by the interquartile mean of their scores over all studies.

    A study and configuration is a task of its own; the interval is a stratified bootstrap over
    seeds (Agarwal et al. 2021). Cells that are not in all studies come last: their mean is over
    other tasks.

    Returns:
        one row per cell, the best first: rank, cell, studies, runs, iqm, low, high.
    """
    rows = []
    for cell, tasks in _by_task(scores).items():
        interval = bootstrap_interquartile_mean(list(tasks.values()), stream(0, "overview", cell))
        studies = {study for study, *_ in tasks}
        rows.append((cell, len(studies), sum(map(len, tasks.values())), *interval))
    table = pd.DataFrame(rows, columns=["cell", "studies", "runs", "iqm", "low", "high"])
    table = table.sort_values(["studies", "iqm"], ascending=False, ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def pairs_over_studies(scores: pd.DataFrame) -> pd.DataFrame:
    """Return how probable it is that a run of one cell scores higher than one of another.

    The probability is a mean over the tasks that both cells have; equal scores count one half
    (Agarwal et al. 2021).

    Returns:
        one row per ordered pair of cells that share a task: cell, other, tasks, probability, and
        the bounds of its stratified bootstrap interval over seeds (low, high).
    """
    cells = _by_task(scores)
    rows = []
    for cell, other in permutations(cells, 2):
        shared = [task for task in cells[cell] if task in cells[other]]
        if shared:
            pairs = [(cells[cell][task], cells[other][task]) for task in shared]
            rng = stream(0, "overview", cell, other)
            rows.append((cell, other, len(pairs), *bootstrap_improvement(pairs, rng)))
    return pd.DataFrame(rows, columns=["cell", "other", "tasks", "probability", "low", "high"])


def _by_task(scores: pd.DataFrame) -> dict[str, dict[tuple, np.ndarray]]:
    """Return the scores of each cell's runs by task; sizes are numbered within a cell."""
    size = scores.groupby(["study", "cell"])["hidden"].rank("dense").astype(int)
    found: dict[str, dict[tuple, np.ndarray]] = {}
    for (cell, *task), group in scores.assign(size=size).groupby(["cell", *TASK]):
        found.setdefault(cell, {})[tuple(task)] = group["score"].to_numpy(float)
    return found
