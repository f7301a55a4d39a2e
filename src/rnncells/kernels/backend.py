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
    :func:`rnncells.kernels.numba.sequence.run_sequence`.
    """
    if not compiled(x, *state) or x.size(-2) == 0:
        return None
    from .numba.sequence import binding, run_sequence

    return None if binding(type(cell)) is None else run_sequence


def compiled(*tensors: Tensor) -> bool:
    """Return whether compiled code for the CPU may work on tensors.

    It may not if PyTorch is looking at the operations, or changes what they do.
    """
    return (
        not torch.compiler.is_compiling()  # first, because the compiler reads on from here
        and _enabled.get()
        and not torch.jit.is_tracing()
        and torch._C._functorch.peek_interpreter_stack() is None
        and torch._C._len_torch_dispatch_stack() == 0
        and forward_ad._current_level < 0
        and {type(t) for t in tensors} <= {Tensor, torch.nn.Parameter}
        and all(t.is_cpu for t in tensors)
        and {t.dtype for t in tensors} <= {torch.float32, torch.float64}
        and not autocasts(tensors[0])
    )
