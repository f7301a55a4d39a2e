"""Predictive-coding networks: PC-RNN-V, -GC, -HC-A, -HC-M, -GC-HC-A and -GC-HC-M.

A predictive-coding network predicts (top-down) and corrects its states from the error of its
prediction (bottom-up). Each cell holds both equations: :meth:`step` predicts, and :meth:`correct`
corrects. A network that generates uses the first alone; :class:`rnncells.PredictiveCoding` uses
both. In the equations of the corrections, e is the prediction minus the target and a star marks
what is corrected; :math:`h^*_{t-1}` is the state that the prediction at step t starts from.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import register
from .base import Cell, Hyperparameter, State, check_size, leak, row
from .initial import normal, normal_over_rows
from .leaky import TRNN

Rates = Mapping[str, float | Tensor]


class CorrectsState:
    """The correction of a cell that corrects its state h and nothing else.

    A cell is a predictive-coding cell if it has :meth:`correct` and ``correction_rates``, the
    names of the rates that it takes.
    """

    correction_rates: tuple[str, ...] = ("alpha_x",)
    #: The gradient of half the squared error of the input projection with respect to the causes,
    #: for the cells that have some; takes that error and the state of the step before.
    pull_on_causes: Callable[[Tensor, Tensor], Tensor]

    def correct(
        self, prior: State, previous: State, causes: Tensor, feedback: Tensor, rates: Rates
    ) -> tuple[State, Tensor]:
        r"""Correct a predicted state and its causes.

        Args:
            prior: the predicted state, as :meth:`step` returned it.
            previous: the corrected state of the step before, from which it was predicted.
            causes: the causes c ``([S,] B, input_size)``, with which it was predicted.
            feedback: the prediction error brought back to the cell's output,
                :math:`W_o^\top e`, ``([S,] B, n)``.
            rates: the cell's ``correction_rates`` by name, numbers or tensors ``(S, 1, 1)``.

        Returns:
            the corrected state and the corrected causes.
        """
        h, *others = prior
        return (self.corrected(h, feedback, rates["alpha_x"]), *others), causes

    def corrected(self, h: Tensor, feedback: Tensor, rate: float | Tensor) -> Tensor:
        """Return h after a gradient step on half the squared prediction error; output tanh(h)."""
        return h - rate * (1 - torch.tanh(h) ** 2) * feedback


class CorrectsCauses(CorrectsState):
    """The correction of the HC cells: the causes follow from the correction of h."""

    correction_rates = ("alpha_x", "alpha_h")

    def correct(
        self, prior: State, previous: State, causes: Tensor, feedback: Tensor, rates: Rates
    ) -> tuple[State, Tensor]:
        """Correct h, then the causes; see :meth:`CorrectsState.correct`."""
        (h,) = prior
        corrected = self.corrected(h, feedback, rates["alpha_x"])
        pull = self.pull_on_causes(h - corrected, previous[0])
        return (corrected,), causes - rates["alpha_h"] * pull


class CorrectsVelocityAndCauses(CorrectsState):
    """The correction of the GC-HC cells: the causes follow from the correction of the velocity."""

    correction_rates = ("alpha_x", "alpha_h", "alpha_h_prime")

    def correct(
        self, prior: State, previous: State, causes: Tensor, feedback: Tensor, rates: Rates
    ) -> tuple[State, Tensor]:
        """Correct h, then the velocity, then the causes; see :meth:`CorrectsState.correct`."""
        h, velocity = prior
        corrected = self.corrected(h, feedback, rates["alpha_x"])
        corrected_velocity = velocity - rates["alpha_h"] * (h - corrected)
        pull = self.pull_on_causes(velocity - corrected_velocity, previous[0])
        return (corrected, corrected_velocity), causes - rates["alpha_h_prime"] * pull


@register("PC-RNN-V")
class PCRNNV(TRNN, CorrectsState):
    r"""Vanilla predictive-coding network; without correction it is exactly a TRNN.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,(W_r \tanh(h_{t-1}) + W_x x_t + b)

    The correction, with rate :math:`\alpha_x`, is

    .. math::
        h^*_t = h_t - \alpha_x\,(1 - \tanh^2 h_t) \odot W_o^\top e_t

    The output is :math:`\tanh(h)`. Options and initial weights as for the TRNN.

    Args:
        tau: time constant :math:`\tau \ge 1` in steps; a number, or one per member.

    Weights:
        weight_ih: :math:`W_x`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: Annabi, Pitti & Quoy 2021, 2022.
    """


class Additive(TRNN):
    """What the HC-A cells share: causes that add to the input projection."""

    causes = True

    def pull_on_causes(self, error: Tensor, previous: Tensor) -> Tensor:
        r"""Return :math:`W_c^\top \text{error}`, by which the causes are corrected."""
        return error @ self.weight_ih.mT


@register("PC-RNN-HC-A")
class PCRNNHCA(Additive, CorrectsCauses):
    r"""Predictive-coding network whose hidden causes add to the input projection.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,(W_r \tanh(h_{t-1}) + W_c c + b)

    The causes are the input. The correction, with rates :math:`\alpha_x` and :math:`\alpha_h`, is

    .. math::
        h^*_t &= h_t - \alpha_x\,(1 - \tanh^2 h_t) \odot W_o^\top e_t \\
        c^* &= c - \alpha_h\, W_c^\top (h_t - h^*_t)

    The output is :math:`\tanh(h)`. Options and initial weights as for the TRNN:
    :math:`W_c \sim N(0,1)/p` for p causes.

    Args:
        tau: time constant :math:`\tau \ge 1` in steps; a number, or one per member.

    Weights:
        weight_ih: :math:`W_c`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: Annabi, Pitti & Quoy 2021, 2022.
    """


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
        self.check_range("factors", d, low=1)
        check_size("factors", d, 1)
        self.factors = d
        self.add_hyperparameter("tau", tau, low=1.0)
        self.add_weight("weight_ih", (input_size, d), softmax_over_factors)
        self.add_weight("weight_p", (hidden_size, d), normal(d**-0.5))
        self.add_weight("weight_f", (d, hidden_size), normal(d**-0.5))
        self.add_bias("bias_ih", hidden_size, normal(0.1))

    def projection(self) -> tuple[Tensor, Tensor | None]:
        """Return those of the gates of all factors, which are open if there is no input."""
        if self.input_size > 0:
            return self.weight_ih, None
        return self.weight_ih, torch.ones_like(self.weight_p[..., 0, :])

    def recurrence(self) -> tuple[Tensor, ...]:
        """Return the weights into and out of the factors, and the bias, 0 if there is none."""
        if self.bias_ih is None:
            bias = self.weight_f.new_zeros((*self.weight_f.shape[:-2], 1, self.hidden_size))
        else:
            bias = row(self.bias_ih)
        return self.weight_p, self.weight_f, bias

    def recurrent_input(
        self, h: Tensor, projected: Tensor, recurrence: tuple[Tensor, ...]
    ) -> Tensor:
        """Return the three-way product plus the bias."""
        into, out_of, bias = recurrence
        return ((torch.tanh(h) @ into) * projected) @ out_of + bias

    def pull_on_causes(self, error: Tensor, previous: Tensor) -> Tensor:
        r"""Return :math:`W_{cd}[(W_p^\top \tanh h^*_{t-1}) \odot (W_f^\top \text{error})]`."""
        into, out_of, _ = self.recurrence()
        return ((torch.tanh(previous) @ into) * (error @ out_of.mT)) @ self.weight_ih.mT

    def output(self, h: Tensor) -> Tensor:
        """Return tanh(h)."""
        return torch.tanh(h)


@register("PC-RNN-HC-M")
class PCRNNHCM(Multiplicative, CorrectsCauses):
    r"""Predictive-coding network whose hidden causes multiply the recurrent weights.

    .. math::
        h_t = (1 - 1/\tau)\, h_{t-1} + \frac{1}{\tau}\,
            \big(W_f[(W_p^\top \tanh h_{t-1}) \odot (W_{cd}^\top c)] + b\big)

    The causes are the input. The correction, with rates :math:`\alpha_x` and :math:`\alpha_h`, is

    .. math::
        h^*_t &= h_t - \alpha_x\,(1 - \tanh^2 h_t) \odot W_o^\top e_t \\
        c^* &= c - \alpha_h\, W_{cd}
            [(W_p^\top \tanh h^*_{t-1}) \odot (W_f^\top (h_t - h^*_t))]

    The output is :math:`\tanh(h)`. Initial weights:
    :math:`W_p, W_f \sim N(0,1)/\sqrt d`, :math:`W_{cd} = d \cdot \mathrm{softmax}` over the factors
    of :math:`0.5\, N(0,1)`, :math:`b \sim N(0,1)/10`.

    Args:
        tau: time constant >= 1 in steps; a number, or one per member.
        factors: number d of factors; ``hidden_size`` if None.

    Weights:
        weight_ih: :math:`W_{cd}`, ``(input_size, d)``.
        weight_p: :math:`W_p`, ``(n, d)``.
        weight_f: :math:`W_f`, ``(d, n)``.
        bias_ih: b, ``(n,)``.

    Source: Annabi, Pitti & Quoy 2021, 2022.
    """

    def step(self, projected: Tensor, state: State, recurrence: tuple[Tensor, ...]) -> State:
        """Advance by one step."""
        (h,) = state
        return (leak(h, self.recurrent_input(h, projected, recurrence), self.tau),)


@register("PC-RNN-GC")
class PCRNNGC(Cell, CorrectsState):
    r"""Predictive-coding network in generalised coordinates: a state and its velocity.

    .. math::
        e' &= h'_{t-1} - \tfrac{1}{\tau}(W_r \tanh(h_{t-1}) + W_x x_t + b - h_{t-1}) \\
        h'_t &= h'_{t-1} - \alpha' e' \\
        h_t &= h_{t-1} + h'_t
            + \tfrac{\alpha'}{\tau}\big((1 - \tanh^2 h_{t-1}) \odot W_r^\top e' - e'\big)

    The correction, with rate :math:`\alpha_x`, is that of PC-RNN-V and leaves the velocity:

    .. math::
        h^*_t = h_t - \alpha_x\,(1 - \tanh^2 h_t) \odot W_o^\top e_t

    The state is (h, velocity h'), and a code leaves the velocity at 0. The output is
    :math:`\tanh(h)`. Initial weights as for the TRNN.

    Args:
        tau: time constant >= 1 in steps; a number, or one per member.
        alpha_h_prime: update rate :math:`\alpha' \ge 0`; a number, or one per member.

    Weights:
        weight_ih: :math:`W_x`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

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

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        h, velocity = state
        active = torch.tanh(h)
        error = velocity - (active @ recurrence + projected - h) / self.tau
        velocity = velocity - self.alpha_h_prime * error
        pull = (1 - active**2) * (error @ recurrence.mT) - error
        return h + velocity + (self.alpha_h_prime / self.tau) * pull, velocity

    def output(self, h: Tensor) -> Tensor:
        """Return tanh(h)."""
        return torch.tanh(h)

    def state_from_code(self, code: Tensor) -> State:
        """Return (code, 0)."""
        return code, torch.zeros_like(code)


@register("PC-RNN-GC-HC-A")
class PCRNNGCHCA(Additive, CorrectsVelocityAndCauses):
    r"""Generalised coordinates with hidden causes that add to the input projection of the velocity.

    .. math::
        h'_t &= (1 - 1/\tau)\, h'_{t-1}
            + \tfrac{1}{\tau}(W_r \tanh(h_{t-1}) + W_c c + b - h_{t-1}) \\
        h_t &= h_{t-1} + h'_t

    The correction, with rates :math:`\alpha_x`, :math:`\alpha_h` and :math:`\alpha_{h'}`, is

    .. math::
        h^*_t &= h_t - \alpha_x\,(1 - \tanh^2 h_t) \odot W_o^\top e_t \\
        h'^*_t &= h'_t - \alpha_h\, (h_t - h^*_t) \\
        c^* &= c - \alpha_{h'}\, W_c^\top (h'_t - h'^*_t)

    The causes c are the input; the state is (h, velocity h'), and a code leaves the velocity at 0.
    The output is :math:`\tanh(h)`. Options and initial weights as for PC-RNN-HC-A.

    Args:
        tau: time constant :math:`\tau \ge 1` in steps; a number, or one per member.

    Weights:
        weight_ih: :math:`W_c`, ``(input_size, n)``.
        weight_hh: :math:`W_r`, ``(n, n)``.
        bias_ih: b, ``(n,)``.

    Source: Annabi, Pitti & Quoy 2022.
    """

    state_names = ("h", "velocity")

    def step(self, projected: Tensor, state: State, recurrence: Tensor) -> State:
        """Advance by one step."""
        h, velocity = state
        target = torch.tanh(h) @ recurrence + projected - h
        velocity = leak(velocity, target, self.tau)
        return h + velocity, velocity

    def state_from_code(self, code: Tensor) -> State:
        """Return (code, 0)."""
        return code, torch.zeros_like(code)


@register("PC-RNN-GC-HC-M")
class PCRNNGCHCM(Multiplicative, CorrectsVelocityAndCauses):
    r"""Generalised coordinates with hidden causes that multiply the recurrent weights.

    .. math::
        h'_t &= (1 - 1/\tau)\, h'_{t-1} + \tfrac{1}{\tau}
            \big(W_f[(W_p^\top \tanh h_{t-1}) \odot (W_{cd}^\top c)] + b - h_{t-1}\big) \\
        h_t &= h_{t-1} + h'_t

    The correction, with rates :math:`\alpha_x`, :math:`\alpha_h` and :math:`\alpha_{h'}`, is

    .. math::
        h^*_t &= h_t - \alpha_x\,(1 - \tanh^2 h_t) \odot W_o^\top e_t \\
        h'^*_t &= h'_t - \alpha_h\, (h_t - h^*_t) \\
        c^* &= c - \alpha_{h'}\, W_{cd}
            [(W_p^\top \tanh h^*_{t-1}) \odot (W_f^\top (h'_t - h'^*_t))]

    The causes c are the input; the state is (h, velocity h'), and a code leaves the velocity at 0.
    The output is :math:`\tanh(h)`. Options and initial weights as for PC-RNN-HC-M.

    Args:
        tau: time constant :math:`\tau \ge 1` in steps; a number, or one per member.
        factors: number d of factors; ``hidden_size`` if None.

    Weights:
        weight_ih: :math:`W_{cd}`, ``(input_size, d)``.
        weight_p: :math:`W_p`, ``(n, d)``.
        weight_f: :math:`W_f`, ``(d, n)``.
        bias_ih: b, ``(n,)``.

    Source: Annabi, Pitti & Quoy 2022.
    """

    state_names = ("h", "velocity")

    def step(self, projected: Tensor, state: State, recurrence: tuple[Tensor, ...]) -> State:
        """Advance by one step."""
        h, velocity = state
        target = self.recurrent_input(h, projected, recurrence) - h
        velocity = leak(velocity, target, self.tau)
        return h + velocity, velocity

    def state_from_code(self, code: Tensor) -> State:
        """Return (code, 0)."""
        return code, torch.zeros_like(code)


def softmax_over_factors(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return d times the softmax over the d factors of 0.5 N(0, 1): gates of mean 1."""
    weight = np.exp(0.5 * rng.standard_normal(shape))
    return shape[-1] * weight / weight.sum(-1, keepdims=True)
