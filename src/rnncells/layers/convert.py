"""PyTorch's own recurrent modules as ours."""

from typing import Any, overload

import torch
from torch import nn

from ..cells.base import Cell
from .rnn import RNN, make_cell

NAMES = {nn.GRU: "GRU", nn.LSTM: "LSTM", nn.GRUCell: "GRU", nn.LSTMCell: "LSTM"}


@overload
def from_torch(module: nn.RNNBase) -> RNN: ...


@overload
def from_torch(module: nn.RNNCellBase) -> Cell: ...


def from_torch(module: nn.RNNBase | nn.RNNCellBase) -> RNN | Cell:
    """Make the equal of an nn.GRU, nn.LSTM, nn.GRUCell or nn.LSTMCell, with a copy of its weights.

    Device, dtype, training mode and frozen parameters are the original's too.

    Args:
        module: the original, which does not change.

    Returns:
        An :class:`RNN` for a layer, a :class:`Cell` for a cell.

    Raises:
        TypeError: for another module.
        ValueError: for an nn.LSTM with projections.
    """
    name = next((name for kind, name in NAMES.items() if isinstance(module, kind)), None)
    if name is None:
        text = f"{type(module).__name__} is none of {', '.join(kind.__name__ for kind in NAMES)}"
        if isinstance(module, (nn.RNN, nn.RNNCell)):
            text += "; it applies tanh after the recurrent weights, and our sRNN before them"
        raise TypeError(text)
    if getattr(module, "proj_size", 0):
        raise ValueError("an LSTM with proj_size has no equal here")
    original = next(module.parameters())
    # On the meta device no values are drawn, so that PyTorch's generator stays where it is.
    common: dict[str, Any] = {"bias": module.bias, "device": "meta", "dtype": original.dtype}
    copy: RNN | Cell
    if isinstance(module, nn.RNNBase):
        options = ("num_layers", "batch_first", "dropout", "bidirectional")
        common |= {key: getattr(module, key) for key in options}
        copy = RNN(name, module.input_size, module.hidden_size, **common)
        directions = ("", "_reverse") if module.bidirectional else ("",)
        suffixes = [f"_l{layer}{way}" for layer in range(module.num_layers) for way in directions]
        cells = list(copy.cells)
    else:
        copy = make_cell(name, module.input_size, module.hidden_size, **common)
        suffixes, cells = [""], [copy]
    copy.to_empty(device=original.device)
    with torch.no_grad():
        for suffix, cell in zip(suffixes, cells, strict=True):
            for key, ours in cell.named_parameters():
                theirs = getattr(module, key + suffix)
                ours.copy_(theirs.mT if theirs.dim() == 2 else theirs)
                ours.requires_grad_(theirs.requires_grad)
    return copy.train(module.training)
