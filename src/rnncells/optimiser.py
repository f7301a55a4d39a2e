"""Adam for a population: one step for all members, each with its own learning rate."""

import torch
from torch import Tensor


class PopulationAdam(torch.optim.Optimizer):
    r"""Adam (Kingma & Ba 2015) over parameters whose first axis is the population.

    .. math::
        m &= \beta_1 m + (1 - \beta_1) g, \qquad v = \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &= \theta - \text{lr}_k\,
            \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Each member gets exactly the steps that :class:`torch.optim.Adam` would give it alone.

    Args:
        params: parameters of shape ``(S, ...)``.
        lr: learning rates ``(S,)``.
        betas, eps: as for :class:`torch.optim.Adam`.
    """

    def __init__(self, params, lr: Tensor, betas: tuple[float, float] = (0.9, 0.999), eps=1e-8):
        super().__init__(params, {"betas": betas, "eps": eps})
        self.lr = lr

    @torch.no_grad()
    def step(self, active: Tensor | None = None) -> None:
        """Make one step for the members whose entry in ``active`` (S, bool) is True."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["step"] = 0
                    state["m"] = torch.zeros_like(parameter)
                    state["v"] = torch.zeros_like(parameter)
                state["step"] += 1
                grad, m, v = parameter.grad, state["m"], state["v"]
                m.lerp_(grad, 1 - beta1)
                v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                scale = (1 - beta2 ** state["step"]) ** 0.5
                denominator = v.sqrt().div_(scale).add_(group["eps"])
                shape = (-1, *[1] * (parameter.dim() - 1))
                rate = (self.lr / (1 - beta1 ** state["step"])).view(shape)
                update = (m / denominator).mul_(rate)
                if active is not None:
                    # A stopped or diverged member may hold NaN, so it is selected away.
                    update = torch.where(active.view(shape), update, 0.0)
                parameter.sub_(update)
