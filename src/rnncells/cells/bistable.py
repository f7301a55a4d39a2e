"""Bistable cells: BRC and nBRC."""

from typing import Any

import torch
from torch import Tensor

from . import register
from .base import Cell, State, row
from .initial import ones, orthogonal, side_by_side, xavier_uniform, zeros


class Bistable(Cell):
    """What BRC and nBRC share: the update, given the recurrent part of the two gates."""

    def __init__(self, input_size: int, hidden_size: int, **common: Any) -> None:
        super().__init__(input_size, hidden_size, **common)
        n = hidden_size
        self.add_weight("weight_ih", (input_size, 3 * n), side_by_side(xavier_uniform, 3))
        self.add_bias("bias_ih", 2 * n, zeros)

    def projection(self) -> tuple[Tensor, Tensor | None]:
        """Return those of feedback, update gate and candidate (which has no bias)."""
        bias = self.bias_ih
        if bias is not None:
            bias = torch.cat([bias, torch.zeros_like(bias[..., : self.hidden_size])], -1)
        return self.weight_ih, bias

    def recurrent_gates(self, h: Tensor, recurrence: Tensor) -> tuple[Tensor, Tensor]:
        """Return the state's part of feedback and update gate."""
        raise NotImplementedError

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        (h,) = state
        to_feedback, to_update, to_candidate = projected.chunk(3, -1)
        from_feedback, from_update = self.recurrent_gates(h, recurrence)
        feedback = 1.0 + torch.tanh(to_feedback + from_feedback)
        update = torch.sigmoid(to_update + from_update)
        candidate = torch.tanh(to_candidate + feedback * h)
        return (torch.addcmul(candidate, update, h - candidate),)


@register("BRC")
class BRC(Bistable):
    r"""Bistable recurrent cell: every unit remembers on its own.

    .. math::
        a &= 1 + \tanh(U_a x_t + w_a \odot h_{t-1} + b_a) \\
        z &= \sigma(U_z x_t + w_z \odot h_{t-1} + b_z) \\
        h_t &= z \odot h_{t-1} + (1 - z) \odot \tanh(U x_t + a \odot h_{t-1})

    A unit is bistable while its feedback a exceeds 1. The blocks lie side by side along the output
    axis in the order a, z, candidate; ``weight_hh`` holds :math:`w_a, w_z`. The output is h.
    Initial values: U Xavier-uniform per block, :math:`w_a = w_z = 1`, biases 0.

    Weights:
        weight_ih: :math:`U_a, U_z, U`, ``(input_size, 3n)``.
        weight_hh: :math:`w_a, w_z`, ``(2n,)``.
        bias_ih: :math:`b_a, b_z`, ``(2n,)``.

    Source: Vecoven, Ernst & Drion 2021.
    """

    def __init__(self, input_size: int, hidden_size: int, **common: Any) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_weight("weight_hh", (2 * hidden_size,), ones)

    def recurrence(self) -> Tensor:
        """Return w_a beside w_z as a row that broadcasts over the batch."""
        return row(self.weight_hh)

    def recurrent_gates(self, h: Tensor, recurrence: Tensor) -> tuple[Tensor, Tensor]:
        """Return (w_a * h, w_z * h)."""
        to_feedback, to_update = recurrence.chunk(2, -1)
        return h * to_feedback, h * to_update


@register("nBRC")
class NBRC(Bistable):
    r"""Recurrently neuromodulated bistable cell: the other units modulate a unit's memory.

    .. math::
        a &= 1 + \tanh(U_a x_t + W_a h_{t-1} + b_a) \\
        z &= \sigma(U_z x_t + W_z h_{t-1} + b_z) \\
        h_t &= z \odot h_{t-1} + (1 - z) \odot \tanh(U x_t + a \odot h_{t-1})

    The blocks lie side by side along the output axis in the order a, z, candidate. The output is h.
    Initial values: U Xavier-uniform per block, :math:`W_a, W_z` orthogonal, biases 0.

    Weights:
        weight_ih: :math:`U_a, U_z, U`, ``(input_size, 3n)``.
        weight_hh: :math:`W_a, W_z`, ``(n, 2n)``.
        bias_ih: :math:`b_a, b_z`, ``(2n,)``.

    Source: Vecoven, Ernst & Drion 2021.
    """

    def __init__(self, input_size: int, hidden_size: int, **common: Any) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_weight("weight_hh", (hidden_size, 2 * hidden_size), side_by_side(orthogonal, 2))

    def recurrent_gates(self, h: Tensor, recurrence: Tensor) -> tuple[Tensor, Tensor]:
        """Return (W_a h, W_z h)."""
        to_feedback, to_update = (h @ recurrence).chunk(2, -1)
        return to_feedback, to_update
