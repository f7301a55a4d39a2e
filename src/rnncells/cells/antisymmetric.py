"""Antisymmetric recurrent network."""

from typing import Any, Literal

import torch
from torch import Tensor

from . import register
from .activation import state_activation_function
from .base import Cell, Hyperparameter, State
from .initial import normal, normal_over_rows


@register("AntisymmetricRNN")
class AntisymmetricRNN(Cell):
    r"""Antisymmetric recurrent network: an Euler step of a stable differential equation.

    .. math::
        h_t = h_{t-1} + \frac{1}{\tau} \tanh(A f(h_{t-1}) + W_x x_t + b - \gamma h_{t-1}),
        \qquad A = V - V^\top

    with V strictly lower-triangular (``weight_hh``, whose other entries are not used) and f the
    state activation. The output is :math:`f(h)`. Initial weights: :math:`V \sim N(0,1)/n`,
    :math:`W_x \sim N(0,1)/\text{input\_size}`, :math:`b \sim N(0,1)/10`.

    Args:
        tau: inverse step size :math:`\tau \ge 1` in steps; a number, or one per member.
        gamma: diffusion :math:`\gamma \ge 0`; a number, or one per member.
        state_activation: f, ``"tanh"`` (the capacity study) or ``"identity"`` (the original cell).

    Weights:
        weight_ih: :math:`W_x`, ``(input_size, n)``.
        weight_hh: V, of which the strictly lower triangle is used, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: Chang, Chen, Haber & Chi 2019.
    """

    search_space = {"tau": (1.0, 100.0, "log"), "gamma": (0.01, 1.0, "log")}
    tau: float | Tensor
    gamma: float | Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        tau: Hyperparameter = 10.0,
        gamma: Hyperparameter = 0.1,
        state_activation: Literal["tanh", "identity"] = "tanh",
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("tau", tau, low=1.0)
        self.add_hyperparameter("gamma", gamma, low=0.0)
        self.state_activation = state_activation
        self._activate = state_activation_function(state_activation)
        self.add_weight("weight_ih", (input_size, hidden_size), normal_over_rows)
        self.add_weight("weight_hh", (hidden_size, hidden_size), normal_over_rows)
        self.add_bias("bias_ih", hidden_size, normal(0.1))

    def recurrence(self) -> Tensor:
        """Return the transpose of A, because states are rows."""
        v = torch.tril(self.weight_hh, -1)
        return v.mT - v

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        (h,) = state
        slope = torch.tanh(self._activate(h) @ recurrence + projected - self.gamma * h)
        return (h + slope / self.tau,)

    def output(self, h: Tensor) -> Tensor:
        """Return the activated state."""
        return self._activate(h)
