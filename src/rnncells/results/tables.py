"""The runs of a study, gathered into tidy tables."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ..jobs.files import read_json, read_table
from ..study.seeds import label
from .columns import CONFIGURATION


def axes_of(path: str | Path) -> dict[str, str | int]:
    """Read the axes from a run's path (``cell=nBRC/length=300/hidden=100/layers=2/...``).

    Where a study names budgets of parameters (``parameters=1000``), these are the axis ``hidden``.
    """
    parts = dict(part.split("=", 1) for part in Path(path).parts if "=" in part)
    parts.setdefault("hidden", parts.get("parameters", ""))
    return {axis: parts[axis] if axis == "cell" else int(parts[axis]) for axis in CONFIGURATION}


def gather_tables(files: Sequence[str | Path]) -> pd.DataFrame:
    """Put the Parquet tables of runs below each other, with a column for every axis.

    Raises:
        DamagedFile: if one of them is damaged.
    """
    tables = []
    for file in files:
        table = read_table(file)
        for position, (axis, value) in enumerate(axes_of(file).items()):
            table.insert(position, axis, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def gather_runs(files: Sequence[str | Path]) -> pd.DataFrame:
    """Make one row per seed from ``run.json`` files.

    Raises:
        DamagedFile: if one of them is damaged.
    """
    return pd.DataFrame(
        [{**axes_of(file), **member} for file in files for member in read_json(file)["members"]]
    )


def gather_provenance(files: Sequence[str | Path], *records: Mapping) -> pd.DataFrame:
    """Make one row per job, from the records beside its results, and of further ``records``.

    The columns are rule, cell, length, hidden, layers, seeds, what :func:`~.provenance.record` says
    of cost and origin, and one column per library for its version.
    """
    rows = [provenance_row(read_json(file), axes_of(file)) for file in files]
    rows += [provenance_row(record, dict.fromkeys(CONFIGURATION)) for record in records]
    return pd.DataFrame(rows).astype({axis: "Int64" for axis in CONFIGURATION if axis != "cell"})


def provenance_row(record: Mapping, axes: Mapping) -> dict:
    """Return a record as one row of a table."""
    git = record["git"] or {"commit": None, "dirty": None}
    return {
        "rule": record["rule"],
        **axes,
        "seeds": label(record["seeds"]),
        "config_hash": record["config_hash"],
        "commit": git["commit"],
        "dirty": git["dirty"],
        "device": record["device"],
        "host": record["host"],
        "seconds": record["seconds"],
        "processor_seconds": record.get("processor_seconds", math.nan),  # older records lack it
        **{key: record[key] for key in ("peak_memory_mb", "retries", "resumed")},
        "python": record["python"],
        **record["versions"],
    }
