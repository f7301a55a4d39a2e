"""The RNN layer around any cell, its shapes, states and errors."""

import copy
import subprocess
import sys
import warnings

import pytest
import torch

import rnncells
from rnncells import RNN, cell
from rnncells.cells import CELLS, cell_class, register
from rnncells.cells.leaky import TRNN

N, M, B, STEPS = 5, 3, 4, 6
F64 = {"dtype": torch.float64}
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


def parts(state):
    """Return a state's tensors as a tuple."""
    return state if isinstance(state, tuple) else (state,)


def form(tensors):
    """Return a state's tensors in the form that a user sees."""
    return tuple(tensors) if len(tensors) > 1 else tensors[0]


def assert_same(a, b):
    """Compare states or tensors."""
    torch.testing.assert_close(parts(a), parts(b), **CLOSE)


@pytest.mark.parametrize("population", [None, 2])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, False), (2, True)])
def test_shapes_and_layouts(cell_name, layers, bidirectional, population):
    rnn = RNN(cell_name, M, N, layers, bidirectional=bidirectional, population=population, **F64)
    lead = () if population is None else (population,)
    directions = 2 if bidirectional else 1
    x = torch.randn(*lead, STEPS, B, M, **F64)
    h_0 = form([torch.randn(*lead, directions * layers, B, N, **F64) for _ in rnn.state_names])
    output, h_n = rnn(x, h_0)
    assert output.shape == (*lead, STEPS, B, directions * N)
    assert isinstance(h_n, tuple) == (len(rnn.state_names) > 1)
    assert all(part.shape == (*lead, directions * layers, B, N) for part in parts(h_n))
    # One sequence without the batch axis.
    first_h_0 = form([part[..., 0, :] for part in parts(h_0)])
    single, single_h_n = rnn(x[..., 0, :], first_h_0)
    assert_same(single, output[..., 0, :])
    assert_same(single_h_n, form([part[..., 0, :] for part in parts(h_n)]))
    # The batch before the time.
    rnn.batch_first = True
    swapped, swapped_h_n = rnn(x.transpose(-2, -3), h_0)
    assert_same(swapped.transpose(-2, -3), output)
    assert_same(swapped_h_n, h_n)


def test_layer_repeats_the_cell(cell_name):
    rnn = RNN(cell_name, M, N, **F64)
    (made,) = rnn.cells
    x = torch.randn(STEPS, B, M, **F64)
    state = form([torch.randn(B, N, **F64) for _ in rnn.state_names])
    output, h_n = rnn(x, form([part[None] for part in parts(state)]))
    read = made.state_names.index(made.output_state)
    for t in range(STEPS):
        state = made(x[t], state)
        assert_same(output[t], made.output(parts(state)[read]))
    assert_same(form([part[0] for part in parts(h_n)]), state)


def test_cell_without_batch_or_state(cell_name):
    made = cell(cell_name, M, N, **F64)
    x = torch.randn(B, M, **F64)
    zeros = form([torch.zeros(B, N, **F64) for _ in made.state_names])
    assert_same(made(x), made(x, zeros))
    assert_same(made(x[0]), form([part[0] for part in parts(made(x))]))


def test_initial_state_is_zero_by_default_and_honoured(cell_name):
    rnn = RNN(cell_name, M, N, 2, **F64)
    x = torch.randn(STEPS, B, M, **F64)
    zeros = [torch.zeros(2, B, N, **F64) for _ in rnn.state_names]
    output, _ = rnn(x)
    assert_same(output, rnn(x, form(zeros))[0])
    for k in range(len(zeros)):
        other = [part + (j == k) for j, part in enumerate(zeros)]
        assert not torch.allclose(output, rnn(x, form(other))[0])


@pytest.mark.parametrize("population", [None, 2])
def test_sequence_in_two_parts(cell_name, population):
    rnn = RNN(cell_name, M, N, 2, population=population, **F64)
    lead = () if population is None else (population,)
    x = torch.randn(*lead, STEPS, B, M, **F64)
    output, h_n = rnn(x)
    first, state = rnn(x[..., :2, :, :])
    second, last = rnn(x[..., 2:, :, :], state)
    assert_same(torch.cat([first, second], -3), output)
    assert_same(last, h_n)


def test_backward_direction_reads_the_reversed_sequence(cell_name):
    both = RNN(cell_name, M, N, bidirectional=True, **F64)
    alone = RNN(cell_name, M, N, **F64)
    alone.cells[0].load_state_dict(both.cells[1].state_dict())
    x = torch.randn(STEPS, B, M, **F64)
    output, h_n = both(x)
    backward, backward_h_n = alone(x.flip(0))
    assert_same(output[..., N:], backward.flip(0))
    assert_same(form([part[1:] for part in parts(h_n)]), backward_h_n)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("population", [None, 2])
