"""Recurrent cells, side by side: who remembers, counts, generates?

``rnncells.RNN("nBRC", 3, 64)`` is a recurrent layer in the place of :class:`torch.nn.GRU`,
``rnncells.cell("nBRC", 3, 64)`` one step of it, and ``rnncells.from_torch(module)`` the equal of
PyTorch's own GRU or LSTM. ``rnncells.PredictiveCoding("PC-RNN-HC-A", 3, 64, 2)`` predicts, and
corrects itself from what it sees. Importing ``rnncells`` is light: PyTorch is loaded with the first
of them.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .layers.convert import from_torch
    from .layers.predictive_coding import PredictiveCoding
    from .layers.rnn import RNN
    from .layers.rnn import make_cell as cell

__all__ = ["RNN", "PredictiveCoding", "__version__", "cell", "from_torch"]

_SOURCES = {
    "RNN": "layers.rnn:RNN",
    "cell": "layers.rnn:make_cell",
    "from_torch": "layers.convert:from_torch",
    "PredictiveCoding": "layers.predictive_coding:PredictiveCoding",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version(__name__)
    if name not in _SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _SOURCES[name].partition(":")
    return getattr(import_module(f".{module}", __name__), attribute)
