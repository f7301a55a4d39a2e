"""Hyperparameter search: a Gaussian process proposes, training evaluates, a journal records.

The state of a search is the list of its observations and nothing else: what is proposed next is a
function of the observations so far and of the search's seed. So a search that was interrupted
continues from its journal as if it had never stopped.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from skopt import Optimizer
from skopt.space import Real

from ..random.streams import stream
from ..training.checkpoint import Checkpoint
from .journal import Journal
from .space import Space
from .surrogate import surrogate

logger = logging.getLogger(__name__)


def propose(
    space: Space, observations: pd.DataFrame, settings: Mapping, batch: int
) -> list[list[float]]:
    """Return the next ``batch`` points of the unit cube to try.

    The first point comes first, then ``initial`` uniform draws, then the points of largest expected
    improvement over the observations, several at once by the constant liar. The draws depend on the
    seed and on the number of parameters alone, so that searches of one space share them.

    Args:
        space: the parameters.
        observations: columns of the parameters, and ``score`` (to be maximised).
        settings: the search's settings ``initial``, ``seed`` and ``surrogate``.
        batch: how many points.
    """
    known = len(observations)
    if known <= settings["initial"]:
        batch = min(batch, 1 + settings["initial"] - known)
        return [
            space.first()
            if k == 0
            else stream(settings["seed"], "search", "initial", k).random(len(space)).tolist()
            for k in range(known, known + batch)
        ]
    seed = int(stream(settings["seed"], "search", "propose", known).integers(2**31))
    optimiser = Optimizer(
        [Real(0.0, 1.0, name=name) for name in space.names],
        base_estimator=surrogate(settings["surrogate"], len(space), seed),
        n_initial_points=0,
        acq_func="EI",
        acq_optimizer="lbfgs",
        random_state=seed,
    )
    points = np.clip(space.to_unit(observations), 0.0, 1.0)
    optimiser.tell(points.tolist(), (-observations["score"].to_numpy(float)).tolist())
    return optimiser.ask(n_points=batch, strategy="cl_min") if batch > 1 else [optimiser.ask()]


@dataclass
class Observation:
    """The result of one configuration.

    Attributes:
        tries: the task's metric for every try.
        score: mean score of the tries, to be maximised.
        seconds: wall time.
        diverged: how many tries diverged.
    """

    tries: Sequence[float]
    score: float
    seconds: float
    diverged: int


Evaluate = Callable[[list[dict[str, float]], list[list[int]]], list[Observation]]


def search(
    space: Space,
    settings: Mapping,
    configurations: int,
    metric: str,
    evaluate: Evaluate,
    journal: Journal,
    checkpoint: Checkpoint | None = None,
) -> pd.DataFrame:
    """Run a search, from the observations in its journal on.

    Args:
        space: the parameters.
        settings: ``tries``, ``batch``, ``initial``, ``seed`` and ``surrogate``.
        configurations: how many to try in all.
        metric: name of the number recorded for every try.
        evaluate: trains configurations (given their values and the seeds of their tries).
        journal: records the observations.
        checkpoint: that of ``evaluate``; it is removed once the journal has the observations.

    Returns:
        the observations, at most ``configurations`` of them.

    Raises:
        RuntimeError: if a score is not finite.
    """
    with journal:
        observations = journal.read()
        if len(observations):
            logger.info("%d configurations are known already", len(observations))
        began, done_before = time.perf_counter(), len(observations)
        while (known := len(observations)) < configurations:
            points = propose(
                space, observations, settings, min(settings["batch"], configurations - known)
            )
            values = [space.tried(point) for point in points]
            seeds = [
                [try_seed(settings["seed"], known + k, j) for j in range(settings["tries"])]
                for k in range(len(points))
            ]
            made = evaluate(values, seeds)
            for k, observation in enumerate(made):
                if not math.isfinite(observation.score):
                    raise RuntimeError(f"the score of {values[k]} is {observation.score}")
            journal.append(
                {
                    "configuration": known + k,
                    **values[k],
                    **{f"{metric}_{j}": value for j, value in enumerate(observation.tries)},
                    "score": observation.score,
                    "seconds": observation.seconds,
                    "diverged": observation.diverged,
                }
                for k, observation in enumerate(made)
            )
            if checkpoint is not None:
                checkpoint.remove()
            observations = journal.read()
            done = len(observations) - done_before
            pace = (time.perf_counter() - began) / done
            logger.info(
                "configuration %d of %d, score %.4g, best %.4g, %.1f s each, ETA %.0f s",
                len(observations),
                configurations,
                observations["score"].iloc[-1],
                observations["score"].max(),
                pace,
                pace * (configurations - len(observations)),
            )
    return observations.iloc[:configurations]


def try_seed(seed: int, configuration: int, number: int) -> int:
    """Return the seed of a try: above all seeds that a study's evaluation can use."""
    return int(stream(seed, "search", "try", configuration, number).integers(2**32, 2**62))
