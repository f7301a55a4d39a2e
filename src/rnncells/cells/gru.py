"""Gated recurrent unit."""

from typing import Any

import torch
from torch import Tensor

from . import register
from .base import Cell, State, row
from .initial import uniform


@register("GRU")
class GRU(Cell):
    r"""Gated recurrent unit, as :class:`torch.nn.GRUCell`.

    .. math::
        r &= \sigma(W_{rx} x_t + b_{rx} + W_{rh} h_{t-1} + b_{rh}) \\
        z &= \sigma(W_{zx} x_t + b_{zx} + W_{zh} h_{t-1} + b_{zh}) \\
        c &= \tanh(W_{cx} x_t + b_{cx} + r \odot (W_{ch} h_{t-1} + b_{ch})) \\
        h_t &= z \odot h_{t-1} + (1 - z) \odot c

    The gates lie side by side along the output axis in PyTorch's order r, z, c. The output is h.
    Initial weights and biases: :math:`U(-1/\sqrt n, 1/\sqrt n)`.

    Weights:
        weight_ih: :math:`W_{\cdot x}`, the blocks r, z, c, ``(input_size, 3n)``.
        weight_hh: :math:`W_{\cdot h}`, the same blocks, ``(n, 3n)``.
        bias_ih, bias_hh: :math:`b_{\cdot x}, b_{\cdot h}`, the same blocks, ``(3n,)``.

    Source: Cho et al. 2014.
    """

    bias_hh: Tensor | None

    def __init__(self, input_size: int, hidden_size: int, **common: Any) -> None:
        super().__init__(input_size, hidden_size, **common)
        initial = uniform(hidden_size**-0.5)
        self.add_weight("weight_ih", (input_size, 3 * hidden_size), initial)
        self.add_weight("weight_hh", (hidden_size, 3 * hidden_size), initial)
        self.add_bias("bias_ih", 3 * hidden_size, initial)
        self.add_bias("bias_hh", 3 * hidden_size, initial)

    def recurrence(self) -> tuple[Tensor, ...]:
        """Return the recurrent weights and the recurrent bias, which is 0 if there is none."""
        if self.bias_hh is None:
            return self.weight_hh, torch.zeros_like(self.weight_hh[..., :1, :])
        return self.weight_hh, row(self.bias_hh)

    def step(self, projected: Tensor, state: State, recurrence: tuple[Tensor, ...]) -> State:
        """Advance by one step."""
        (h,) = state
        weight, bias = recurrence
        recurrent = h @ weight + bias
        n = self.hidden_size
        to_gates, to_candidate = projected.split([2 * n, n], -1)
        from_gates, from_candidate = recurrent.split([2 * n, n], -1)
        reset, update = torch.sigmoid(to_gates + from_gates).chunk(2, -1)
        candidate = torch.tanh(to_candidate + reset * from_candidate)
        return (torch.addcmul(candidate, update, h - candidate),)
