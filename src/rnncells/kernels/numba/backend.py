"""Numba's kernels as a backend: for the CPU, in float32 and float64."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...cells.base import Cell
from .. import backend, registry
from . import driver
from .adam import adam_step
from .readout import read_out


class NumbaBackend(backend.Backend):
    """Compiled code for the CPU."""

    forward = staticmethod(driver.forward)
    backward = staticmethod(driver.backward)
    trains = True
    read_out = staticmethod(read_out)
    adam_step = staticmethod(adam_step)

    def supports(self, cell: Cell | None, tensors: Sequence[Tensor]) -> bool:
        """See the base class."""
        return (
            all(t.is_cpu for t in tensors)
            and {t.dtype for t in tensors} in ({torch.float32}, {torch.float64})
            and (cell is None or registry.binding(type(cell)) is not None)
        )
