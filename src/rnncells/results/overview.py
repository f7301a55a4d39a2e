"""Every cell on every study, on one scale: 0 is chance level, 1 is perfect."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..random.streams import stream
from .columns import CONFIGURATION
from .statistics import bootstrap_interquartile_mean


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
    for cell, own in scores.groupby("cell"):
        tasks = [
            group["score"].to_numpy(float)
            for _, group in own.groupby(["study", *CONFIGURATION[1:]])
        ]
        interval = bootstrap_interquartile_mean(tasks, stream(0, "overview", cell))
        rows.append((cell, own["study"].nunique(), len(own), *interval))
    table = pd.DataFrame(rows, columns=["cell", "studies", "runs", "iqm", "low", "high"])
    table = table.sort_values(["studies", "iqm"], ascending=False, ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table
