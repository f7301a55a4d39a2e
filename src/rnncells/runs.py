"""The files of a run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .provenance import provenance

if TYPE_CHECKING:
    from .training import Result


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
