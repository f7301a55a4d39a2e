"""Run a recurrence over whole sequences: buffers, kernel calls, and sums over tiles."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..recurrence import Recurrence
from ..run import Gradients, Run, Weights
from .launch import Kernel
from .scan import kernels

# Most rows of a tile, the part of a batch that one thread takes through all steps: its states
# should stay in the cache.
ROWS = 128


def tiles_of(run: Run) -> int:
    """Return the number of tiles of the batch: enough for all threads.

    A tile has at least 8 rows where there are that many.
    """
    wanted = max(-(-run.batch // ROWS), -(-torch.get_num_threads() // run.members))
    return max(1, min(wanted, run.batch // 8))


def _launch(kernel: Kernel, run: Run, tiles: int, tensors: Sequence[Tensor], steps: int) -> None:
    """Call a kernel of :mod:`rnncells.kernels.numba.scan`; ``steps`` is its last argument."""
    sizes = (run.members, tiles, run.batch, run.rows, run.x.size(1), steps)
    kernel(run.members * tiles, tensors, *sizes)


def forward(recurrence: Recurrence, run: Run) -> dict[str, Tensor]:
    """Run over all steps; see :meth:`rnncells.kernels.backend.Backend.forward`."""
    unit = recurrence.unit
    weights = recurrence.weights(run)
    n, d = run.state.size(-1) // unit.states, weights.second.size(-2)
    steps = run.steps if run.training else 1
    state = run.copy("state", run.state)
    active = run.buffer("active", run.steps + 1, run.batch, n)
    saved = run.buffer("saved", steps, run.batch, unit.saved * n)
    inner = run.buffer("inner", steps, run.batch, d)
    stage_saved = unit.stage.saved * d if unit.stage else 0
    inner_saved = run.buffer("inner saved", steps, run.batch, stage_saved)
    tensors = (
        run.x, run.projection, run.bias,
        weights.weight, weights.bias, weights.second, weights.second_bias, weights.parameters,
        state, active, saved, inner, inner_saved,
    )  # fmt: skip
    _launch(kernels(unit)[0], run, tiles_of(run), tensors, steps)
    kept = {"active": active, "saved": saved, "inner": inner, "inner_saved": inner_saved}
    return {**kept, "state": state}


def backward(
    recurrence: Recurrence,
    run: Run,
    kept: dict[str, Tensor],
    grad_active: Tensor | None,
    grad_state: Tensor,
    with_x: bool,
) -> Gradients:
    """Return the gradients; see :meth:`rnncells.kernels.backend.Backend.backward`."""
    unit, weights = recurrence.unit, recurrence.weights(run)
    tiles = tiles_of(run)
    if grad_active is None:
        grad_active = run.zeros("no grad", 1, run.batch, kept["active"].size(-1))
    elif (others := kept["active"].size(-1) - grad_active.size(-1)) > 0:
        grad_active = functional.pad(grad_active, (others, 0))
    carry = run.copy("carry", grad_state)
    grad_x = run.buffer("grad x", *(run.x.shape[1:] if with_x else (0, run.x.size(-1))))

    def grad_of(name: str, weight: Tensor) -> Tensor:
        # One accumulator per tile, because threads work on tiles at the same time.
        return run.zeros(f"grad {name}", tiles, *weight.shape[1:])

    grad_projection = grad_of("projection", run.projection)
    grad_bias = grad_of("bias", run.bias)
    grads = Weights(
        grad_of("weight", weights.weight),
        grad_of("weight bias", weights.bias),
        grad_of("second", weights.second),
        grad_of("second bias", weights.second_bias),
        grad_of("parameters", weights.parameters)
        if unit.learned
        else run.buffer("no parameters", tiles, 1, 0),
    )
    tensors = (
        run.x, run.projection,
        weights.weight, weights.second, weights.parameters,
        kept["active"], kept["saved"], kept["inner"], kept["inner_saved"], grad_active,
        carry, grad_x, grad_projection, grad_bias,
        grads.weight, grads.bias, grads.second, grads.second_bias, grads.parameters,
    )  # fmt: skip
    _launch(kernels(unit)[1], run, tiles, tensors, grad_active.size(1))
    summed = Weights(*map(sum_of_tiles, vars(grads).values()))
    of_weights = recurrence.gradients(summed)[: len(run.weights)]
    return Gradients(
        grad_x if with_x else None,
        sum_of_tiles(grad_projection),
        sum_of_tiles(grad_bias),
        of_weights,
        carry,
    )


def sum_of_tiles(grad: Tensor) -> Tensor:
    """Return ``(S, ...)`` for ``(S, tiles, ...)``."""
    return grad.squeeze(1) if grad.size(1) == 1 else grad.sum(1)
