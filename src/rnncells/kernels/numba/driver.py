"""From tensors to kernels and back: runs the units of a cell over whole sequences."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .launch import Kernel
from .scan import kernels
from .unit import Stage, Unit, scalar

# Rows of a batch that one thread takes through all steps at once: few enough to stay in its cache.
ROWS = 128


@dataclass
class Run:
    """One call of a driver: S members, T steps, B sequences, n units.

    Attributes:
        x: the input, ``(S, T, B, i)``, or ``(S, 1, B, i)`` if it is constant in time.
        projection: of the input to the drive, ``(S, i, width)``.
        bias: of the drive, ``(S, 1, width)``.
        weights: what the cell's ``recurrence`` returns, each ``(S, rows, columns)``.
        parameters: the unit's parameters that are not learned, ``(S, count)``; each is for an
            equal share of the units, or of the blocks of units.
        state: the initial state, ``(S, B, states * n)``.
        rows: for every step, how many sequences it has; the sequences lie in an order such that
            they are always the first ones. The state of the others stays.
        training: whether :meth:`Driver.backward` will follow.
        memory: what earlier runs needed, to serve again: what came out of them is lost.
    """

    x: Tensor
    projection: Tensor
    bias: Tensor
    weights: Sequence[Tensor]
    parameters: Tensor
    state: Tensor
    rows: np.ndarray
    training: bool
    memory: dict[tuple, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members, self.batch, _ = self.state.shape
        self.steps = len(self.rows)
        threads = torch.get_num_threads()
        # Enough tiles for all threads, of at least 8 rows where there are that many.
        wanted = max(-(-self.batch // ROWS), -(-threads // self.members))
        self.tiles = max(1, min(wanted, self.batch // 8))

    def room(self, name: str, *shape: int) -> Tensor:
        """Return memory for ``(S, *shape)`` numbers: the same for the same name and shape."""
        key = name, *shape
        if key not in self.memory:
            self.memory[key] = self.state.new_empty((self.members, *shape))
        return self.memory[key]

    def in_turn(self, name: str, state: Tensor, turn: int) -> Tensor:
        """Return memory for two states that are read and written in turn, the first one given."""
        both = self.room(name, 2, *state.shape[1:])
        both.select(1, turn).copy_(state)
        return both

    def zeros(self, name: str, *shape: int) -> Tensor:
        """Return memory for ``(S, *shape)`` numbers, all of which are 0."""
        return self.room(name, *shape).zero_()

    def launch(self, kernel: Kernel, tensors: Sequence[Tensor], steps: int) -> None:
        """Call a kernel of :mod:`rnncells.kernels.numba.scan`, with its last argument."""
        sizes = (self.members, self.tiles, self.batch, self.rows, self.x.size(1), steps)
        kernel(self.members * self.tiles, tensors, *sizes)


@dataclass
class Weights:
    """The learned numbers of the recurrence, as the kernels see them; empty if there are none.

    Attributes:
        weight, bias: from the active state to the recurrent input, and what is added to it.
        second, second_bias: from the stage to the unit, and what is added.
        parameters: of the unit.
    """

    weight: Tensor
    bias: Tensor
    second: Tensor
    second_bias: Tensor
    parameters: Tensor


@dataclass
class Gradients:
    """Gradients with respect to what a run was given, in the same shapes."""

    x: Tensor | None
    projection: Tensor
    bias: Tensor
    weights: tuple[Tensor, ...]
    state: Tensor


class Driver:
    """Runs a unit over sequences, for one shape of recurrence.

    The active state, ``(S, T + 1, B, n)``, begins with that of the initial state.
    """

    def __init__(self, unit: Unit):
        self.unit = unit

    def weights(self, run: Run) -> Weights:
        """Sort what the cell's ``recurrence`` returned."""
        raise NotImplementedError

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """Undo :meth:`weights`, for gradients."""
        raise NotImplementedError

    def forward(self, run: Run) -> dict[str, Tensor]:
        """Run over all steps.

        Returns:
            ``active``, ``state`` ``(S, B, states * n)`` after the last step, and what else
            :meth:`backward` needs.
        """
        unit = self.unit
        weights = self.weights(run)
        n, d = run.state.size(-1) // unit.states, weights.second.size(-2)
        steps = run.steps if run.training else 1
        state = run.in_turn("state", run.state, 0)
        active = run.room("active", run.steps + 1, run.batch, n)
        saved = run.room("saved", steps, run.batch, unit.saved * n)
        inner = run.room("inner", steps, run.batch, d)
        stage_saved = unit.stage.saved * d if unit.stage else 0
        inner_saved = run.room("inner saved", steps, run.batch, stage_saved)
        tensors = (
            run.x, run.projection, run.bias,
            weights.weight, weights.bias, weights.second, weights.second_bias, weights.parameters,
            state, active, saved, inner, inner_saved,
        )  # fmt: skip
        run.launch(kernels(unit)[0], tensors, steps)
        kept = {"active": active, "saved": saved, "inner": inner, "inner_saved": inner_saved}
        return {**kept, "state": state[:, run.steps % 2]}

    def backward(
        self,
        run: Run,
        kept: dict[str, Tensor],
        grad_active: Tensor | None,
        grad_state: Tensor,
        with_x: bool,
    ) -> Gradients:
        """Return the gradients.

        Args:
            run: what was run.
            kept: what :meth:`forward` returned.
            grad_active: gradient of the active states of all steps, ``(S, T, B, n)``, or of the
                last of them where there are several groups of units; or None.
            grad_state: gradient of the state after the last step.
            with_x: whether the gradient of the input is wanted.
        """
        unit, weights = self.unit, self.weights(run)
        if grad_active is None:
            grad_active = run.zeros("no grad", 1, run.batch, kept["active"].size(-1))
        elif (others := kept["active"].size(-1) - grad_active.size(-1)) > 0:
            grad_active = functional.pad(grad_active, (others, 0))
        carry = run.in_turn("carry", grad_state, run.steps % 2)
        grad_x = run.room("grad x", *(run.x.shape[1:] if with_x else (0, run.x.size(-1))))

        def grad_of(name: str, weight: Tensor) -> Tensor:
            # Tiles add up separately, because threads work on them at once.
            return run.zeros(f"grad {name}", run.tiles, *weight.shape[1:])

        grad_projection = grad_of("projection", run.projection)
        grad_bias = grad_of("bias", run.bias)
        grads = Weights(
            grad_of("weight", weights.weight),
            grad_of("weight bias", weights.bias),
            grad_of("second", weights.second),
            grad_of("second bias", weights.second_bias),
            grad_of("parameters", weights.parameters)
            if unit.learned
            else run.room("no parameters", run.tiles, 1, 0),
        )
        tensors = (
            run.x, run.projection,
            weights.weight, weights.second, weights.parameters,
            kept["active"], kept["saved"], kept["inner"], kept["inner_saved"], grad_active,
            carry, grad_x, grad_projection, grad_bias,
            grads.weight, grads.bias, grads.second, grads.second_bias, grads.parameters,
        )  # fmt: skip
        run.launch(kernels(unit)[1], tensors, grad_active.size(1))
        summed = Weights(*map(sum_of_tiles, vars(grads).values()))
        recurrence = self.gradients(summed)[: len(run.weights)]
        return Gradients(
            grad_x if with_x else None,
            sum_of_tiles(grad_projection),
            sum_of_tiles(grad_bias),
            recurrence,
            carry[:, 0],
        )


