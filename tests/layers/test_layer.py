"""The layer where PyTorch's own stands: packed input, copies, precision, transforms, errors."""

import copy
import io
import itertools
import pickle
import sys

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

from rnncells import RNN, cell, from_torch
from rnncells.cells import CELLS, cell_class, register
from rnncells.cells.base import Cell
from rnncells.cells.initial import normal, uniform, zeros
from tests.sixteen import SIXTEEN

N, M, B, STEPS = 5, 3, 4, 6
F64 = {"dtype": torch.float64}
CLOSE = {"rtol": 1e-10, "atol": 1e-12}
LAYERS = list(itertools.product([1, 2], [False, True]))  # layers, bidirectional


class Own(Cell):
    """A user's cell: two tensors of state, another output, a hyperparameter, its own projection."""

    state_names = ("h", "trace")
    output_state = "trace"

    def __init__(self, input_size, hidden_size, *, rate=0.3, **common):
        super().__init__(input_size, hidden_size, **common)
        self.add_hyperparameter("rate", rate, low=0.0, high=1.0)
        self.add_weight("weight_ih", (input_size, hidden_size), normal(0.5))
        self.add_weight("weight_hh", (hidden_size, hidden_size), uniform(0.5))
        self.add_bias("bias_ih", hidden_size, zeros)

    def project(self, x):
        return torch.sin(super().project(x))

    def recurrence(self):
        return self.weight_hh, self.weight_hh.mT

    def step(self, projected, state, recurrence):
        h, trace = state
        h = torch.tanh(h @ recurrence[0] + trace @ recurrence[1] + projected)
        return h, torch.lerp(trace, h, self.rate)

    def output(self, h):
        return 2 * h


@pytest.fixture(autouse=True)
def own_cell(monkeypatch):
    monkeypatch.setattr("rnncells.cells._REGISTERED", dict(CELLS))
    register("own")(Own)


every_cell = pytest.mark.parametrize("name", [*SIXTEEN, "own"])
some_cells = pytest.mark.parametrize("name", ["GRU", "nBRC", "BRC", "PC-RNN-HC-A", "own"])


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def form(tensors):
    return tuple(tensors) if len(tensors) > 1 else tensors[0]


def random_state(rnn, batch=B, **kind):
    return form([torch.randn(len(rnn.cells), batch, N, **kind) for _ in rnn.state_names])


def assert_same(a, b):
    torch.testing.assert_close(a, b, **CLOSE)


def gradients(loss, tensors):
    """Return the gradients of those tensors that can have one."""
    return torch.autograd.grad(loss, [tensor for tensor in tensors if tensor.requires_grad])


# Packed sequences


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("lengths", [[6, 4, 4, 1], [2, 6, 1, 6], [3, 3, 3, 3]])
@pytest.mark.parametrize(("layers", "bidirectional"), LAYERS)
@every_cell
def test_packed_sequences_are_each_run_alone(name, layers, bidirectional, lengths, given):
    rnn = RNN(name, M, N, layers, bidirectional=bidirectional, **F64)
    sequences = [torch.randn(length, M, **F64, requires_grad=True) for length in lengths]
    h_0 = random_state(rnn, **F64) if given else None
    learned = [*sequences, *rnn.parameters()]
    if given:
        learned += [part.requires_grad_() for part in parts(h_0)]
    is_sorted = lengths == sorted(lengths, reverse=True)
    packed = pack_sequence(sequences, enforce_sorted=is_sorted)
    output, h_n = rnn(packed, h_0)
    assert isinstance(output, PackedSequence)
    assert output.batch_sizes is packed.batch_sizes
    assert output.sorted_indices is packed.sorted_indices

    alone = [
        rnn(x, form([part[:, k] for part in parts(h_0)]) if given else None)
        for k, x in enumerate(sequences)
    ]
    together = pack_sequence([y for y, _ in alone], enforce_sorted=is_sorted)
    assert_same(output.data, together.data)
    last = [torch.stack(column, 1) for column in zip(*(parts(h) for _, h in alone), strict=True)]
    assert_same(parts(h_n), tuple(last))

    losses = [
        y.square().sum() + sum(part.sin().sum() for part in h)
        for y, h in ((output.data, parts(h_n)), (together.data, last))
    ]
    assert_same(*(gradients(loss, learned) for loss in losses))


