"""Adam for a population: one step for all members, each with its own learning rate."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..kernels.backend import Backend, find


class PopulationAdam:
    r"""Adam (Kingma & Ba 2015) over parameters whose first axis is the population.

    .. math::
        m &= \beta_1 m + (1 - \beta_1) g, \qquad v = \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &= \theta - \text{lr}_k\,
            \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Each member gets exactly the steps that :class:`torch.optim.Adam` would give it alone.
    (PyTorch's optimisers have one learning rate per parameter group, and importing them costs each
    job a second.)

    Args:
        parameters: parameters of shape ``(S, ...)``; those without a gradient stay as they are.
        lr: learning rates ``(S,)``.
        betas, eps: as for :class:`torch.optim.Adam`.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: Tensor,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        self.parameters = list(parameters)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        # On the device, so that a step can be recorded as a CUDA graph.
        self.steps = torch.zeros((), dtype=torch.float64, device=lr.device)
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, active: Tensor | None = None) -> None:
        """Make one step for all members, or for those whose entry in ``active`` (S, bool) is True.

        The others stay as they are; a diverged member may hold NaN.
        """
        if active is None:
            active = torch.ones_like(self.lr, dtype=torch.bool)
        self.steps += 1
        # One compiled pass if there is one, else operations that can be recorded as a CUDA graph.
        backend = find(*self.parameters, training_step=True)
        if backend is not None:
            self._step_compiled(backend, active)
        else:
            self._step_by_operations(active)

    def _step_compiled(self, backend: Backend, active: Tensor) -> None:
        learned = [
            (parameter, grad, *moments)
            for parameter, *moments in zip(self.parameters, self.means, self.squares, strict=True)
            if (grad := parameter.grad) is not None and parameter.numel()
        ]
        if learned:
            backend.adam_step(
                *zip(*learned, strict=True), self.lr, active, self.steps, self.betas, self.eps
            )

    def _step_by_operations(self, active: Tensor) -> None:
        beta1, beta2 = self.betas
        rates = self.lr / (1 - beta1**self.steps)
        scale = (1 - beta2**self.steps).sqrt()
        for parameter, m, v in zip(self.parameters, self.means, self.squares, strict=True):
            if (grad := parameter.grad) is None:
                continue
            shape = (-1, *[1] * (parameter.dim() - 1))
            m.lerp_(grad, 1 - beta1)
            v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
            update = m / (v.sqrt().div_(scale).add_(self.eps)) * rates.view(shape)
            parameter.sub_(update.masked_fill_(~active.view(shape), 0.0))
