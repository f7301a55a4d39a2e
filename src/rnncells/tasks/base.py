"""The contract of a task: what a study may say of it, and what the training loop asks of it.

A configuration is checked and jobs are planned by a task's class, so PyTorch is imported in the
methods that compute with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ..cells.initial import Initializer, uniform
from ..random.streams import stream
from .settings import Model, Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..cells.base import Cell
    from ..layers.network import Network, Objective

EXAMPLES = ("seed", "sample", "step", "coordinate", "target", "prediction")


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
        score: the number to maximise, one per member; a diverged member scores as if it had learned
            nothing.
        examples: what the networks did on a few samples, one row per seed, sample, step and
            coordinate, with the columns seed, sample, step, coordinate, target, prediction.
    """

    metrics: pd.DataFrame
    score: np.ndarray
    examples: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(EXAMPLES)))


@dataclass(frozen=True)
class Published:
    """The axes and the number of seeds of a task's published study."""

    lengths: tuple[int, ...]
    hidden_sizes: tuple[int, ...]
    layers: tuple[int, ...]
    seeds: int
    parameters: tuple[int, ...] = ()


@dataclass(frozen=True)
class Workload:
    """How much there is to compute.

    Attributes:
        sequences, steps: how many sequences of how many steps a gradient step works on.
        iterations: how many gradient steps a training makes at most.
        numbers: how many numbers of data a member keeps.
    """

    sequences: int
    steps: int
    iterations: int
    numbers: int = 0


class DataSource(Model):
    """Where a task's data set comes from: the ``data`` section of a study. A task adds the keys."""

    def make(self) -> np.ndarray:
        """Make or read the data set, an array of any shape."""
        raise NotImplementedError

    def files(self) -> list[str]:
        """Return the user's files that the data set is read from."""
        return []


