"""The forms of recurrence that kernels know, and which of a cell's weights is which in each."""

from dataclasses import replace

from torch import Tensor

from .run import Run, Weights
from .unit import Stage, Unit, scalar


class Recurrence:
    """A unit, and how the units of a cell are connected."""

    def __init__(self, unit: Unit):
        self.unit = unit

    def shapes(self, inputs: int, n: int, factors: int) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of one member's projection, its bias, and weights of the recurrence.

        Args:
            inputs: width of the input.
            n: number of units, those of all groups.
            factors: number of columns of the first weight.
        """
        raise NotImplementedError

    def weights(self, run: Run) -> Weights:
        """Return what the cell's ``recurrence`` returned as a kernel's operands."""
        raise NotImplementedError

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """Return gradients of a kernel's operands as those of what ``recurrence`` returned."""
        raise NotImplementedError


def _empty(run: Run) -> Tensor:
    return run.buffer("empty", 0, 0)


class Dense(Recurrence):
    r"""Units connected by one matrix of weights.

    .. math::
        h_t = \text{unit}(\text{projected}_t,\; \text{active}_{t-1} W + b,\; h_{t-1})

    sRNN, TRNN, MTRNN, LSTM, GRU, UGRNN, AntisymmetricRNN, ESN, nBRC, PC-RNN-V, -HC-A and -GC-HC-A.
    The weights are (W,) or (W, b), ``(S, n, recurrent * n)`` and ``(S, 1, recurrent * n)``.
    """

    def shapes(self, inputs: int, n: int, factors: int) -> tuple[tuple[int, ...], ...]:
        """See the base class."""
        recurrent = self.unit.recurrent * n
        width = recurrent if self.unit.additive else self.unit.projected * n
        return (inputs, width), (width,), (n, recurrent), (1, recurrent)

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        weight, *biases = run.weights
        bias = biases[0] if biases else run.zeros("no bias", 1, weight.size(-1))
        return Weights(weight, bias, _empty(run), _empty(run), run.parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return grads.weight, grads.bias


class Separate(Recurrence):
    r"""Units without connections: each has the input and its own state.

    .. math::
        h_t = \text{unit}(\text{projected}_t,\; h_{t-1};\; w)

    BRC. The weights are (w,), ``(S, 1, blocks * n)``: the learned parameters of the unit.
    """

    def shapes(self, inputs: int, n: int, factors: int) -> tuple[tuple[int, ...], ...]:
        """See the base class."""
        width = self.unit.projected * n
        return (inputs, width), (width,), (1, self.unit.parameters * n)

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        (parameters,) = run.weights
        return Weights(*[_empty(run)] * 4, parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return (grads.parameters,)


class Factored(Recurrence):
    r"""Units whose recurrence goes through factors that the input gates.

    .. math::
        h_t = \text{unit}\big((\text{projected}_t \odot \text{active}_{t-1} W_p)\, W_f + b,\;
            h_{t-1}\big)

    PC-RNN-HC-M and -GC-HC-M. The weights are (W_p, W_f, b), ``(S, n, d)``, ``(S, d, n)`` and
    ``(S, 1, n)``.
    """

    def __init__(self, unit: Unit):
        stage = Stage(_gate_forward, _gate_backward, projected=1, saved=2)
        super().__init__(replace(unit, name=f"factored_{unit.name}", additive=False, stage=stage))

    def shapes(self, inputs: int, n: int, factors: int) -> tuple[tuple[int, ...], ...]:
        """See the base class."""
        return (inputs, factors), (factors,), (n, factors), (factors, n), (1, n)

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        into, out_of, bias = run.weights
        return Weights(into, run.zeros("no bias", 1, into.size(-1)), out_of, bias, run.parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return grads.weight, grads.second, grads.second_bias


@scalar
def _gate_forward(projected, recurrent, state, parameters):
    """Return factor * gate."""
    return recurrent[0] * projected[0], (recurrent[0], projected[0])


@scalar
def _gate_backward(saved, grad_inner, parameters):
    """Derivative of :func:`_gate_forward`."""
    factor, gate = saved
    return (grad_inner * factor,), (grad_inner * gate,), ()


class Coupled(Recurrence):
    r"""Units whose errors pass through the transposed weights within a step.

    .. math::
        e_t = \text{stage}(\text{projected}_t + \text{active}_{t-1} W,\; h_{t-1}), \qquad
        h_t = \text{unit}(e_t,\; e_t W^\top,\; h_{t-1})

    PC-RNN-GC. The weights are (W,), ``(S, n, n)``.
    """

    def shapes(self, inputs: int, n: int, factors: int) -> tuple[tuple[int, ...], ...]:
        """See the base class."""
        return (inputs, n), (n,), (n, n)

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        (weight,) = run.weights
        zero = run.zeros("no bias", 1, weight.size(-1))
        return Weights(weight, zero, weight.mT, zero, run.parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return (grads.weight + grads.second.mT,)
