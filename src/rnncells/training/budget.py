"""The hidden size that a budget of parameters allows."""

from collections.abc import Callable

from ..jobs.errors import UserError
from ..layers.rnn import RNN


def largest_hidden_size(parameters: int, make: Callable[[int], RNN], output_size: int) -> int:
    """Return the largest hidden size with which a network learns no more than ``parameters``.

    Args:
        parameters: the budget of one member, for the recurrent layers and the readout.
        make: makes the layers of a hidden size, best on the device ``meta``.
        output_size: width of the readout.

    Raises:
        UserError: if a single unit has more.
    """

    def count(hidden_size: int) -> int:
        rnn = make(hidden_size)
        learned = sum(p.numel() for p in rnn.parameters() if p.requires_grad)
        return learned // (rnn.population or 1) + (hidden_size + 1) * output_size

    low, high = 0, 1
    while count(high) <= parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= parameters else (low, middle)
    if low == 0:
        raise UserError(
            f"parameters: {parameters} is too small; the least possible is {count(1)}, with one "
            "unit per layer"
        )
    return low
