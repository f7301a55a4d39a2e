"""The files of a run, and how the runs of a study become its tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from .provenance import provenance

if TYPE_CHECKING:
    from .training import Result

AXES = ("cell", "length", "hidden", "layers")


def write_run(
    result: "Result",
    *,
    seeds: Sequence[int],
    hyperparameters: Sequence[Mapping[str, float]],
    parameters: Mapping,
    metrics: str | Path,
    examples: str | Path,
    run: str | Path,
) -> None:
    """Write a run's two tables (Parquet) and its ``run.json``.

    Args:
        result: what training gave.
        seeds, hyperparameters: one per member.
        parameters: everything else that the run was given.
        metrics, examples, run: the files.
    """
    result.metrics.to_parquet(metrics, index=False)
    result.examples.to_parquet(examples, index=False)
    members = [
        {
            "seed": seed,
            "diverged": bool(result.diverged[k]),
            "steps": int(result.steps[k]),
            "seconds": result.seconds / len(seeds),
            "score": float(result.score[k]),
            "parameters": result.parameters,
            **hyperparameters[k],
        }
        for k, seed in enumerate(seeds)
    ]
    record = {
        "parameters": dict(parameters),
        "members": members,
        "seconds": result.seconds,
        "device": result.device,
        **provenance(),
    }
    Path(run).write_text(json.dumps(record, indent=2) + "\n")


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
