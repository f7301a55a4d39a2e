"""Published results that a study's own can be drawn beside."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

COLUMNS = ["cell", "length", "hidden", "layers", "metric", "value"]


def read_expectations(
    path: str | Path | None, lengths: Sequence[int] = (), layers: Sequence[int] = ()
) -> pd.DataFrame:
    """Read how many sequences the published searches expect at their optima.

    Args:
        path: file of published optima (``src/rnncells/published/README.md``), or None.
        lengths, layers: those of the published study; the file is about all of them.

    Returns:
        one row per cell and size, with the columns cell, length, hidden, layers, metric
        (``sequences``) and value. A published file that repeats the numbers of a smaller size is
        taken for a copy, and left out.
    """
    if path is None:
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.read_csv(path)
    rows = rows[rows["kind"] == "surrogate_optimum"].astype({"hidden_size": int})
    said_of = ("hidden_size", "configurations", "kind", "source")
    numbers = [column for column in rows if column not in said_of]
    rows = rows.sort_values("hidden_size").drop_duplicates(numbers)
    rows = rows.rename(columns={"hidden_size": "hidden", "sequences": "value"})
    settings = pd.MultiIndex.from_product([lengths, layers], names=["length", "layers"])
    table = rows.assign(metric="sequences").merge(settings.to_frame(index=False), "cross")
    return table[COLUMNS].reset_index(drop=True)
