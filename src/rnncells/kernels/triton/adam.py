"""Adam's step in Triton: one launch for all parameters of all members."""

import math
from collections.abc import Sequence

import triton
import triton.language as tl
from torch import Tensor

#: Numbers of one member's parameter that one program updates.
BLOCK = 1024

#: Parameters of one launch. Each is four pointers and two numbers, and a kernel takes 4 KB of them.
PARAMETERS = 64


def adam_step(
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
    """Make a step; see :meth:`rnncells.kernels.backend.Backend.adam_step`.

    Nothing is read back, so that a CUDA graph can record it.
    """
    every = list(zip(parameters, (g.contiguous() for g in grads), means, squares, strict=True))
    members = len(lr)
    for begin in range(0, len(every), PARAMETERS):
        some = tuple(zip(*every[begin : begin + PARAMETERS], strict=True))
        sizes = tuple(parameter.numel() // members for parameter in some[0])
        blocks = [triton.cdiv(size, BLOCK) for size in sizes]
        firsts = tuple(sum(blocks[:which]) for which in range(len(blocks)))
        adam_kernel[(sum(blocks), members)](
            *some, sizes, firsts, lr, active, steps,
            BETA1=betas[0], BETA2=betas[1], LOG1=math.log(betas[0]), LOG2=math.log(betas[1]),
            EPSILON=eps, COUNT=len(sizes), BLOCK=BLOCK,
        )  # fmt: skip


@triton.jit
def adam_kernel(
    parameters, grads, means, squares, sizes, firsts, lr, active, steps,
    BETA1: tl.constexpr, BETA2: tl.constexpr, LOG1: tl.constexpr, LOG2: tl.constexpr,
    EPSILON: tl.constexpr, COUNT: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Update one block of one member's numbers: the program's index says of which parameter."""
    block, member = tl.program_id(0), tl.program_id(1).to(tl.int64)
    made = tl.load(steps).to(tl.float64)
    # beta ** made in float64: at the first steps 1 - beta ** made has few digits left.
    kept1, kept2 = tl.exp(made * LOG1), tl.exp(made * LOG2)
    if tl.load(active + member) != 0:
        for which in tl.static_range(COUNT):
            size = sizes[which]
            if (block >= firsts[which]) & (block < firsts[which] + tl.cdiv(size, BLOCK)):
                j = (block - firsts[which]) * BLOCK + tl.arange(0, BLOCK)
                at, here = member * size + j, j < size
                grad = tl.load(grads[which] + at, mask=here, other=0.0)
                mean = tl.load(means[which] + at, mask=here, other=0.0)
                square = tl.load(squares[which] + at, mask=here, other=0.0)
                value = tl.load(parameters[which] + at, mask=here, other=0.0)
                rate = (tl.load(lr + member).to(tl.float64) / (1.0 - kept1)).to(value.dtype)
                scale = tl.sqrt(1.0 - kept2).to(value.dtype)
                mean += (1.0 - BETA1) * (grad - mean)
                square = BETA2 * square + (1.0 - BETA2) * grad * grad
                value -= rate * mean / (tl.sqrt(square) / scale + EPSILON)
                tl.store(means[which] + at, mean, mask=here)
                tl.store(squares[which] + at, square, mask=here)
                tl.store(parameters[which] + at, value, mask=here)
