"""Kernels against the readable steps, which are the specification."""

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numba import njit

from rnncells import kernels
from rnncells.cells import CELLS
from rnncells.kernels.backend import find
from rnncells.kernels.numba import compiler
from rnncells.kernels.numba.compiler import compiled
from rnncells.kernels.numba.functions import COMPILED
from rnncells.kernels.numba.product import (
    accumulate,
    addresses,
    multiply,
    multiply_and_fetch,
    pack,
    pack_transposed,
    packed,
)
from rnncells.kernels.recurrence import Dense
from rnncells.kernels.registry import register
from rnncells.kernels.scalars import quick_sigmoid, quick_tanh, sigmoid, tanh
from rnncells.kernels.unit import Unit, scalar

from .agreement import assert_near, make, results

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
DTYPES = [torch.float32, torch.float64]


def compare(rnn, *arguments):
    fast = results(rnn, *arguments)
    with kernels.disabled():
        readable = results(rnn, *arguments)
    assert_near(fast, readable, TOLERANCE[arguments[0].dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CELLS)
def test_kernels_agree_with_the_readable_steps(name, dtype):
    rng = np.random.default_rng([*name.encode()])
    torch.manual_seed(0)
    for population, layers, bias in [(None, 1, True), (3, 1, True), (2, 2, False)]:
        steps, batch, n, inputs = rng.integers([1, 1, 1, 0], [13, 40, 30, 4]).tolist()
        compare(
            *make(name, dtype, steps, batch, n, inputs, population, num_layers=layers, bias=bias)
        )
    compare(*make(name, dtype, 1, 1, 1, 1))
    compare(*make(name, dtype, 1, 1, 9, 0, population=2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CELLS)
def test_packed_sequences_and_both_directions(name, dtype):
    torch.manual_seed(1)
    rnn, x, h_0 = make(name, dtype, 6, 5, 7, 2, bidirectional=True)
    compare(rnn, x, h_0)
    compare(rnn, x, h_0, torch.tensor([2, 6, 1, 6, 4]))


@pytest.mark.parametrize("name", CELLS)
def test_a_constant_input_is_projected_once(name):
    torch.manual_seed(2)
    rnn, x, _ = make(name, torch.float64, 1, 4, 5, 3, population=2)
    constant, copied = x.expand(-1, 8, -1, -1), x.repeat(1, 8, 1, 1)
    for parameter in rnn.parameters():
        gradients = []
        for given in (constant, copied):
            output, _ = rnn(given)
            if not output.requires_grad:
                return  # an ESN learns nothing
            gradients.append(torch.autograd.grad(output.square().sum(), parameter)[0])
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (name, {option: (bounds[0] + 1.0, bounds[0] + 0.5, bounds[0] + 2.0)})
        for name, made in CELLS.items()
        for option, bounds in made.search_space.items()
        if option not in ("connectivity", "sigma")
    ]
    + [(name, {"state_activation": "identity"}) for name in ("UGRNN", "AntisymmetricRNN")]
    + [(name, {"factors": 4}) for name in ("PC-RNN-HC-M", "PC-RNN-GC-HC-M")],
)
def test_options_and_hyperparameters_per_member(name, options):
    torch.manual_seed(3)
    compare(*make(name, torch.float64, 5, 6, 7, 2, population=3, **options))


@pytest.mark.parametrize("name", CELLS)
def test_every_number_of_threads_gives_the_same(name):
    torch.manual_seed(4)
    rnn, *given = make(name, torch.float64, 4, 50, 6, 2, population=2)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 5):
            torch.set_num_threads(threads)
            found.append(results(rnn, *given))
    finally:
        torch.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", CELLS)
def test_a_member_that_is_not_a_number_stays_alone(name):
    torch.manual_seed(5)
    rnn, x, _ = make(name, torch.float32, 5, 3, 9, 2, population=3)
    output, _ = rnn(x)
    x[1, 2, 0, 0] = torch.nan
    spoilt, _ = rnn(x)
    assert spoilt[1, 2:, 0].isnan().any()
    torch.testing.assert_close(spoilt[[0, 2]], output[[0, 2]])


