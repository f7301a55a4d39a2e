"""The cells against their equations, and their initial values against their distributions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy import tanh
from scipy import stats
from torch.func import functional_call

from rnncells import RNN, cell
from rnncells.cells import CELLS

N, M, B, STEPS = 5, 3, 4, 6  # units, inputs, sequences, steps
F64 = {"dtype": torch.float64}

# The equations, as the papers write them: states and inputs are columns, one per sequence.


def sigma(a):
    return 1 / (1 + np.exp(-a))


def leaky(w, x, h, tau):
    return ((1 - 1 / tau) * h + 1 / tau * (w.Wr @ tanh(h) + w.Wx @ x + w.b),)


def srnn(w, x, h):
    return (w.Wr @ tanh(h) + w.Wx @ x + w.b,)


def mtrnn(w, x, slow, fast, tau_slow, tau_fast):
    n = len(slow)
    (ss, sf), (fs, ff) = (np.hsplit(rows, 2) for rows in np.vsplit(w.Wr, 2))
    drive_s = ss @ tanh(slow) + sf @ tanh(fast) + w.Wx[:n] @ x + w.b[:n]
    drive_f = fs @ tanh(slow) + ff @ tanh(fast) + w.Wx[n:] @ x + w.b[n:]
    return (
        (1 - 1 / tau_slow) * slow + 1 / tau_slow * drive_s,
        (1 - 1 / tau_fast) * fast + 1 / tau_fast * drive_f,
    )


def lstm(w, x, h, c):
    i, f, g, o = np.vsplit(w.Wx @ x + w.b + w.Wr @ h + w.bh, 4)
    c = sigma(f) * c + sigma(i) * tanh(g)
    return sigma(o) * tanh(c), c


def gru(w, x, h):
    rx, zx, cx = np.vsplit(w.Wx @ x + w.b, 3)
    rh, zh, ch = np.vsplit(w.Wr @ h + w.bh, 3)
    z = sigma(zx + zh)
    return (z * h + (1 - z) * tanh(cx + sigma(rx + rh) * ch),)


def ugrnn(w, x, h, f=tanh):
    U, Wr = np.vsplit(w.Wr, 2)
    Wu, Wx = np.vsplit(w.Wx, 2)
    b_u, b_r = np.vsplit(w.b, 2)
    u = sigma(U @ f(h) + Wu @ x + b_u)
    return (u * h + (1 - u) * tanh(Wr @ f(h) + Wx @ x + b_r),)


def antisymmetric(w, x, h, tau, gamma, f=tanh):
    V = np.tril(w.Wr.T, -1)  # the tensor is V itself, not its transpose
    return (h + 1 / tau * tanh((V - V.T) @ f(h) + w.Wx @ x + w.b - gamma * h),)


def bistable(w, x, h, gates):
    (b_a, b_z), (Ua, Uz, U) = np.vsplit(w.b, 2), np.vsplit(w.Wx, 3)
    a = 1 + tanh(Ua @ x + gates[0] + b_a)
    z = sigma(Uz @ x + gates[1] + b_z)
    return (z * h + (1 - z) * tanh(U @ x + a * h),)


def brc(w, x, h):
    w_a, w_z = np.split(w.Wr[:, None], 2)
    return bistable(w, x, h, (w_a * h, w_z * h))


def nbrc(w, x, h):
    Wa, Wz = np.vsplit(w.Wr, 2)
    return bistable(w, x, h, (Wa @ h, Wz @ h))


def three_way(w, x, h):
    gate = w.Wcd.T @ x if w.Wcd.size else 1.0  # without causes nothing gates
    return w.Wf @ ((w.Wp.T @ tanh(h)) * gate) + w.b


def hc_m(w, x, h, tau):
    return ((1 - 1 / tau) * h + 1 / tau * three_way(w, x, h),)


def gc(w, x, h, v, tau, alpha_h_prime):
    e = v - 1 / tau * (w.Wr @ tanh(h) + w.Wx @ x + w.b - h)
    v_new = v - alpha_h_prime * e
    h_new = h + v_new + alpha_h_prime / tau * ((1 - tanh(h) ** 2) * (w.Wr.T @ e) - e)
    return h_new, v_new


def gc_hc_a(w, x, h, v, tau):
    v = (1 - 1 / tau) * v + 1 / tau * (w.Wr @ tanh(h) + w.Wx @ x + w.b - h)
    return h + v, v


def gc_hc_m(w, x, h, v, tau):
    v = (1 - 1 / tau) * v + 1 / tau * (three_way(w, x, h) - h)
    return h + v, v


def raw(h):
    return h


EQUATIONS = {
    "sRNN": (srnn, {}),
    "TRNN": (leaky, {"tau": 3.0}),
    "MTRNN": (mtrnn, {"tau_slow": 7.0, "tau_fast": 2.0}),
    "LSTM": (lstm, {}),
    "GRU": (gru, {}),
    "UGRNN": (ugrnn, {}),
    "AntisymmetricRNN": (antisymmetric, {"tau": 3.0, "gamma": 0.3}),
    "ESN": (leaky, {"tau": 3.0}),
    "BRC": (brc, {}),
    "nBRC": (nbrc, {}),
    "PC-RNN-V": (leaky, {"tau": 3.0}),
    "PC-RNN-HC-A": (leaky, {"tau": 3.0}),
    "PC-RNN-HC-M": (hc_m, {"tau": 3.0}),
    "PC-RNN-GC": (gc, {"tau": 3.0, "alpha_h_prime": 0.4}),
    "PC-RNN-GC-HC-A": (gc_hc_a, {"tau": 3.0}),
    "PC-RNN-GC-HC-M": (gc_hc_m, {"tau": 3.0}),
}


def randomise(module):
    """Fill all tensors of a module with N(0, 1/4), so that no term is small or zero."""
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.copy_(0.5 * torch.randn_like(tensor))
    return module


def papers_weights(made):
    """Return the cell's tensors by their names in the papers, matrices as in ``W @ h``."""
    like = type(made)(made.input_size, N).state_dict()  # a missing bias counts as zeros
    tensors = {name: torch.zeros_like(tensor) for name, tensor in like.items()} | made.state_dict()
    w = {name: tensor.numpy().T for name, tensor in tensors.items()}
    columns = {name: w[name][:, None] for name in ("bias_ih", "bias_hh") if name in w}
    return SimpleNamespace(
        Wx=w["weight_ih"],
        Wr=w.get("weight_hh"),
        b=columns["bias_ih"],
        bh=columns.get("bias_hh"),
        Wcd=w["weight_ih"].T,
        Wp=w["weight_p"].T if "weight_p" in w else None,
        Wf=w.get("weight_f"),
    )


