"""A whole training step through Triton's kernels, in its interpreter (make test-gpu-kernels)."""

import os
from collections import Counter

import pytest
import torch

from rnncells import kernels
from rnncells.cells import CELLS
from rnncells.kernels import backend
from rnncells.layers.network import ERRORS, weighted_sum

from .test_step import SETTINGS, step_of

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("runs in Triton's interpreter: make test-gpu-kernels", allow_module_level=True)
pytest.importorskip("triton")

from rnncells.kernels.triton import adam, readout
from rnncells.kernels.triton import backend as triton_backend
from rnncells.kernels.triton.backend import TritonBackend

#: Every task, and every cell in one of them.
PAIRS = [
    *[(task, cell) for task in sorted(SETTINGS) for cell in ("GRU", "nBRC")],
    *[("trajectory_generation", cell) for cell in CELLS if cell not in ("GRU", "nBRC")],
]


@pytest.fixture
def served(monkeypatch):
    """Let Triton's kernels, and no others, run; returns the names of what they were asked for."""
    found, asked = TritonBackend(), []
    for name in ("forward", "backward", "read_out", "adam_step"):
        monkeypatch.setattr(found, name, counted(getattr(found, name), asked))
    monkeypatch.setattr(backend, "backends", lambda: (found,))
    return asked


def counted(function, asked):
    def call(*arguments, **options):
        asked.append(function.__name__)
        return function(*arguments, **options)

    return call


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("task", "cell"), PAIRS)
def test_steps_agree_with_the_readable_steps(task, cell, served):
    """Members with p, hyperparameters and learning rates of their own; one of them stops."""
    fast, readable = (step_of(task, cell) for _ in range(2))
    for k in range(3):
        fast()
        with kernels.disabled():
            readable()
        if k == 1:
            for step in (fast, readable):
                step.active[1] = False
    assert served.count("forward") == served.count("backward") == 6
    assert served.count("read_out") == served.count("adam_step") == 3
    torch.testing.assert_close(fast.losses, readable.losses, rtol=1e-4, atol=1e-6)
    assert fast.steps_made.tolist() == readable.steps_made.tolist() == [3, 2]
    pairs = zip(fast.optimiser.parameters, readable.optimiser.parameters, strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("error", ERRORS)
def test_readout(error, dtype):
    for members, steps, batch, n, k in ((3, 5, 7, 60, 2), (1, 1, 1, 1, 1), (2, 2, 33, 100, 20)):
        # Without the initial state, as in a layer's active states.
        features = draw(members, steps + 1, batch, n, dtype=dtype)[:, 1:].requires_grad_()
        weight = draw(members, n, k, dtype=dtype, seed=1).requires_grad_()
        bias = draw(members, k, dtype=dtype, seed=2).requires_grad_()
        target, scale = (
            draw(members, steps, batch, k, dtype=dtype, seed=seed).sigmoid() for seed in (3, 4)
        )
        prediction = features @ weight.unsqueeze(1) + bias[:, None, None]
        loss = weighted_sum(ERRORS[error](prediction, target), scale)
        grads = torch.autograd.grad(loss.sum(), (features, weight, bias))
        given = [t.detach() for t in (features, weight, bias)]
        found = TritonBackend().read_out(*given, target, scale, error)
        again = TritonBackend().read_out(*given, target, scale, error, with_features=False)
        tolerance = 1e-12 if dtype == torch.float64 else 1e-5
        for ours, theirs in zip((found[0], *found[1]), (loss, *grads), strict=True):
            assert (ours - theirs).abs().max() <= tolerance * max(1, theirs.abs().max())
        assert again[1][0] is None
        assert torch.equal(again[0], found[0])
        assert all(map(torch.equal, again[1][1:], found[1][1:]))


@pytest.mark.parametrize("error", ERRORS)
def test_a_readout_of_numbers_that_are_not_finite(error):
    features, weight = draw(2, 3, 4, 5), draw(2, 5, 2, seed=1)
    features[0, 1, 2, 3] = torch.nan
    zero, some = features.new_zeros(2, 2), draw(2, 3, 4, 2, seed=2).sigmoid()
    loss, grads = TritonBackend().read_out(features, weight, zero, some, some, error)
    assert loss.isnan().tolist() == [True, False]
    assert [grad.isnan().flatten(1).any(1).tolist() for grad in grads] == [[True, False]] * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adam(dtype, monkeypatch):
    monkeypatch.setattr(adam, "PARAMETERS", 3)  # so that it takes two launches
    rates = torch.tensor([1e-3, 0.0, 0.1])
    parameters = [draw(3, *shape, dtype=dtype) for shape in ((1,), (60, 60), (4, 300), ())]
    begun = [p.clone() for p in parameters]
    moments = [[torch.zeros_like(p) for p in parameters] for _ in range(2)]
    alone = [[torch.nn.Parameter(p[k].clone()) for p in parameters] for k in range(3)]
    optimisers = [torch.optim.Adam(a, lr=rates[k].item()) for k, a in enumerate(alone)]
    steps, active = torch.zeros((), dtype=torch.float64), torch.tensor([True, False, True])
    for step in range(3):
        steps += 1
        grads = [draw(*p.shape, dtype=dtype, seed=step) for p in parameters]
        if step == 0:
            grads[1] = grads[1].mT  # in an order of its own
        for of_member, optimiser, k in zip(alone, optimisers, range(3), strict=True):
            for p, grad in zip(of_member, grads, strict=True):
                p.grad = grad[k].clone()
            optimiser.step()
        TritonBackend().adam_step(
            parameters, grads, *moments, rates, active, steps, (0.9, 0.999), 1e-8
        )
    for which, p in enumerate(parameters):
        assert torch.equal(p[1], begun[which][1])
        assert not moments[0][which][1].any()
        for k in (0, 2):
            torch.testing.assert_close(p[k], alone[k][which].detach(), rtol=2e-6, atol=2e-6)


class Launch:
    """Stands in for a kernel: takes the arguments of a launch, and does nothing."""

    def __init__(self, launched, name):
        self.launched = launched
        self.name = name

    def __getitem__(self, grid):
        return lambda *arguments, **constants: self.launched.append(self.name)


@pytest.mark.parametrize("task", sorted(SETTINGS))
@pytest.mark.parametrize("cell", CELLS)
def test_a_step_asks_the_device_for_nothing(task, cell, served, monkeypatch):
    """On the meta device tensors have no values, so whoever asks for one fails."""
    launched = []
    for module, name in (
        (triton_backend, "forward_kernel"),
        (triton_backend, "backward_kernel"),
        (readout, "readout_kernel"),
        (adam, "adam_kernel"),
    ):
        monkeypatch.setattr(module, name, Launch(launched, name))
    monkeypatch.setattr(TritonBackend, "supports", lambda self, cell, tensors: True)
    step = step_of(task, cell, "meta")
    step()
    assert step.losses.device.type == "meta"
    learn = cell != "ESN" or task == "trajectory_generation"  # the layers, or their first states
    expected = {"forward": 2, "readout": 1, **({"backward": 2} if learn else {}), "adam": 1}
    assert Counter(launched) == {f"{name}_kernel": count for name, count in expected.items()}
