"""Which kernel runs a cell, if one does.

On the CPU it is Numba's compiled code, for float32 and float64. This is the place where kernels for
other devices will be chosen.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ..cells.base import Cell, State, autocasts

_enabled = ContextVar("kernels enabled", default=True)


@contextmanager
def disabled() -> Iterator[None]:
    """Use the readable steps instead of kernels, for instance for derivatives of derivatives."""
    before = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(before)


def find(cell: Cell, x: Tensor, state: State) -> Callable[..., Any] | None:
    """Return the function that runs a cell over a sequence, or None.

    It takes the cell, its drive, its state and the number of sequences of every step; see
    :func:`rnncells.kernels.sequence.run_sequence`.
    """
    if torch.compiler.is_compiling():  # first, because the compiler reads on from here
        return None
    if not _enabled.get() or x.device.type != "cpu" or _transformed(x, *state):
        return None
    if x.dtype not in (torch.float32, torch.float64) or x.size(-2) == 0:
        return None
    from .sequence import binding, run_sequence

    return None if binding(type(cell)) is None else run_sequence


def _transformed(*tensors: Tensor) -> bool:
    """Return whether PyTorch is looking at the operations, or changes what they do."""
    return (
        torch.jit.is_tracing()
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch._C._len_torch_dispatch_stack() > 0
        or forward_ad._current_level >= 0
        or any(type(t) not in (Tensor, torch.nn.Parameter) or autocasts(t) for t in tensors)
    )