def test_many_threads_may_use_a_kernel_at_once():
    rnn, x, _ = make("GRU", torch.float32, 20, 30, 40, 2)
    expected, _ = rnn(x)
    with ThreadPoolExecutor(8) as pool:
        for output, _ in pool.map(lambda _: rnn(x), range(40)):
            torch.testing.assert_close(output, expected)


def test_kernels_serve_what_they_can():
    rnn, x, h_0 = make("GRU", torch.float32, 3, 2, 4, 2)
    cell = rnn.cells[0]
    assert find(x, *h_0, cells=[cell]) is not None
    assert find(x.half(), *h_0, cells=[cell]) is None
    assert find(x.to("meta"), *h_0, cells=[cell]) is None
    with kernels.disabled():
        assert find(x, *h_0, cells=[cell]) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert find(x, *h_0, cells=[cell]) is None

    class Derived(type(cell)):
        """May have other equations."""

    assert find(x, *h_0, cells=[Derived(2, 4)]) is None


class Decay(CELLS["sRNN"]):
    """h_t = (tanh(h) W + projected) / 2."""

    def step(self, projected, state, recurrence):
        """Advance by one step."""
        return ((torch.tanh(state[0]) @ recurrence + projected) * 0.5,)


@scalar
def decay_forward(projected, recurrent, previous, state, parameters):
    """Halve."""
    return (parameters[0] * recurrent[0],), ()


@scalar
def decay_backward(saved, previous, grad_state, parameters):
    """Halve; the state itself is not used."""
    grad = (parameters[0] * grad_state[0],)
    return (), grad, (grad_state[0] - grad_state[0],)


def test_a_cell_of_ones_own_may_have_a_kernel():
    rnn, *given = make(f"{__name__}:Decay", torch.float64, 5, 3, 4, 2)
    assert find(given[0], cells=rnn.cells) is None
    unit = Unit("decay", decay_forward, decay_backward, parameters=1, activated=True)
    register(Decay, Dense(unit), lambda cell: (0.5,))
    assert find(given[0], cells=rnn.cells) is not None
    compare(rnn, *given)


def applied(function):
    """Let a function of numbers work on an array."""

    @njit(**COMPILED)
    def apply(x, y):
        for k in range(x.size):
            y[k] = function(x[k])

    def result(x):
        apply(x, y := np.empty_like(x))
        return y

    return result


