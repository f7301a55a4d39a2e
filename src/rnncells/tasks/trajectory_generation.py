"""Trajectory generation: how many trajectories can a network produce from memory?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from ..cells.initial import Initializer, normal, normal_over_rows
from ..jobs.errors import UserError
from ..random.streams import stream
from .base import Batch, Outcome, Published, Task, Workload, example_rows
from .settings import BUDGET, Count
from .trajectories import Trajectories

if TYPE_CHECKING:
    from torch import Tensor

    from ..layers.network import Network, Objective


logger = logging.getLogger(__name__)


class TrajectoryGeneration(Task):
    r"""Learn p trajectories by heart; the capacity is how many come out right.

    Each sequence starts from a state made of its own latent code, drawn from N(0, 1), and cells
    with causes get a one-hot cause, constant in time. There is no other input: the networks run
    autonomously. The loss is the mean squared error over steps, sequences and coordinates, full
    batch.
    A sequence counts as learned if the mean over its steps of the Euclidean distance to the target
    is below the threshold. The score is 2 * count - p.

    The length is the number of steps: of a trajectory's points every (points // length)-th is kept.

    Hyperparameters: p (rounded), the number of sequences; each member draws its own p out of the
    data set.

    Source: Annabi, Pitti & Quoy 2022 (capacity study).
    """

    class Settings(Task.Settings):
        """Training of trajectory_generation."""

        iterations: Count = Field(
            3000, description="Gradient steps, each on all sequences.", json_schema_extra=BUDGET
        )
        threshold: float = Field(
            0.1,
            gt=0,
            description="A sequence is learned if its mean distance to the target is below this, "
            "in the units of the data.",
        )
        initial_state: Literal["fixed", "learned"] = Field(
            "fixed",
            description="Whether the latent codes that the initial states are made from are "
            "trained. The configurations of the capacity study set `learned` for AntisymmetricRNN "
            "and PC-RNN-GC.",
        )
        feedback: Literal["none", "prediction", "teacher"] = Field(
            "none",
            description="What cells without causes get as input: nothing, their own prediction, or "
            "the target (teacher forcing). Scored with their own prediction in the last two cases. "
            "The cells with HC in their name need `none`.",
        )
        validate_every: Count = Field(
            50, description="Gradient steps of what counts as an epoch for `patience`."
        )
        examples: Count = Field(12, description="Sequences kept per seed for the figures.")

    Data = Trajectories
    metric = "sequences"
    chance = 0.0
    search_space = {"p": (1, 250, "integer")}
    squared_error = True
    figures = ("capacity", "trajectories")
    published = Published(lengths=(60,), hidden_sizes=(30, 40, 60), layers=(1,), seeds=10)
    published_optima = "capacity_optima.csv"

    @classmethod
    def check_plan(cls, lengths, settings, data, cell) -> None:
        """Refuse lengths beyond the data's, and settings that exclude each other."""
        if settings.readout == "ridge" and settings.initial_state == "learned":
            raise ValueError("training.initial_state: 'learned' does not go with ridge")
        if settings.feedback != "none" and cell.get("causes"):
            raise ValueError("training.feedback: the cell has causes as its input; allowed: none")
        _, points, _ = data.shape()
        if max(lengths) > points:
            raise ValueError(
                f"lengths: {max(lengths)} is longer than the trajectories; the most allowed is "
                f"{'data.points' if data.file is None else 'the points in data.file'}, {points}"
            )

    @classmethod
    def best_score(cls, data) -> float:
        """Return the number of trajectories; a file has as many as the published one."""
        return float(250 if data.file is not None else data.trajectories)

    @classmethod
    def limits(cls, data) -> dict[str, tuple[float, float]]:
        """Return the numbers of sequences that the data have."""
        return {"p": (1, data.shape()[0])}

    @classmethod
    def workload(cls, length, settings, data, hyperparameters):
        """See the base class."""
        p = round(hyperparameters.get("p", 1))
        numbers = p * length * data.shape()[2]
        return Workload(p, length, settings.iterations, numbers)

    def __init__(self, length, seeds, hyperparameters, settings, device, data=None):
        super().__init__(length, seeds, hyperparameters, settings, device, data)
        data = thin(data, length)
        self.sizes = [round(member["p"]) for member in hyperparameters]
        for p in self.sizes:
            if not 1 <= p <= len(data):
                raise UserError(
                    f"hyperparameters: p is {p}, which the data set does not have; "
                    f"allowed: 1 to {len(data)}"
                )
        self.steps = settings.iterations
        self.steps_per_epoch = settings.validate_every
        self.feedback = settings.feedback
        self.largest = max(self.sizes)
        self.output_size = data.shape[2]
        spread = np.linalg.norm(data - data.mean((0, 1)), axis=-1).mean()
        _explain(settings.threshold, float(data.min()), float(data.max()), float(spread))
        targets = np.full((len(seeds), length, self.largest, self.output_size), np.nan)
        for k, (seed, p) in enumerate(zip(seeds, self.sizes, strict=True)):
            chosen = stream(seed, "trajectory_generation", "choice").permutation(len(data))[:p]
            targets[k, :, :p] = data[chosen].swapaxes(0, 1)
        # Members with fewer sequences than the largest are padded; what is padded has no weight.
        real = ~np.isnan(targets[:, 0, :, 0])
        self.real = self.to_device(real)
        numbers = self.output_size * length * np.array(self.sizes)
        weight = real[:, None, :, None] / numbers[:, None, None, None]
        self.weight = self.to_device(weight * np.ones_like(targets))
        self.target = self.to_device(np.nan_to_num(targets))
        self.codes: Tensor | None = None

    def fit_to(self, cell: type) -> None:
        """Make the input: one-hot causes, the previous target (feedback), or width 0."""
        import torch

        members, steps, p, _ = self.target.shape
        self.causes = cell.causes
        if self.causes:
            self.input_sizes = self.sizes
            x = torch.eye(p, device=self.device).expand(members, steps, p, p)
        elif self.feedback == "none":
            x = torch.empty(members, 1, p, 0, device=self.device).expand(-1, steps, -1, -1)
        else:
            # The target of the step before; "prediction" puts the network's own output there.
            x = torch.cat([torch.zeros_like(self.target[:, :1]), self.target[:, :-1]], 1)
        self.input_size = x.size(-1)
        self.data = Batch(x, self.target)

    def readout_initial(self, hidden_size: int) -> tuple[Initializer, Initializer]:
        """Return the initializers of the capacity study: N(0, 1) / n and N(0, 1) / 10."""
        return normal_over_rows, normal(0.1)

    def prepare(self, network: Network) -> None:
        """Draw the latent codes, and let the network learn them if the study says so."""
        draws = [
            stream(seed, "trajectory_generation", "keys").standard_normal(
                (self.largest, network.rnn.code_size)
            )
            for seed in self.seeds
        ]
        self.codes = self.to_device(np.stack(draws))
        if self.settings.initial_state == "learned":
            network.learn_codes(self.codes)

    def batch(self, step: int) -> Batch:
        """Return the whole data, the same at every step."""
        return self.data

    def objective(self, batch: Batch) -> Objective | None:
        """Return the objective of the mean squared error over steps, sequences and coordinates."""
        from ..layers.network import Objective

        if self.feedback == "prediction":
            return None
        return Objective(batch.x, batch.target, self.weight, codes=self.codes)

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """See the base class."""
        from ..layers.network import squared, weighted_sum

        if self.feedback == "prediction":
            predicted = network.feed_back(self.length, self.codes)
            return weighted_sum(squared(predicted, batch.target), self.weight)
        return super().loss(network, batch)

    def regression(self, network: Network) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the features and targets of all steps of each member's sequences."""
        features = network.features(self.data.x, self.codes)
        for k, p in enumerate(self.sizes):
            yield features[k, :, :p].flatten(0, 1), self.target[k, :, :p].flatten(0, 1)

    def generate(self, network: Network) -> Tensor:
        """Return what the network generates without targets, ``(S, T, p, D)``."""
        if self.feedback != "none":
            return network.feed_back(self.length, self.codes)
        return network(self.data.x, self.codes)

    def _errors(self, predicted: Tensor) -> np.ndarray:
        """Return the mean distance to the target of each sequence, ``(S, p)``."""
        import torch

        distance = torch.linalg.vector_norm(predicted - self.target, dim=-1).mean(1)
        return distance.double().cpu().numpy()

    def _count(self, errors: np.ndarray) -> np.ndarray:
        """Return how many sequences each member has learned."""
        return ((errors < self.settings.threshold) & self.real.cpu().numpy()).sum(1)

    def validate(self, network: Network) -> np.ndarray:
        """Return the score on the training sequences: a memory task has no held-out data."""
        return 2.0 * self._count(self._errors(self.generate(network))) - np.array(self.sizes)

    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Count the sequences that the network generates."""
        predicted = self.generate(network)
        error = self._errors(predicted)
        error[diverged] = np.nan
        real = self.real.cpu().numpy()
        count = self._count(error)
        p = np.array(self.sizes)
        errors = self.rows("sequence_error", "sequence", range(self.largest), error)
        metrics = [
            self.rows("sequences", "none", [0], count[:, None]),
            self.rows("p", "none", [0], p[:, None]),
            self.rows("score", "none", [0], (2 * count - p)[:, None]),
            errors[real.reshape(-1)],
        ]
        shown = min(self.settings.examples, self.largest)
        target = np.where(real[:, None, :, None], self.target.cpu().numpy(), np.nan)
        examples = example_rows(
            self.seeds,
            range(shown),
            range(self.length),
            target[:, :, :shown].swapaxes(1, 2),
            predicted[:, :, :shown].transpose(1, 2).cpu().numpy(),
        )
        return Outcome(pd.concat(metrics), (2 * count - p).astype(float), examples)


@cache
def _explain(threshold: float, low: float, high: float, spread: float) -> None:
    """Say in the log, once, what a threshold means.

    Args:
        threshold: the setting.
        low, high: the range of the coordinates.
        spread: mean distance of the points to their mean.
    """
    logger.info(
        "coordinates from %.3g to %.3g; a sequence is learned if it is off by less than %g on "
        "average (a network that stays in the middle is off by %.3g)",
        *(low, high, threshold, spread),
    )
    if not 0.005 * spread < threshold < 0.5 * spread:
        logger.warning(
            "the threshold %g goes badly with these coordinates: adapt training.threshold, or "
            "data.scale (published: coordinates within about ±1.2, threshold 0.1)",
            threshold,
        )


def thin(trajectories: np.ndarray | None, length: int) -> np.ndarray:
    """Keep ``length`` evenly spaced points of trajectories ``(N, points, D)``.

    Raises:
        ValueError: if there are no trajectories.
        UserError: if they have fewer points than ``length``.
    """
    if trajectories is None:
        raise ValueError("trajectory_generation needs trajectories")
    points = trajectories.shape[1]
    if length > points:
        raise UserError(
            f"lengths: {length} is longer than the trajectories of the data set; "
            f"the most allowed is {points}"
        )
    return trajectories[:, :: points // length][:, :length]
