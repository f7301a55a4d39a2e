"""Triton's kernels in its interpreter, against the readable steps (make test-gpu-kernels)."""

import os

import numpy as np
import pytest
import torch

from rnncells import kernels
from rnncells.cells import CELLS
from rnncells.kernels import backend

from .agreement import assert_near, make, results

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("runs in Triton's interpreter: make test-gpu-kernels", allow_module_level=True)
pytest.importorskip("triton")

from rnncells.kernels.triton import backend as triton_backend

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


@pytest.fixture(autouse=True)
def interpreted(monkeypatch):
    """Let Triton's kernels, and no others, run."""
    made = triton_backend.TritonBackend()
    monkeypatch.setattr(backend, "backends", lambda: (made,))


def compare(rnn, x, h_0, *arguments):
    state = tuple(part[..., 0, :, :] for part in h_0)
    assert backend.find(x, *state, cells=rnn.cells) is not None
    fast = results(rnn, x, h_0, *arguments)
    with kernels.disabled():
        readable = results(rnn, x, h_0, *arguments)
    assert_near(fast, readable, TOLERANCE[x.dtype])


@pytest.mark.parametrize("name", CELLS)
def test_kernels_agree_with_the_readable_steps(name, monkeypatch):
    """With several tiles of sequences, and of columns."""
    small = {"TILE": 16, "CHUNK": 16, "num_warps": 2}
    monkeypatch.setattr(triton_backend, "tiling", lambda n: small)
    rng = np.random.default_rng([*name.encode()])
    for population, layers, bias in [(3, 1, True), (None, 2, False)]:
        steps, batch, n, inputs = rng.integers([1, 1, 17, 0], [5, 20, 36, 4]).tolist()
        options = {"num_layers": layers, "bias": bias}
        compare(*make(name, torch.float64, steps, batch, n, inputs, population, **options))
    compare(*make(name, torch.float64, 1, 1, 1, 1))


#: They have the unit of the TRNN.
LEAKY = {"ESN", "MTRNN", "PC-RNN-V", "PC-RNN-HC-A"}


@pytest.mark.parametrize("name", [name for name in CELLS if name not in LEAKY])
def test_sixty_steps_of_float32(name):
    compare(*make(name, torch.float32, 60, 3, 20, 2))


@pytest.mark.parametrize("name", CELLS)
def test_packed_sequences_both_directions_and_the_last_state_alone(name):
    rnn, x, h_0 = make(name, torch.float64, 6, 5, 7, 2, bidirectional=True)
    compare(rnn, x, h_0, torch.tensor([2, 6, 1, 6, 4]))
    compare(rnn, x, h_0, None, 1)


@pytest.mark.parametrize("name", CELLS)
def test_a_constant_input(name):
    rnn, x, h_0 = make(name, torch.float64, 1, 4, 5, 3, population=2)
    compare(rnn, x.expand(-1, 6, -1, -1), h_0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *[
            (name, {option: (bounds[0] + 1.0, bounds[0] + 0.5, bounds[0] + 2.0)})
            for name, made in CELLS.items()
            for option, bounds in made.search_space.items()
            if option not in ("connectivity", "sigma")
        ],
        *[(name, {"state_activation": "identity"}) for name in ("UGRNN", "AntisymmetricRNN")],
        *[(name, {"factors": 19}) for name in ("PC-RNN-HC-M", "PC-RNN-GC-HC-M")],
    ],
)
def test_options_and_hyperparameters_per_member(name, options):
    compare(*make(name, torch.float64, 5, 6, 7, 2, population=3, **options))


@pytest.mark.parametrize(("name", "n"), [("GRU", 100), ("PC-RNN-HC-M", 130), ("BRC", 100)])
def test_large_layers(name, n):
    compare(*make(name, torch.float32, 2, 2, n, 1))


def test_numbers_that_are_not_finite_stay_visible():
    rnn, x, h_0 = make("GRU", torch.float32, 4, 3, 9, 2, population=3)
    output, _ = rnn(x, h_0[0])
    x[1, 1, 0, 0] = torch.nan
    spoilt, _ = rnn(x, h_0[0])
    assert spoilt[1, 1:, 0].isnan().any()
    torch.testing.assert_close(spoilt[[0, 2]], output[[0, 2]])
