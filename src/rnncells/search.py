"""Hyperparameter search: a Gaussian process proposes, training answers, a journal remembers.

The state of a search is the list of its observations and nothing else: what is proposed next is a
function of the observations so far and of the search's seed. So a search that was interrupted
continues from its journal as if it had never stopped.
"""

import csv
import hashlib
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from skopt import Optimizer
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern
from skopt.space import Real

from .streams import stream

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dimension:
    """Bounds of one parameter, on a ``linear``, ``integer`` or ``log`` scale.

    An integer dimension is linear for the surrogate; its values are rounded before training.
    """

    name: str
    low: float
    high: float
    scale: str
    first: float

    def to_unit(self, value):
        """Map a value, or an array of values, to [0, 1]."""
        if self.scale == "log":
            low, high = math.log(self.low), math.log(self.high)
            return (np.log(value) - low) / (high - low)
        return (np.asarray(value, float) - self.low) / (self.high - self.low)

    def from_unit(self, u):
        """Map [0, 1] to values; integers are not rounded."""
        if self.scale == "log":
            return self.low * (self.high / self.low) ** np.asarray(u, float)
        return self.low + (self.high - self.low) * np.asarray(u, float)

    def tried(self, u: float) -> float:
        """Return the value that is trained for a point of [0, 1]."""
        value = min(max(float(self.from_unit(u)), self.low), self.high)
        return round(value) if self.scale == "integer" else value


class Space:
    """The parameters of a search, in order.

    Args:
        settings: name -> mapping with ``low``, ``high``, ``scale`` and, for a search, ``first``.
    """

    def __init__(self, settings: Mapping[str, Mapping]):
        self.dimensions = [
            Dimension(name, s["low"], s["high"], s["scale"], s.get("first", s["low"]))
            for name, s in settings.items()
        ]
        self.names = [d.name for d in self.dimensions]

    def __len__(self) -> int:
        return len(self.dimensions)

    def to_unit(self, table: pd.DataFrame) -> np.ndarray:
        """Map columns of values to points ``(rows, dimensions)`` of the unit cube."""
        return np.column_stack([d.to_unit(table[d.name].to_numpy(float)) for d in self.dimensions])

    def from_unit(self, point: Sequence[float]) -> dict[str, float]:
        """Map a point of the unit cube to values."""
        return {d.name: float(d.from_unit(u)) for d, u in zip(self.dimensions, point, strict=True)}

    def tried(self, point: Sequence[float]) -> dict[str, float]:
        """Map a point of the unit cube to the values that are trained."""
        return {d.name: d.tried(u) for d, u in zip(self.dimensions, point, strict=True)}

    def first(self) -> list[float]:
        """Return the first point of a search."""
        return [float(d.to_unit(d.first)) for d in self.dimensions]


def surrogate(dimensions: int, seed: int) -> GaussianProcessRegressor:
    """Return the surrogate: Gaussian process, Matérn 5/2 with a length scale per axis, noise."""
    kernel = ConstantKernel(1.0, (0.01, 1000.0)) * Matern(
        np.ones(dimensions), [(0.01, 100.0)] * dimensions, nu=2.5
    )
    return GaussianProcessRegressor(
        kernel=kernel,
        normalize_y=True,
        noise="gaussian",
        n_restarts_optimizer=2,
        random_state=seed,
    )


