"""One gradient step of a population, on any device."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..layers.network import Network
from ..tasks.base import Batch, Task
from .adam import PopulationAdam
from .cuda_graph import CUDAGraph
from .fused import FusedLoss


class TrainingStep:
    """Data, forward pass, loss, backward pass and Adam for all members, and a record of it.

    A member whose loss is not finite, or that was taken out of ``active``, stays as it is from then
    on. All state is in tensors on the task's device and a step does not synchronise with it, so
    that on a GPU the whole step is a CUDA graph (:mod:`rnncells.training.cuda_graph`).

    Args:
        task: the task.
        network: the network, on the task's device.
        rates: learning rate of each member.

    Attributes:
        optimiser: the optimiser of the network's parameters.
        made: the number of steps so far.
        active: which members train on, ``(S,)``.
        steps_made: the number of steps that each member made, ``(S,)``.
        losses: each member's losses, ``(S, task.steps)``; only the first ``steps_made`` count.
    """

    def __init__(self, task: Task, network: Network, rates: Sequence[float]):
        self.task = task
        self.network = network
        members, device = len(task.seeds), task.device
        self.optimiser = PopulationAdam(
            [p for p in network.parameters() if p.requires_grad],
            torch.tensor(rates, dtype=torch.float32, device=device),
        )
        self.active = torch.ones(members, dtype=torch.bool, device=device)
        self.steps_made = torch.zeros(members, dtype=torch.int64, device=device)
        self.losses = torch.zeros(members, task.steps, device=device)
        self._fused_loss = FusedLoss(network)
        self.made = 0
        self._next = torch.zeros(1, dtype=torch.int64, device=device)
        self._run = CUDAGraph(self._advance) if device.type == "cuda" else self._advance

    def __call__(self) -> None:
        """Make the next step."""
        self._run(self.task.batch(self.made))
        self.made += 1

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that a step changes, by name: views, through which it can be set."""
        found = {
            "active": self.active,
            "steps_made": self.steps_made,
            "losses": self.losses,
            "next": self._next,
            "adam.steps": self.optimiser.steps,
        }
        learned = [name for name, p in self.network.named_parameters() if p.requires_grad]
        for kind in ("parameters", "means", "squares"):
            for name, tensor in zip(learned, getattr(self.optimiser, kind), strict=True):
                found[f"{kind}.{name}"] = tensor.detach()
        return found

    def _descend(self, batch: Batch) -> Tensor:
        """Return each member's loss, ``(S,)``, and leave the gradients with the parameters."""
        objective = self.task.objective(batch)
        if objective is not None and (loss := self._fused_loss(objective)) is not None:
            return loss
        loss = self.task.loss(self.network, batch)
        # Members do not mix, so one member's NaN stays with it in the backward pass.
        loss.sum().backward()
        return loss.detach()

    def _advance(self, batch: Batch) -> None:
        loss = self._descend(batch)
        self.losses.index_copy_(1, self._next, loss[:, None])
        self._next += 1
        self.steps_made += self.active
        self.active &= loss.abs() < torch.inf
        self.optimiser.step(self.active)
        for parameter in self.optimiser.parameters:
            parameter.grad = None
