"""The contract of a task, as the training loop sees it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..cells.base import Cell
from ..cells.initial import Initial, uniform
from ..layers.network import Network, Objective


@dataclass
class Batch:
    """Inputs and targets of one gradient step, for a population of S members.

    Attributes:
        x: inputs ``(S, T, B, input_size)``.
        target: what the task's loss compares with.
    """

    x: Tensor
    target: Tensor


@dataclass
class Outcome:
    """What a task says of trained networks.

    Attributes:
        metrics: one row per seed, metric and position on the metric's axis, with the columns
            seed, metric, axis, position, value.
        examples: what the networks did on a few samples, one row per seed, sample, step and
            coordinate, with the columns seed, sample, step, coordinate, target, prediction.
        score: the number to maximise, one per member; a diverged member has the score 0 would
            have had.
    """

    metrics: pd.DataFrame
    examples: pd.DataFrame
    score: np.ndarray


class Task(ABC):
    """A task at one length, for a population: member k draws its data from the streams of seed k.

    Args:
        length: the study's length axis (what it means is the task's).
        seeds: one seed per member.
        hyperparameters: for each member, its hyperparameters; a task takes those it knows.
        settings: the ``training`` section of the study.
        device: where the data go.
        trajectories: data set of the tasks that need one, else None.
    """

    #: Name of the number in ``Outcome.metrics`` that a search's tries are recorded by.
    metric: ClassVar[str]
    #: What an untrained guess reaches on ``metric``.
    chance: ClassVar[float]
    #: The hyperparameters that the task itself has, as in ``Cell.search_space``.
    search_space: ClassVar[dict[str, tuple[float, float, str]]] = {}
    #: Whether the loss is a squared error, so that a ridge readout minimises it.
    squared_error: ClassVar[bool] = False

    input_size: int
    output_size: int
    input_sizes: Sequence[int] | None = None
    #: Number of gradient steps, unless training stops early.
    steps: int

    def __init__(
        self,
        length: int,
        seeds: Sequence[int],
        hyperparameters: Sequence[Mapping[str, float]],
        settings: Mapping,
        device: torch.device,
        trajectories: np.ndarray | None = None,
    ):
        self.length = length
        self.seeds = list(seeds)
        self.settings = settings
        self.device = device

    def readout_initial(self, hidden_size: int) -> tuple[Initial, Initial]:
        """Return the laws of the readout's weight and bias (default: as torch.nn.Linear)."""
        law = uniform(hidden_size**-0.5)
        return law, law

    def fit_to(self, cell: type[Cell]) -> None:
        """Adapt the input to what the cell expects."""
        return

    def prepare(self, network: Network) -> None:
        """Give the network what the task adds to it, such as learned initial states."""
        return

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """Return the data of gradient step ``step``; a step's data depend on nothing else.

        Either every step gets the same object, or a new one with tensors of its own, which may be
        written to. Making it reads nothing back from the device.
        """

    @abstractmethod
    def objective(self, batch: Batch) -> Objective | None:
        """Return what the network should do; None if only :meth:`loss` can say it."""

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Return the loss of every member, ``(S,)``."""
        objective = self.objective(batch)
        assert objective is not None
        return network.loss(objective)

    def regression(self, network: Network) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield, for each member, features ``(samples, n)`` and targets ``(samples, output_size)``.

        Only tasks whose loss is a squared error have this (``squared_error``).
        """
        raise NotImplementedError

    def check(self, network: Network, step: int) -> tuple[dict[str, np.ndarray], int] | None:
        """Measure the network after ``step`` steps, if that is due.

        Returns:
            the value of each metric for every member and the position on the metric's axis, or
            None if nothing is due.
        """
        return None

    def finished(self, checked: dict[str, np.ndarray]) -> np.ndarray:
        """Tell which members need no further training, given what :meth:`check` measured."""
        return np.zeros(len(self.seeds), dtype=bool)

    @abstractmethod
    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Evaluate the trained network."""

    def to_device(self, array: np.ndarray) -> Tensor:
        """Copy an array to the task's device, real numbers as float32."""
        tensor = torch.as_tensor(array)
        return tensor.to(self.device, torch.float32 if tensor.is_floating_point() else None)

    def rows(self, metric: str, axis: str, positions: Sequence, values: np.ndarray) -> pd.DataFrame:
        """Make metric rows of ``values`` (S, positions)."""
        positions = np.asarray(positions)
        return pd.DataFrame(
            {
                "seed": np.repeat(self.seeds, len(positions)),
                "metric": metric,
                "axis": axis,
                "position": np.tile(positions, len(self.seeds)),
                "value": np.asarray(values, dtype=float).reshape(-1),
            }
        )


def example_rows(
    seeds: Sequence[int],
    samples: Sequence[int],
    steps: Sequence[int],
    target: np.ndarray,
    prediction: np.ndarray,
) -> pd.DataFrame:
    """Make example rows of arrays ``(S, samples, steps, coordinates)`` without NaN targets."""
    index = pd.MultiIndex.from_product(
        [seeds, samples, steps, range(target.shape[-1])],
        names=["seed", "sample", "step", "coordinate"],
    )
    rows = pd.DataFrame(
        {"target": target.reshape(-1), "prediction": prediction.reshape(-1)}, index=index
    )
    return rows[rows["target"].notna()].astype(np.float32).reset_index()
