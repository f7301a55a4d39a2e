"""Triton's kernels as a backend: for CUDA devices, in float32 and float64."""

import os
from collections.abc import Sequence
from typing import Any

import torch
import triton
from torch import Tensor

from ...cells.base import Cell
from .. import backend, registry, scalars
from ..recurrence import Recurrence
from ..run import Gradients, Run, Weights
from ..unit import NO_STAGE, Unit
from .adam import adam_step
from .functions import compiled
from .readout import read_out
from .scan import backward_kernel, forward_kernel

#: Sequences of a batch that one program takes through all steps: what a product has at least.
ROWS = 16

#: Triton runs kernels as Python on the CPU, for tests.
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


class TritonBackend(backend.Backend):
    """Compiled code for CUDA devices."""

    trains = True
    read_out = staticmethod(read_out)
    adam_step = staticmethod(adam_step)

    def supports(self, cell: Cell | None, tensors: Sequence[Tensor]) -> bool:
        """See the base class."""
        return (
            all(t.is_cuda or (INTERPRETED and t.is_cpu) for t in tensors)
            and len({t.device for t in tensors}) == 1
            and {t.dtype for t in tensors} in ({torch.float32}, {torch.float64})
            and (cell is None or registry.binding(type(cell)) is not None)
        )

    def forward(self, recurrence: Recurrence, run: Run) -> dict[str, Tensor]:
        """See the base class."""
        unit, weights = recurrence.unit, recurrence.weights(run)
        n, d = run.state.size(-1) // unit.states, weights.second.size(-2)
        steps = run.steps if run.training else 1
        stage_saved = unit.stage.saved if unit.stage else 0
        projected = torch.baddbmm(run.bias, run.x.flatten(1, 2), run.projection)
        state = run.buffer("state", *run.state.shape[1:])
        active = run.buffer("active", run.steps + 1, run.batch, n)
        saved = run.buffer("saved", steps, run.batch, unit.saved * n)
        inner = run.buffer("inner", steps, run.batch, d)
        inner_saved = run.buffer("inner saved", steps, run.batch, stage_saved * d)
        tensors = (
            projected, weights.weight, weights.bias, weights.second, weights.second_bias,
            _spread(run, unit, weights, n), run.state,
        )  # fmt: skip
        forward_kernel[_grid(run, unit, n)](
            *(tensor.contiguous() for tensor in tensors), _rows(run),
            state, active, saved, inner, inner_saved,
            run.batch, n, d, run.steps, run.x.size(1), steps,
            unit=compiled(unit.forward), stage=compiled((unit.stage or NO_STAGE).forward),
            activate=compiled(scalars.tanh),
            **_counts(unit, n, d, projected.size(-1), weights),
        )  # fmt: skip
        kept = {"active": active, "saved": saved, "inner": inner, "inner_saved": inner_saved}
        return {**kept, "state": state}

    def backward(
        self,
        recurrence: Recurrence,
        run: Run,
        kept: dict[str, Tensor],
        grad_active: Tensor | None,
        grad_state: Tensor,
        with_x: bool,
    ) -> Gradients:
        """See the base class."""
        unit, weights = recurrence.unit, recurrence.weights(run)
        active, inner = kept["active"], kept["inner"]
        n, d, width = active.size(-1), inner.size(-1), run.projection.size(-1)
        if grad_active is None:
            grad_active = run.zeros("no grad", 1, run.batch, n)
        elif (others := n - grad_active.size(-1)) > 0:
            grad_active = torch.nn.functional.pad(grad_active, (others, 0))
        counts = _counts(unit, n, d, width, weights)
        # What the second product or learned parameters got; others have that of the product alone.
        received = n * (unit.parameters if unit.learned else 1 if unit.stage else 0)
        before = run.buffer("grad state", *run.state.shape[1:])
        grad_received = run.buffer("grad received", run.steps, run.batch, received)
        grad_product = run.buffer("grad product", run.steps, run.batch, weights.weight.size(-1))
        if unit.additive:
            grad_projected = grad_product
        else:
            grad_projected = run.buffer("grad projected", run.steps, run.batch, width)
        tensors = weights.weight, weights.second, _spread(run, unit, weights, n)
        backward_kernel[_grid(run, unit, n)](
            *(tensor.contiguous() for tensor in tensors), _rows(run),
            active, kept["saved"], kept["inner_saved"],
            grad_active.contiguous(), grad_state.contiguous(),
            before, grad_projected, grad_product, grad_received,
            run.batch, n, d, run.steps, grad_active.size(1),
            unit=compiled(unit.backward), stage=compiled((unit.stage or NO_STAGE).backward),
            through=compiled(scalars.through_tanh),
            N_RECEIVED=received // n, **counts,
        )  # fmt: skip
        of_received = grad_received.sum((1, 2)).unsqueeze(1)
        grads = Weights(
            _product(active[:, :-1], grad_product),
            grad_product.sum((1, 2)).unsqueeze(1),
            _product(inner, grad_received) if unit.stage else weights.second,
            second_bias=of_received,
            parameters=of_received,
        )
        if run.x.size(1) < run.steps:
            grad_projected = grad_projected.sum(1, keepdim=True)
        return Gradients(
            grad_projected @ run.projection.mT.unsqueeze(1) if with_x else None,
            _product(run.x, grad_projected),
            grad_projected.sum((1, 2)).unsqueeze(1),
            recurrence.gradients(grads)[: len(run.weights)],
            before,
        )


