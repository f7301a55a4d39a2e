"""A linear readout and its loss in Triton, forward and backward in one launch.

Every program adds up what its rows contribute to the loss and to the gradients of the weights, and
the sums over programs follow as one operation each: in the same order every time.
"""

import triton
import triton.language as tl
from torch import Tensor

#: Rows that one program reads out, and columns of the features that it takes at a time.
ROWS, COLUMNS = 32, 32


def read_out(
    features: Tensor,
    weight: Tensor,
    bias: Tensor,
    target: Tensor,
    scale: Tensor,
    error: str,
    with_features: bool = True,
) -> tuple[Tensor, tuple[Tensor | None, Tensor, Tensor]]:
    """Read out, and go back; see :meth:`rnncells.kernels.backend.Backend.read_out`."""
    members, n, k = weight.shape
    # Members of a layer's output do not follow each other without a gap.
    if not features[0].is_contiguous():
        features = features.contiguous()
    rows = features[0].numel() // n
    tiles = triton.cdiv(rows, ROWS)
    loss = weight.new_empty(members, tiles)
    grad_features = weight.new_empty(features.shape if with_features else (0,))
    grad_weight = weight.new_empty(members, tiles, n, k)
    grad_bias = weight.new_empty(members, tiles, k)
    readout_kernel[(tiles, members)](
        features, *(t.contiguous() for t in (weight, bias, target, scale)),
        loss, grad_features, grad_weight, grad_bias,
        rows, n, k, features.stride(0), error=ERRORS[error], WITH_FEATURES=with_features,
        ROWS=ROWS, COLUMNS=COLUMNS, K=max(16, triton.next_power_of_2(k)),
    )  # fmt: skip
    return loss.sum(1), (
        grad_features if with_features else None,
        grad_weight.sum(1),
        grad_bias.sum(1),
    )


@triton.jit
def squared(prediction, target, scale, here):
    """Return the weighted squared error, and its derivative."""
    error = prediction - target
    return scale * error * error, scale * (error + error)


@triton.jit
def logistic(prediction, target, scale, here):
    """Return the weighted binary cross entropy with the logit ``prediction``, and its derivative.

    With ``s = exp(-|x|)`` it is ``max(x, 0) - x t + log(1 + s)``.
    """
    small = tl.exp(-tl.abs(prediction))
    # log(1 + s), precise for small s too: the quotient makes good what 1 + s has lost.
    sum = 1.0 + small
    rounded = sum - 1.0
    exact = rounded == 0.0
    log = tl.where(exact, small, tl.log(sum) * (small / tl.where(exact, 1.0, rounded)))
    larger = 1.0 / sum  # the probability of the more probable outcome
    positive = prediction > 0.0
    probability = tl.where(positive, larger, small * larger)
    # Not the maximum of two numbers, which may not be NaN where the prediction is.
    loss = tl.where(positive, prediction, 0.0 * prediction) - prediction * target + log
    return scale * loss, scale * (probability - target)


@triton.jit
def cross_entropy(prediction, target, scale, here):
    """Return the weighted cross entropy of rows of logits, and its derivative.

    With weights s, targets t and the softmax q of the logits it is the sum of - s t log q over the
    classes, whose derivative is q times the sum of s t, minus s t.
    """
    most = tl.max(tl.where(here, prediction, -float("inf")), 1)[:, None]
    most = tl.where(most == -float("inf"), 0.0, most)  # of a row that is not there
    grown = tl.where(here, tl.exp(prediction - most), 0.0)
    partition = tl.sum(grown, 1)[:, None]
    partition = tl.where(partition == 0.0, 1.0, partition)
    wanted = scale * target
    mass = tl.sum(wanted, 1)[:, None]
    loss = wanted * (most + tl.log(partition) - prediction)
    return loss, grown / partition * mass - wanted


ERRORS = {"squared": squared, "logistic": logistic, "cross_entropy": cross_entropy}


@triton.jit
def readout_kernel(
    features, weights, biases, targets, scales, loss, grad_features, grad_weight, grad_bias,
    rows, n, k, stride, error: tl.constexpr, WITH_FEATURES: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """Read out a tile of one member's rows, ``stride`` numbers of features from the next's."""
    tile, tiles = tl.program_id(0), tl.num_programs(0)
    member = tl.program_id(1).to(tl.int64)
    b = (tile * ROWS + tl.arange(0, ROWS)).to(tl.int64)[:, None]
    c, j = tl.arange(0, K)[None, :], tl.arange(0, COLUMNS)
    here = (b < rows) & (c < k)
    prediction = tl.load(biases + member * k + c, mask=c < k, other=0.0) + tl.zeros(
        (ROWS, K), weights.dtype.element_ty
    )
    for first in range(0, n, COLUMNS):
        column = first + j
        feature = tl.load(
            features + member * stride + b * n + column[None, :],
            mask=(b < rows) & (column[None, :] < n), other=0.0,
        )  # fmt: skip
        weight = tl.load(
            weights + (member * n + column[:, None]) * k + c,
            mask=(column[:, None] < n) & (c < k), other=0.0,
        )  # fmt: skip
        prediction = tl.dot(
            feature, weight, prediction, input_precision="ieee", out_dtype=prediction.dtype
        )
    at = (member * rows + b) * k + c
    target = tl.load(targets + at, mask=here, other=0.0)
    scale = tl.load(scales + at, mask=here, other=0.0)
    value, grad = error(prediction, target, scale, here)
    grad = tl.where(here, grad, 0.0)
    part = member * tiles + tile
    tl.store(loss + part, tl.sum(tl.where(here, value, 0.0)))
    column_of_k = tl.arange(0, K)
    tl.store(grad_bias + part * k + column_of_k, tl.sum(grad, 0), mask=column_of_k < k)
    for first in range(0, n, COLUMNS):
        column = first + j
        feature = tl.load(
            features + member * stride + b * n + column[None, :],
            mask=(b < rows) & (column[None, :] < n), other=0.0,
        )  # fmt: skip
        back = tl.dot(tl.trans(feature), grad, input_precision="ieee", out_dtype=grad.dtype)
        tl.store(
            grad_weight + (part * n + column[:, None]) * k + c, back,
            mask=(column[:, None] < n) & (c < k),
        )  # fmt: skip
        if WITH_FEATURES:
            transposed = tl.load(
                weights + (member * n + column[None, :]) * k + tl.arange(0, K)[:, None],
                mask=(column[None, :] < n) & (tl.arange(0, K)[:, None] < k), other=0.0,
            )  # fmt: skip
            onward = tl.dot(grad, transposed, input_precision="ieee", out_dtype=grad.dtype)
            tl.store(
                grad_features + (member * rows + b) * n + column[None, :], onward,
                mask=(b < rows) & (column[None, :] < n),
            )  # fmt: skip