def test_constant_input(cell_name, population, bidirectional):
    rnn = RNN(cell_name, M, N, bidirectional=bidirectional, population=population, **F64)
    lead = () if population is None else (population,)
    c = torch.randn(*lead, 1, B, M, **F64, requires_grad=True)
    expanded = c.expand(*lead, STEPS, B, M)
    learned = [c, *rnn.parameters()]
    results = []
    for x in (expanded, expanded.clone()):
        output, h_n = rnn(x)
        loss = output.square().sum() + sum(part.square().sum() for part in parts(h_n))
        results.append((output, *parts(h_n), *torch.autograd.grad(loss, learned)))
    assert_same(*results)


@pytest.mark.parametrize("population", [None, 2])
def test_autonomous_network(cell_name, population):
    rnn = RNN(cell_name, 0, N, 2, population=population, **F64)
    lead = () if population is None else (population,)
    x = torch.empty(*lead, STEPS, B, 0, **F64)
    key = torch.randn(*lead, B, rnn.code_size, **F64)
    output, _ = rnn(x, rnn.state_from_code(key))
    assert output.shape == (*lead, STEPS, B, N)
    assert not torch.allclose(output[..., 0, :, :], output[..., -1, :, :])
    other, _ = rnn(x, rnn.state_from_code(key + 1))
    assert not torch.allclose(output, other)


def test_keys_are_split_between_layers():
    rnn = RNN("LSTM", 0, N, 2)
    key = torch.randn(B, rnn.code_size)
    h, c = rnn.state_from_code(key)
    assert_same(c, torch.stack([key[:, :N], key[:, N:]]))
    assert_same(h, torch.tanh(c))


def test_dropout_acts_between_layers_in_training_only():
    rnn = RNN("GRU", M, N, 2, dropout=1.0, **F64)
    x = torch.randn(STEPS, B, M, **F64)
    second = RNN("GRU", N, N, **F64)
    second.cells[0].load_state_dict(rnn.cells[1].state_dict())
    assert_same(rnn(x)[0], second(torch.zeros(STEPS, B, N, **F64))[0])
    without = RNN("GRU", M, N, 2, **F64)
    without.load_state_dict(rnn.state_dict())
    assert_same(rnn.eval()(x)[0], without(x)[0])


def test_dropout_with_one_layer_warns():
    with pytest.warns(UserWarning, match="one layer"):
        RNN("GRU", M, N, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RNN("GRU", M, N, 2, dropout=0.5)


# Initial values and state dicts


def test_initial_values_follow_the_global_generator(cell_name):
    def values(draw, seed):
        torch.manual_seed(seed)
        return draw().state_dict()

    rnn = RNN(cell_name, M, N)

    def again():
        rnn.reset_parameters()
        return copy.deepcopy(rnn)

    for draw in (lambda: RNN(cell_name, M, N), again):
        first, same, other = (values(draw, seed) for seed in (1, 1, 2))
        assert all(torch.equal(first[name], same[name]) for name in first)
        assert not torch.equal(first["cells.0.weight_ih"], other["cells.0.weight_ih"])


def test_state_dict_round_trip(cell_name):
    first, second = (RNN(cell_name, M, N, 2, **F64) for _ in range(2))
    x = torch.randn(STEPS, B, M, **F64)
    assert not torch.allclose(first(x)[0], second(x)[0])
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x)[0], second(x)[0])


def test_change_of_precision_keeps_the_hyperparameters_in_step():
    rnn = RNN("TRNN", M, N, population=2, tau=[2.0, 30.0], **F64).float()
    output, _ = rnn(torch.randn(2, STEPS, B, M))
    assert output.dtype == torch.float32


def test_meta_device(cell_name):
    with torch.device("meta"):
        under = RNN(cell_name, M, N)
    for rnn in (under, RNN(cell_name, M, N, device="meta")):
        assert all(tensor.is_meta for tensor in rnn.state_dict().values())


def test_description_shows_what_is_not_default():
    assert "RNN(\n  'GRU', 3, 5, num_layers=2, bidirectional=True" in str(
        RNN("GRU", 3, 5, 2, bidirectional=True)
    )


# Errors


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("GRU", M, N, 0), {}, "num_layers"),
        (("GRU", M, N, True), {}, "num_layers"),
        (("GRU", M, N, 2), {"dropout": 1.5}, "dropout"),
        (("GRU", -1, N), {}, "input_size"),
        (("GRU", M, 0), {}, "hidden_size"),
        (("GRU", M, N), {"population": 0}, "population"),
        (("Gru", M, N), {}, "unknown cell 'Gru'.*BRC.*PC-RNN-GC-HC-M.*sRNN"),
        (("nBRK", M, N), {}, r"unknown cell 'nBRK' \(did you mean 'nBRC'\?\)"),
        (("no.such.module:Cell", M, N), {}, "cannot load"),
        (("rnncells.cells.gru:NoSuchCell", M, N), {}, "cannot load"),
    ],
)
def test_arguments_that_make_no_sense(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        RNN(*arguments, **options)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise RuntimeError('boom')", "cannot load the cell 'own:A': RuntimeError: boom"),
        ("raise SystemExit(0)", "cannot load the cell 'own:A': SystemExit: 0"),
        ("class A: pass", "'own:A' is no cell; expected a class"),
        ("A = 3", "'own:A' is no cell; expected a class"),
    ],
)
def test_a_module_that_has_no_cell(tmp_path, monkeypatch, source, words):
    (tmp_path / "own.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own", raising=False)
    with pytest.raises(ValueError, match=words):
        RNN("own:A", M, N)
    sys.modules.pop("own", None)


