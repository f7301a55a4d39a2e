"""The training step on a GPU, and without one: it asks the device for nothing, and it replays."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rnncells import kernels
from rnncells.cells import CELLS
from rnncells.study.models import RunSpec
from rnncells.tasks import task_class
from rnncells.tasks.trajectories import synthetic
from rnncells.training.cuda_graph import WARM_UP, CUDAGraph
from rnncells.training.loop import assemble
from rnncells.training.step import TrainingStep

SETTINGS = {
    "copy_first_input": {
        "train_sequences": 30,
        "test_sequences": 10,
        "batch_size": 20,  # so that the last batch of an epoch is smaller
        "epochs": 6,
        "stop_below": 0.0,
    },
    "binary_addition": {
        "first_length": 2,
        "epochs_per_length": 3,
        "samples_per_epoch": 40,
        "batch_size": 20,
        "test_length": 4,
        "test_samples": 10,
    },
    "trajectory_generation": {
        "iterations": 6,
        "threshold": 0.1,
        "initial_state": "learned",
        "feedback": "none",
        "examples": 1,
    },
}
OWN = {
    "p": 3,
    "tau": 3.0,
    "tau_slow": 9.0,
    "tau_fast": 2.0,
    "gamma": 0.2,
    "alpha_h_prime": 0.1,
    "connectivity": 0.0,
    "sigma": 0.8,
}
RATES = (0.01, 0.003)


def step_of(task, cell, device="cpu", **settings):
    """Return the training step of two members with hyperparameters of their own."""
    names = CELLS[cell].search_space | task_class(task).search_space
    spec = RunSpec(
        task=task,
        cell=cell,
        length=3,
        hidden_size=6,
        layers=2,
        training=SETTINGS[task] | settings,
        device=device,
    )
    hyperparameters = [{name: OWN[name] + k for name in names} for k in (0, 1)]
    work, network = assemble(spec, (1, 2), hyperparameters, synthetic(6, 20, seed=0))
    return TrainingStep(work, network, RATES)


@pytest.mark.parametrize("task", sorted(SETTINGS))
def test_a_step_asks_the_device_for_nothing(task, cell_name):
    """On the meta device tensors have no values, so whoever asks for one fails."""
    step = step_of(task, cell_name, "meta")
    step()
    assert step.losses.device.type == "meta"


@pytest.mark.parametrize("feedback", ["prediction", "teacher"])
def test_feedback_asks_the_device_for_nothing(feedback):
    step_of("trajectory_generation", "TRNN", "meta", feedback=feedback)()


class Recording(TorchDispatchMode):
    """What a CUDA graph does, on the CPU: repeat the same operations on the same tensors.

    A CPU also runs what it records, so what that changed is put back.
    """

    def __init__(self):
        super().__init__()
        self.operations = []
        self.before = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        inputs = tensors((args, kwargs))
        writes = function._schema.is_mutable
        if writes:
            for part in inputs:
                self.before.setdefault(storage(part), (part, part.clone()))
        out = function(*args, **kwargs)
        views = {storage(part) for part in tensors(out)} <= {storage(part) for part in inputs}
        if writes or not views:
            self.operations.append((function, args, kwargs, tensors(out)))
        return out

    def put_back(self):
        for tensor, value in self.before.values():
            tensor.copy_(value)

    def replay(self):
        for function, args, kwargs, out in self.operations:
            for old, new in zip(out, tensors(function(*args, **kwargs)), strict=True):
                old.copy_(new)


def tensors(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def storage(tensor):
    return tensor.untyped_storage()._cdata


@pytest.fixture
def graphs(monkeypatch):
    """Stand-ins for CUDA's streams and graphs; returns the list of the graphs that are captured."""
    captured = []

    @contextmanager
    def capture(graph, pool, stream):
        captured.append(graph)
        with graph:
            yield
        with torch.no_grad():
            graph.put_back()

    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name, stand_in in {
        "Stream": lambda: stream,
        "current_stream": lambda: stream,
        "stream": lambda stream: nullcontext(),
        "graph_pool_handle": lambda: (0, 1),
        "CUDAGraph": Recording,
        "graph": capture,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(Recording, "replay", torch.no_grad()(Recording.replay))
    return captured


@pytest.mark.parametrize("task", sorted(SETTINGS))
def test_replayed_steps_are_the_steps(task, cell_name, graphs):
    """Warm up, record, replay: for every shape of batch, the same numbers as without."""
    plain, replayed = (step_of(task, cell_name) for _ in range(2))
    replayed._run = CUDAGraph(replayed._advance)
    with kernels.disabled():  # a graph records PyTorch's operations
        for k in range(plain.task.steps):
            for step in (plain, replayed):
                step()
                if k == 4:
                    step.active[1] = False
    assert len(graphs) == len({plain.task.batch(k).x.shape for k in range(plain.task.steps)})
    assert plain.task.steps == 2 * WARM_UP * len(graphs)
    assert torch.equal(replayed.losses, plain.losses)
    assert replayed.steps_made.tolist() == plain.steps_made.tolist() == [plain.task.steps, 5]
    pairs = zip(replayed.optimiser.parameters, plain.optimiser.parameters, strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("task", sorted(SETTINGS))
def test_cuda_graphs_give_the_numbers_of_the_cpu(task, cell_name):
    cpu, cuda = (step_of(task, cell_name, device) for device in ("cpu", "cuda"))
    for k in range(cpu.task.steps):
        for step in (cpu, cuda):
            step()
            if k == 4:
                step.active[1] = False
        for part in ("x", "target"):
            ours, theirs = (getattr(step.task.batch(k), part) for step in (cuda, cpu))
            assert torch.equal(ours.cpu(), theirs)
    assert 2 * WARM_UP * len(cuda._run.graphs) == cpu.task.steps
    torch.testing.assert_close(cuda.losses.cpu(), cpu.losses, rtol=1e-3, atol=1e-5)
    assert cuda.steps_made.tolist() == cpu.steps_made.tolist()
