"""The activation that some cells apply to their state before the recurrent weights."""

from collections.abc import Callable

import torch
from torch import Tensor


def identity(h: Tensor) -> Tensor:
    """Return h itself."""
    return h


STATE_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "identity": identity,
}


def state_activation_function(name: str) -> Callable[[Tensor], Tensor]:
    """Return the function called ``name``.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in STATE_ACTIVATIONS:
        raise ValueError(
            f"state_activation must be one of {', '.join(STATE_ACTIVATIONS)}, got {name!r}"
        )
    return STATE_ACTIVATIONS[name]