def assert_follows(made, equation, numbers):
    """Step a cell and its equation side by side, from a random state."""
    w = papers_weights(made)
    state = [torch.randn(B, N, **F64) for _ in made.state_names]
    expected = [part.numpy().T for part in state]
    for _ in range(STEPS):
        x = torch.randn(B, made.input_size, **F64)
        state = made(x, tuple(state) if len(state) > 1 else state[0])
        state = list(state) if isinstance(state, tuple) else [state]
        expected = equation(w, x.numpy().T, *expected, **numbers)
        for got, want in zip(state, expected, strict=True):
            np.testing.assert_allclose(got.detach().numpy().T, want, rtol=1e-10, atol=1e-10)


def test_the_sixteen_cells_are_known(cell_name):
    assert cell_name in CELLS
    assert len(CELLS) >= 16


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("inputs", [M, 0])
def test_equations(cell_name, inputs, bias):
    equation, numbers = EQUATIONS[cell_name]
    made = randomise(cell(cell_name, inputs, N, bias=bias, **F64, **numbers))
    assert_follows(made, equation, numbers)


@pytest.mark.parametrize("name", ["UGRNN", "AntisymmetricRNN"])
def test_equations_with_the_raw_state(name):
    equation, numbers = EQUATIONS[name]
    made = randomise(cell(name, M, N, state_activation="identity", **F64, **numbers))
    assert_follows(made, equation, numbers | {"f": raw})
    h = torch.randn(B, N, **F64)
    assert torch.equal(made.output(h), h)


