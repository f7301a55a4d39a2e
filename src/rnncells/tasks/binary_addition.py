"""Binary addition: read two binary numbers bit by bit, and write their sum."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ..network import Network
from ..streams import stream
from .base import Batch, Outcome, Task, example_rows


def draw_sums(rng: np.random.Generator, samples: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of binary numbers with ``length`` digits in all, and add them.

    The first number has d digits, uniform in 1..length-1, the second length - d. A number of d
    digits is uniform in [2^(d-1), 2^d): its top bit is 1. Everything is done bit by bit, so the
    sums are exact at any length.

    Returns:
        operands ``(length + 1, samples, 2)`` and sums ``(length + 1, samples)``, least significant
        bit first, as 0 and 1 of type int8.

    Raises:
        ValueError: if the length is below 2 (each operand needs a digit).
    """
    if length < 2:
        raise ValueError(f"binary addition needs a length of at least 2, got {length}")
    first = rng.integers(1, length, samples)
    digits = np.stack([first, length - first], -1)
    place = np.arange(length + 1)[:, None, None]
    operands = rng.integers(0, 2, (length + 1, samples, 2), dtype=np.int8)
    operands[np.broadcast_to(place == digits - 1, operands.shape)] = 1
    operands[np.broadcast_to(place >= digits, operands.shape)] = 0
    sums = np.empty((length + 1, samples), np.int8)
    carry = np.zeros(samples, np.int8)
    for k, bits in enumerate(operands):
        total = bits.sum(-1, dtype=np.int8) + carry
        sums[k], carry = total & 1, total >> 1
    return operands, sums


class BinaryAddition(Task):
    """Add two binary numbers; train on short ones in a curriculum, test on longer ones.

    The inputs are the two operands' bits, least significant first; the target at every step is the
    sum's bit. The loss is the binary cross entropy over all steps; the accuracy at a length is the
    share of samples with every bit right. The score is the mean accuracy over the lengths tested.

    The length is the longest one trained, counted as the operands' digits together: the network is
    trained on first_length, first_length + 1, ... up to it, one after the other.

    Settings: first_length, epochs_per_length, samples_per_epoch, batch_size, test_length,
    test_samples (accuracy is measured at first_length ... test_length).

    Source: Vecoven, Ernst & Drion 2021 and its public re-implementation in PyTorch.
    """

    metric = "mean_accuracy"
    chance = 0.0
    input_size = 2
    output_size = 1

    def __init__(self, length, seeds, hyperparameters, settings, device, trajectories=None):
        super().__init__(length, seeds, hyperparameters, settings, device)
        self.first_length = min(settings["first_length"], length)
        batches = -(-settings["samples_per_epoch"] // settings["batch_size"])
        self.steps_per_length = settings["epochs_per_length"] * batches
        self.steps = self.steps_per_length * (length - self.first_length + 1)

    def _draw(self, length: int, samples: int, *path: str | int) -> Batch:
        """Draw a batch with inputs ``(S, length + 1, samples, 2)`` and targets ``(..., 1)``."""
        drawn = [
            draw_sums(stream(seed, "binary_addition", *path), samples, length)
            for seed in self.seeds
        ]
        operands, sums = (np.stack(part).astype(np.float32) for part in zip(*drawn, strict=True))
        return Batch(self.to_device(operands), self.to_device(sums).unsqueeze(-1))

    def batch(self, step: int) -> Batch:
        """Draw fresh samples of the length that the curriculum has reached."""
        length = self.first_length + step // self.steps_per_length
        return self._draw(length, self.settings["batch_size"], "train", step)

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Return the mean binary cross entropy over steps and samples."""
        loss = binary_cross_entropy_with_logits(network(batch.x), batch.target, reduction="none")
        return loss.mean((1, 2, 3))

    @torch.no_grad()
    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Measure the accuracy at every test length."""
        lengths = range(self.first_length, self.settings["test_length"] + 1)
        accuracy = np.zeros((len(self.seeds), len(lengths)))
        examples = []
        for k, length in enumerate(lengths):
            test = self._draw(length, self.settings["test_samples"], "test", length)
            logits = network(test.x)
            right = ((logits > 0) == (test.target > 0.5)).all(3).all(1)
            accuracy[:, k] = right.double().mean(1).cpu().numpy()
            if length in (self.first_length, self.length, self.settings["test_length"]):
                examples.append(self._examples(length, logits, test.target))
        accuracy[diverged] = 0.0
        mean = accuracy.mean(1)
        metrics = [
            self.rows("accuracy", "test_length", lengths, accuracy),
            self.rows("mean_accuracy", "none", [0], mean[:, None]),
        ]
        return Outcome(pd.concat(metrics), pd.concat(examples), mean)

    def _examples(self, length: int, logits: Tensor, target: Tensor) -> pd.DataFrame:
        """Show the probability of every bit of a few sums; samples are numbered 100 length + k."""
        shown = min(5, target.size(2))
        arrays = (
            part[:, :, :shown].transpose(1, 2).cpu().numpy()
            for part in (target, torch.sigmoid(logits))
        )
        samples = [100 * length + k for k in range(shown)]
        return example_rows(self.seeds, samples, range(length + 1), *arrays)
