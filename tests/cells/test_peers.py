"""The cells against public implementations, weights copied over."""

import pytest
import torch

from rnncells import RNN, cell

N, M, B, STEPS = 5, 3, 4, 6
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def random_state(made):
    state = tuple(torch.randn(B, N) for _ in made.state_names)
    return state if len(state) > 1 else state[0]


def assert_same_steps(ours, theirs, inputs=M):
    """Step both from the same random state."""
    state = other = random_state(ours)
    for _ in range(STEPS):
        x = torch.randn(B, inputs)
        state, other = ours(x, state), theirs(x, other)
        torch.testing.assert_close(state, other, **CLOSE)


@torch.no_grad()
def fill(ours, **tensors):
    """Copy tensors into our cell, and require that each one of ours gets one."""
    assert set(tensors) == set(ours.state_dict())
    for name, tensor in tensors.items():
        assert getattr(ours, name).shape == tensor.shape, name
        getattr(ours, name).copy_(tensor)


def torch_tensors(module, suffix=""):
    """Return the tensors of a torch.nn cell or layer in our orientation."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    tensors = {name: getattr(module, name + suffix, None) for name in names}
    return {
        name: tensor.mT if tensor.dim() == 2 else tensor
        for name, tensor in tensors.items()
        if isinstance(tensor, torch.Tensor)
    }


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_torch_cells(name, bias):
    theirs = getattr(torch.nn, f"{name}Cell")(M, N, bias=bias)
    ours = cell(name, M, N, bias=bias)
    fill(ours, **torch_tensors(theirs))
    assert_same_steps(ours, theirs)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_torch_layers(name, bidirectional, batch_first):
    options = {"num_layers": 2, "bidirectional": bidirectional, "batch_first": batch_first}
    theirs, ours = getattr(torch.nn, name)(M, N, **options), RNN(name, M, N, **options)
    suffixes = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"][:: 1 if bidirectional else 2]
    for made, suffix in zip(ours.cells, suffixes, strict=True):
        fill(made, **torch_tensors(theirs, suffix))
    x = torch.randn(B, STEPS, M, requires_grad=True)
    h_0 = [torch.randn(len(suffixes), B if batch_first else STEPS, N) for _ in range(2)]
    h_0 = tuple(h_0) if name == "LSTM" else h_0[0]
    results = [rnn(x, h_0) for rnn in (ours, theirs)]
    torch.testing.assert_close(*results, **CLOSE)
    grads = [torch.autograd.grad(output.square().sum(), x) for output, _ in results]
    torch.testing.assert_close(*grads, **CLOSE)


@pytest.mark.parametrize("name", ["BRC", "nBRC"])
def test_brc_pytorch(name):
    layers = pytest.importorskip("brc_pytorch.layers")
    peer = {"BRC": "BistableRecurrentCell", "nBRC": "NeuromodulatedBistableRecurrentCell"}[name]
    theirs = getattr(layers, peer)(M, N).double()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter)
    ours = cell(name, M, N)
    # Their r is the feedback a, their h the candidate.
    fill(
        ours,
        weight_ih=torch.cat([theirs.kernelr, theirs.kernelz, theirs.kernelh], 1),
        weight_hh=torch.cat([theirs.memoryr, theirs.memoryz], -1),
        bias_ih=torch.cat([theirs.br, theirs.bz]),
    )
    assert_same_steps(ours, theirs)


def test_torchrecurrent_ugrnn():
    theirs = pytest.importorskip("torchrecurrent").UGRNNCell(M, N, bias_init=torch.nn.init.normal_)
    ours = cell("UGRNN", M, N, state_activation="identity")

    def swapped(tensor):  # their candidate comes before their gate
        candidate, gate = tensor.chunk(2)
        return torch.cat([gate, candidate])

    fill(
        ours,
        weight_ih=swapped(theirs.weight_ih).mT,
        weight_hh=swapped(theirs.weight_hh).mT,
        bias_ih=swapped(theirs.bias_ih + theirs.bias_hh),
    )
    assert_same_steps(ours, theirs)


def test_torchrecurrent_antisymmetric():
    peers = pytest.importorskip("torchrecurrent")
    theirs = peers.AntisymmetricRNNCell(
        M, N, epsilon=0.25, gamma=0.3, bias_init=torch.nn.init.normal_
    )
    ours = cell("AntisymmetricRNN", M, N, tau=4.0, gamma=0.3, state_activation="identity")
    # Their A comes from a full matrix, ours from its part below the diagonal.
    skew = theirs.weight_hh - theirs.weight_hh.mT
    fill(
        ours,
        weight_ih=theirs.weight_ih.mT,
        weight_hh=torch.tril(skew, -1),
        bias_ih=theirs.bias_ih + theirs.bias_hh,
    )
    assert_same_steps(ours, theirs)
