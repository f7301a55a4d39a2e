"""Early stopping: a member without improvement for some epochs gets its best epoch's weights."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class Patience:
    """The best epoch so far of every member of a population, and how long ago it was.

    Args:
        epochs: how many epochs in a row may bring no better validation score.
        parameters: what is learned, each ``(S, ...)``.
    """

    def __init__(self, epochs: int, parameters: Sequence[Tensor]):
        self.epochs = epochs
        self.parameters = parameters
        self.best = [parameter.detach().clone() for parameter in parameters]
        members, device = len(parameters[0]), parameters[0].device
        self.score = torch.full((members,), -torch.inf, dtype=torch.float64, device=device)
        self.waited = torch.zeros(members, dtype=torch.int64, device=device)

    @torch.no_grad()
    def tell(self, score: Tensor, active: Tensor) -> Tensor:
        """Take an epoch's validation scores ``(S,)``, and return which members stop, ``(S,)``.

        Members that are not active stay as they are. NaN is no improvement.
        """
        better = active & (score > self.score)
        self.score = torch.where(better, score.to(self.score), self.score)
        for kept, parameter in zip(self.best, self.parameters, strict=True):
            kept[better] = parameter[better]
        self.waited = torch.where(better, 0, self.waited + active)
        return active & (self.waited >= self.epochs)

    @torch.no_grad()
    def restore(self) -> None:
        """Give every member the weights of its best epoch, if it has had one."""
        known = self.score > -torch.inf
        for kept, parameter in zip(self.best, self.parameters, strict=True):
            parameter[known] = kept[known]

    def state(self) -> dict[str, Tensor | list[Tensor]]:
        """Return everything that an interrupted training needs to go on."""
        return {"best": self.best, "score": self.score, "waited": self.waited}

    def load(self, state: Mapping) -> None:
        """Go on from what :meth:`state` returned."""
        for kept, saved in zip(self.best, state["best"], strict=True):
            kept.copy_(saved)
        self.score.copy_(state["score"])
        self.waited.copy_(state["waited"])
