"""Recurrent cells, side by side: who remembers, counts, generates?

``rnncells.RNN("nBRC", 3, 64)`` is a recurrent layer in the place of :class:`torch.nn.GRU`, and
``rnncells.cell("nBRC", 3, 64)`` one step of it.
``rnncells.PredictiveCoding("PC-RNN-HC-A", 3, 64, 2)`` predicts, and corrects itself from what it
sees. Importing ``rnncells`` is light: PyTorch is loaded with the first of them.
"""

from importlib.metadata import version

__version__ = version("rnncells")
__all__ = ["RNN", "PredictiveCoding", "__version__", "cell"]


def __getattr__(name: str):
    if name in ("RNN", "cell"):
        from . import rnn

        return rnn.RNN if name == "RNN" else rnn.make_cell
    if name == "PredictiveCoding":
        from .predictive_coding import PredictiveCoding

        return PredictiveCoding
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
