"""A kernel reads memory as it is told; what does not fit must not reach it."""

import os
import pickle
import stat
import subprocess
import sys
import warnings

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn.utils.rnn import PackedSequence
from torch.testing._internal.two_tensor import TwoTensor

from rnncells import RNN, kernels
from rnncells.cells import CELLS
from rnncells.kernels.numba import compiler

X = (3, 2, 4)


def layer(name="GRU", **options):
    return RNN(name, 4, 6, dtype=torch.float64, **options)


def tensors_of(cell):
    return {**dict(cell.named_parameters()), **dict(cell.named_buffers())}


def put(cell, name, value):
    """Put another tensor in the place of a weight, as load_state_dict(assign=True) does."""
    if name in cell._parameters:
        cell._parameters[name] = torch.nn.Parameter(value)
    else:
        cell._buffers[name] = value


def agree(rnn, *given):
    """Assert that compiled and readable path return the same, or raise the same kind of error."""
    found = []
    for context in (kernels.disabled, warnings.catch_warnings):
        with context():
            try:
                found.append(rnn(*given))
            except (RuntimeError, ValueError) as error:
                found.append(type(error))
    if isinstance(found[0], type):
        assert found[0] is found[1]
    else:
        torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)
    return found[0]


@pytest.mark.parametrize("name", CELLS)
def test_weights_on_the_meta_device_are_refused(name):
    for weight in tensors_of(layer(name).cells[0]):
        rnn = layer(name)
        put(rnn.cells[0], weight, tensors_of(rnn.cells[0])[weight].to("meta"))
        for given in (torch.randn(X, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)):
            with pytest.raises(RuntimeError, match="not at the same device"):
                (rnn if given.dim() == 3 else rnn.cells[0])(given)
    rnn = layer(name).to("meta")
    assert rnn(torch.randn(X, dtype=torch.float64, device="meta"))[0].is_meta


@pytest.mark.parametrize("name", CELLS)
def test_weights_of_another_dtype_are_refused(name):
    for weight, value in tensors_of(layer(name).cells[0]).items():
        rnn = layer(name)
        put(rnn.cells[0], weight, value.detach().float())
        # PyTorch promotes what is multiplied number by number, and refuses the rest.
        agree(rnn, torch.randn(X, dtype=torch.float64))
    rnn = layer("GRU")
    rnn.cells[0].weight_hh.data = rnn.cells[0].weight_hh.data.float()
    with pytest.raises(RuntimeError, match="dtype"):
        rnn(torch.randn(X, dtype=torch.float64))


@pytest.mark.parametrize("name", CELLS)
def test_weights_of_another_shape_are_not_read_beyond_their_end(name):
    for weight, value in tensors_of(layer(name).cells[0]).items():
        for shape in ((1,) * value.dim(), tuple(2 * size for size in value.shape)):
            rnn = layer(name)
            put(rnn.cells[0], weight, torch.randn(shape, dtype=torch.float64))
            agree(rnn, torch.randn(X, dtype=torch.float64))
    rnn = layer("GRU")
    rnn.cells[0].weight_hh.data = torch.randn(6, 12, dtype=torch.float64)
    with pytest.raises(RuntimeError):
        rnn(torch.randn(X, dtype=torch.float64))
    rnn = RNN("GRU", 4, 4096)
    rnn.cells[0].weight_hh.data = torch.randn(1, 1)
    with pytest.raises(RuntimeError):
        rnn(torch.randn(X))


def test_weights_of_a_wrapper_class_go_to_the_readable_path():
    for weight in tensors_of(layer().cells[0]):
        rnn, x = layer(), torch.randn(X, dtype=torch.float64)
        expected, _ = rnn(x)
        value = tensors_of(rnn.cells[0])[weight].detach()
        put(rnn.cells[0], weight, TwoTensor(value, value.clone()))
        output, _ = rnn(x)
        torch.testing.assert_close(output.a if isinstance(output, TwoTensor) else output, expected)


def test_weights_of_another_layout_are_not_taken_for_numbers():
    rnn = layer()
    put(rnn.cells[0], "weight_hh", rnn.cells[0].weight_hh.detach().to_sparse())
    agree(rnn, torch.randn(X, dtype=torch.float64))
    rnn, x = layer(), torch.randn(X, dtype=torch.float64)
    expected = rnn(x)
    put(rnn.cells[0], "weight_hh", rnn.cells[0].weight_hh.detach().t().contiguous().t())
    torch.testing.assert_close(rnn(x), expected)


def lazy_tensors(shape):
    """Return tensors whose numbers are not what lies in their memory."""
    return [
        torch._neg_view(torch.randn(shape, dtype=torch.float64)),
        torch._efficientzerotensor(shape, dtype=torch.float64),
    ]


