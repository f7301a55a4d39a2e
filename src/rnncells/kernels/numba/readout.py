"""A linear readout fused with its loss: one pass, forward and backward at once.

A prediction is few numbers wide, so separate operations would spend their time on overhead and on
reading the features again.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..unit import scalar
from .compiler import compiled
from .driver import sum_of_tiles
from .functions import jitable
from .launch import Kernel
from .product import VECTOR, accumulate, multiply_and_fetch, pack, packed
from .scan import tile_of
from .tables import arrays

#: Rows of a block, which should stay in the L1 cache.
ROWS = 64


@scalar
def squared(prediction, target):
    """Return (prediction - target)^2 and its derivative."""
    error = prediction - target
    return error * error, error + error


@scalar
def logistic(prediction, target):
    """Return the binary cross entropy with the logit ``prediction``, and its derivative."""
    small = math.exp(-abs(prediction))
    larger = 1 / (1 + small)  # the probability of the more probable outcome
    probability = larger if prediction > 0 else small * larger
    loss = max(prediction, 0.0) - prediction * target + math.log1p(small)
    return loss, probability - target


#: The errors of single numbers.
ERRORS = {"squared": squared, "logistic": logistic}


def read_out(
    features: Tensor,
    weight: Tensor,
    bias: Tensor,
    target: Tensor,
    scale: Tensor,
    error: str,
    with_features: bool = True,
) -> tuple[Tensor, tuple[Tensor | None, Tensor, Tensor]]:
    """Return loss and gradients; see :meth:`rnncells.kernels.backend.Backend.read_out`."""
    members, n, k = weight.shape
    # In a layer's output there is a gap between members (the initial state), hence a stride.
    if not features[0].is_contiguous() or features.stride(0) % n:
        features = features.contiguous()
    rows, stride = features[0].numel() // n, features.stride(0) // n
    view = features.as_strided(((members - 1) * stride + rows, n), (n, 1))
    tiles = max(1, min(-(-torch.get_num_threads() // members), rows // ROWS))
    loss = weight.new_empty(members, tiles)
    grad_features = weight.new_empty(features.shape if with_features else (0, n))
    grad_weight = weight.new_zeros(members, tiles, k, n)
    grad_bias = weight.new_zeros(members, tiles, k)
    tensors = [view, weight, bias, target, scale, loss, grad_features, grad_weight, grad_bias]
    _kernel(error)(members * tiles, tensors, tiles, rows, stride)
    return sum_of_tiles(loss), (
        grad_features if with_features else None,
        sum_of_tiles(grad_weight).mT,
        sum_of_tiles(grad_bias),
    )


@compiled
def cross_entropy(predicted, b, target, scale, row, grad):
    """Return the weighted cross entropy of a row of logits, and set row b of ``grad``.

    With weights s, targets t and the softmax q of the logits it is the sum of - s t log q over the
    classes, whose derivative is q times the sum of s t, minus s t.
    """
    classes = grad.shape[1]
    most = predicted[b, 0]
    for j in range(1, classes):
        most = max(most, predicted[b, j])
    partition = predicted[b, 0] - predicted[b, 0]  # zero, or NaN where the network has diverged
    mass = partition
    for j in range(classes):
        grad[b, j] = math.exp(predicted[b, j] - most)
        partition += grad[b, j]
        mass += scale[row, j] * target[row, j]
    log_partition = most + math.log(partition)
    loss = 0.0
    for j in range(classes):
        wanted = scale[row, j] * target[row, j]
        loss += wanted * (log_partition - predicted[b, j])
        grad[b, j] = grad[b, j] / partition * mass - wanted
    return loss


@cache
def _kernel(error: str) -> Kernel:
    of_rows = error == "cross_entropy"
    error_of: Callable[..., Any] = ERRORS.get(error, squared)

    def readout(first, last, table, like, tiles, rows, stride):
        (
            features, weight, bias, target, scale, loss, grad_features, grad_weight, grad_bias,
        ) = arrays(9, table, like)  # fmt: skip
        via = table[-1]  # the addresses of the products
        n, k = features.shape[1], weight.shape[1]
        # The readout is padded with zero columns to the width of a vector.
        wide = max(k, VECTOR // like.itemsize)
        padded, padded_bias = np.zeros((n, wide), like.dtype), np.zeros((1, wide), like.dtype)
        back, zero = np.empty((k, n), like.dtype), np.zeros((1, n), like.dtype)
        onward, outward = packed(n, wide, like), packed(k, n, like)
        predicted, grad = np.zeros((ROWS, wide), like.dtype), np.zeros((ROWS, k), like.dtype)
        one = np.ones((ROWS, 1), like.dtype)
        for task in range(first, last):
            m, begin, end = tile_of(task, tiles, rows)
            for c in range(k):
                padded_bias[0, c] = bias[m, c]
                for j in range(n):
                    padded[j, c] = back[c, j] = weight[m * n + j, c]
            pack(via, padded, 0, n, onward)
            pack(via, back, 0, k, outward)
            total = 0.0
            for at in range(begin, end, ROWS):
                count = min(ROWS, end - at)
                multiply_and_fetch(
                    via, features, m * stride + at, count, onward, predicted, 0, padded_bias, 0, 0,
                    features, m * stride + at + ROWS, ROWS,
                )  # fmt: skip
                for b in range(count):
                    row = m * rows + at + b
                    if of_rows:
                        total += cross_entropy(predicted, b, target, scale, row, grad)
                    else:
                        for j in range(k):
                            value, slope = error_of(predicted[b, j], target[row, j])
                            total += scale[row, j] * value
                            grad[b, j] = scale[row, j] * slope
                if grad_features.size:
                    multiply_and_fetch(
                        via, grad, 0, count, outward, grad_features, m * rows + at, zero, 0, 0,
                        grad_features, m * rows + at + ROWS, ROWS,
                    )  # fmt: skip
                accumulate(via, grad, 0, features, m * stride + at, count, grad_weight, task * k)
                accumulate(via, one, 0, grad, 0, count, grad_bias, task)
            loss[m, task - m * tiles] = total

    return Kernel(readout, f"readout_{error}", *jitable(error_of))
