"""A network's loss and all its gradients in one pass, without autograd.

For a small network, autograd's overhead per operation takes longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..cells.base import Cell
from ..kernels.backend import Backend, find, possible
from ..kernels.registry import binding, fit, recurrence_of, run_of, weights_of
from ..layers.rnn import compact

if TYPE_CHECKING:
    from ..layers.network import Network, Objective


class FusedLoss:
    """Computes a network's loss and sets its parameters' gradients, where a backend can.

    Buffers are reused by every call with data of the same shape. The gradients are among them: the
    next call overwrites them.

    Args:
        network: the network.
    """

    def __init__(self, network: Network):
        self.network = network
        self.layers: list[Layer] = []
        self.shapes: tuple[object, ...] = ()

    @torch.no_grad()
    def __call__(self, objective: Objective) -> Tensor | None:
        """Return the loss of every member, ``(S,)``, and set (not add to) the gradients.

        Returns None, and does nothing, if no backend can; then autograd has to do it.
        """
        network, (x, target, scale, error, codes, last) = self.network, objective
        rnn, readout = network.rnn, network.readout
        cells = rnn.cells
        if rnn.bidirectional or rnn.dropout or target.numel() == 0 or not possible():
            return None
        if any(binding(type(cell)) is None for cell in cells):
            return None
        members, outputs = rnn.population, target.size(-1)
        if readout.weight.shape != (members, rnn.hidden_size, outputs):
            return None
        if readout.bias.shape != (members, outputs):
            return None
        with torch.enable_grad():
            states = network.initial_states(codes, target.size(-2))
            weights = [weights_of(cell) for cell in cells]
        given = [(*state, *of_cell) for state, of_cell in zip(states, weights, strict=True)]
        others = target, scale, readout.weight, readout.bias, *chain.from_iterable(given)
        backend = find(x, *others, cells=cells, training_step=True)
        inputs = x, *(state[0] for state in states[:-1])  # of the width of the output below
        if backend is None or not all(map(fit, cells, inputs, states, weights)):
            return None
        shapes = backend, x.shape, target.shape, x.dtype
        if shapes != self.shapes:
            rows = np.full(x.size(1), target.size(-2))
            self.layers, self.shapes = [Layer(backend, cell, rows) for cell in cells], shapes
        x = compact(x)
        # A layer's gradients are needed if it learns, or one below it does.
        lowest = next(
            (k for k, tensors in enumerate(given) if any(t.requires_grad for t in tensors)),
            len(cells),
        )
        for k, layer in enumerate(self.layers):
            active = layer.forward(x, given[k], len(states[k]), learns=k >= lowest)
            x = active[:, 1:]
        loss, (grad, *of_readout) = backend.read_out(
            x[:, -1] if last else x,
            *(readout.weight, readout.bias, target, scale, error),
            with_features=lowest < len(cells),
        )
        found = [((readout.weight, readout.bias), of_readout)]
        for k in reversed(range(lowest, len(cells))):
            assert grad is not None
            at_last = last and k == len(cells) - 1
            grad, of_layer = self.layers[k].backward(grad, at_last, with_x=k > lowest)
            found.append((given[k], of_layer))
        _hand_out(found)
        return loss


class Layer:
    """One cell, its buffers, and what its forward pass keeps for the backward pass."""

    def __init__(self, backend: Backend, cell: Cell, rows: np.ndarray):
        self.backend = backend
        self.cell = cell
        self.rows = rows
        self.recurrence = recurrence_of(cell)
        self.buffers: dict[tuple, Tensor] = {}

    def forward(self, x: Tensor, tensors: Sequence[Tensor], parts: int, learns: bool) -> Tensor:
        """Return the active states ``(S, T + 1, B, n)``, those of the initial state first."""
        options = {"training": learns, "buffers": self.buffers}
        self.run = run_of(self.cell, self.rows, parts, x, tensors, **options)
        self.parts = parts
        self.kept = self.backend.forward(self.recurrence, self.run)
        return self.kept["active"][..., -self.cell.hidden_size :]

    def backward(
        self, grad: Tensor, at_last: bool, with_x: bool
    ) -> tuple[Tensor | None, tuple[Tensor, ...]]:
        """Return the gradients of the input, and of the tensors.

        Args:
            grad: gradient of the active states of all steps, ``(S, T, B, n)``, or of the last one,
                ``(S, B, n)``.
            at_last: which of the two.
            with_x: whether the gradient of the input is wanted.
        """
        run, active = self.run, self.kept["active"]
        grad_state = run.zeros("grad state", *run.state.shape[1:])
        if at_last:
            width, n = active.size(-1), grad.size(-1)
            through = self.recurrence.unit.through_active(grad, active[:, -1, :, -n:])
            grad_state[..., width - n : width] = through
        grads = self.backend.backward(
            self.recurrence, run, self.kept, None if at_last else grad, grad_state, with_x=with_x
        )
        states = (part.contiguous() for part in grads.state.chunk(self.parts, -1))
        return grads.x, (*states, grads.projection, grads.bias.squeeze(1), *grads.weights)


def _hand_out(found: list[tuple[Sequence[Tensor], Sequence[Tensor]]]) -> None:
    """Set the gradients of leaves; those of tensors computed from parameters go on by autograd."""
    made = []
    for tensors, grads in found:
        for tensor, grad in zip(tensors, grads, strict=True):
            if tensor.grad_fn is not None:
                made.append((tensor, grad.view(tensor.shape)))
            elif tensor.requires_grad:
                tensor.grad = grad
    if made:
        tensors, grads = zip(*made, strict=True)
        with torch.enable_grad():
            root = _Root.apply(grads, *tensors)
        root.backward()


class _Root(torch.autograd.Function):
    """A scalar with given gradients with respect to tensors.

    ``torch.autograd.backward(tensors, grads)`` does the same, and imports SymPy to compare sizes.
    """

    @staticmethod
    def forward(ctx, grads: Sequence[Tensor], *tensors: Tensor) -> Tensor:
        ctx.grads = grads
        return grads[0].new_zeros(())

    @staticmethod
    def backward(ctx, _: Tensor) -> tuple[Tensor | None, ...]:
        return None, *ctx.grads