def test_padding_has_no_influence():
    rnn = RNN("GRU", M, N, 2, bidirectional=True, batch_first=True)
    x = torch.randn(B, STEPS, M)
    lengths = torch.tensor([2, 6, 1, 3])
    x[torch.arange(STEPS) >= lengths[:, None]] = float("nan")
    output, h_n = rnn(
        pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False),
    )
    (output.data.sum() + h_n.sum()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in rnn.parameters())


def test_packed_dropout_acts_between_layers():
    rnn = RNN("GRU", M, N, 2, dropout=1.0)
    packed = pack_sequence([torch.randn(3, M), torch.randn(2, M)])
    silent = PackedSequence(torch.zeros(5, N), packed.batch_sizes)
    second = RNN("GRU", N, N)
    second.cells[0].load_state_dict(rnn.cells[1].state_dict())
    assert_same(rnn(packed)[0].data, second(silent)[0].data)


def test_packed_autonomous_network():
    rnn = RNN("PC-RNN-HC-M", 0, N)
    key = torch.randn(2, rnn.code_size)
    packed = PackedSequence(torch.empty(5, 0), torch.tensor([2, 2, 1]))  # of lengths 3 and 2
    _, h_n = rnn(packed, rnn.state_from_code(key))
    _, alone = rnn(torch.empty(2, 0), rnn.state_from_code(key)[:, 1])
    assert_same(h_n[:, 1], alone)


# PyTorch's own layers


def mapped(theirs, gradients_of=None):
    """Return a torch.nn module's tensors, or their gradients, in our order and orientation."""
    layers = range(theirs.num_layers)
    ways = ["", "_reverse"] if theirs.bidirectional else [""]
    kinds = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * theirs.bias
    names = [f"{kind}_l{k}{way}" for k in layers for way in ways for kind in kinds]
    tensors = [getattr(theirs, name) for name in names]
    if gradients_of is not None:
        tensors = torch.autograd.grad(gradients_of, tensors, retain_graph=True)
    return tuple(tensor.mT if tensor.dim() == 2 else tensor for tensor in tensors)