@pytest.mark.parametrize(
    ("functions", "dtype", "error"),
    [
        ((tanh, sigmoid), np.float32, 2e-7),
        ((tanh, sigmoid), np.float64, 5e-16),
        ((quick_tanh, quick_sigmoid), np.float32, 4e-7),
        ((quick_tanh, quick_sigmoid), np.float64, 5e-16),
    ],
)
def test_functions(functions, dtype, error):
    a_tanh, a_sigmoid = map(applied, functions)
    x = np.concatenate([np.linspace(-30, 30, 100_001), [1e-30, -1e-6, 1e3, -1e3]]).astype(dtype)
    exact = x.astype(np.longdouble)
    np.testing.assert_allclose(a_tanh(x), np.tanh(exact), rtol=2 * error, atol=0)
    np.testing.assert_allclose(a_sigmoid(x), 1 / (1 + np.exp(-exact)), rtol=0, atol=error)
    # Exact where they saturate, because 0 times infinity is no number, and any other factor is one.
    x = np.array([np.nan, np.inf, -np.inf], dtype)
    np.testing.assert_array_equal(a_tanh(x), [np.nan, 1, -1])
    np.testing.assert_array_equal(a_sigmoid(x), [np.nan, 1, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products(dtype):
    rng = np.random.default_rng(0)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    for rows, depth, columns in rng.integers(1, 70, (60, 3)):
        left, matrix, right, start = (
            rng.standard_normal(shape).astype(dtype)
            for shape in ((rows, depth), (depth, columns), (rows, columns), (1, columns))
        )
        expected = start + left @ matrix
        # One row before and one after must stay as they are.
        out = np.full((rows + 2, columns), 7, dtype)
        for transposed in (False, True):
            given = np.ascontiguousarray(matrix.T) if transposed else matrix
            multiplied(np.array(addresses(left.dtype)), left, given, transposed, start, out)
            np.testing.assert_allclose(out[1:-1], expected, atol=tolerance)
            np.testing.assert_array_equal(out[[0, -1]], 7)
        total = matrix.copy()
        accumulated(np.array(addresses(left.dtype)), left, right, rows, total)
        np.testing.assert_allclose(total, matrix + left.T @ right, atol=tolerance)


@njit(**COMPILED)
def multiplied(products, left, matrix, transposed, start, out):
    """Multiply with a matrix that is laid out first; fetching changes nothing."""
    rows = left.shape[0]
    panels = packed(left.shape[1], out.shape[1], left)
    if transposed:
        pack_transposed(products, matrix, 0, matrix.shape[0], panels)
        multiply(products, left, 0, rows, panels, out, 1, start, 0, 0)
    else:
        pack(products, matrix, 0, matrix.shape[0], panels)
        multiply_and_fetch(
            products, left, 0, rows, panels, out, 1, start, 0, 0, matrix, 3, rows * 100
        )


@njit(**COMPILED)
def accumulated(products, left, right, rows, total):
    """Add a product to the total."""
    accumulate(products, left, 0, right, 0, rows, total, 0)


def test_jobs_that_start_at_once_compile_once(tmp_path):
    code = (
        "import torch\n"
        "from rnncells import RNN; print(float(RNN('TRNN', 1, 2)(torch.zeros(3, 1, 1))[0].sum()))"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = [job.communicate(timeout=120)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 4, said
    assert sum("compiles leaky_forward-float32" in text for text in said) == 1


def test_a_second_process_compiles_nothing(tmp_path):
    code = """
import torch
from rnncells import RNN
from rnncells.kernels.numba import compiler, launch

made = []
before = compiler.compiled
launch.compiled = lambda *given: made.append(before(*given)) or made[-1]
RNN("TRNN", 1, 2)(torch.zeros(3, 1, 1))[0].sum().backward()
print(sum(sum(kernel.stats.cache_misses.values()) for kernel in made), len(made))
"""
    command, environment = [sys.executable, "-c", code], {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.check_output(command, env=os.environ | environment, text=True).split()
        for _ in range(2)
    ]
    assert said == [["2", "2"], ["0", "2"]]


def test_copies_of_the_source_share_what_is_compiled(tmp_path, monkeypatch):
    def hits(folder):
        (tmp_path / folder).mkdir()
        source = tmp_path / folder / "doubling.py"
        source.write_text("def double(x):\n    return 2 * x\n")
        spec = importlib.util.spec_from_file_location("doubling", source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        double = compiled(module.double, str(source))
        assert double(4) == 8
        return sum(double.stats.cache_hits.values())

    monkeypatch.setattr(compiler, "_cache", lambda: tmp_path)
    assert [hits("here"), hits("there")] == [0, 1]


def test_what_several_processes_compiled_may_be_used_by_one(tmp_path):
    code = """
import sys, torch
from rnncells import RNN, kernels
from rnncells.kernels.backend import find
from rnncells.layers.network import Readout, squared

def layer():
    torch.manual_seed(0)
    rnn = RNN("GRU", 2, 50)
    rnn(torch.randn(3, 50, 2))[0].sum().backward()
    return [p.grad for p in rnn.parameters()]

def readout():
    torch.manual_seed(0)
    readout, x, target = Readout(1, 50, 2), torch.randn(1, 200, 50), torch.randn(1, 200, 2)
    if backend := find(x):
        with torch.no_grad():
            given = x, readout.weight, readout.bias, target, target.abs(), "squared"
            return backend.read_out(*given)[1][1:]
    (squared(readout(x), target) * target.abs()).sum().backward()
    return [p.grad for p in readout.parameters()]

for work in sys.argv[1:]:
    compiled = globals()[work]()
    with kernels.disabled():
        readable = globals()[work]()
    for a, b in zip(compiled, readable):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
"""
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""}
    for works in (["layer"], ["readout"], ["layer", "readout"], ["readout", "layer"]):
        job = subprocess.run(
            [sys.executable, "-c", code, *works], env=environment, capture_output=True, text=True
        )
        assert job.returncode == 0, (works, job.returncode, job.stderr[-2000:])
