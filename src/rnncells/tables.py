"""The runs of a study, gathered into tidy tables."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .files import whole

AXES = ("cell", "length", "hidden", "layers")


def axes_of(path: str | Path) -> dict[str, str | int]:
    """Read the axes from a run's path (``cell=nBRC/length=300/hidden=100/layers=2/...``)."""
    parts = dict(part.split("=", 1) for part in Path(path).parts if "=" in part)
    return {axis: parts[axis] if axis == "cell" else int(parts[axis]) for axis in AXES}


def gather_tables(files: Sequence[str | Path]) -> pd.DataFrame:
    """Put the Parquet tables of runs below each other, with a column for every axis."""
    tables = []
    for file in files:
        table = pd.read_parquet(file)
        for position, (axis, value) in enumerate(axes_of(file).items()):
            table.insert(position, axis, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def gather_runs(files: Sequence[str | Path]) -> pd.DataFrame:
    """Make one row per seed from ``run.json`` files."""
    return pd.DataFrame(
        [
            {**axes_of(file), **member}
            for file in files
            for member in json.loads(Path(file).read_text())["members"]
        ]
    )


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as Parquet or CSV, by the file's suffix, whole or not at all."""
    write = {".parquet": table.to_parquet, ".csv": table.to_csv}[Path(path).suffix]
    with whole(path) as part:
        write(part, index=False)
