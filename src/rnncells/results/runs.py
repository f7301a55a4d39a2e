"""The files of a run."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..jobs.files import read_json, reading, write_json, write_table
from .provenance import record

if TYPE_CHECKING:
    from ..training.loop import Result


def read_optimum(path: str | Path) -> dict[str, float]:
    """Read the hyperparameters that a search has found (``optimum.json``).

    Raises:
        DamagedFile: if it has none, or they are not finite numbers.
    """
    with reading(path):
        values = dict(read_json(path)["values"])
        if not (values and all(math.isfinite(value) for value in values.values())):
            raise ValueError(f"its values are {values}")
    return values


def write_run(
    result: "Result",
    *,
    seeds: Sequence[int],
    hyperparameters: Sequence[Mapping[str, float]],
    parameters: Mapping,
    code: Mapping[str, str],
    metrics: str | Path,
    examples: str | Path,
    run: str | Path,
    attempt: int = 1,
) -> None:
    """Write a run's two tables (Parquet) and its ``run.json``.

    Args:
        result: what training gave.
        seeds, hyperparameters: one per member.
        parameters: everything else that the run was given.
        code: the fingerprint of the source that was at work, for each kind of device.
        metrics, examples, run: the files.
        attempt: which of Snakemake's attempts at the job this is, from 1.
    """
    write_table(result.metrics, metrics)
    write_table(result.examples, examples)
    members = [
        {
            "seed": seed,
            "diverged": bool(result.diverged[k]),
            "steps": int(result.steps[k]),
            "seconds": result.seconds / len(seeds),
            "score": float(result.score[k]),
            "hidden_size": result.hidden_size,
            "parameters": result.parameters,
            **hyperparameters[k],
        }
        for k, seed in enumerate(seeds)
    ]
    write_json(
        run,
        record(
            rule="train",
            parameters=parameters,
            seeds=seeds,
            members=members,
            code=dict(code),
            seconds=result.seconds,
            device=result.device,
            resumed=result.resumed,
            attempt=attempt,
        ),
    )
