"""Long short-term memory."""

from typing import Any

import torch
from torch import Tensor

from . import register
from .base import Cell, State
from .initial import uniform


@register("LSTM")
class LSTM(Cell):
    r"""Long short-term memory, as :class:`torch.nn.LSTMCell`.

    .. math::
        i, f, o &= \sigma(W_{\cdot x} x_t + b_{\cdot x} + W_{\cdot h} h_{t-1} + b_{\cdot h}) \\
        g &= \tanh(W_{gx} x_t + b_{gx} + W_{gh} h_{t-1} + b_{gh}) \\
        c_t &= f \odot c_{t-1} + i \odot g, \qquad h_t = o \odot \tanh(c_t)

    The gates lie side by side along the output axis in PyTorch's order i, f, g, o. The state is
    (h, c); the output is h. Initial weights and biases: :math:`U(-1/\sqrt n, 1/\sqrt n)`. A latent
    code becomes :math:`c_0 = \text{code}` and :math:`h_0 = \tanh(\text{code})`.

    Weights:
        weight_ih: :math:`W_{\cdot x}`, the blocks i, f, g, o, ``(input_size, 4n)``.
        weight_hh: :math:`W_{\cdot h}`, the same blocks, ``(n, 4n)``.
        bias_ih, bias_hh: :math:`b_{\cdot x}, b_{\cdot h}`, the same blocks, ``(4n,)``.

    Source: Hochreiter & Schmidhuber 1997.
    """

    state_names = ("h", "c")
    bias_hh: Tensor | None

    def __init__(self, input_size: int, hidden_size: int, **common: Any) -> None:
        super().__init__(input_size, hidden_size, **common)
        initial = uniform(hidden_size**-0.5)
        self.add_weight("weight_ih", (input_size, 4 * hidden_size), initial)
        self.add_weight("weight_hh", (hidden_size, 4 * hidden_size), initial)
        self.add_bias("bias_ih", 4 * hidden_size, initial)
        self.add_bias("bias_hh", 4 * hidden_size, initial)

    def projection(self) -> tuple[Tensor, Tensor | None]:
        """Return those of all four gates, with the sum of both biases."""
        bias = self.bias_ih
        if bias is not None and self.bias_hh is not None:
            bias = bias + self.bias_hh
        return self.weight_ih, bias

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        h, c = state
        i, f, g, o = (h @ recurrence + projected).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def state_from_code(self, code: Tensor) -> State:
        """Return h = tanh(code), c = code."""
        return torch.tanh(code), code
