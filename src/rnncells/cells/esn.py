"""Echo state network."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import register
from .base import Cell, Hyperparameter, State, leak
from .initial import Initializer, normal, normal_over_rows


@register("ESN")
class ESN(Cell):
    r"""Echo state network: a leaky-integrator reservoir whose weights are never trained.

    .. math::
        h_t &= (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,(W_r \tanh(h_{t-1}) + W_x x_t + b) \\
        W_r &= \sigma\, N(0, 1) \cdot \mathrm{Bernoulli}(\text{connectivity})

    The output is :math:`\tanh(h)`; only a readout learns. The initial weights stay (they are
    buffers): :math:`W_r` as above, :math:`W_x \sim N(0,1)/\text{input\_size}` and
    :math:`b \sim N(0,1)/10`.

    Args:
        tau: time constant :math:`\tau \ge 1` in steps; a number, or one per member.
        connectivity: share of non-zero recurrent weights, within [0, 1]; a number, or one per
            member.
        sigma: scale of the recurrent weights; a number, or one per member.
        spectral_radius: if given, :math:`W_r` is rescaled to this largest absolute eigenvalue, and
            ``sigma`` has no effect.

    Weights:
        weight_ih: :math:`W_x`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: Jaeger 2001.
    """

    search_space = {
        "tau": (1.0, 100.0, "log"),
        "connectivity": (0.0, 1.0, "linear"),
        "sigma": (0.1, 10.0, "log"),
    }
    trainable = False
    tau: float | Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        tau: Hyperparameter = 10.0,
        connectivity: Hyperparameter = 0.1,
        sigma: Hyperparameter = 1.0,
        spectral_radius: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("tau", tau, low=1.0)
        if spectral_radius is not None:
            self.check_range("spectral_radius", spectral_radius, low=0.0)
        shares = self.check_range("connectivity", connectivity, low=0.0, high=1.0)
        scales = self.check_range("sigma", sigma, low=0.0)
        members = self.population or 1
        self.connectivity = np.broadcast_to(shares, members)
        self.sigma = np.broadcast_to(scales, members)
        self.spectral_radius = spectral_radius
        n = hidden_size
        self.add_weight("weight_ih", (input_size, n), normal_over_rows, learned=False)
        self.add_weight("weight_hh", (n, n), sparse_normal, learned=False)
        self.add_bias("bias_ih", n, normal(0.1), learned=False)

    def _value(
        self, initial: Initializer, rng: np.random.Generator, shape: tuple[int, ...], member: int
    ) -> np.ndarray:
        if initial is not sparse_normal:
            return initial(rng, shape)
        weight = initial(rng, shape, self.connectivity[member])
        if self.spectral_radius is None:
            return self.sigma[member] * weight
        radius = np.abs(np.linalg.eigvals(weight)).max()
        # A reservoir without cycles has no eigenvalue to scale; it is left as it is.
        return weight * (self.spectral_radius / radius) if radius > 0 else weight

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        (h,) = state
        return (leak(h, torch.tanh(h) @ recurrence + projected, self.tau),)

    def output(self, h: Tensor) -> Tensor:
        """Return tanh(h)."""
        return torch.tanh(h)


def sparse_normal(
    rng: np.random.Generator, shape: tuple[int, ...], connectivity: float = 1.0
) -> np.ndarray:
    """N(0, 1) where an independent Bernoulli(connectivity) draw is 1, and 0 elsewhere."""
    weight = rng.standard_normal(shape)
    return weight * (rng.random(shape) < connectivity)
