"""Which kernels run a cell, if any do: the contract of a backend, and the choice of one."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ..cells.base import Cell, autocasts
from .recurrence import Recurrence
from .run import Gradients, Run

_enabled = ContextVar("kernels enabled", default=True)


@contextmanager
def disabled() -> Iterator[None]:
    """Context manager: run the cells' own steps instead of kernels."""
    before = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(before)


class Backend(ABC):
    """Compiled code for one kind of device.

    It runs cells over whole sequences, forward and backward, and has the readout and the optimiser
    of a fused training step.
    """

    @abstractmethod
    def supports(self, cell: Cell | None, tensors: Sequence[Tensor]) -> bool:
        """Return whether there is code for a cell, and the tensors' device and dtype.

        Args:
            cell: the cell, or None if the question is about the tensors alone.
            tensors: inputs, states and parameters; at least one.
        """

    @abstractmethod
    def forward(self, recurrence: Recurrence, run: Run) -> dict[str, Tensor]:
        """Run over all steps.

        Returns:
            ``active``, the active states ``(S, T + 1, B, n)``, those of the initial state first;
            ``state`` ``(S, B, states * n)`` after the last step; and what else :meth:`backward`
            needs.
        """

    @abstractmethod
    def backward(
        self,
        recurrence: Recurrence,
        run: Run,
        kept: dict[str, Tensor],
        grad_active: Tensor | None,
        grad_state: Tensor,
        with_x: bool,
    ) -> Gradients:
        """Return the gradients of a run.

        Args:
            recurrence: what was run.
            run: the call of :meth:`forward`.
            kept: what :meth:`forward` returned.
            grad_active: gradient of the active states of all steps, ``(S, T, B, n)``, or of the
                last of them where there are several groups of units; or None.
            grad_state: gradient of the state after the last step.
            with_x: whether the gradient of the input is wanted.
        """

    #: Whether the backend has what a training step needs besides: the two methods that follow.
    trains: bool = False

    def read_out(
        self,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        target: Tensor,
        scale: Tensor,
        error: str,
        with_features: bool = True,
    ) -> tuple[Tensor, tuple[Tensor | None, Tensor, Tensor]]:
        """Return the weighted sum of the errors of a readout's predictions, and its gradients.

        Args:
            features: ``(S, ..., n)``.
            weight, bias: of the readout, ``(S, n, k)`` and ``(S, k)``.
            target, scale: what should come out, and the weight of its error, ``(S, ..., k)``.
            error: ``"squared"``, ``"logistic"`` for the binary cross entropy of logits, or
                ``"cross_entropy"`` for that of a distribution over the k classes.
            with_features: whether the gradient of the features is wanted.

        Returns:
            the sum, ``(S,)``, and its gradients with respect to features, weight and bias.
        """
        raise NotImplementedError

    def adam_step(
        self,
        parameters: Sequence[Tensor],
        grads: Sequence[Tensor],
        means: Sequence[Tensor],
        squares: Sequence[Tensor],
        lr: Tensor,
        active: Tensor,
        steps: Tensor,
        betas: tuple[float, float],
        eps: float,
    ) -> None:
        """Make a step of Adam in place; what is not active stays as it is.

        Args:
            parameters, grads, means, squares: each ``(S, ...)``; at least one of them.
            lr: learning rate of each member, ``(S,)``.
            active: ``(S,)``, bool.
            steps: the number of this step, counted from 1, float64 without axes.
            betas, eps: as for :class:`torch.optim.Adam`.
        """
        raise NotImplementedError


@cache
def backends() -> tuple[Backend, ...]:
    """Return the backends of this installation; the first that supports a call serves it."""
    found = _triton()
    try:
        found.append(_numba())
    except ImportError as error:
        warnings.warn(
            f"rnncells runs its cells step by step, which is slow: no compiled kernels ({error})",
            RuntimeWarning,
            stacklevel=2,
        )
    return tuple(found)


def _numba() -> Backend:
    from .numba.backend import NumbaBackend

    return NumbaBackend()


def _triton() -> list[Backend]:
    from .triton import backends

    return backends()


def find(
    *tensors: Tensor, cells: Sequence[Cell] = (), training_step: bool = False
) -> Backend | None:
    """Return the backend for cells and tensors, or None if there is none and PyTorch has to do it.

    Args:
        tensors: all that it will read and write.
        cells: the cells that it will run.
        training_step: whether it has to do a whole training step.
    """
    if not possible() or not _are_plain(tensors):
        return None
    for backend in backends():
        serves = backend.trains or not training_step
        if serves and all(backend.supports(cell, tensors) for cell in cells or (None,)):
            return backend
    return None


def possible() -> bool:
    """Return whether kernels may run: no tracing, function transform, dispatch or forward mode."""
    return (
        not torch.compiler.is_compiling()  # first, because the compiler reads on from here
        and _enabled.get()
        and not torch.jit.is_tracing()
        and torch._C._functorch.peek_interpreter_stack() is None
        and torch._C._len_torch_dispatch_stack() == 0
        and forward_ad._current_level < 0
    )


def _are_plain(tensors: Sequence[Tensor]) -> bool:
    """Return whether all tensors are strided, of no subclass, in memory, and not autocast."""
    return (
        {type(t) for t in tensors} <= {Tensor, torch.nn.Parameter}
        and {t.layout for t in tensors} == {torch.strided}
        and not any(t.is_neg() or t._is_zerotensor() for t in tensors)
        and not autocasts(tensors[0])
    )