@pytest.mark.parametrize("name", ["GRU", "LSTM", "BRC", "PC-RNN-HC-M"])
def test_lazy_tensors_are_resolved(name):
    rnn = layer(name)
    states = tuple(torch.randn(1, 2, 6, dtype=torch.float64) for _ in rnn.state_names)
    for x in lazy_tensors(X):
        torch.testing.assert_close(rnn(x), rnn(x.clone() + 0))
    for state in lazy_tensors((1, 2, 6)):
        given = (state, *states[1:])
        x = torch.randn(X, dtype=torch.float64)
        torch.testing.assert_close(rnn(x, given), rnn(x, tuple(s.clone() + 0 for s in given)))
    for grad in lazy_tensors((3, 2, 6)):
        found = []
        for given in (grad, grad.clone() + 0):
            x.requires_grad_()
            wanted = (x, *(p for p in rnn.parameters()))
            found.append(torch.autograd.grad(rnn(x)[0], wanted, given))
        torch.testing.assert_close(*found)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("population", [None, 2])
@pytest.mark.parametrize("name", CELLS)
def test_outputs_and_last_states_may_be_changed_in_place(name, population, bidirectional):
    rnn = layer(name, population=population, bidirectional=bidirectional)
    leading = () if population is None else (population,)
    x = torch.randn(*leading, *X, dtype=torch.float64, requires_grad=True)
    wanted = [x, *(p for p in rnn.parameters() if p.requires_grad)]

    def gradients():
        output, h_n = rnn(x)
        output[..., 0].zero_()
        torch.relu_(output)
        states = h_n if isinstance(h_n, tuple) else (h_n,)
        states[0].mul_(3)
        loss = output.square().sum() + sum(state.square().sum() for state in states)
        return torch.autograd.grad(loss, wanted)

    found = gradients()
    with kernels.disabled():
        expected = gradients()
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_backward_frees_what_was_kept():
    rnn, x = layer(), torch.randn(X, dtype=torch.float64)
    loss = rnn(x)[0].sum()
    loss.backward(retain_graph=True)
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_layers_are_made_without_memory():
    for name in CELLS:
        with FakeTensorMode():
            rnn = layer(name, num_layers=2)
            rnn.reset_parameters()
            output, _ = rnn(torch.randn(X, dtype=torch.float64))
        assert isinstance(output, FakeTensor)
        assert output.shape == (3, 2, 6)


@pytest.mark.parametrize("sizes", [[1, 2], [2, 1, 2], [3, 1], [2]])
def test_packed_batches_must_not_grow(sizes):
    packed = PackedSequence(torch.randn(3, 4, dtype=torch.float64), torch.tensor(sizes))
    if sizes == [2, 1, 2]:
        packed = packed._replace(data=torch.randn(5, 4, dtype=torch.float64))
    rnn = layer()
    with pytest.raises(RuntimeError, match="batch_sizes"):
        rnn(packed)
    with kernels.disabled(), pytest.raises(RuntimeError, match="batch_sizes"):
        rnn(packed)


PROGRAM = """
import sys, warnings
if "without" in sys.argv:
    sys.modules["numba"] = None
import torch
from rnncells import RNN, kernels
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    rnn = RNN("GRU", 2, 3)
    x = torch.randn(4, 1, 2)
    output, _ = rnn(x)
    rnn(x)[0].sum().backward()
    RNN("LSTM", 2, 3)(x)
with kernels.disabled():
    torch.testing.assert_close(rnn(x)[0], output)
said = [str(w.message) for w in caught if "rnncells" in str(w.message)]
assert len(said) == 1, said
print(said[0])
"""


@pytest.mark.parametrize(
    ("variables", "arguments", "reason"),
    [({"NUMBA_DISABLE_JIT": "1"}, [], "NUMBA_DISABLE_JIT"), ({}, ["without"], "numba")],
)
def test_without_a_compiler_the_steps_run_and_one_warning_says_so(variables, arguments, reason):
    job = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert job.returncode == 0, job.stderr
    assert reason in job.stdout


def test_without_a_home_there_is_one_folder_per_user(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    monkeypatch.setattr(compiler.tempfile, "tempdir", str(tmp_path))
    folder = compiler._cache.__wrapped__()
    assert folder == compiler._cache.__wrapped__()
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # A folder that others can write to is not trusted.
    folder.chmod(0o777)
    assert compiler._cache.__wrapped__() != folder


def test_what_tools_expect_of_a_recurrent_layer():
    rnn = layer(num_layers=2, bidirectional=True)
    theirs = torch.nn.GRU(4, 6, 2, bidirectional=True)
    assert rnn.mode == theirs.mode
    assert len(rnn.all_weights) == len(theirs.all_weights)
    for ours, others in zip(rnn.all_weights, theirs.all_weights, strict=True):
        assert sum(w.numel() for w in ours) == sum(w.numel() for w in others)
    assert {id(w) for group in rnn.all_weights for w in group} == set(map(id, rnn.parameters()))
    assert pickle.loads(pickle.dumps(rnn)).mode == "GRU"
