"""The other implementations, each as a layer that returns the outputs of all steps."""

import torch
import torchrecurrent
from brc_pytorch import layers as brc_pytorch
from torch import Tensor, nn

from rnncells import RNN

from .timing import Work

#: The names that other libraries give to the cells.
BRC_PYTORCH = {
    "BRC": brc_pytorch.BistableRecurrentCell,
    "nBRC": brc_pytorch.NeuromodulatedBistableRecurrentCell,
}
TORCHRECURRENT = {
    "BRC": torchrecurrent.BR,
    "nBRC": torchrecurrent.NBR,
    "UGRNN": torchrecurrent.UGRNN,
    "AntisymmetricRNN": torchrecurrent.AntisymmetricRNN,
}


class BatchFirst(nn.Module):
    """Lets a layer that takes ``(B, T, m)`` take ``(T, B, m)``."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs ``(T, B, n)`` and the last states."""
        output, h_n = self.layer(x.transpose(0, 1))
        return output.transpose(0, 1), h_n


def layers_of(library: str, cell: str, inputs: int, units: int, layers: int) -> nn.Module:
    """Return a library's layers of a cell, from ``(T, B, inputs)`` to ``(T, B, units)``, h_n."""
    if library == "rnncells":
        return RNN(cell, inputs, units, layers)
    if library == "torch.nn":
        return getattr(nn, cell)(inputs, units, layers)
    if library == "torchrecurrent":
        return TORCHRECURRENT[cell](inputs, units, layers)
    if library == "brc_pytorch":
        kind = BRC_PYTORCH[cell]
        cells = [kind(inputs if k == 0 else units, units) for k in range(layers)]
        device = torch.device("cpu")
        return BatchFirst(
            brc_pytorch.MultiLayerBase(
                cell, cells, units, batch_first=True, return_sequences=True, device=device
            )
        )
    raise KeyError(library)


def descent(layers: nn.Module, units: int, x: Tensor, target: Tensor, loss: nn.Module) -> Work:
    """Return the work of one training step: forward, backward, Adam, with a linear readout.

    Args:
        layers: recurrent layers.
        units: their width.
        x: inputs ``(T, B, m)``.
        target: ``(B, k)`` for the last step, or ``(T, B, k)`` for all steps.
        loss: the loss.
    """
    readout = nn.Linear(units, target.size(-1), device=x.device)
    optimiser = torch.optim.Adam([*layers.parameters(), *readout.parameters()])
    last = target.dim() == 2

    def step() -> None:
        optimiser.zero_grad()
        output, _ = layers(x)
        loss(readout(output[-1] if last else output), target).backward()
        optimiser.step()

    return step
