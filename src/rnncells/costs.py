"""What the jobs cost, from Snakemake's benchmark files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .files import read_table, reading


def gather_costs(files: Sequence[str | Path]) -> pd.DataFrame:
    """Return one row per study and rule: jobs, seconds and memory.

    Args:
        files: benchmark files ``.../benchmarks/{study}/{rule}/...``, as Snakemake writes them
            (column s: wall seconds, max_rss: largest resident set in MB).

    Raises:
        DamagedFile: if one of them is damaged.
    """
    rows = []
    for file in map(Path, files):
        study, rule = file.parts[file.parts.index("benchmarks") + 1 :][:2]
        with reading(file):
            job = read_table(file).iloc[0]
            rows.append((study, rule, float(job["s"]), float(job["max_rss"])))
    jobs = pd.DataFrame(rows, columns=["study", "rule", "seconds", "memory_mb"])
    return (
        jobs.groupby(["study", "rule"])
        .agg(
            jobs=("seconds", "size"),
            seconds_total=("seconds", "sum"),
            seconds_median=("seconds", "median"),
            seconds_max=("seconds", "max"),
            memory_mb_max=("memory_mb", "max"),
        )
        .reset_index()
    )
