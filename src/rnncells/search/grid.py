"""A grid of hyperparameters: every combination with every seed, chosen by validation."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..study.models import RunSpec
from ..tasks import task_class
from ..training.checkpoint import Checkpoint
from ..training.loop import Result, train


def try_grid(
    spec: RunSpec,
    combinations: Sequence[Mapping[str, float]],
    seeds: Sequence[int],
    data: np.ndarray | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[pd.DataFrame, Result]:
    """Train every combination with every seed, all as one population.

    Returns:
        one row per combination and seed: combination (its number), the hyperparameters, seed,
        validation_score, the task's metric on the test data (nothing is chosen by it), diverged,
        steps; and the result of the training.
    """
    values = [dict(values) for values in combinations for _ in seeds]
    result = train(
        spec,
        list(seeds) * len(combinations),
        values,
        data,
        checkpoint,
        progress_seconds=30.0,
        validate=True,
    )
    metric = task_class(spec.task).metric
    measured = result.metrics[result.metrics["metric"] == metric]
    table = pd.DataFrame(values)
    table.insert(0, "combination", np.repeat(np.arange(len(combinations)), len(seeds)))
    table["seed"] = list(seeds) * len(combinations)
    table["validation_score"] = result.validation
    # Rows of a metric are in the order of the members.
    table[metric] = measured["value"].to_numpy()
    table["diverged"], table["steps"] = result.diverged, result.steps
    return table, result


def best_combination(table: pd.DataFrame) -> int:
    """Return the number of the combination with the best mean validation score.

    A seed that diverged has no score. Combinations of which fewer seeds diverged come first; of
    equal ones it is the first.

    Args:
        table: as :func:`try_grid` makes it.
    """
    scores = table.groupby("combination")["validation_score"].agg(
        failed=lambda column: column.isna().sum(), mean="mean"
    )
    return int(
        scores.sort_values(["failed", "mean"], ascending=[True, False], kind="stable").index[0]
    )
