"""What tasks have in common whose data are labelled sequences, split in three parts.

A task of this kind says how its sequences are drawn, what kind of target they have, and how it is
trained; loss, scores and batches are here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from ..random.streams import stream
from .base import Batch, Outcome, Task, Workload, example_rows
from .settings import Count, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from ..layers.network import Network, Objective

Category = Literal["regression", "classification", "multi_label"]
#: The loss of each kind of target, as a name of ``rnncells.layers.network.ERRORS``.
LOSSES = {
    "regression": "squared",
    "classification": "cross_entropy",
    "multi_label": "logistic",
}
#: About how many numbers an evaluation predicts at a time.
CHUNK = 4_000_000


class Part(NamedTuple):
    """One part of a data set.

    Attributes:
        x: inputs ``(N, T, input_size)``.
        target: ``(N, T, output_size)``: numbers, a one-hot vector, or labels that are 0 or 1.
        mask: which steps count, ``(N, T)``, bool; at the others the target is 0.
    """

    x: np.ndarray
    target: np.ndarray
    mask: np.ndarray


class Extent(NamedTuple):
    """How large a data set is that has not been drawn yet; every number is a lower bound.

    Attributes:
        train, total: training sequences, and those of all three parts.
        steps: the steps of a sequence.
        inputs: the numbers of a step.
    """

    train: int
    total: int
    steps: int
    inputs: int = 1


class SequenceTask(Task):
    """Labelled sequences in three parts, each drawn once: training, validation, test.

    The metric is the error on the test part: the mean squared error of a regression, the share of
    wrong predictions of a classification, the share of wrong labels where there are several. The
    metric ``chance`` is the error of the best constant prediction: the mean, the most frequent
    class, or each label's more frequent value, of the training part. The score is the share of this
    error that is avoided, max(0, 1 - error / chance): 0 at chance level and 1 if all is right.

    A subclass defines :meth:`draw` and sets ``category`` before the base class's ``__init__``, or
    as a class attribute.
    """

    class Settings(Settings):
        """Training on labelled sequences."""

        batch_size: Count = Field(100, description="Sequences per gradient step.")
        epochs: Count = Field(50, description="Passes over the training sequences.")

    category: Category
    metric = "test_error"
    #: It depends on the data: every run measures it as the metric ``chance``.
    chance: ClassVar[float | None] = None
    squared_error = True
    #: The number of sequences kept per seed for the figures.
    shown = 4

    @classmethod
    def extent(cls, length: int, settings: Any, data: Any) -> Extent | None:
        """Return how large a seed's data are, before they are drawn; None if that is unknown."""
        return None

    @classmethod
    def workload(cls, length, settings, data, hyperparameters):
        """See the base class."""
        if (extent := cls.extent(length, settings, data)) is None:
            return None
        return Workload(
            sequences=min(settings.batch_size, extent.train),
            steps=extent.steps,
            iterations=settings.epochs * -(-extent.train // settings.batch_size),
            numbers=extent.total * extent.steps * extent.inputs,
        )

    def __init__(self, length, seeds, hyperparameters, settings, device, data=None):
        super().__init__(length, seeds, hyperparameters, settings, device, data)
        # Members of a grid that share a seed share its data.
        different = list(dict.fromkeys(self.seeds))
        self.member = self.to_device(np.array([different.index(seed) for seed in self.seeds]))
        drawn = [self.draw(seed) for seed in different]
        masks = [part.mask for parts in drawn for part in parts.values()]
        #: Whether only the last step counts.
        self.last = not any(mask[:, :-1].any() for mask in masks)
        self.parts = {name: self._on_device([parts[name] for parts in drawn]) for name in drawn[0]}
        x, target, _ = self.parts["train"]
        self.input_size, self.output_size = x.size(-1), target.size(-1)
        self.sequences = x.size(1)
        self.steps_per_epoch = -(-self.sequences // settings.batch_size)
        self.steps = settings.epochs * self.steps_per_epoch
        self._order: tuple[int, Tensor] | None = None
        self._whole: Batch | None = None

    @abstractmethod
    def draw(self, seed: int) -> dict[str, Part]:
        """Draw or choose a seed's parts ``train``, ``validation`` and ``test``."""

    def _on_device(self, parts: list[Part]) -> tuple[Tensor, Tensor, Tensor]:
        """Stack one part of all seeds: x ``(U, N, T, i)``, target and mask with their last step."""
        x, target, mask = (np.stack(arrays) for arrays in zip(*parts, strict=True))
        if self.last:
            target, mask = target[:, :, -1], mask[:, :, -1]
        return self.to_device(x), self.to_device(target), self.to_device(mask)

    # Training

    def batch(self, step: int) -> Batch:
        """Return the next sequences of the epoch's own order."""
        import torch

        if self.steps_per_epoch == 1:
            if self._whole is None:
                whole = torch.arange(self.sequences, device=self.device)
                self._whole = self._chosen(whole.expand(len(self.seeds), -1))
            return self._whole
        epoch, within = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            order = [
                stream(seed, "sequences", "order", epoch).permutation(self.sequences)
                for seed in self.seeds
            ]
            self._order = epoch, self.to_device(np.stack(order))
        size = self.settings.batch_size
        return self._chosen(self._order[1][:, within * size : (within + 1) * size])

    def _chosen(self, chosen: Tensor) -> Batch:
        """Return training sequences ``(S, B)`` as a batch; its target holds the weights too."""
        import torch

        x, target, mask = (tensor[self.member[:, None], chosen] for tensor in self.parts["train"])
        # The mean is over what counts of the batch; classes of a cross entropy count as one.
        numbers = 1 if self.category == "classification" else self.output_size
        total = mask.flatten(1).sum(1).clamp(min=1) * numbers
        scale = mask / total.view(-1, *[1] * (mask.dim() - 1))
        target = torch.stack([target, scale.unsqueeze(-1).expand_as(target)])
        if not self.last:
            target = target.transpose(2, 3)
        return Batch(x.transpose(1, 2), target)

    def objective(self, batch: Batch) -> Objective:
        """Ask for a small mean error over the steps that count."""
        from ..layers.network import Objective

        target, scale = batch.target
        return Objective(batch.x, target, scale, LOSSES[self.category], last=self.last)

    def regression(self, network: Network) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the features and targets of the steps that count; classes are 0 and 1."""
        found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in self.seeds]
        for features, target, mask in self._passes(network, "train", network.rnn.hidden_size):
            for k in range(len(self.seeds)):
                found[k].append((features[k][mask[k]], target[k][mask[k]]))
        import torch

        for pieces in found:
            features, targets = zip(*pieces, strict=True)
            yield torch.cat(features), torch.cat(targets)

    # Evaluation

    def _passes(
        self, network: Network, part: str, width: int
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield features ``(S, B, [T,] n)``, targets and masks of a part, some sequences a time."""
        x, target, mask = self.parts[part]
        steps = x.size(2)
        size = max(1, CHUNK // (len(self.seeds) * steps * max(width, x.size(-1))))
        for at in range(0, x.size(1), size):
            here = slice(at, at + size)
            inputs = x[:, here][self.member].transpose(1, 2)
            if self.last:
                features = network.last_features(inputs)
            else:
                features = network.features(inputs).transpose(1, 2)
            yield features, target[:, here][self.member], mask[:, here][self.member]

    def _predictions(self, network: Network, part: str) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        width = max(network.rnn.hidden_size, self.output_size)
        for features, target, mask in self._passes(network, part, width):
            flat = features.flatten(1, -2)
            yield network.readout(flat).view(*features.shape[:-1], -1), target, mask

    def thresholds(self, network: Network) -> Tensor | float:
        """Return above which logit a label is predicted, one number or one per member."""
        return 0.0

    def error(self, network: Network, part: str, thresholds: Tensor | float = 0.0) -> np.ndarray:
        """Return every member's error on a part, ``(S,)``."""
        wrong: Any = 0.0
        for predicted, target, mask in self._predictions(network, part):
            if self.category == "regression":
                errors = (predicted - target).double().square().mean(-1)
            elif self.category == "classification":
                errors = (predicted.argmax(-1) != target.argmax(-1)).double()
            else:
                errors = ((predicted >= thresholds) != (target > 0.5)).double().mean(-1)
            # What is masked has no share, whatever a network predicts there.
            wrong = wrong + errors.masked_fill(~mask, 0.0).flatten(1).sum(1)
        count = self.parts[part][2].flatten(1).sum(1)[self.member]
        return (wrong / count).cpu().numpy()

    def validate(self, network: Network) -> np.ndarray:
        """Return minus the error on the validation part."""
        return -self.error(network, "validation")

    def chance_errors(self) -> np.ndarray:
        """Return the error of each member's best constant prediction on its test part, ``(S,)``."""
        errors = []
        for k in range(len(self.parts["train"][0])):
            (_, train, counts), (_, test, tested) = self.parts["train"], self.parts["test"]
            known = train[k][counts[k]].double().mean(0)
            wanted = test[k][tested[k]].double()
            if self.category == "regression":
                error = (wanted - known).square().mean()
            elif self.category == "classification":
                error = (wanted.argmax(-1) != known.argmax()).double().mean()
            else:
                error = (wanted != (known > 0.5)).double().mean()
            errors.append(error.item())
        return np.array(errors)[self.member.cpu().numpy()]

    def outcome(self, network: Network, diverged: np.ndarray) -> Outcome:
        """Measure the error on the test part."""
        error = self.error(network, "test", self.thresholds(network))
        error[diverged] = np.nan
        chance = self.chance_errors()
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.clip(1 - error / chance, 0, 1)
        metrics = [
            self.rows("test_error", "none", [0], error[:, None]),
            self.rows("chance", "none", [0], chance[:, None]),
        ]
        return Outcome(pd.concat(metrics), np.nan_to_num(score), self._examples(network))

    def _examples(self, network: Network) -> pd.DataFrame:
        """Show what comes out for a few test sequences: numbers, or probabilities."""
        import torch

        activate = {
            "regression": lambda y: y,
            "classification": lambda y: y.softmax(-1),
            "multi_label": torch.sigmoid,
        }[self.category]
        predicted, target, mask = next(self._predictions(network, "test"))
        shown = min(self.shown, predicted.size(1))
        steps = self.parts["test"][0].size(2)
        wanted = target.masked_fill(~mask.unsqueeze(-1), torch.nan)[:, :shown]
        arrays = [part[:, :shown].cpu().numpy() for part in (wanted, activate(predicted))]
        if self.last:
            arrays = [array[:, :, None] for array in arrays]
        at = [steps] if self.last else range(1, steps + 1)
        return example_rows(self.seeds, range(shown), at, *arrays)
