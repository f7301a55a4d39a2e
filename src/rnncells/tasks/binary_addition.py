"""Binary addition: read two binary numbers bit by bit, and write their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field

from .base import Batch, Outcome, Published, Task, Workload, example_rows, mean_error
from .settings import BUDGET, Count

if TYPE_CHECKING:
    from torch import Tensor

    from ..layers.network import Network, Objective

#: Numbers are kept in limbs of 62 bits: two of them and a carry add up within 64 bits.
LIMB = 62


def draw_sums(keys: Tensor, step: int, samples: int, length: int) -> tuple[Tensor, Tensor]:
    """Draw pairs of binary numbers with ``length`` digits in all, and add them.

    The first number has d digits, uniform in 1..length-1, the second length - d. A number of d
    digits is uniform in [2^(d-1), 2^d): its top bit is 1. The sums are exact at any length.

    Args:
        keys: each member's key, ``(S,)`` (see :mod:`rnncells.random.splitmix`).
        step: which of a key's draws; different steps are independent.
        samples: pairs per member.
        length: digits of the two numbers together.

    Returns:
        operands ``(S, length + 1, samples, 2)`` and sums ``(S, length + 1, samples, 1)``, least
        significant bit first, as 0 and 1 of type float32.

    Raises:
        ValueError: if the length is below 2 (each operand needs a digit).
    """
    import torch

    from ..random.splitmix import below, words

    if length < 2:
        raise ValueError(f"binary addition needs a length of at least 2, got {length}")
    limbs = length // LIMB + 1
    drawn = words(keys, step, samples * (1 + 2 * limbs)).view(len(keys), samples, 1 + 2 * limbs)
    first = 1 + below(drawn[..., 0], length - 1)
    digits = torch.stack([first, length - first], -1)
    # Each limb keeps its random bits below the number's top bit, and gets a 1 there.
    below_top = digits[..., None] - 1 - LIMB * torch.arange(limbs, device=keys.device)
    random = below_top.clamp(0, LIMB)
    top = (below_top == random) & (random < LIMB)
    operands = drawn[..., 1:].view(len(keys), samples, 2, limbs)
    operands = (operands & (1 << random) - 1) | top.long() << random
    return _bits(operands, length + 1), _bits(_sums(operands), length + 1)


def _sums(operands: Tensor) -> Tensor:
    """Add two numbers limb by limb, ``(S, samples, 2, limbs)`` to ``(S, samples, 1, limbs)``."""
    import torch

    sums, carry = [], 0
    for both in operands.sum(-2, keepdim=True).unbind(-1):
        total = both + carry
        sums.append(total & (1 << LIMB) - 1)
        carry = total >> LIMB
    return torch.stack(sums, -1)


def _bits(numbers: Tensor, count: int) -> Tensor:
    """Write out the lowest bits, ``(S, samples, k, limbs)`` to ``(S, count, samples, k)``."""
    import torch

    places = (torch.arange(count, device=numbers.device) % LIMB)[:, None, None].split(LIMB)
    limbs = numbers.unsqueeze(1).unbind(-1)
    shifted = [limb >> place for limb, place in zip(limbs, places, strict=True)]
    return torch.cat(shifted, 1).bitwise_and_(1).float()


def _accuracy(logits: Tensor, target: Tensor) -> np.ndarray:
    """Return each member's share of samples with every bit right, of ``(S, T, samples, 1)``."""
    right = ((logits > 0) == (target > 0.5)).all(3).all(1)
    return right.double().mean(1).cpu().numpy()