@pytest.mark.parametrize("kind", ["padded", "unbatched", "sorted", "unsorted"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("layers", "bidirectional"), LAYERS)
@pytest.mark.parametrize("made", [nn.GRU, nn.LSTM])
def test_from_torch(made, layers, bidirectional, batch_first, bias, kind):
    theirs = made(M, N, layers, bias, batch_first, 0.0, bidirectional, **F64)
    ours = from_torch(theirs)
    assert_same(tuple(ours.parameters()), mapped(theirs))
    lengths = {"sorted": [6, 4, 1], "unsorted": [1, 4, 6]}.get(kind)
    if lengths:
        sequences = [torch.randn(length, M, **F64) for length in lengths]
        x = pack_sequence(sequences, enforce_sorted=kind == "sorted")
        batch = (3,)
    else:
        x = torch.randn(*((STEPS, M) if kind == "unbatched" else (STEPS, 3, M)), **F64)
        batch = () if kind == "unbatched" else (STEPS if batch_first else 3,)
    count = layers * (1 + bidirectional)
    h_0 = form([torch.randn(count, *batch, N, **F64) for _ in ours.state_names])
    for state in (None, h_0):
        results = []
        for module in (ours, theirs):
            output, h_n = module(x, state)
            if lengths:
                assert torch.equal(output.batch_sizes, x.batch_sizes)
                output = output.data
            results.append((output, *parts(h_n)))
        assert_same(*results)
        losses = [sum(tensor.square().sum() for tensor in result) for result in results]
        assert_same(torch.autograd.grad(losses[0], ours.parameters()), mapped(theirs, losses[1]))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("made", [nn.GRUCell, nn.LSTMCell])
def test_from_torch_cell(made, bias):
    theirs = made(M, N, bias=bias, **F64)
    ours = from_torch(theirs)
    x = torch.randn(B, M, **F64)
    assert_same(ours(x), theirs(x))
    h = form([torch.randn(B, N, **F64) for _ in ours.state_names])
    assert_same(ours(x, hx=h), theirs(x, hx=h))


def test_from_torch_copies_everything_else_too():
    theirs = nn.LSTM(M, N, 2, dropout=0.5, bidirectional=True, dtype=torch.bfloat16).eval()
    theirs.weight_hh_l1.requires_grad_(False)
    generator = torch.get_rng_state()
    ours = from_torch(theirs)
    assert torch.equal(torch.get_rng_state(), generator)
    assert ours.dropout == 0.5
    assert not ours.training
    frozen = [name for name, tensor in ours.named_parameters() if not tensor.requires_grad]
    assert frozen == ["cells.2.weight_hh"]
    assert ours.cells[0].weight_hh.dtype == torch.bfloat16
    with torch.no_grad():
        theirs.weight_ih_l0.zero_()
    assert ours.cells[0].weight_ih.any()
    ours.reset_parameters()
    assert from_torch(nn.GRU(M, N, device="meta")).cells[0].weight_ih.is_meta


@pytest.mark.parametrize(
    ("made", "error", "words"),
    [
        (lambda: nn.RNN(M, N), TypeError, "RNN is none of GRU, LSTM.*tanh after"),
        (lambda: nn.RNNCell(M, N), TypeError, "RNNCell is none of"),
        (lambda: nn.Linear(M, N), TypeError, "Linear is none of"),
        (lambda: nn.LSTM(M, N, proj_size=2), ValueError, "proj_size"),
    ],
)
def test_from_torch_refuses_what_has_no_equal(made, error, words):
    with pytest.raises(error, match=words):
        from_torch(made())


# A module like any other


def saved_and_loaded(module):
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda rnn: pickle.loads(pickle.dumps(rnn)), saved_and_loaded]
)
@pytest.mark.parametrize("population", [None, 2])
@every_cell
def test_copies(name, population, copied):
    options = {}
    if population and "tau" in cell_class(name).search_space:
        options["tau"] = [2.0, 5.0]
    rnn = RNN(name, M, N, 2, population=population, **options)
    x = torch.randn(*([population] if population else []), STEPS, B, M)
    other = copied(rnn)
    assert torch.equal(other(x)[0], rnn(x)[0])
    for module in (rnn, other):
        torch.manual_seed(1)
        module.reset_parameters()
    assert torch.equal(other(x)[0], rnn(x)[0])
    torch.manual_seed(2)
    other.reset_parameters()
    assert not torch.equal(other(x)[0], rnn(x)[0])