def test_factors_may_differ_in_number_from_the_units():
    made = randomise(cell("PC-RNN-HC-M", M, N, tau=3.0, factors=7, **F64))
    assert_follows(made, hc_m, {"tau": 3.0})


@pytest.mark.parametrize(("name", "numbers"), [("sRNN", {"tau": 1.0}), ("PC-RNN-V", {"tau": 10.0})])
def test_special_cases_of_the_trnn(name, numbers):
    rnn, trnn = RNN(name, M, N, **F64), RNN("TRNN", M, N, **F64, **numbers)
    trnn.load_state_dict(rnn.state_dict())
    x = torch.randn(STEPS, B, M, **F64)
    torch.testing.assert_close(rnn(x)[0], trnn(x)[0], rtol=0, atol=1e-14)


def test_outputs(cell_name):
    h = torch.randn(B, N)
    raw_output = cell_name in ("LSTM", "GRU", "BRC", "nBRC")
    torch.testing.assert_close(cell(cell_name, M, N).output(h), h if raw_output else torch.tanh(h))


def test_mtrnn_outputs_its_fast_group():
    rnn = RNN("MTRNN", M, N)
    output, (_, fast) = rnn(torch.randn(STEPS, B, M))
    torch.testing.assert_close(output[-1], torch.tanh(fast[0]))


@pytest.mark.parametrize("population", [None, 2])
def test_gradients(cell_name, population):
    rnn = RNN(cell_name, 2, 3, population=population, **F64)
    parameters = dict(randomise(rnn).named_parameters())
    lead = () if population is None else (population,)
    x = torch.randn(*lead, 3, 2, 2, **F64, requires_grad=True)
    h_0 = [torch.randn(*lead, 1, 2, 3, **F64, requires_grad=True) for _ in rnn.state_names]

    def run(x, *rest):
        weights = dict(zip(parameters, rest[len(h_0) :], strict=True))
        output, h_n = functional_call(rnn, weights, (x, rest[: len(h_0)]))
        return output, *(h_n if isinstance(h_n, tuple) else (h_n,))

    assert torch.autograd.gradcheck(run, (x, *h_0, *parameters.values()))


# Initial values


def follows(values, distribution) -> bool:
    """Tell whether values could be a sample of a distribution (Kolmogorov-Smirnov)."""
    return stats.kstest(np.ravel(values), distribution.cdf).pvalue > 1e-3


def normal(scale):
    return stats.norm(scale=scale)


def uniform(bound):
    return stats.uniform(-bound, 2 * bound)


BIG_N, BIG_M = 120, 80
STUDY = {"weight_ih": normal(1 / BIG_M), "weight_hh": normal(1 / BIG_N), "bias_ih": normal(0.1)}
FACTORS = {name: normal(30**-0.5) for name in ("weight_p", "weight_f")} | {"bias_ih": normal(0.1)}
TORCH = dict.fromkeys(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), uniform(BIG_N**-0.5))
DISTRIBUTIONS = {
    **dict.fromkeys(CELLS, STUDY),
    "LSTM": TORCH,
    "GRU": TORCH,
    "BRC": {"weight_ih": uniform((6 / (BIG_M + BIG_N)) ** 0.5)},
    "nBRC": {"weight_ih": uniform((6 / (BIG_M + BIG_N)) ** 0.5)},
    "ESN": STUDY | {"weight_hh": normal(2.0)},
    "PC-RNN-HC-M": FACTORS,
    "PC-RNN-GC-HC-M": FACTORS,
}
OPTIONS = {
    "ESN": {"connectivity": 1.0, "sigma": 2.0},
    "PC-RNN-HC-M": {"factors": 30},
    "PC-RNN-GC-HC-M": {"factors": 30},
}


