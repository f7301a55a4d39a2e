"""Denoising: recall five marked numbers out of a long sequence of them."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..random.streams import stream
from .base import Published
from .sequences import Extent, Part, SequenceTask
from .settings import BUDGET, Count

#: What the second input says of a number.
NOISE, MARKED, RECALL = -1.0, 0.0, 1.0


class Denoising(SequenceTask):
    """Recall the marked ones of T random numbers, in order, after the last of them.

    The inputs of a step are a number drawn from N(0, 1) and a marker, which is -1, or 0 at the few
    steps whose number is to be recalled; a last step with the inputs 0 and 1 asks for them, all at
    once. With a gap no number is marked in the last steps. The loss and the error are the mean
    squared error; predicting 0 gives 1, the variance of the numbers.

    The length is T.

    Source: Vecoven, Ernst & Drion 2021 (their second benchmark: T = 400, five numbers, a gap of 0
    or 200, 40,000 steps of 100 sequences, four layers of 100 units, 50,000 test sequences).
    """

    class Settings(SequenceTask.Settings):
        """Training of denoising."""

        marked: Count = Field(5, description="Numbers to be recalled.")
        gap: int = Field(
            0,
            ge=0,
            le=1_000_000,
            description="Last inputs of which none is marked. Published: 0 and 200.",
        )
        train_sequences: Count = Field(
            45_000, description="Training sequences, drawn once.", json_schema_extra=BUDGET
        )
        validation_sequences: Count = Field(5000, description="Validation sequences, drawn once.")
        test_sequences: Count = Field(
            50_000, description="Test sequences, drawn once.", json_schema_extra=BUDGET
        )
        epochs: Count = Field(
            89, description="Passes over the training sequences.", json_schema_extra=BUDGET
        )

    category = "regression"
    length_is = "the number of inputs"
    published = Published(lengths=(400,), hidden_sizes=(100,), layers=(4,), seeds=1)

    @classmethod
    def check_plan(cls, lengths, settings, data, cell) -> None:
        """Refuse sequences that are too short for what is to be marked."""
        if (shortest := min(lengths)) < settings.gap + settings.marked:
            raise ValueError(
                f"lengths: {shortest} is too short; the least allowed is training.gap + "
                f"training.marked, {settings.gap + settings.marked}"
            )

    @classmethod
    def extent(cls, length, settings, data) -> Extent:
        """See the base class."""
        train = settings.train_sequences
        total = train + settings.validation_sequences + settings.test_sequences
        return Extent(train, total, steps=length + 1, inputs=2)

    def draw(self, seed: int) -> dict[str, Part]:
        """Draw all three parts."""
        return {
            part: self._draw(seed, part, getattr(self.settings, f"{part}_sequences"))
            for part in ("train", "validation", "test")
        }

    def _draw(self, seed: int, part: str, sequences: int) -> Part:
        rng, settings = stream(seed, "denoising", part), self.settings
        numbers = rng.standard_normal((sequences, self.length), dtype=np.float32)
        order = rng.random((sequences, self.length - settings.gap)).argpartition(
            settings.marked - 1, axis=1
        )
        marked = np.sort(order[:, : settings.marked], axis=1)
        x = np.zeros((sequences, self.length + 1, 2), np.float32)
        x[:, :-1, 0] = numbers
        x[:, :-1, 1] = NOISE
        np.put_along_axis(x[:, :, 1], marked, MARKED, axis=1)
        x[:, -1, 1] = RECALL
        target = np.zeros((sequences, self.length + 1, settings.marked), np.float32)
        target[:, -1] = np.take_along_axis(numbers, marked, axis=1)
        mask = np.zeros((sequences, self.length + 1), bool)
        mask[:, -1] = True
        return Part(x, target, mask)
