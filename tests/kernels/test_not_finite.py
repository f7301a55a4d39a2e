"""Infinities and NaN: where the readable steps have them, kernels have them too."""

import numpy as np
import pytest
import torch

from rnncells import RNN, from_torch, kernels
from rnncells.cells import CELLS

from ..sixteen import SIXTEEN
from .agreement import make, results

SPECIAL = [torch.inf, -torch.inf, torch.nan]
HUGE = [1e160, 1e300]  # their squares are no numbers any more
TOLERANCE = {
    torch.float64: {"rtol": 1e-9, "atol": 1e-9},
    torch.float32: {"rtol": 1e-4, "atol": 1e-5},
}


@torch.no_grad()
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", CELLS)
def test_kernels_and_steps_agree_where_numbers_are_not_finite(name, dtype):
    rng = np.random.default_rng([*name.encode(), 1])
    for _ in range(64):
        steps, batch, n, inputs = rng.integers([1, 1, 1, 1], [5, 4, 10, 4]).tolist()
        rnn = RNN(name, inputs, n, dtype=dtype)
        x = torch.randn(steps, batch, inputs, dtype=dtype)
        h_0 = tuple(torch.randn(1, batch, n, dtype=dtype) for _ in rnn.state_names)
        places = [x, *h_0, *rnn.parameters()]
        for place in rng.choice(len(places), rng.integers(1, 3)):
            numbers = places[place].view(-1)
            numbers[rng.integers(numbers.numel())] = SPECIAL[rng.integers(3)]
        fast = rnn(x, h_0)
        with kernels.disabled():
            readable = rnn(x, h_0)
        torch.testing.assert_close(fast, readable, equal_nan=True, **TOLERANCE[dtype])


@pytest.mark.parametrize("value", [*SPECIAL, *HUGE])
@pytest.mark.parametrize("name", SIXTEEN)
def test_gradients_agree_where_numbers_are_not_finite(name, value):
    """One exception: an MTRNN whose last slow state is NaN has NaN in more gradients by kernels.

    To them the slow state is an output whose gradient is zero, as the MTRNN does not show it. Zero
    times the derivative NaN is NaN.
    """
    rng = np.random.default_rng([*name.encode(), 2])
    for k in range(12):
        batch, n, inputs = rng.integers([1, 1, 1], [4, 10, 4]).tolist()
        rnn, x, h_0 = make(name, torch.float64, 1 + k % 4, batch, n, inputs)
        places = [x, *h_0, *rnn.parameters()]
        numbers = places[rng.integers(len(places))].detach().view(-1)
        numbers[rng.integers(numbers.numel())] = value
        fast = results(rnn, x, h_0)
        with kernels.disabled():
            readable = results(rnn, x, h_0)
        if name == "MTRNN" and fast[1].isnan().any():
            values = 1 + len(h_0)
            for of_fast, of_readable in zip(fast[values:], readable[values:], strict=True):
                of_readable[of_fast.isnan()] = torch.nan
        torch.testing.assert_close(fast, readable, equal_nan=True, **TOLERANCE[torch.float64])


@pytest.mark.parametrize("kind", [torch.nn.GRU, torch.nn.LSTM])
@pytest.mark.parametrize("value", SPECIAL)
def test_divergence_shows_as_in_pytorch(kind, value):
    theirs = kind(4, 6, dtype=torch.float64)
    ours, x = from_torch(theirs), torch.randn(3, 2, 4, dtype=torch.float64)
    h_0 = torch.full((1, 2, 6), value, dtype=torch.float64)
    given = (x, (h_0, h_0)) if kind is torch.nn.LSTM else (x, h_0)
    torch.testing.assert_close(ours(*given), theirs(*given), equal_nan=True)
    assert ours(*given)[0].isnan().any()


@torch.no_grad()
@pytest.mark.parametrize("name", ["sRNN", "TRNN", "MTRNN", "ESN", "PC-RNN-V", "PC-RNN-HC-A"])
def test_large_inputs_cost_no_precision(name):
    """A state does not keep a trace of a number 1e8 times as large, as h + (new - h) would."""
    taus = {"sRNN": (), "MTRNN": ("tau_slow", "tau_fast")}.get(name, ("tau",))
    rnn = RNN(name, 3, 5, dtype=torch.float64, **dict.fromkeys(taus, 1.0))
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    x[2] *= 1e8
    fast = rnn(x)
    with kernels.disabled():
        readable = rnn(x)
    torch.testing.assert_close(fast, readable, rtol=1e-10, atol=1e-10)