class Task(ABC):
    """A task at one length, for a population: member k draws its data from the streams of seed k.

    Args:
        length: the study's length axis (what it means is the task's).
        seeds: one seed per member.
        hyperparameters: for each member, its hyperparameters; a task takes those it knows.
        settings: an instance of the task's ``Settings``.
        device: where the data go.
        data: the data set, for a task that has one (``Data``), else None.
    """

    #: The keys of the study's section ``training``.
    Settings: ClassVar[type[Settings]] = Settings
    #: The keys of the study's section ``data``; None for a task without a data set of its own.
    Data: ClassVar[type[DataSource] | None] = None
    #: Name of the number in ``Outcome.metrics`` that a search's tries are recorded by.
    metric: ClassVar[str]
    #: What an untrained guess reaches on ``metric``; None if it depends on the data, so that every
    #: run has it as the metric ``chance``.
    chance: ClassVar[float | None]
    #: What solving the task means: a metric's value at its last position, "below" or "above" this.
    solved: ClassVar[tuple[str, str, float] | None] = None
    #: What a length is, in words, and the least one.
    length_is: ClassVar[str] = "the number of steps"
    least_length: ClassVar[int] = 1
    #: The hyperparameters that the task itself has, as in ``Cell.search_space``.
    search_space: ClassVar[dict[str, tuple[float, float, str]]] = {}
    #: Whether the loss is a squared error, so that a ridge readout minimises it.
    squared_error: ClassVar[bool] = False
    #: The figures: names of modules of ``rnncells.figures``, or ``package.module:function``.
    figures: ClassVar[tuple[str, ...]] = ("scores",)
    #: The published study, if there is one; its settings are the defaults of ``Settings``.
    published: ClassVar[Published | None] = None
    #: CSV file of published hyperparameters, in ``rnncells/published/`` or with its absolute path.
    published_optima: ClassVar[str | None] = None

    input_size: int
    output_size: int
    input_sizes: Sequence[int] | None = None
    #: Number of gradient steps, unless training stops early.
    steps: int
    #: Number of gradient steps after which the validation score is measured again.
    steps_per_epoch: int

    def __init__(
        self,
        length: int,
        seeds: Sequence[int],
        hyperparameters: Sequence[Mapping[str, float]],
        settings: Any,
        device: torch.device,
        data: np.ndarray | None = None,
    ):
        self.length = length
        self.seeds = list(seeds)
        self.hyperparameters = hyperparameters
        self.settings = settings
        self.device = device
        self.data_set = data

    @classmethod
    def check_plan(
        cls, lengths: Sequence[int], settings: Any, data: Any, cell: Mapping[str, object]
    ) -> None:
        """Refuse what does not go together in a study.

        Args:
            lengths: the study's lengths.
            settings, data: its ``training`` and ``data``.
            cell: the literals among the class attributes of a cell, such as ``causes``.

        Raises:
            ValueError: with the key, a colon, and what is wrong and allowed.
        """
        return

    @classmethod
    def own_lengths(cls, settings: Any) -> list[int] | None:
        """Return the lengths of a study that names none; None if it has to name some."""
        return list(cls.published.lengths) if cls.published else None

    @classmethod
    def best_score(cls, data: Any) -> float:
        """Return the score of a perfect run; 0 is that of a guess."""
        return 1.0

    @classmethod
    def references(cls, settings: Any, folder: Path) -> dict[int, dict[str, float]]:
        """Return errors that others have published: budget of parameters -> model -> error.

        Args:
            settings: the study's ``training``.
            folder: where the published numbers are.
        """
        return {}

    @classmethod
    def limits(cls, data: Any) -> dict[str, tuple[float, float]]:
        """Return the least and the largest value that the data allow hyperparameters to have."""
        return {}

    @classmethod
    def workload(
        cls, length: int, settings: Any, data: Any, hyperparameters: Mapping[str, float]
    ) -> Workload | None:
        """Return how much a member has to compute, from which time and memory are estimated.

        None, the default, stands for gradient steps on ``training.batch_size`` sequences of so many
        steps as the length says, ``training.iterations`` or ``training.epochs`` times: as far as
        the settings have these names, and else for one.
        """
        return None

    def readout_initial(self, hidden_size: int) -> tuple[Initializer, Initializer]:
        """Return the initializers of the readout's weight and bias (default: torch.nn.Linear's)."""
        initial = uniform(hidden_size**-0.5)
        return initial, initial

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
        """Measure the network after ``step`` steps, if that is due; called without gradients.

        Returns:
            the value of each metric for every member and the position on the metric's axis, or
            None if nothing is due.
        """
        return None

    def finished(self, checked: dict[str, np.ndarray]) -> np.ndarray:
        """Return which members need no further training, ``(S,)``, given the checked metrics."""
        return np.zeros(len(self.seeds), dtype=bool)

    def validate(self, network: Network) -> np.ndarray:
        """Return the validation score of every member, ``(S,)``, more is better.

        It is measured on data that are neither trained nor tested on: training stops early by it
        (``patience``), and a grid chooses hyperparameters by it. Called without gradients.
        """
        raise NotImplementedError

    @abstractmethod
    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Evaluate the trained network; called without gradients.

        Args:
            network: the population.
            diverged: for each member, whether its loss stopped being finite.
        """

    def order(self, samples: int, *path: str | int) -> Tensor:
        """Draw each member's order of samples from its stream at ``path``, ``(S, samples)``."""
        return self.to_device(
            np.stack([stream(seed, *path).permutation(samples) for seed in self.seeds])
        )

    def to_device(self, array: np.ndarray) -> Tensor:
        """Copy an array to the task's device, real numbers as float32."""
        import torch

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


def mean_error(batch: Batch, error: str = "squared", last: bool = False) -> Objective:
    """Return the objective of the mean error over samples, coordinates, and all steps or the last.

    Args:
        batch: inputs, and targets ``(S, T, B, output_size)``, or ``(S, B, output_size)`` for the
            last step alone.
        error: ``squared``, or ``logistic`` (the binary cross entropy of a logit).
        last: whether only the last step counts.
    """
    import torch

    from ..layers.network import Objective

    scale = torch.full_like(batch.target, 1 / batch.target[0].numel())
    return Objective(batch.x, batch.target, scale, error, last=last)


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