@pytest.mark.parametrize("make", [RNN, cell])
@pytest.mark.parametrize(
    ("name", "option", "words"),
    [
        ("AntisymmetricRNN", "tua", "tau, gamma, state_activation"),
        ("sRNN", "tau", "no option 'tau'"),
        ("GRU", "sigma", "no option 'sigma'"),
    ],
)
def test_unknown_options(make, name, option, words):
    with pytest.raises(TypeError, match=words):
        make(name, M, N, **{option: 2.0})


@pytest.mark.parametrize(
    ("population", "shape", "words"),
    [
        (None, (STEPS, B, M + 1), "Expected 3, got 4"),
        (2, (3, STEPS, B, M), "population"),
    ],
)
def test_inputs_of_the_wrong_size(population, shape, words):
    with pytest.raises(RuntimeError, match=words):
        RNN("GRU", M, N, population=population)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("population", "shape", "words"),
    [
        (None, (M,), "2D or 3D"),
        (None, (2, STEPS, B, M), "2D or 3D"),
        (2, (STEPS, M), "3D or 4D"),
    ],
)
def test_inputs_of_the_wrong_dimension(population, shape, words):
    with pytest.raises(ValueError, match=words):
        RNN("GRU", M, N, population=population)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("name", "shapes", "words"),
    [
        ("GRU", [(2, B, N + 1)], r"Expected hidden size \(2, 4, 5\), got \(2, 4, 6\)"),
        ("GRU", [(1, B, N)], r"got \(1, 4, 5\)"),
        ("GRU", [(2, 1, N)], r"got \(2, 1, 5\)"),
        ("GRU", [(2, B, N)] * 2, "expected 1 tensors, got 2"),
        ("LSTM", [(2, B, N)], "expected 2 tensors, got 1"),
        ("LSTM", [(2, B, N), (2, B, N + 1)], r"got \(2, 4, 6\)"),
    ],
)
def test_states_of_the_wrong_shape(name, shapes, words):
    state = form([torch.zeros(shape) for shape in shapes])
    with pytest.raises(RuntimeError, match=words):
        RNN(name, M, N, 2)(torch.zeros(STEPS, B, M), state)


# Cells of the user's own

OWN_CELL = """
import torch
from rnncells.cells.base import Cell
from rnncells.cells.initial import ones

class Sum(Cell):
    search_space = {"rate": (0.1, 1.0, "log")}

    def __init__(self, input_size, hidden_size, *, rate=1.0, **common):
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("rate", rate)
        self.add_weight("weight_ih", (input_size, hidden_size), ones)
        self.add_bias("bias_ih", hidden_size, ones)

    def recurrence(self):
        return None

    def step(self, projected, state, recurrence):
        return (state[0] + self.rate * projected,)
"""


def test_cell_from_a_module_of_the_current_directory(tmp_path, monkeypatch):
    (tmp_path / "own_cells.py").write_text(OWN_CELL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    rnn = RNN("own_cells:Sum", M, N, population=2, rate=[1.0, 2.0], **F64)
    x = torch.randn(2, STEPS, B, M, **F64)
    total = (x.sum(-1, keepdim=True) + 1).cumsum(1).expand(-1, -1, -1, N)
    assert_same(rnn(x)[0], total * torch.tensor([1.0, 2.0], **F64)[:, None, None, None])
    del sys.modules["own_cells"]


def test_registered_cell(monkeypatch):
    monkeypatch.setattr("rnncells.cells._REGISTERED", dict(CELLS))

    @register("own")
    class Own(TRNN):
        """A TRNN with another output."""

        def output(self, h):
            return -h

    rnn = RNN("own", M, N, tau=2.0)
    output, h_n = rnn(torch.randn(STEPS, B, M))
    assert torch.equal(output[-1], -h_n[0])
    assert cell_class("own") is Own
    with pytest.raises(ValueError, match="two cells are called 'GRU'"):
        register("GRU")(Own)


def test_importing_the_package_is_light():
    code = "import sys, rnncells, rnncells.cells; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert rnncells.RNN is RNN
    with pytest.raises(AttributeError, match="no attribute"):
        _ = rnncells.nothing
