"""A recurrent network with a linear readout, for a population of models."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..cells.base import State, affine
from ..cells.initial import Initializer
from ..random.streams import stream
from .rnn import RNN


def squared(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the squared error of every number."""
    return (prediction - target).square()


def logistic(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the binary cross entropy of every number, whose prediction is a logit."""
    return binary_cross_entropy_with_logits(prediction, target, reduction="none")


def cross_entropy(prediction: Tensor, target: Tensor) -> Tensor:
    """Return each class's part of the cross entropy of logits ``(..., classes)``.

    The target holds the classes' probabilities, such as a one-hot vector; their parts add up to the
    cross entropy if they have the same weight.
    """
    return -target * prediction.log_softmax(-1)


#: The errors that a loss can add up.
ERRORS = {"squared": squared, "logistic": logistic, "cross_entropy": cross_entropy}


def weighted_sum(errors: Tensor, scale: Tensor) -> Tensor:
    """Return the sum of a member's errors ``(S, ...)``, each times its weight, ``(S,)``."""
    return (errors * scale).flatten(1).sum(1)


class Objective(NamedTuple):
    """What a network should do, as :meth:`Network.loss` measures it.

    Attributes:
        x: inputs ``(S, T, B, input_size)``.
        target, scale: the target, and the weight of its error, both ``(S, T, B, output_size)``, or
            ``(S, B, output_size)`` if only the last step counts.
        error: a name of :data:`ERRORS`.
        codes: latent codes of the initial states, as for :meth:`Network.initial_state`; without
            them these are 0.
        last: whether only the last step counts.
    """

    x: Tensor
    target: Tensor
    scale: Tensor
    error: str = "squared"
    codes: Tensor | None = None
    last: bool = False


class Readout(nn.Module):
    r"""Linear readout :math:`y = W_o\,\text{output} + b_o` of every member of a population.

    Shapes: weight ``(S, n, output_size)``, bias ``(S, output_size)``.
    """

    def __init__(self, population: int, hidden_size: int, output_size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(population, hidden_size, output_size))
        self.bias = nn.Parameter(torch.zeros(population, output_size))

    def forward(self, output: Tensor) -> Tensor:
        """Read out ``(S, ..., B, n)`` to ``(S, ..., B, output_size)``."""
        return affine(output, self.weight, self.bias)


class Network(nn.Module):
    """An :class:`~rnncells.layers.rnn.RNN` of S members and its readout.

    Args:
        rnn: the recurrent layers, built with ``population=S``.
        output_size: width of the prediction.
        readout_weight, readout_bias: initializers of the readout's initial values.
        seeds: one seed per member; initial values come from its streams.
        input_sizes: for each member, how many of the inputs it uses (default: all).
    """

    def __init__(
        self,
        rnn: RNN,
        output_size: int,
        readout_weight: Initializer,
        readout_bias: Initializer,
        seeds: Sequence[int],
        input_sizes: Sequence[int] | None = None,
    ):
        super().__init__()
        self.rnn = rnn
        self.readout = Readout(len(seeds), rnn.hidden_size, output_size)
        rnn.reset_parameters(seeds, input_sizes)
        with torch.no_grad():
            for name, initial in (("weight", readout_weight), ("bias", readout_bias)):
                for k, seed in enumerate(seeds):
                    member = getattr(self.readout, name)[k]
                    draw = initial(stream(seed, "weights", "readout", name), tuple(member.shape))
                    member.copy_(torch.as_tensor(draw))
        self.codes: nn.Parameter | None = None

    def learn_codes(self, codes: Tensor) -> None:
        """Learn the latent codes of the initial states, ``(S, B, code_size)``, from these on."""
        self.codes = nn.Parameter(codes.clone())

    def initial_states(self, codes: Tensor | None, batch: int) -> list[State]:
        """Return the initial state of every layer: as :meth:`initial_state`, and 0 for None."""
        if codes is None:
            return [cell.initial_state(batch) for cell in self.rnn.cells]
        return self.rnn.states_from_code(codes if self.codes is None else self.codes)

    def initial_state(self, codes: Tensor | None) -> Tensor | State | None:
        """Return h_0 from the learned codes if there are any, else from ``codes``; None without."""
        if codes is None:
            return None
        return self.rnn.state_from_code(codes if self.codes is None else self.codes)

    def features(self, x: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return what the readout sees, ``(S, T, B, n)``, for inputs ``(S, T, B, input_size)``."""
        output, _ = self.rnn(x, self.initial_state(codes))
        return output

    def last_features(self, x: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return what the readout sees after the last step, ``(S, B, n)``."""
        _, h_n = self.rnn(x, self.initial_state(codes))
        cell = self.rnn.cells[-1]
        states = h_n if isinstance(h_n, tuple) else (h_n,)
        return cell.output(states[cell.state_names.index(cell.output_state)][:, -1])

    def forward(self, x: Tensor, codes: Tensor | None = None) -> Tensor:
        """Predict ``(S, T, B, output_size)`` from inputs ``(S, T, B, input_size)``."""
        return self.readout(self.features(x, codes))

    def loss(self, objective: Objective) -> Tensor:
        """Return the weighted sum of each member's errors, ``(S,)``."""
        x, target, scale, error, codes, last = objective
        features = (self.last_features if last else self.features)(x, codes)
        return weighted_sum(ERRORS[error](self.readout(features), target), scale)

    def feed_back(self, steps: int, codes: Tensor) -> Tensor:
        """Generate in closed loop: the input of a step is the prediction of the step before.

        The first input is 0. No gradient flows through the input.

        Returns:
            the predictions, ``(S, steps, B, output_size)``.
        """
        states = self.initial_states(codes, codes.size(-2))
        recurrences = [cell.recurrence() for cell in self.rnn.cells]
        x = codes.new_zeros((*codes.shape[:-1], self.rnn.input_size))
        predictions = []
        for _ in range(steps):
            for k, cell in enumerate(self.rnn.cells):
                states[k] = cell.step(cell.project(x), states[k], recurrences[k])
                x = cell.output(states[k][cell.state_names.index(cell.output_state)])
            predictions.append(self.readout(x))
            x = predictions[-1].detach()
        return torch.stack(predictions, -3)
