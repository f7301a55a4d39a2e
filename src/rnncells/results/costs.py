"""What the jobs cost, from the provenance of their results."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..jobs.files import read_table, reading


def gather_costs(files: Sequence[str | Path]) -> pd.DataFrame:
    """Return one row per study and rule: jobs, wall time, core-hours and memory.

    Wall times are over all processes of a job. Core-hours are the processor time of its last
    process, so that a job that was resumed counts less than it took; they are NaN where no job has
    recorded it.

    Args:
        files: the studies' tables ``.../{study}/provenance.parquet``, a row per job.

    Raises:
        DamagedFile: if one of them is damaged.
    """
    columns = ["rule", "seconds", "processor_seconds", "peak_memory_mb"]
    studies = []
    for file in map(Path, files):
        with reading(file):
            studies.append(read_table(file)[columns].assign(study=file.parent.name))
    return (
        pd.concat(studies)
        .assign(core_hours=lambda jobs: jobs["processor_seconds"].astype(float) / 3600)
        .groupby(["study", "rule"])
        .agg(
            jobs=("seconds", "size"),
            seconds_total=("seconds", "sum"),
            seconds_median=("seconds", "median"),
            seconds_max=("seconds", "max"),
            core_hours=("core_hours", lambda hours: hours.sum(min_count=1)),
            memory_mb_max=("peak_memory_mb", "max"),
        )
        .reset_index()
    )