@every_cell
def test_state_dict_fits_a_layer_of_another_precision(name):
    rnn, double = RNN(name, M, N, 2), RNN(name, M, N, 2, **F64)
    assert double.load_state_dict(rnn.state_dict()).missing_keys == []
    x = torch.randn(STEPS, B, M)
    torch.testing.assert_close(double(x.double())[0].float(), rnn(x)[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("population", [None, 2])
@every_cell
def test_precision(name, population, dtype):
    lead = () if population is None else (population,)
    x = torch.randn(*lead, STEPS, B, M, dtype=dtype)
    rnn = RNN(name, M, N, 2, bidirectional=True, population=population)
    expected, _ = rnn(x.float())
    output, h_n = rnn.to(dtype)(x)
    assert {output.dtype, *(part.dtype for part in parts(h_n))} == {dtype}
    torch.testing.assert_close(output.float(), expected, rtol=0.1, atol=0.1)
    direct = RNN(name, M, N, population=population, dtype=dtype)
    assert direct(x)[0].dtype == dtype


@pytest.mark.parametrize("name", ["TRNN", "MTRNN", "AntisymmetricRNN", "ESN"])
def test_hyperparameters_of_members_follow_the_precision(name):
    option = next(iter(CELLS[name].search_space))
    rnn = RNN(name, M, N, population=2, **{option: [2.0, 30.0]}).double()
    assert getattr(rnn.cells[0], option).dtype == torch.float64
    assert rnn(torch.randn(2, STEPS, B, M, **F64))[0].dtype == torch.float64


@every_cell
def test_autocast(name):
    rnn = RNN(name, M, N, 2, bidirectional=True)
    x = torch.randn(STEPS, B, M)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _ = rnn(x, random_state(rnn))
    assert output.isfinite().all()


def test_flatten_parameters_is_harmless():
    rnn = RNN("GRU", M, N)
    x = torch.randn(STEPS, B, M)
    expected, _ = rnn(x)
    assert rnn.flatten_parameters() is None
    assert torch.equal(rnn(x)[0], expected)


def test_description():
    assert "  'own', 3, 5\n" in str(RNN("own", M, N))
    described = str(RNN("GRU", M, N, 2, False, True, 0.5, True, 2))
    for text in ("num_layers=2", "bias=False", "batch_first=True", "dropout=0.5"):
        assert text in described
    assert "bidirectional=True, population=2" in described


def test_learned_initial_state_is_expanded_over_the_batch():
    rnn = RNN("own", M, N, **F64)
    learned = [torch.randn(1, 1, N, **F64, requires_grad=True) for _ in rnn.state_names]
    x = torch.randn(STEPS, B, M, **F64)
    results = []
    for h_0 in ([p.expand(1, B, N) for p in learned], [p.repeat(1, B, 1) for p in learned]):
        output, _ = rnn(x, tuple(h_0))
        results.append((output, *torch.autograd.grad(output.square().sum(), learned)))
    assert_same(*results)


@every_cell
def test_no_sequences_and_one_step(name):
    rnn = RNN(name, M, N, 2, bidirectional=True)
    output, h_n = rnn(torch.empty(STEPS, 0, M))
    assert output.shape == (STEPS, 0, 2 * N)
    assert all(part.shape == (4, 0, N) for part in parts(h_n))
    assert rnn(torch.randn(1, B, M))[0].shape == (1, B, 2 * N)


@every_cell
def test_replicas_of_data_parallel(name, monkeypatch):
    """nn.DataParallel's replicas keep their tensors as plain attributes, not as parameters."""
    module = sys.modules["torch.nn.parallel.replicate"]
    monkeypatch.setattr(
        module,
        "_broadcast_coalesced_reshape",
        lambda tensors, devices, detach=False: [[t.clone() for t in tensors] for _ in devices],
    )
    rnn = RNN(name, M, N, 2, population=2).double()
    x = torch.randn(2, STEPS, B, M, **F64)
    for replica in module.replicate(rnn, [0, 1]):
        assert not list(replica.parameters())
        assert torch.equal(replica(x)[0], rnn(x)[0])


# Compilation and function transforms


@pytest.fixture
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@some_cells
def test_compile(name, fresh_compiler):
    rnn = RNN(name, M, N, 2, bidirectional=True)
    x = torch.randn(2, B, M, requires_grad=True)
    compiled = torch.compile(rnn, fullgraph=True, backend="eager")
    for arguments in ((x,), (x, random_state(rnn))):
        results = []
        for module in (compiled, rnn):
            output, h_n = module(*arguments)
            learned = [x, *rnn.parameters()]
            results.append((output, *parts(h_n), *gradients(output.square().sum(), learned)))
        torch.testing.assert_close(*results)


@some_cells
def test_export(name):
    rnn = RNN(name, M, N)
    h_0 = random_state(rnn)
    batch = torch.export.Dim("batch", min=2, max=64)
    sizes = form([{1: batch}] * len(rnn.state_names))
    exported = torch.export.export(
        rnn, (torch.randn(3, B, M), h_0), dynamic_shapes=({1: batch}, sizes)
    )
    other = torch.randn(3, 7, M), random_state(rnn, 7)
    torch.testing.assert_close(exported.module()(*other), rnn(*other))


@some_cells
def test_onnx(name, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    rnn = RNN(name, M, N, bidirectional=True)
    x = torch.randn(3, B, M)
    torch.onnx.export(rnn, (x,), tmp_path / "rnn.onnx", dynamo=True, external_data=False)
    model = onnx.load(tmp_path / "rnn.onnx")
    feed = {model.graph.input[0].name: x.numpy()}
    outputs = [torch.as_tensor(array) for array in ReferenceEvaluator(model).run(None, feed)]
    output, h_n = rnn(x)
    torch.testing.assert_close(outputs, [output, *parts(h_n)])


@every_cell
def test_vmap_over_parameters(name):
    members = [RNN(name, M, N, 2, bidirectional=True, **F64) for _ in range(3)]
    parameters, buffers = stack_module_state(members)
    x = torch.randn(STEPS, B, M, **F64)

    def run(parameters, buffers):
        return functional_call(members[0], (parameters, buffers), (x,))[0]

    outputs = vmap(run)(parameters, buffers)
    slopes = vmap(grad(lambda p, b: run(p, b).square().sum()))(parameters, buffers)
    for k, member in enumerate(members):
        output, _ = member(x)
        assert_same(outputs[k], output)
        named = dict(member.named_parameters())
        if named:
            expected = torch.autograd.grad(output.square().sum(), named.values())
            assert_same(tuple(slopes[key][k] for key in named), expected)


@every_cell
def test_vmap_over_sequences(name):
    rnn = RNN(name, M, N, **F64)
    x = torch.randn(STEPS, B, M, **F64)
    assert_same(vmap(lambda x: rnn(x)[0], 1, 1)(x), rnn(x)[0])


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@every_cell
def test_anomaly_mode(name):
    rnn = RNN(name, M, N, 2, bidirectional=True)
    x = torch.randn(STEPS, B, M, requires_grad=True)
    with torch.autograd.detect_anomaly(check_nan=True):
        rnn(x)[0].sum().backward()
    assert x.grad.isfinite().all()


@every_cell
def test_second_derivatives(name):
    rnn = RNN(name, M, 2, **F64)
    x = torch.randn(2, 2, M, **F64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: rnn(x)[0], x)


# Errors: the same kinds as PyTorch's own


def kind_of_error(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize("made", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((M, N), {}),
        ((-1, N), {}),
        ((M, 0), {}),
        ((M, -2), {}),
        ((M, 5.0), {}),
        ((3.0, N), {}),
        ((M, "5"), {}),
        ((M, None), {}),
        ((M, N, 0), {}),
        ((M, N, -1), {}),
        ((M, N, 1.5), {}),
        ((M, N, "2"), {}),
        ((M, N, 2, 1), {}),
        ((M, N, 2, None), {}),
        ((M, N, 2, True, 1), {}),
        ((M, N, 2), {"dropout": 1.5}),
        ((M, N, 2), {"dropout": -0.1}),
        ((M, N, 2), {"dropout": True}),
        ((M, N, 2), {"dropout": "much"}),
        ((M, N, 2), {"dropout": float("nan")}),
        ((M, N, 2), {"nothing": 1}),
        ((M,), {}),
    ],
)
def test_construction_errors(made, arguments, options):
    name = made.__name__
    expected = kind_of_error(made, *arguments, **options)
    assert kind_of_error(RNN, name, *arguments, **options) is expected


def zeros_like_state(made, *shape, **kind):
    return form([torch.zeros(shape, **kind)] * (2 if made is nn.LSTM else 1))


@pytest.mark.parametrize("made", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize(
    ("shape", "state_shape", "words"),
    [
        ((M,), None, "Expected input to be 2D or 3D, got 1D instead"),
        ((), None, "got 0D"),
        ((2, STEPS, B, M), None, "got 4D"),
        ((STEPS, B, M + 1), None, "Expected 3, got 4"),
        ((STEPS, M - 1), None, "Expected 3, got 2"),
        ((0, B, M), None, "sequence length to be larger than 0"),
        ((STEPS, B, M), (1, N), "hx.* should also be 3-D"),
        ((STEPS, M), (1, 1, N), "hx.* should also be 2-D"),
        ((STEPS, B, M), (2, B, N), "Expected hidden.* size"),
        ((STEPS, B, M), (1, B, N + 1), "Expected hidden.* size"),
        ((STEPS, B, M), (1, 1, N), "Expected hidden.* size"),
        ((STEPS, M), (2, N), "Expected hidden.* size"),
        ((STEPS, M), (1, N + 1), "Expected hidden.* size"),
    ],
)
def test_shape_errors(made, shape, state_shape, words):
    theirs = made(M, N)
    ours = from_torch(theirs)
    arguments = [torch.zeros(shape)]
    if state_shape:
        arguments.append(zeros_like_state(made, *state_shape))
    expected = kind_of_error(theirs, *arguments)
    with pytest.raises(expected, match=words) as caught:
        ours(*arguments)
    assert caught.type is expected


@pytest.mark.parametrize("made", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64])
def test_dtype_errors(made, dtype):
    theirs = made(M, N)
    ours = from_torch(theirs)
    x = torch.zeros(STEPS, B, M)
    assert kind_of_error(theirs, x.to(dtype)) is ValueError
    with pytest.raises(ValueError, match=f"RNN input dtype .{dtype}. does not match weight dtype"):
        ours(x.to(dtype))
    with pytest.raises(ValueError, match="does not match weight dtype"):
        ours.to("meta")(x.to("meta", dtype))
    ours = from_torch(theirs)
    with pytest.raises(RuntimeError, match="not the same dtype"):
        ours(x, zeros_like_state(made, 1, B, N, dtype=dtype))


@pytest.mark.parametrize(
    ("features", "dtype", "state_shape", "error", "words"),
    [
        (M + 1, torch.float32, None, RuntimeError, "Expected 3, got 4"),
        (M, torch.float64, None, ValueError, "does not match weight dtype"),
        (M, torch.float32, (1, 3, N), RuntimeError, r"Expected hidden size \(1, 2, 5\)"),
        (M, torch.float32, (1, 1, N), RuntimeError, r"Expected hidden size \(1, 2, 5\)"),
        (M, torch.float32, (2, 2, N), RuntimeError, r"Expected hidden size \(1, 2, 5\)"),
    ],
)
def test_errors_of_packed_input(features, dtype, state_shape, error, words):
    packed = pack_sequence([torch.zeros(length, features, dtype=dtype) for length in (3, 2)])
    state = None if state_shape is None else torch.zeros(state_shape)
    with pytest.raises(error, match=words):
        RNN("GRU", M, N)(packed, state)
    assert kind_of_error(nn.GRU(M, N), packed, state) is error


def test_packed_input_of_too_many_axes():
    packed = pack_sequence([torch.zeros(3, 2, M)])
    for rnn in (nn.GRU(M, N), RNN("GRU", M, N)):
        with pytest.raises(RuntimeError, match="input must have 2 dimensions, got 3"):
            rnn(packed)


def test_packed_input_does_not_go_through_a_population():
    packed = pack_sequence([torch.zeros(2, M)])
    with pytest.raises(RuntimeError, match="population takes padded sequences"):
        RNN("GRU", M, N, population=2)(packed)


@pytest.mark.parametrize(
    ("shape", "state_shape"),
    [
        ((2, B, M), None),
        ((), None),
        ((B, M + 1), None),
        ((M + 1,), None),
        ((B, M), (B, N + 1)),
        ((B, M), (1, N)),
        ((B, M), (B + 1, N)),
        ((M,), (N + 1,)),
    ],
)
@pytest.mark.parametrize("made", [nn.GRUCell, nn.LSTMCell])
def test_errors_of_the_cell(made, shape, state_shape):
    theirs = made(M, N)
    ours = from_torch(theirs)
    arguments = [torch.zeros(shape)]
    if state_shape:
        arguments.append(form([torch.zeros(state_shape)] * len(ours.state_names)))
    assert kind_of_error(ours, *arguments) is kind_of_error(theirs, *arguments) is not None


def test_cell_of_a_population_refuses_another_number_of_members():
    with pytest.raises(RuntimeError, match=r"Expected input size \(2, 4, 3\), got \(3, 4, 3\)"):
        cell("GRU", M, N, population=2)(torch.zeros(3, B, M))


class Bare(Cell):
    """A cell that owns no tensor."""

    def project(self, x):
        return x

    def recurrence(self):
        return None

    def step(self, projected, state, recurrence):
        return (state[0] + projected,)


def test_cell_without_tensors():
    x = torch.randn(STEPS, B, M)
    output, _ = RNN(f"{__name__}:Bare", M, M)(x)
    torch.testing.assert_close(output, x.cumsum(0))