class BinaryAddition(Task):
    """Add two binary numbers; train on short ones in a curriculum, test on longer ones.

    The inputs are the two operands' bits, least significant first; the target at every step is the
    sum's bit. The loss is the binary cross entropy over all steps; the accuracy at a length is the
    share of samples with every bit right. The score is the mean accuracy over the lengths tested.
    The task is solved above an accuracy of 0.9 at the greatest of them.

    At each length of the curriculum the samples are drawn once and shuffled for every epoch, or
    drawn afresh in every epoch (``fresh``).

    The length is the longest one trained, counted as the operands' digits together: the network is
    trained on first_length, first_length + 1, ... up to it, one after the other.

    Source: Vecoven, Ernst & Drion 2021 and its public re-implementation in PyTorch.
    """

    class Settings(Task.Settings):
        """Training of binary_addition."""

        first_length: int = Field(
            3,
            ge=2,
            le=1_000_000_000,
            description="Shortest trained length; the curriculum goes from it to the study's "
            "length, one by one.",
        )
        epochs_per_length: Count = Field(
            15, description="Epochs at each length of the curriculum.", json_schema_extra=BUDGET
        )
        samples_per_epoch: Count = Field(
            10_000, description="Samples per epoch.", json_schema_extra=BUDGET
        )
        fresh: bool = Field(
            False,
            description="Whether every epoch has samples of its own. As published, the samples of "
            "a length are drawn once, and every epoch shuffles them.",
        )
        batch_size: Count = Field(200, description="Samples per gradient step.")
        test_length: int = Field(
            60,
            ge=2,
            le=1_000_000_000,
            description="Longest tested length.",
            json_schema_extra=BUDGET,
        )
        test_samples: Count = Field(
            1000, description="Fresh samples per tested length.", json_schema_extra=BUDGET
        )

    metric = "mean_accuracy"
    chance = 0.0
    solved = ("accuracy", "above", 0.9)
    length_is = "the longest trained sum of both operands' digits"
    least_length = 2
    figures = ("accuracy", "scores")
    published = Published(lengths=(20,), hidden_sizes=(100,), layers=(1, 2), seeds=5)
    input_size = 2
    output_size = 1

    @classmethod
    def workload(cls, length, settings, data, hyperparameters):
        """See the base class."""
        lengths = max(1, length - settings.first_length + 1)
        batches = -(-settings.samples_per_epoch // settings.batch_size)
        iterations = lengths * settings.epochs_per_length * batches
        return Workload(min(settings.batch_size, settings.samples_per_epoch), length, iterations)

    def __init__(self, length, seeds, hyperparameters, settings, device, data=None):
        from ..random.splitmix import member_keys

        super().__init__(length, seeds, hyperparameters, settings, device, data)
        self.first_length = min(settings.first_length, length)
        self.steps_per_epoch = -(-settings.samples_per_epoch // settings.batch_size)
        self.steps_per_length = settings.epochs_per_length * self.steps_per_epoch
        self.steps = self.steps_per_length * (length - self.first_length + 1)
        self.train_keys, self.test_keys, self.validation_keys = (
            member_keys(self.seeds, "binary_addition", part).to(device)
            for part in ("train", "test", "validation")
        )
        self._samples: tuple[int, Batch] | None = None
        self._order: tuple[int, Tensor] | None = None

    @classmethod
    def check_plan(cls, lengths, settings, data, cell) -> None:
        """Refuse a longest tested length below the shortest trained one."""
        first = min(settings.first_length, *lengths)
        if settings.test_length < first:
            raise ValueError(
                f"training.test_length: {settings.test_length} is below the first trained length, "
                f"{first}"
            )

    def batch(self, step: int) -> Batch:
        """Return samples of the length that the curriculum has reached."""
        import torch

        length = self.first_length + step // self.steps_per_length
        size = self.settings.batch_size
        if self.settings.fresh:
            return Batch(*draw_sums(self.train_keys, step, size, length))
        samples = self.settings.samples_per_epoch
        if self._samples is None or self._samples[0] != length:
            drawn = draw_sums(self.train_keys, length, samples, length)
            self._samples = length, Batch(*drawn)
        epoch, within = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, self.order(samples, "binary_addition", "order", epoch)
        chosen = self._order[1][:, None, within * size : (within + 1) * size, None]
        of_length = self._samples[1]
        return Batch(
            torch.take_along_dim(of_length.x, chosen, 2),
            torch.take_along_dim(of_length.target, chosen, 2),
        )

    def test(self, length: int) -> Batch:
        """Draw the samples that measure the accuracy at ``length``."""
        return Batch(*draw_sums(self.test_keys, length, self.settings.test_samples, length))

    def objective(self, batch: Batch) -> Objective:
        """Return the objective of the mean binary cross entropy over steps and samples."""
        return mean_error(batch, "logistic")

    def validate(self, network: Network) -> np.ndarray:
        """Return the mean accuracy over the trained lengths, on as many fresh samples as tested."""
        samples, accuracies = self.settings.test_samples, []
        for length in range(self.first_length, self.length + 1):
            x, target = draw_sums(self.validation_keys, length, samples, length)
            accuracies.append(_accuracy(network(x), target))
        return np.mean(accuracies, 0)

    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Measure the accuracy at every test length."""
        lengths = range(self.first_length, self.settings.test_length + 1)
        accuracy = np.zeros((len(self.seeds), len(lengths)))
        examples = []
        for k, length in enumerate(lengths):
            test = self.test(length)
            logits = network(test.x)
            accuracy[:, k] = _accuracy(logits, test.target)
            if length in (self.first_length, self.length, self.settings.test_length):
                examples.append(self._examples(length, logits, test.target))
        accuracy[diverged] = 0.0
        mean = accuracy.mean(1)
        metrics = [
            self.rows("accuracy", "test_length", lengths, accuracy),
            self.rows("mean_accuracy", "none", [0], mean[:, None]),
        ]
        return Outcome(pd.concat(metrics), mean, pd.concat(examples))

    def _examples(self, length: int, logits: Tensor, target: Tensor) -> pd.DataFrame:
        """Show the probability of every bit of a few sums; samples are numbered 100 length + k."""
        import torch

        shown = min(5, target.size(2))
        arrays = (
            part[:, :, :shown].transpose(1, 2).cpu().numpy()
            for part in (target, torch.sigmoid(logits))
        )
        samples = [100 * length + k for k in range(shown)]
        return example_rows(self.seeds, samples, range(length + 1), *arrays)
