"""The echo state network against reservoirpy's reservoir and ridge readout, same matrices.

reservoirpy leaks after the activation, ours before it:

    x[t+1] = (1 - a) x[t] + a tanh(W x[t] + Win v[t+1] + b)      reservoirpy, a = 1/tau
    h[t+1] = (1 - a) h[t] + a (W tanh(h[t]) + Win u[t+1] + b)    ours

The two are one system in other coordinates. Put h[t] = W x[t] + Win v[t+1] + b, the argument of
reservoirpy's tanh: it follows our equation if the input that reservoirpy sees at the next step is
ours, low-pass filtered with the same leak: v[t+2] = (1 - a) v[t+1] + a u[t+1].
"""

import numpy as np
import pytest
import torch

from rnncells import RNN
from rnncells.training.ridge import ridge_regression

nodes = pytest.importorskip("reservoirpy.nodes")

N, M, STEPS = 40, 3, 60
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def networks(tau, **options):
    """Return our network and reservoirpy's, with the same matrices and leak rate."""
    ours = RNN("ESN", M, N, tau=tau, dtype=torch.float64, **options)
    cell = ours.cells[0]
    theirs = nodes.Reservoir(
        lr=1 / tau,
        W=cell.weight_hh.numpy().T,
        Win=cell.weight_ih.numpy().T,
        bias=cell.bias_ih.numpy(),
        activation="tanh",
    )
    return ours, theirs


def run_ours(rnn, inputs, h_0):
    output, _ = rnn(torch.from_numpy(inputs), torch.from_numpy(h_0)[None])
    return output.numpy()


def run_theirs(reservoir, inputs):
    """Run from the state 0."""
    reservoir.initialize(inputs)
    return reservoir.run(inputs)


@pytest.mark.parametrize("options", [{"sigma": 0.3}, {"spectral_radius": 0.9}])
def test_without_leak_the_outputs_are_equal(rng, options):
    ours, theirs = networks(1.0, connectivity=0.3, **options)
    inputs = rng.standard_normal((STEPS, M))
    expected = run_theirs(theirs, inputs)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(run_ours(ours, inputs, np.zeros(N)), expected, **CLOSE)


@pytest.mark.parametrize("tau", [1.0, 1.7, 5.0, 40.0])
def test_with_leak_the_states_correspond(rng, tau):
    ours, theirs = networks(tau, connectivity=0.3, sigma=0.5)
    W, Win, b = theirs.W, theirs.Win, theirs.bias
    u = rng.standard_normal((STEPS, M))
    v = np.zeros((STEPS + 1, M))
    v[0] = rng.standard_normal(M)
    for t in range(STEPS):
        v[t + 1] = (1 - 1 / tau) * v[t] + 1 / tau * u[t]
    x = run_theirs(theirs, v)
    start = Win @ v[0] + b  # their state is 0 before the first step
    expected = np.tanh(x[:-1] @ W.T + v[1:] @ Win.T + b)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(run_ours(ours, u, start), expected, **CLOSE)


@pytest.mark.parametrize("ridge", [1e-6, 0.1])
@pytest.mark.parametrize("samples", [STEPS, N // 2])
def test_ridge_readout(rng, samples, ridge):
    """With more samples than units and with fewer, where the solution takes another path."""
    ours, _ = networks(3.0, sigma=0.5)
    inputs, targets = rng.standard_normal((samples, M)), rng.standard_normal((samples, 2))
    features = run_ours(ours, inputs, np.zeros(N))
    theirs = nodes.Ridge(ridge=ridge).fit(features, targets)
    weight, bias = ridge_regression(torch.from_numpy(features), torch.from_numpy(targets), ridge)
    np.testing.assert_allclose(weight.numpy(), theirs.Wout, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(bias.numpy(), theirs.bias.reshape(-1), rtol=1e-7, atol=1e-7)
    predictions = features @ weight.numpy() + bias.numpy()
    np.testing.assert_allclose(predictions, theirs.run(features), **CLOSE)
