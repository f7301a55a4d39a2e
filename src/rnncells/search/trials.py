"""The evaluation of a search: configurations and their tries, trained as one population."""

import numpy as np

from ..study.models import RunSpec
from ..tasks import task_class
from ..training.checkpoint import Checkpoint
from ..training.loop import train
from .loop import Evaluate, Observation


def tried_configurations(
    spec: RunSpec, data: np.ndarray | None = None, checkpoint: Checkpoint | None = None
) -> Evaluate:
    """Return the function that a search calls to train configurations, all in one population.

    Args:
        spec: what is trained.
        data: data set of a task that has one.
        checkpoint: the search's; it holds the configurations that are being trained.
    """
    metric = task_class(spec.task).metric

    def evaluate(values: list[dict[str, float]], seeds: list[list[int]]) -> list[Observation]:
        tries = len(seeds[0])
        result = train(
            spec,
            seeds=[seed for group in seeds for seed in group],
            hyperparameters=[value for value in values for _ in range(tries)],
            data=data,
            checkpoint=checkpoint and checkpoint.of(configurations=values, seeds=seeds),
            progress_seconds=30.0,
        )
        # The metric of a diverged try may be NaN; its score is a number all the same.
        table = result.metrics[result.metrics["metric"] == metric]
        numbers = table["value"].to_numpy().reshape(len(values), tries)
        scores = result.score.reshape(len(values), tries)
        diverged = result.diverged.reshape(len(values), tries)
        return [
            Observation(
                numbers[k].tolist(),
                float(scores[k].mean()),
                result.seconds / len(values),
                int(diverged[k].sum()),
            )
            for k in range(len(values))
        ]

    return evaluate
