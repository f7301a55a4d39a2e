"""Update-gate recurrent network."""

from typing import Any, Literal

import torch
from torch import Tensor

from . import register
from .activation import state_activation_function
from .base import Cell, State
from .initial import normal, normal_over_rows


@register("UGRNN")
class UGRNN(Cell):
    r"""Update-gate recurrent network.

    .. math::
        u &= \sigma(W_u f(h_{t-1}) + W_{ux} x_t + b_u) \\
        h_t &= u \odot h_{t-1} + (1 - u) \odot \tanh(W_r f(h_{t-1}) + W_x x_t + b_r)

    with f the state activation. The gate and the candidate lie side by side along the output axis
    in the order u, candidate. The output is :math:`f(h)`. Initial weights: :math:`N(0,1)/n`
    (recurrent), :math:`N(0,1)/\text{input\_size}` (input), biases :math:`N(0,1)/10`.

    Args:
        state_activation: f, ``"tanh"`` (the capacity study) or ``"identity"`` (the original cell).

    Weights:
        weight_ih: :math:`W_{ux}, W_x`, ``(input_size, 2n)``.
        weight_hh: :math:`W_u, W_r`, ``(n, 2n)``.
        bias_ih: :math:`b_u, b_r`, ``(2n,)``.

    Source: Collins, Sohl-Dickstein & Sussillo 2016.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        state_activation: Literal["tanh", "identity"] = "tanh",
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.state_activation = state_activation
        self._activate = state_activation_function(state_activation)
        self.add_weight("weight_ih", (input_size, 2 * hidden_size), normal_over_rows)
        self.add_weight("weight_hh", (hidden_size, 2 * hidden_size), normal_over_rows)
        self.add_bias("bias_ih", 2 * hidden_size, normal(0.1))

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        (h,) = state
        gate, candidate = (self._activate(h) @ recurrence + projected).chunk(2, -1)
        candidate = torch.tanh(candidate)
        return (torch.addcmul(candidate, torch.sigmoid(gate), h - candidate),)

    def output(self, h: Tensor) -> Tensor:
        """Return the activated state."""
        return self._activate(h)
