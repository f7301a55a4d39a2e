"""Predictive-coding networks: PC-RNN-V, -GC, -HC-A, -HC-M, -GC-HC-A and -GC-HC-M.

A predictive-coding network predicts (top-down) and corrects its states from the error of its
prediction (bottom-up). This module holds the top-down equations, which are all that a network
that generates uses.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import register
from .base import Cell, Hyperparameter, State, affine, check_size, row
from .initial import normal, normal_over_rows
from .leaky import TRNN


@register("PC-RNN-V")
class PCRNNV(TRNN):
    r"""Vanilla predictive-coding network; without correction it is exactly a TRNN.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,(W_r \tanh(h_{t-1}) + W_x x_t + b)

    The output is :math:`\tanh(h)`. Options and initial weights as for the TRNN.

    Source: Annabi, Pitti & Quoy 2021, 2022.
    """


@register("PC-RNN-HC-A")
class PCRNNHCA(TRNN):
    r"""Predictive-coding network whose hidden causes add to the drive.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,(W_r \tanh(h_{t-1}) + W_c c + b)

    The causes c are the input. The output is :math:`\tanh(h)`. Options and initial weights as for
    the TRNN: :math:`W_c \sim N(0,1)/p` for p causes.

    Source: Annabi, Pitti & Quoy 2021, 2022.
    """

    causes = True


class Multiplicative(Cell):
    r"""What the HC-M cells share: a three-way product of state, causes and factors.

    The recurrent input is :math:`W_f[(W_p^\top \tanh h) \odot (W_{cd}^\top c)] + b` with d factors.
    A cell of input width 0 has no causes, and its factors are not gated (the second bracket is 1).
    """

    search_space = {"tau": (1.0, 100.0, "log")}
    causes = True
    tau: float | Tensor
    weight_p: Tensor
    weight_f: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        tau: Hyperparameter = 10.0,
        factors: int | None = None,
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        d = hidden_size if factors is None else factors
        check_size("factors", d, 1)
        self.factors = d
        self.add_hyperparameter("tau", tau, low=1.0)
        self.add_weight("weight_ih", (input_size, d), softmax_over_factors)
        self.add_weight("weight_p", (hidden_size, d), normal(d**-0.5))
        self.add_weight("weight_f", (d, hidden_size), normal(d**-0.5))
        self.add_bias("bias_ih", hidden_size, normal(0.1))

    def drive(self, x: Tensor) -> Tensor:
        """Return the gate of every factor, ``([S,] ..., B, d)``."""
        if self.input_size == 0:
            return x.new_ones((*x.shape[:-1], self.factors))
        return affine(x, self.weight_ih, None)

    def recurrence(self) -> tuple[Tensor, ...]:
        """Return the weights into and out of the factors."""
        return self.weight_p, self.weight_f

    def recurrent_input(self, h: Tensor, drive: Tensor, recurrence: tuple[Tensor, ...]) -> Tensor:
        """Return the three-way product plus the bias."""
        into, out_of = recurrence
        total = ((torch.tanh(h) @ into) * drive) @ out_of
        return total if self.bias_ih is None else total + row(self.bias_ih)

    def output(self, h: Tensor) -> Tensor:
        """Return tanh(h)."""
        return torch.tanh(h)


@register("PC-RNN-HC-M")
class PCRNNHCM(Multiplicative):
    r"""Predictive-coding network whose hidden causes multiply the recurrent weights.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,
            \big(W_f[(W_p^\top \tanh h_{t-1}) \odot (W_{cd}^\top c)] + b\big)

    The causes c are the input. The output is :math:`\tanh(h)`. Initial weights:
    :math:`W_p, W_f \sim N(0,1)/\sqrt d`, :math:`W_{cd} = d \cdot \mathrm{softmax}` over the factors
    of :math:`0.5\, N(0,1)`, :math:`b \sim N(0,1)/10`.

    Args:
        tau: time constant >= 1 in steps; a number, or one per member.
        factors: number d of factors; ``hidden_size`` if None.

    Source: Annabi, Pitti & Quoy 2021, 2022.
    """

    def step(self, drive: Tensor, state: State, recurrence: tuple[Tensor, ...]) -> State:
        """Advance by one step."""
        (h,) = state
        return (torch.lerp(h, self.recurrent_input(h, drive, recurrence), 1 / self.tau),)


@register("PC-RNN-GC")
class PCRNNGC(Cell):
    r"""Predictive-coding network in generalised coordinates: a state and its velocity.

    .. math::
        e' &= h'_{t-1} - \tfrac{1}{\tau}(W_r \tanh(h_{t-1}) + W_x x_t + b - h_{t-1}) \\
        h'_t &= h'_{t-1} - \alpha' e' \\
        h_t &= h_{t-1} + h'_t
            + \tfrac{\alpha'}{\tau}\big((1 - \tanh^2 h_{t-1}) \odot W_r^\top e' - e'\big)

    The state is (h, velocity h'), and a key leaves the velocity at 0. The output is
    :math:`\tanh(h)`. Initial weights as for the TRNN.

    Args:
        tau: time constant >= 1 in steps; a number, or one per member.
        alpha_h_prime: update rate :math:`\alpha' \ge 0`; a number, or one per member.

    Source: Annabi, Pitti & Quoy 2022.
    """

    state_names = ("h", "velocity")
    search_space = {"tau": (1.0, 100.0, "log"), "alpha_h_prime": (0.001, 10.0, "log")}
    tau: float | Tensor
    alpha_h_prime: float | Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        tau: Hyperparameter = 10.0,
        alpha_h_prime: Hyperparameter = 0.01,
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("tau", tau, low=1.0)
        self.add_hyperparameter("alpha_h_prime", alpha_h_prime, low=0.0)
        self.add_weight("weight_ih", (input_size, hidden_size), normal_over_rows)
        self.add_weight("weight_hh", (hidden_size, hidden_size), normal_over_rows)
        self.add_bias("bias_ih", hidden_size, normal(0.1))

    def step(self, drive: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        h, velocity = state
        active = torch.tanh(h)
        error = velocity - (active @ recurrence + drive - h) / self.tau
        velocity = velocity - self.alpha_h_prime * error
        pull = (1 - active**2) * (error @ recurrence.mT) - error
        return h + velocity + (self.alpha_h_prime / self.tau) * pull, velocity

    def output(self, h: Tensor) -> Tensor:
        """Return tanh(h)."""
        return torch.tanh(h)

    def state_from_key(self, key: Tensor) -> State:
        """Return (key, 0)."""
        return key, torch.zeros_like(key)


@register("PC-RNN-GC-HC-A")
class PCRNNGCHCA(TRNN):
    r"""Generalised coordinates with hidden causes that add to the drive of the velocity.

    .. math::
        h'_t &= (1 - 1/\tau)\, h'_{t-1}
            + \tfrac{1}{\tau}(W_r \tanh(h_{t-1}) + W_c c + b - h_{t-1}) \\
        h_t &= h_{t-1} + h'_t

    The causes c are the input; the state is (h, velocity h'), and a key leaves the velocity at 0.
    The output is :math:`\tanh(h)`. Options and initial weights as for PC-RNN-HC-A.

    Source: Annabi, Pitti & Quoy 2022.
    """

    state_names = ("h", "velocity")
    causes = True

    def step(self, drive: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        h, velocity = state
        target = torch.tanh(h) @ recurrence + drive - h
        velocity = torch.lerp(velocity, target, 1 / self.tau)
        return h + velocity, velocity

    def state_from_key(self, key: Tensor) -> State:
        """Return (key, 0)."""
        return key, torch.zeros_like(key)


@register("PC-RNN-GC-HC-M")
class PCRNNGCHCM(Multiplicative):
    r"""Generalised coordinates with hidden causes that multiply the recurrent weights.

    .. math::
        h'_t &= (1 - 1/\tau)\, h'_{t-1} + \tfrac{1}{\tau}
            \big(W_f[(W_p^\top \tanh h_{t-1}) \odot (W_{cd}^\top c)] + b - h_{t-1}\big) \\
        h_t &= h_{t-1} + h'_t

    The causes c are the input; the state is (h, velocity h'), and a key leaves the velocity at 0.
    The output is :math:`\tanh(h)`. Options and initial weights as for PC-RNN-HC-M.

    Source: Annabi, Pitti & Quoy 2022.
    """

    state_names = ("h", "velocity")

    def step(self, drive: Tensor, state: State, recurrence: tuple[Tensor, ...]) -> State:
        """Advance by one step."""
        h, velocity = state
        target = self.recurrent_input(h, drive, recurrence) - h
        velocity = torch.lerp(velocity, target, 1 / self.tau)
        return h + velocity, velocity

    def state_from_key(self, key: Tensor) -> State:
        """Return (key, 0)."""
        return key, torch.zeros_like(key)


def softmax_over_factors(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return d times the softmax over the d factors of 0.5 N(0, 1): gates of mean 1."""
    weight = np.exp(0.5 * rng.standard_normal(shape))
    return shape[-1] * weight / weight.sum(-1, keepdims=True)