def propose(
    space: Space, observations: pd.DataFrame, settings: Mapping, batch: int
) -> list[list[float]]:
    """Return the next ``batch`` points of the unit cube to try.

    The first point comes first, then uniform draws until ``initial`` points are known, then the
    points of largest expected improvement over the observations, several at once by the constant
    liar.

    Args:
        space: the parameters.
        observations: columns of the parameters, and ``score`` (to be maximised).
        settings: the search's settings ``initial`` and ``seed``.
        batch: how many points.
    """
    known = len(observations)
    if known < settings["initial"]:
        batch = min(batch, settings["initial"] - known)
        return [
            space.first()
            if k == 0
            else stream(settings["seed"], "search", "initial", k).random(len(space)).tolist()
            for k in range(known, known + batch)
        ]
    seed = int(stream(settings["seed"], "search", "propose", known).integers(2**31))
    optimiser = Optimizer(
        [Real(0.0, 1.0, name=name) for name in space.names],
        base_estimator=surrogate(len(space), seed),
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
    """What trying one configuration gave.

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
    journal: "Journal",
) -> pd.DataFrame:
    """Run a search, or what is left of it.

    Args:
        space: the parameters.
        settings: ``tries``, ``batch``, ``initial`` and ``seed``.
        configurations: how many to try in all.
        metric: name of the number recorded for every try.
        evaluate: trains configurations (given their values and the seeds of their tries).
        journal: remembers the observations.

    Returns:
        the observations, at most ``configurations`` of them.
    """
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
        for k, observation in enumerate(evaluate(values, seeds)):
            journal.append(
                {
                    "configuration": known + k,
                    **values[k],
                    **{f"{metric}_{j}": value for j, value in enumerate(observation.tries)},
                    "score": observation.score,
                    "seconds": observation.seconds,
                    "diverged": observation.diverged,
                }
            )
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


class Journal:
    """An append-only CSV file of observations that survives the death of its writer.

    A line is on the disk before :meth:`append` returns. A line that was cut off, and everything
    after a line that does not continue the count of configurations, is dropped when reading.

    Args:
        path: the CSV file.
        space: the parameters.
        metric: name of the number recorded for every try.
        tries: how many tries a configuration has.
        copy: another file that is kept equal to the journal.
    """

    def __init__(self, path: str | Path, space: Space, metric: str, tries: int, copy: str | Path):
        self.path = Path(path)
        self.copy = Path(copy)
        self.tries = [f"{metric}_{j}" for j in range(tries)]
        self.columns = [
            "configuration",
            *space.names,
            *self.tries,
            "score",
            "seconds",
            "diverged",
        ]
        self._keep_complete_lines()

    def _keep_complete_lines(self) -> None:
        """Drop what a dying writer may have left, and write the header of a new file."""
        lines = self.path.read_text().split("\n") if self.path.exists() else []
        header = ",".join(self.columns)
        kept = [header]
        if lines and lines[0] == header:
            for line in lines[1:-1]:  # what follows the last line feed is not a complete line
                if not self._continues(line, len(kept) - 1):
                    logger.warning("%s: dropped the lines from %r on", self.path, line[:80])
                    break
                kept.append(line)
        elif lines:
            logger.warning("%s: has other columns, and is begun anew", self.path)
        text = "\n".join(kept) + "\n"
        if "\n".join(lines) != text:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replacement = self.path.with_suffix(".new")
            with replacement.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            replacement.replace(self.path)
        shutil.copyfile(self.path, self.copy)

    def _continues(self, line: str, count: int) -> bool:
        """Tell whether ``line`` is the observation number ``count``, complete and finite."""
        try:
            fields = [float(field) for field in next(csv.reader([line]), [])]
        except ValueError:
            return False
        if len(fields) != len(self.columns) or fields[0] != count:
            return False
        # A diverged try may have no value of its metric; everything else must be a number.
        values = dict(zip(self.columns, fields, strict=True))
        return all(math.isfinite(values[name]) for name in values if name not in self.tries)

    def append(self, row: Mapping) -> None:
        """Add an observation and put it on the disk."""
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writerow(row)
            file.flush()
            os.fsync(file.fileno())
        shutil.copyfile(self.path, self.copy)

    def read(self) -> pd.DataFrame:
        """Return all observations."""
        return pd.read_csv(self.path)


def fingerprint(*parts: object, files: Sequence[str | Path] = ()) -> str:
    """Return a short name for settings (as JSON) and the contents of files.

    It names a journal, so that observations are only ever replayed into the search that made them.
    """
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for file in sorted(map(str, files)):
        digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()[:12]