def test_initial_laws(cell_name):
    made = cell(cell_name, BIG_M, BIG_N, **F64, **OPTIONS.get(cell_name, {}))
    for name, distribution in DISTRIBUTIONS[cell_name].items():
        assert follows(getattr(made, name).detach(), distribution), name


def test_initial_values_that_are_no_draws():
    brc, nbrc = cell("BRC", 3, 20, **F64), cell("nBRC", 3, 20, **F64)
    assert (brc.weight_hh == 1).all()
    assert not brc.bias_ih.any()
    assert not nbrc.bias_ih.any()
    for block in nbrc.weight_hh.split(20, -1):
        torch.testing.assert_close(block @ block.mT, torch.eye(20, **F64))
    assert not torch.allclose(*nbrc.weight_hh.split(20, -1))


@pytest.mark.parametrize("name", ["PC-RNN-HC-M", "PC-RNN-GC-HC-M"])
def test_cause_weights_are_a_scaled_softmax(name):
    gates = cell(name, 100, N, factors=60, **F64).weight_ih.detach()
    torch.testing.assert_close(gates.sum(-1), torch.full((100,), 60.0, **F64))
    logits = gates.log()
    # The softmax hides one constant per row, hence a factor of 1 - 1/60 in the variance.
    assert follows((logits - logits.mean(-1, keepdim=True)) / (1 - 1 / 60) ** 0.5, normal(0.5))


def test_reservoir_connectivity_and_scale():
    made = cell("ESN", 0, 300, connectivity=0.2, sigma=3.0, **F64)
    weights = made.weight_hh.numpy()
    present = weights != 0
    assert stats.binomtest(int(present.sum()), present.size, 0.2).pvalue > 1e-3
    assert follows(weights[present], normal(3.0))


def test_reservoir_spectral_radius():
    made = cell("ESN", 0, 50, spectral_radius=0.9, connectivity=0.3, **F64)
    assert np.abs(np.linalg.eigvals(made.weight_hh.numpy())).max() == pytest.approx(0.9)


def test_reservoir_is_not_trained():
    made = cell("ESN", M, N)
    assert not list(made.parameters())
    assert {"weight_ih", "weight_hh", "bias_ih"} == set(made.state_dict())


@pytest.mark.parametrize("name", [name for name in EQUATIONS if name != "ESN"])
def test_all_other_cells_learn_all_their_tensors(name):
    made = cell(name, M, N)
    assert {key for key, _ in made.named_parameters()} == set(made.state_dict())


# Populations

PER_MEMBER = {
    "tau": (1.5, 4.0, 20.0),
    "tau_slow": (9.0, 30.0, 80.0),
    "tau_fast": (1.0, 2.0, 5.0),
    "gamma": (0.01, 0.2, 1.0),
    "alpha_h_prime": (0.001, 0.1, 0.5),
    "connectivity": (0.2, 0.5, 1.0),
    "sigma": (0.1, 1.0, 3.0),
}


def numbers_of(name, members):
    """Return the cell's hyperparameters, a different value for each of the members."""
    return {key: [PER_MEMBER[key][k] for k in members] for key in CELLS[name].search_space}


@pytest.mark.parametrize("inputs", [M, 0])
def test_member_of_a_population_equals_the_seed_alone(cell_name, inputs):
    seeds, members = (11, 3, 7), range(3)
    together = RNN(cell_name, inputs, N, 2, population=3, **F64, **numbers_of(cell_name, members))
    together.reset_parameters(seeds)
    x = torch.randn(3, STEPS, B, inputs, **F64)
    output, h_n = together(x)
    for k, seed in enumerate(seeds):
        alone = RNN(cell_name, inputs, N, 2, population=1, **F64, **numbers_of(cell_name, [k]))
        alone.reset_parameters([seed])
        for name, tensor in alone.state_dict().items():
            assert torch.equal(together.state_dict()[name][k], tensor[0]), name
        own_output, own_h_n = alone(x[k : k + 1])
        torch.testing.assert_close(output[k], own_output[0], rtol=1e-12, atol=1e-12)
        pairs = zip(h_n, own_h_n, strict=True) if isinstance(h_n, tuple) else [(h_n, own_h_n)]
        for part, own in pairs:
            torch.testing.assert_close(part[k if part.dim() == 4 else 0], own[0])


