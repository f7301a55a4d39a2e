"""Copy first input: after T random numbers, say what the first one was."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ..random.streams import stream
from .base import Batch, Outcome, Published, Task, Workload, example_rows, mean_error
from .settings import BUDGET, Count

if TYPE_CHECKING:
    from torch import Tensor

    from ..layers.network import Network, Objective


class CopyFirstInput(Task):
    r"""Remember the first of T inputs drawn from N(0, 1) until the last step.

    The loss and the metric are the mean squared error of the prediction after the last step;
    predicting 0 gives 1, the variance of the target. Training and test sequences are drawn once.
    The score is the share of the variance explained, max(0, 1 - test MSE). The task is solved below
    a test MSE of 0.1, where the published training ends.

    The length is T.

    Source: Vecoven, Ernst & Drion 2021.
    """

    class Settings(Task.Settings):
        """Training of copy_first_input."""

        train_sequences: Count = Field(
            45_000, description="Training sequences, drawn once.", json_schema_extra=BUDGET
        )
        test_sequences: Count = Field(
            5000, description="Test sequences, drawn once.", json_schema_extra=BUDGET
        )
        validation_sequences: Count = Field(
            5000, description="Validation sequences, drawn once, where validation is asked for."
        )
        batch_size: Count = Field(100, description="Sequences per gradient step.")
        epochs: Count = Field(
            60, description="Passes over the training sequences.", json_schema_extra=BUDGET
        )
        stop_below: float = Field(
            0.1,
            ge=0,
            description="A seed stops after the first epoch with a test error below this; 0 for "
            "never.",
        )

    metric = "final_test_mse"
    chance = 1.0
    solved = ("final_test_mse", "below", 0.1)
    length_is = "the number of inputs"
    squared_error = True
    figures = ("training_loss", "scores")
    published = Published(lengths=(5, 100, 300), hidden_sizes=(100,), layers=(2,), seeds=1)
    input_size = 1
    output_size = 1

    @classmethod
    def workload(cls, length, settings, data, hyperparameters):
        """See the base class."""
        batches = -(-settings.train_sequences // settings.batch_size)
        numbers = (settings.train_sequences + settings.test_sequences) * length
        sequences = min(settings.batch_size, settings.train_sequences)
        return Workload(sequences, length, settings.epochs * batches, numbers)

    def __init__(self, length, seeds, hyperparameters, settings, device, data=None):
        super().__init__(length, seeds, hyperparameters, settings, device, data)
        self.train = self._draw("train", settings.train_sequences)
        self.test = self._draw("test", settings.test_sequences)
        self.steps_per_epoch = -(-settings.train_sequences // settings.batch_size)
        self.steps = settings.epochs * self.steps_per_epoch
        self._order: tuple[int, Tensor] | None = None

    def _draw(self, part: str, sequences: int) -> Tensor:
        """Draw inputs ``(S, sequences, T)``."""
        return self.to_device(
            np.stack(
                [
                    stream(seed, "copy_first_input", part).standard_normal(
                        (sequences, self.length), dtype=np.float32
                    )
                    for seed in self.seeds
                ]
            )
        )

    def batch(self, step: int) -> Batch:
        """Return the next batch of the epoch's own order."""
        import torch

        epoch, within = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            order = self.order(self.train.size(1), "copy_first_input", "order", epoch)
            self._order = epoch, order
        size = self.settings.batch_size
        chosen = self._order[1][:, within * size : (within + 1) * size, None]
        return self._as_batch(torch.take_along_dim(self.train, chosen, 1))

    @staticmethod
    def _as_batch(sequences: Tensor) -> Batch:
        x = sequences.transpose(1, 2).unsqueeze(-1)
        return Batch(x, x[:, 0])

    def objective(self, batch: Batch) -> Objective:
        """Return the objective of the mean squared error after the last step."""
        return mean_error(batch, last=True)

    def regression(self, network: Network) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the last step's features of all training sequences, and the first inputs."""
        import torch

        batches = [self._as_batch(part) for part in self.train.split(1000, 1)]
        features = torch.cat([network.last_features(batch.x) for batch in batches], 1)
        yield from zip(features, self.train[:, :, :1], strict=True)

    def _mse(self, network: Network, sequences: Tensor) -> np.ndarray:
        # Chunks of about a million inputs keep the memory of an evaluation small.
        size = max(1, 1_000_000 // (self.length * len(self.seeds)))
        total = 0.0
        for chunk in sequences.split(size, 1):
            total = total + self.loss(network, self._as_batch(chunk)) * chunk.size(1)
        return (total / sequences.size(1)).double().cpu().numpy()

    @cached_property
    def validation(self) -> Tensor:
        """The validation sequences."""
        return self._draw("validation", self.settings.validation_sequences)

    def validate(self, network: Network) -> np.ndarray:
        """Return the share of the variance explained, on the validation sequences."""
        return 1 - self._mse(network, self.validation)

    def check(self, network: Network, step: int):
        """Measure the test error at the end of every epoch."""
        if step % self.steps_per_epoch:
            return None
        return {"test_mse": self._mse(network, self.test)}, step // self.steps_per_epoch

    def finished(self, checked):
        """Return which members are below ``stop_below``, ``(S,)``."""
        return checked["test_mse"] < self.settings.stop_below

    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Measure the final test error."""
        mse = np.where(diverged, np.nan, self._mse(network, self.test))
        shown = self._as_batch(self.test[:, :20])
        prediction = network.readout(network.last_features(shown.x)).unsqueeze(2)
        return Outcome(
            self.rows("final_test_mse", "none", [0], mse[:, None]),
            np.nan_to_num(np.clip(1 - mse, 0, None), nan=0.0),
            example_rows(
                self.seeds,
                range(prediction.size(1)),
                [self.length],
                shown.target.unsqueeze(2).cpu().numpy(),
                prediction.cpu().numpy(),
            ),
        )
