"""Leaky-integrator networks: sRNN, TRNN and MTRNN."""

from typing import Any

import torch
from torch import Tensor

from . import register
from .base import Cell, Hyperparameter, State, leak
from .initial import normal, normal_over_rows


@register("TRNN")
class TRNN(Cell):
    r"""Leaky-integrator network with one time constant.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,(W_r \tanh(h_{t-1}) + W_x x_t + b)

    The output is :math:`\tanh(h)`. Initial weights: :math:`W_r \sim N(0,1)/n`,
    :math:`W_x \sim N(0,1)/\text{input\_size}`, :math:`b \sim N(0,1)/10`.

    Args:
        tau: time constant :math:`\tau \ge 1` in steps; a number, or one per member.

    Weights:
        weight_ih: :math:`W_x`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: leaky integrators as in Jaeger et al. 2007 and Yamashita & Tani 2008.
    """

    search_space = {"tau": (1.0, 100.0, "log")}
    tau: float | Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        tau: Hyperparameter = 10.0,
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("tau", tau, low=1.0)
        self.add_weight("weight_ih", (input_size, hidden_size), normal_over_rows)
        self.add_weight("weight_hh", (hidden_size, hidden_size), normal_over_rows)
        self.add_bias("bias_ih", hidden_size, normal(0.1))

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        (h,) = state
        return (leak(h, torch.tanh(h) @ recurrence + projected, self.tau),)

    def output(self, h: Tensor) -> Tensor:
        """Return tanh(h)."""
        return torch.tanh(h)


@register("sRNN")
class SRNN(TRNN):
    r"""Simple recurrent network: a TRNN with :math:`\tau = 1`.

    .. math::
        h_t = W_r \tanh(h_{t-1}) + W_x x_t + b

    The output is :math:`\tanh(h)`. Initial weights as for the TRNN.

    Weights:
        weight_ih: :math:`W_x`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: Elman 1990.
    """

    search_space = {}

    def __init__(self, input_size: int, hidden_size: int, **common: Any) -> None:
        super().__init__(input_size, hidden_size, tau=1.0, **common)

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        (h,) = state
        return (torch.tanh(h) @ recurrence + projected,)


@register("MTRNN")
class MTRNN(Cell):
    r"""Multiple-timescale network: a slow and a fast group of ``hidden_size`` units each.

    .. math::
        h^g_t = (1 - 1/\tau_g)\, h^g_{t-1}
            + \frac{1}{\tau_g}\,\Big(\sum_{k} W_{gk} \tanh(h^k_{t-1}) + W_{gx} x_t + b_g\Big),
        \quad g, k \in \{\text{slow}, \text{fast}\}

    The state is (slow, fast); the output is :math:`\tanh(h^{\text{fast}})`. Initial weights:
    every one of the four blocks :math:`W_{gk} \sim N(0,1)/n`,
    :math:`W_{gx} \sim N(0,1)/\text{input\_size}`, :math:`b_g \sim N(0,1)/10`. A latent code is
    split between the slow and the fast group.

    Args:
        tau_slow, tau_fast: time constants :math:`\ge 1` in steps; a number, or one per member.

    Weights:
        weight_ih: :math:`W_{gx}`, slow beside fast, ``(input_size, 2n)``.
        weight_hh: :math:`W_{gk}`, from slow above from fast, to slow beside to fast, ``(2n, 2n)``.
        bias_ih: :math:`b_g`, slow then fast, ``(2n,)``.

    Source: Yamashita & Tani 2008.
    """

    state_names = ("slow", "fast")
    output_state = "fast"
    search_space = {"tau_slow": (1.0, 100.0, "log"), "tau_fast": (1.0, 100.0, "log")}
    tau_slow: float | Tensor
    tau_fast: float | Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        tau_slow: Hyperparameter = 50.0,
        tau_fast: Hyperparameter = 5.0,
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("tau_slow", tau_slow, low=1.0)
        self.add_hyperparameter("tau_fast", tau_fast, low=1.0)
        n = hidden_size
        self.add_weight("weight_ih", (input_size, 2 * n), normal_over_rows)
        self.add_weight("weight_hh", (2 * n, 2 * n), normal(1 / n))
        self.add_bias("bias_ih", 2 * n, normal(0.1))

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        slow, fast = state
        total = torch.tanh(torch.cat(state, -1)) @ recurrence + projected
        to_slow, to_fast = total.chunk(2, -1)
        return (
            leak(slow, to_slow, self.tau_slow),
            leak(fast, to_fast, self.tau_fast),
        )

    def output(self, h: Tensor) -> Tensor:
        """Return tanh of the fast group."""
        return torch.tanh(h)

    @property
    def code_size(self) -> int:
        """Width of the latent code: a part for each group."""
        return 2 * self.hidden_size

    def state_from_code(self, code: Tensor) -> State:
        """Split the code between the slow and the fast group."""
        return tuple(code.chunk(2, -1))
