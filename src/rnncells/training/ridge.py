"""Ridge regression: a readout in closed form."""

import torch
from torch import Tensor


def ridge_regression(features: Tensor, targets: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    r"""Return the weight and bias that minimise squared error plus a penalty on the weight.

    .. math::
        \min_{W, b} \lVert X W + b - Y \rVert^2 + \text{ridge} \lVert W \rVert^2

    solved in float64, in its primal form (n equations) or its dual one (an equation per sample),
    whichever is smaller.

    Shapes: features X ``(samples, n)``, targets Y ``(samples, outputs)``, weight ``(n, outputs)``,
    bias ``(outputs,)``.
    """
    x, y = features.double(), targets.double()
    x_mean, y_mean = x.mean(0), y.mean(0)
    x, y = x - x_mean, y - y_mean
    samples, n = x.shape
    penalty = ridge * torch.eye(min(samples, n), dtype=x.dtype, device=x.device)
    if n <= samples:
        weight = torch.linalg.solve(x.mT @ x + penalty, x.mT @ y)
    else:
        weight = x.mT @ torch.linalg.solve(x @ x.mT + penalty, y)
    return weight, y_mean - x_mean @ weight