def tiling(n: int) -> dict[str, int]:
    """Return how many columns are computed at a time, how many rows of a matrix a product takes in.

    And by how many warps: with these no kernel needs more registers than a thread can have.
    """
    tile = min(64, max(16, triton.next_power_of_2(n)))
    return {"TILE": tile, "CHUNK": 16, "num_warps": tile // 8}


def _grid(run: Run, unit: Unit, n: int) -> tuple[int, int]:
    """Return how many programs there are: units that do not see each other are spread over some."""
    columns = 1 if unit.recurrent else triton.cdiv(n, tiling(n)["TILE"])
    return run.members * triton.cdiv(run.batch, ROWS), columns


def _rows(run: Run) -> Tensor:
    """Return how many sequences every step has, without a copy to the device if it is all."""
    if (run.rows == run.batch).all():
        return run.state.new_full((run.steps,), run.batch, dtype=torch.int32)
    return torch.as_tensor(run.rows, dtype=torch.int32).to(run.state.device)


def _spread(run: Run, unit: Unit, weights: Weights, n: int) -> Tensor:
    """Return the parameters of all units, ``(S, count * n)``."""
    numbers = weights.parameters.flatten(1)
    return numbers.repeat_interleave(unit.parameters * n // max(1, numbers.size(1)), 1)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return the product over all steps and sequences, ``(S, columns, columns)``."""
    return left.flatten(1, 2).mT @ right.flatten(1, 2)


def _counts(unit: Unit, n: int, d: int, width: int, weights: Weights) -> dict[str, Any]:
    """Return what of a unit is constant in the kernels."""
    stage, columns = unit.stage or NO_STAGE, d if unit.stage else n
    return {
        "ACTIVATED": unit.activated,
        "MATRIX": unit.recurrent > 0,
        "ADDITIVE": unit.additive,
        "STAGED": unit.stage is not None,
        "DIRECT": stage.direct,
        "N_DRIVE": width // columns,
        "N_PRODUCT": weights.weight.size(-1) // columns,
        "N_STATE": unit.states,
        "N_PARAMETER": unit.parameters,
        "N_SAVED": unit.saved,
        "N_STAGE_STATE": stage.states,
        "N_STAGE_PARAMETER": stage.parameters,
        "N_STAGE_SAVED": stage.saved,
        "ROWS": ROWS,
        **tiling(n),
    }
