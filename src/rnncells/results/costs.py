"""What the jobs cost, from the provenance of their results."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..jobs.files import read_table, reading


def gather_costs(files: Sequence[str | Path]) -> pd.DataFrame:
    """Return one row per study and rule: jobs, seconds and memory.

    Args:
        files: the studies' tables ``.../{study}/provenance.parquet``, a row per job, with its wall
            time over all attempts and its largest resident set.

    Raises:
        DamagedFile: if one of them is damaged.
    """
    columns = ["rule", "seconds", "peak_memory_mb"]
    studies = []
    for file in map(Path, files):
        with reading(file):
            studies.append(read_table(file)[columns].assign(study=file.parent.name))
    return (
        pd.concat(studies)
        .groupby(["study", "rule"])
        .agg(
            jobs=("seconds", "size"),
            seconds_total=("seconds", "sum"),
            seconds_median=("seconds", "median"),
            seconds_max=("seconds", "max"),
            memory_mb_max=("peak_memory_mb", "max"),
        )
        .reset_index()
    )