def test_member_of_a_population_equals_a_model_without_population(cell_name):
    together = randomise(RNN(cell_name, M, N, population=2, **F64))
    alone = RNN(cell_name, M, N, **F64)
    x = torch.randn(2, STEPS, B, M, **F64)
    for k in range(2):
        alone.load_state_dict({name: t[k] for name, t in together.state_dict().items()})
        torch.testing.assert_close(together(x)[0][k], alone(x[k])[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_members_with_fewer_inputs(cell_name, bidirectional):
    both = {"bidirectional": bidirectional, **F64}
    wide = RNN(cell_name, 4, N, population=2, **both)
    wide.reset_parameters([5, 6], input_sizes=[4, 2])
    narrow = RNN(cell_name, 2, N, population=1, **both)
    narrow.reset_parameters([6])
    for made, own in zip(wide.cells, narrow.cells, strict=True):
        assert torch.equal(made.weight_ih[1, :2], own.weight_ih[0])
        assert not made.weight_ih[1, 2:].any()
        assert made.weight_ih[0].all()


def test_different_seeds_and_layers_have_different_weights():
    rnn = RNN("GRU", N, N, 2, population=2)
    rnn.reset_parameters([1, 2])
    first, second = (made.weight_hh for made in rnn.cells)
    assert not torch.allclose(first[0], first[1])
    assert not torch.allclose(first[0], second[0])


# States from keys, and refusals


@pytest.mark.parametrize("population", [None, 2])
def test_states_from_keys(cell_name, population):
    made = cell(cell_name, 0, N, population=population)
    lead = () if population is None else (population,)
    key = torch.randn(*lead, B, made.code_size)
    state = made.state_from_code(key)
    assert all(part.shape == (*lead, B, N) for part in state)
    expected = {
        "LSTM": lambda: (torch.tanh(key), key),
        "MTRNN": lambda: (key[..., :N], key[..., N:]),
    }
    if "GC" in cell_name:
        assert not state[1].any()
        state = state[:1]
    for part, want in zip(state, expected.get(cell_name, lambda: (key,))(), strict=True):
        assert torch.equal(part, want)


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("TRNN", {"tau": 0.5}, "tau"),
        ("TRNN", {"tau": float("nan")}, "tau"),
        ("TRNN", {"tau": [2.0, 3.0]}, "population"),
        ("TRNN", {"tau": [2.0, 3.0], "population": 3}, "population"),
        ("MTRNN", {"tau_fast": 0.0}, "tau_fast"),
        ("AntisymmetricRNN", {"gamma": -1.0}, "gamma"),
        ("PC-RNN-GC", {"alpha_h_prime": -1.0}, "alpha_h_prime"),
        ("ESN", {"connectivity": 1.5}, "connectivity"),
        ("ESN", {"sigma": -1.0}, "sigma"),
        ("ESN", {"spectral_radius": -1.0}, "spectral_radius"),
        ("PC-RNN-HC-M", {"factors": 0}, "factors"),
        ("UGRNN", {"state_activation": "relu"}, "tanh, identity"),
        ("GRU", {"population": 0}, "population"),
    ],
)
def test_options_out_of_range(name, options, word):
    with pytest.raises(ValueError, match=word):
        cell(name, M, N, **options)


@pytest.mark.parametrize("sizes", [(-1, N), (M, 0), (True, N)])
def test_sizes_out_of_range(sizes):
    with pytest.raises(ValueError, match="must be an integer"):
        cell("GRU", *sizes)