def sum_of_tiles(grad: Tensor) -> Tensor:
    """Return ``(S, ...)`` for ``(S, tiles, ...)``."""
    return grad.squeeze(1) if grad.size(1) == 1 else grad.sum(1)


def _empty(run: Run) -> Tensor:
    return run.room("empty", 0, 0)


class Dense(Driver):
    r"""Units that see each other through one matrix of weights.

    .. math::
        h_t = \text{unit}(\text{drive}_t,\; \text{active}_{t-1} W + b,\; h_{t-1})

    sRNN, TRNN, MTRNN, LSTM, GRU, UGRNN, AntisymmetricRNN, ESN, nBRC, PC-RNN-V, -HC-A and -GC-HC-A.
    The weights are (W,) or (W, b), ``(S, n, recurrent * n)`` and ``(S, 1, recurrent * n)``.
    """

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        weight, *biases = run.weights
        bias = biases[0] if biases else run.zeros("no bias", 1, weight.size(-1))
        return Weights(weight, bias, _empty(run), _empty(run), run.parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return grads.weight, grads.bias


class Separate(Driver):
    r"""Units that see nothing but the input and their own state.

    .. math::
        h_t = \text{unit}(\text{drive}_t,\; h_{t-1};\; w)

    BRC. The weights are (w,), ``(S, 1, blocks * n)``: the learned parameters of the unit.
    """

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        (parameters,) = run.weights
        return Weights(*[_empty(run)] * 4, parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return (grads.parameters,)


class Factored(Driver):
    r"""Units whose recurrence goes through factors that the input gates.

    .. math::
        h_t = \text{unit}\big((\text{drive}_t \odot \text{active}_{t-1} W_p)\, W_f + b,\;
            h_{t-1}\big)

    PC-RNN-HC-M and -GC-HC-M. The weights are (W_p, W_f, b), ``(S, n, d)``, ``(S, d, n)`` and
    ``(S, 1, n)``.
    """

    def __init__(self, unit: Unit):
        stage = Stage(_gate_forward, _gate_backward, drive=1, saved=2)
        super().__init__(replace(unit, name=f"factored_{unit.name}", additive=False, stage=stage))

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        into, out_of, bias = run.weights
        return Weights(into, run.zeros("no bias", 1, into.size(-1)), out_of, bias, run.parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return grads.weight, grads.second, grads.second_bias


@scalar
def _gate_forward(drive, recurrent, state, parameters):
    """Return factor * gate."""
    return recurrent[0] * drive[0], (recurrent[0], drive[0])


@scalar
def _gate_backward(saved, grad_inner, parameters):
    """Derivative of :func:`_gate_forward`."""
    factor, gate = saved
    return (grad_inner * factor,), (grad_inner * gate,), ()


class Coupled(Driver):
    r"""Units whose errors come back through the weights within a step.

    .. math::
        e_t = \text{stage}(\text{drive}_t + \text{active}_{t-1} W,\; h_{t-1}), \qquad
        h_t = \text{unit}(e_t,\; e_t W^\top,\; h_{t-1})

    PC-RNN-GC. The weights are (W,), ``(S, n, n)``.
    """

    def weights(self, run: Run) -> Weights:
        """See the base class."""
        (weight,) = run.weights
        zero = run.zeros("no bias", 1, weight.size(-1))
        return Weights(weight, zero, weight.mT, zero, run.parameters)

    def gradients(self, grads: Weights) -> tuple[Tensor, ...]:
        """See the base class."""
        return (grads.weight + grads.second.mT,)
