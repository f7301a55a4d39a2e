"""Predictive coding: the corrections against their equations, and what must follow from them."""

import copy
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy import tanh
from torch.func import functional_call

from rnncells import RNN, PredictiveCoding
from rnncells.cells import CELLS
from rnncells.cells.base import affine
from rnncells.cells.leaky import TRNN
from rnncells.layers.predictive_coding import learn_locally

N, M, P, B, STEPS = 5, 3, 2, 4, 6  # units, causes, outputs, sequences, steps
F64 = {"dtype": torch.float64}
TAU = 3.0

# The equations, as the papers write them: states, causes and errors are columns. Each function
# predicts from (h, v, c), where v is None for a cell without velocity.


def predict_additive(w, h, v, c, k):
    return (1 - 1 / TAU) * h + 1 / TAU * (w.Wr @ tanh(h) + w.Wc @ c + w.b), None


def predict_multiplicative(w, h, v, c, k):
    projected = w.Wf @ ((w.Wp.T @ tanh(h)) * (w.Wcd.T @ c)) + w.b
    return (1 - 1 / TAU) * h + 1 / TAU * projected, None


def predict_gc(w, h, v, c, k):
    e = v - 1 / TAU * (w.Wr @ tanh(h) + w.b - h)
    v_new = v - k["alpha_h_prime"] * e
    pull = (1 - tanh(h) ** 2) * (w.Wr.T @ e) - e
    return h + v_new + k["alpha_h_prime"] / TAU * pull, v_new


def predict_gc_additive(w, h, v, c, k):
    v_new = (1 - 1 / TAU) * v + 1 / TAU * (w.Wr @ tanh(h) + w.Wc @ c + w.b - h)
    return h + v_new, v_new


def predict_gc_multiplicative(w, h, v, c, k):
    projected = w.Wf @ ((w.Wp.T @ tanh(h)) * (w.Wcd.T @ c)) + w.b
    v_new = (1 - 1 / TAU) * v + 1 / TAU * (projected - h)
    return h + v_new, v_new


def correct_h(w, h, e, k):
    return h - k["alpha_x"] * (1 - tanh(h) ** 2) * (w.Wo.T @ e)


def correct_v(w, before, h, v, c, e, k):
    return correct_h(w, h, e, k), v, c


def correct_hc_a(w, before, h, v, c, e, k):
    h_star = correct_h(w, h, e, k)
    return h_star, v, c - k["alpha_h"] * w.Wc.T @ (h - h_star)


def correct_hc_m(w, before, h, v, c, e, k):
    h_star = correct_h(w, h, e, k)
    up = (w.Wp.T @ tanh(before)) * (w.Wf.T @ (h - h_star))
    return h_star, v, c - k["alpha_h"] * w.Wcd @ up


def correct_gc_hc_a(w, before, h, v, c, e, k):
    h_star = correct_h(w, h, e, k)
    v_star = v - k["alpha_h"] * (h - h_star)
    return h_star, v_star, c - k["alpha_h_prime"] * w.Wc.T @ (v - v_star)


def correct_gc_hc_m(w, before, h, v, c, e, k):
    h_star = correct_h(w, h, e, k)
    v_star = v - k["alpha_h"] * (h - h_star)
    up = (w.Wp.T @ tanh(before)) * (w.Wf.T @ (v - v_star))
    return h_star, v_star, c - k["alpha_h_prime"] * w.Wcd @ up


X, H, H_PRIME = {"alpha_x": 0.3}, {"alpha_h": 0.5}, {"alpha_h_prime": 0.7}
EQUATIONS = {
    "PC-RNN-V": (predict_additive, correct_v, X),
    "PC-RNN-HC-A": (predict_additive, correct_hc_a, X | H),
    "PC-RNN-HC-M": (predict_multiplicative, correct_hc_m, X | H),
    "PC-RNN-GC": (predict_gc, correct_v, X | H_PRIME),
    "PC-RNN-GC-HC-A": (predict_gc_additive, correct_gc_hc_a, X | H | H_PRIME),
    "PC-RNN-GC-HC-M": (predict_gc_multiplicative, correct_gc_hc_m, X | H | H_PRIME),
}
WITH_CAUSES = [name for name in EQUATIONS if "HC" in name]


@pytest.fixture(params=EQUATIONS)
def name(request):
    return request.param


def number_of_causes(name):
    return M if name in WITH_CAUSES else 0


def make(name, *, population=None, dtype=torch.float64, **options):
    """Make a network in which no tensor is small or zero."""
    network = PredictiveCoding(
        name, number_of_causes(name), N, P, population=population, dtype=dtype, tau=TAU, **options
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.5)
    return network


def start(name, *leading):
    """Return random targets, h_0 and causes_0."""
    h_0 = [torch.randn(*leading, B, N, **F64) for _ in CELLS[name].state_names]
    causes = torch.randn(*leading, B, M, **F64) if name in WITH_CAUSES else None
    targets = torch.randn(*leading, STEPS, B, P, **F64)
    return targets, tuple(h_0) if len(h_0) > 1 else h_0[0], causes


def papers_weights(network):
    """Return the tensors by their names in the papers, matrices as in ``W @ h``."""
    tensors = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    c = {key: tensors.get(f"cell.{key}") for key in ("weight_hh", "weight_f")}
    return SimpleNamespace(
        Wr=None if c["weight_hh"] is None else c["weight_hh"].T,
        Wf=None if c["weight_f"] is None else c["weight_f"].T,
        Wc=tensors["cell.weight_ih"].T,
        Wcd=tensors["cell.weight_ih"],
        Wp=tensors.get("cell.weight_p"),
        b=tensors["cell.bias_ih"][:, None],
        Wo=tensors["weight_ho"].T,
        bo=tensors["bias_ho"][:, None],
    )


def tensors_of(inference):
    """Return all tensors of an inference by name."""
    named = {"predictions": inference.predictions, "errors": inference.errors}
    named |= {f"prior {key}": part for key, part in inference.prior.items()}
    named |= {f"posterior {key}": part for key, part in inference.posterior.items()}
    parts = inference.h_n if isinstance(inference.h_n, tuple) else (inference.h_n,)
    named |= {f"h_n {k}": part for k, part in enumerate(parts)}
    if inference.causes is not None:
        named |= {"causes": inference.causes, "causes_n": inference.causes_n}
    return named


def assert_close(one, other, **tolerance):
    one, other = tensors_of(one), tensors_of(other)
    assert one.keys() == other.keys()
    for key, tensor in one.items():
        torch.testing.assert_close(tensor, other[key], **tolerance, msg=lambda m, k=key: k + m)


# The equations


def test_equations(name):
    predict, correct, numbers = EQUATIONS[name]
    network = make(name, **numbers)
    targets, h_0, causes_0 = start(name)
    found = network(targets, h_0, causes_0)

    w = papers_weights(network)
    h, v = h_0 if isinstance(h_0, tuple) else (h_0, None)
    h, v = h.numpy().T, None if v is None else v.numpy().T
    c = np.zeros((0, B)) if causes_0 is None else causes_0.numpy().T
    for t in range(STEPS):
        prior, prior_v = predict(w, h, v, c, numbers)
        prediction = w.Wo @ tanh(prior) + w.bo
        error = prediction - targets[t].numpy().T
        h, v, c = correct(w, h, prior, prior_v, c, error, numbers)
        expected = {
            "predictions": prediction,
            "errors": error,
            "prior h": prior,
            "prior velocity": prior_v,
            "posterior h": h,
            "posterior velocity": v,
            "causes": c,
        }
        got = tensors_of(found)
        assert {key for key in got if "_n" not in key} <= expected.keys()
        for key, tensor in got.items():
            if "_n" not in key:
                np.testing.assert_allclose(
                    tensor[t].detach().numpy().T, expected[key], rtol=1e-10, atol=1e-10, err_msg=key
                )
    last = (h, v) if isinstance(h_0, tuple) else (h,)
    for part, want in zip(found.h_n if len(last) > 1 else (found.h_n,), last, strict=True):
        np.testing.assert_allclose(part.detach().numpy().T, want, rtol=1e-10, atol=1e-10)
    if causes_0 is not None:
        assert torch.equal(found.causes_n, found.causes[-1])


@pytest.mark.parametrize("population", [None, 2])
def test_without_correction_it_is_the_top_down_path(name, population):
    leading = () if population is None else (population,)
    numbers = {"alpha_h_prime": 0.4} if name == "PC-RNN-GC" else {}
    network = make(name, population=population, **numbers)
    rnn = RNN(name, number_of_causes(name), N, population=population, tau=TAU, **numbers, **F64)
    rnn.cells[0].load_state_dict(network.cell.state_dict())
    targets, h_0, causes_0 = start(name, *leading)
    found = network(targets, h_0, causes_0)
    if causes_0 is None:
        causes_0 = torch.zeros(*leading, B, 0, **F64)
    parts = h_0 if isinstance(h_0, tuple) else (h_0,)
    x = causes_0.unsqueeze(-3).expand(*leading, STEPS, B, -1)
    output, h_n = rnn(x, tuple(part.unsqueeze(-3) for part in parts))
    expected = affine(output, network.weight_ho, network.bias_ho)
    torch.testing.assert_close(found.predictions, expected, rtol=0, atol=1e-14)
    assert torch.equal(found.errors, found.predictions - targets)
    pairs = zip(found.h_n, h_n, strict=True) if isinstance(h_n, tuple) else [(found.h_n, h_n)]
    for part, want in pairs:
        torch.testing.assert_close(part, want.squeeze(-3), rtol=0, atol=1e-14)
    for key, part in found.prior.items():
        assert torch.equal(part, found.posterior[key])
    if found.causes is not None:
        assert torch.equal(found.causes, x)


def test_small_rates_approach_the_top_down_path(name):
    network = make(name)
    begin = start(name)
    top_down = network(*begin).predictions
    distances = []
    for rate in (1e-2, 1e-4):
        network.set_rates(**dict.fromkeys(network.rates, rate))
        distances.append((network(*begin).predictions - top_down).abs().max())
    assert 0 < distances[1] < distances[0] / 50


def test_the_correction_of_the_state_descends_the_squared_error(name):
    """With respect to each h, by finite differences of half the squared error at one step."""
    network = make(name, alpha_x=0.25)
    target, h_0, causes_0 = start(name)
    found = network.step(target[0], h_0, causes_0)
    prior = found.prior["h"].detach()

    def half_squared_error(h):
        prediction = torch.tanh(h) @ network.weight_ho + network.bias_ho
        return 0.5 * (prediction - target[0]).square().sum(-1)

    for unit in range(N):
        shift = torch.zeros(N, **F64)
        shift[unit] = 1e-6
        slope = (half_squared_error(prior + shift) - half_squared_error(prior - shift)) / 2e-6
        expected = prior[:, unit] - 0.25 * slope
        torch.testing.assert_close(found.posterior["h"][:, unit], expected, rtol=1e-7, atol=1e-8)
    assert (half_squared_error(found.posterior["h"]) < half_squared_error(prior)).all()


@pytest.mark.parametrize("name", ["PC-RNN-HC-A", "PC-RNN-HC-M"])
def test_the_correction_of_the_causes_descends_the_distance_to_the_posterior(name):
    """The correction is tau times the gradient of half |h - h*|^2, with h* held fixed."""
    network = make(name, alpha_x=0.25, alpha_h=0.1)
    target, h_0, causes_0 = start(name)
    causes_0.requires_grad_()
    found = network.step(target[0], h_0, causes_0)
    distance = 0.5 * (found.prior["h"] - found.posterior["h"].detach()).square().sum()
    (gradient,) = torch.autograd.grad(distance, causes_0)
    torch.testing.assert_close(found.causes, causes_0 - 0.1 * TAU * gradient)


def test_causes_move_towards_the_sequence_that_is_seen():
    """Two causes drive the unit, and so the output, up and down; what is seen decides."""
    network = PredictiveCoding("PC-RNN-HC-A", 2, 1, 1, tau=2.0, alpha_x=0.1, alpha_h=0.1, **F64)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.cell.weight_ih[:, 0] = torch.tensor([1.0, -1.0])
        network.weight_ho.fill_(1.0)
    targets = torch.tensor([0.5, -0.5], **F64).expand(STEPS, 2)[..., None]
    causes = network(targets).causes
    up, down = causes[:, 0], causes[:, 1]
    assert (up[:, 0] > up[:, 1]).all()
    assert (down[:, 1] > down[:, 0]).all()
    assert (up[:, 0].diff() > 0).all()
    torch.testing.assert_close(causes.sum(-1), torch.ones(STEPS, 2, **F64))


def test_gradients_flow_through_the_corrections(name):
    network = make(name, **EQUATIONS[name][2])
    targets, h_0, causes_0 = start(name)
    parts = h_0 if isinstance(h_0, tuple) else (h_0,)

    def run(weight, *parts):
        h_0 = parts if len(parts) > 1 else parts[0]
        out = functional_call(network, {"weight_ho": weight}, (targets, h_0, causes_0))
        return out.predictions, out.errors, *out.posterior.values()

    inputs = [tensor.detach().clone().requires_grad_() for tensor in (network.weight_ho, *parts)]
    assert torch.autograd.gradcheck(run, inputs)


# Batches, populations, steps


@pytest.mark.parametrize("population", [None, 2])
def test_steps_equal_the_sequence(name, population):
    leading = () if population is None else (population,)
    network = make(name, population=population, **EQUATIONS[name][2])
    targets, h, causes = start(name, *leading)
    whole = network(targets, h, causes)
    for t in range(STEPS):
        found = network.step(targets[..., t, :, :], h, causes)
        h, causes = found.h_n, found.causes_n
        for key, tensor in tensors_of(found).items():
            if "_n" not in key:
                want = tensors_of(whole)[key][..., t, :, :]
                torch.testing.assert_close(tensor, want, rtol=1e-12, atol=1e-12)


def test_a_sequence_continues_where_it_stopped(name):
    network = make(name, **EQUATIONS[name][2])
    targets, h_0, causes_0 = start(name)
    whole = network(targets, h_0, causes_0)
    first = network(targets[:2], h_0, causes_0)
    second = network(targets[2:], first.h_n, first.causes_n)
    torch.testing.assert_close(whole.predictions[2:], second.predictions)
    torch.testing.assert_close(whole.h_n, second.h_n)


def test_member_of_a_population_equals_the_model_alone(name):
    numbers = {key: [value, value / 2] for key, value in EQUATIONS[name][2].items()}
    together = make(name, population=2, **numbers)
    targets, h_0, causes_0 = start(name, 2)
    found = tensors_of(together(targets, h_0, causes_0))
    for k in range(2):
        alone = make(name, **{key: values[k] for key, values in numbers.items()})
        alone.load_state_dict({key: t[k] for key, t in together.state_dict().items()})
        own_h = tuple(part[k] for part in h_0) if isinstance(h_0, tuple) else h_0[k]
        own = alone(targets[k], own_h, None if causes_0 is None else causes_0[k])
        for key, tensor in tensors_of(own).items():
            torch.testing.assert_close(tensor, found[key][k], rtol=1e-12, atol=1e-12)


def test_sequence_of_a_batch_equals_the_sequence_alone(name):
    network = make(name, **EQUATIONS[name][2])
    targets, h_0, causes_0 = start(name)
    found = tensors_of(network(targets, h_0, causes_0))
    own_h = tuple(part[1] for part in h_0) if isinstance(h_0, tuple) else h_0[1]
    own = network(targets[:, 1], own_h, None if causes_0 is None else causes_0[1])
    for key, tensor in tensors_of(own).items():
        torch.testing.assert_close(tensor, found[key][..., 1, :], rtol=1e-12, atol=1e-12)
    step = network.step(targets[0, 1], own_h, None if causes_0 is None else causes_0[1])
    torch.testing.assert_close(step.predictions, own.predictions[0])


@pytest.mark.parametrize("population", [None, 3])
def test_shapes_and_defaults(name, population):
    lead = () if population is None else (population,)
    network = make(name, population=population, dtype=torch.float32)
    found = network(torch.randn(*lead, STEPS, B, P))
    states = {"h", "velocity"} if "GC" in name else {"h"}
    assert found.predictions.shape == found.errors.shape == (*lead, STEPS, B, P)
    assert found.prior.keys() == found.posterior.keys() == states
    for part in (*found.prior.values(), *found.posterior.values()):
        assert part.shape == (*lead, STEPS, B, N)
        assert part.dtype == torch.float32
    assert isinstance(found.h_n, tuple) == (len(states) > 1)
    if name in WITH_CAUSES:
        assert torch.equal(found.causes, torch.full((*lead, STEPS, B, M), 1 / M))
        assert found.causes_n.shape == (*lead, B, M)
    else:
        assert found.causes is found.causes_n is None
    zeros = network.cell.initial_state(B)
    assert_close(found, network(found.predictions - found.errors, zeros), rtol=0, atol=1e-6)


def test_what_was_not_observed_corrects_nothing(name):
    network = make(name, **EQUATIONS[name][2])
    targets, h_0, causes_0 = start(name)
    seen = network(targets[:3], h_0, causes_0)
    partial = targets.clone()
    partial[3:] = torch.nan
    found = network(partial, h_0, causes_0)
    network.set_rates(**dict.fromkeys(network.rates, 0.0))
    dreamt = network(targets[3:], seen.h_n, seen.causes_n)
    torch.testing.assert_close(found.predictions[3:], dreamt.predictions)
    assert not found.errors[3:].any()
    found.predictions.sum().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)


def test_seeds_repeat_the_initial_values(name):
    together, alone = (make(name, population=size) for size in (2, 1))
    together.reset_parameters([4, 9])
    alone.reset_parameters([9])
    for key, tensor in alone.state_dict().items():
        assert torch.equal(together.state_dict()[key][1], tensor[0]), key
    torch.manual_seed(1)
    first = PredictiveCoding(name, number_of_causes(name), N, P).state_dict()
    torch.manual_seed(1)
    again = PredictiveCoding(name, number_of_causes(name), N, P).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_readout_starts_from_the_laws_of_the_capacity_study():
    network = PredictiveCoding("PC-RNN-V", 0, 400, 300)
    assert network.weight_ho.std().item() == pytest.approx(1 / 400, rel=0.05)
    assert network.bias_ho.std().item() == pytest.approx(0.1, rel=0.2)
    assert PredictiveCoding("PC-RNN-V", 0, N, P, bias=False).bias_ho is None


def test_copies_keep_the_rates():
    network = make("PC-RNN-HC-A", population=2, alpha_x=0.3, alpha_h=[0.1, 0.2])
    begin = start("PC-RNN-HC-A", 2)
    assert_close(network(*begin), copy.deepcopy(network)(*begin))
    assert network.float()(begin[0].float()).predictions.dtype == torch.float32
    assert set(network.state_dict()) == {name for name, _ in network.named_parameters()}
    assert "'PC-RNN-HC-A', output_size=2" in repr(network)


# A user's own cell


class Leaky(TRNN):
    """A cell that does not know of the classes in predictive.py."""

    correction_rates = ("alpha_y",)

    def correct(self, prior, previous, causes, feedback, rates):
        return (prior[0] - rates["alpha_y"] * feedback,), causes


def test_a_users_cell_defines_its_own_correction():
    network = PredictiveCoding(f"{__name__}:Leaky", 0, N, P, alpha_y=0.5, tau=2.0)
    targets = torch.randn(STEPS, B, P)
    found = network(targets)
    expected = found.prior["h"] - 0.5 * found.errors @ network.weight_ho.mT
    torch.testing.assert_close(found.posterior["h"], expected)
    assert found.causes is None


# The local learning rule


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batched", [True, False])
def test_local_rule(batched, bias):
    network = make("PC-RNN-HC-A", alpha_x=0.3, alpha_h=0.2)
    if not bias:
        network = PredictiveCoding(
            "PC-RNN-HC-A", M, N, P, tau=TAU, bias=False, alpha_x=0.3, alpha_h=0.2, **F64
        )
    targets, h_0, causes_0 = start("PC-RNN-HC-A")
    if not batched:
        targets, h_0, causes_0 = targets[:, 0], h_0[0], causes_0[0]
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    rates = {"lr_o": 0.01, "lr_c": 0.02, "lr_h": 0.03}
    expected = network(targets, h_0, causes_0)
    found = learn_locally(network, targets, h_0, causes_0, **rates)
    assert_close(found, expected)

    # The authors' algorithm, one sequence and one step at a time.
    w_o, w_c, w_r = (
        before[key].numpy().T for key in ("weight_ho", "cell.weight_ih", "cell.weight_hh")
    )
    b_o, b_r = (before[key].numpy() if bias else 0.0 for key in ("bias_ho", "cell.bias_ih"))
    changes = {key: np.zeros_like(tensor.numpy()) for key, tensor in before.items()}
    for b in range(B) if batched else [...]:
        h_star, c = h_0[b].numpy(), causes_0[b].numpy()
        for t, y in enumerate(targets[:, b].numpy()):
            h_star_before = h_star
            h = (1 - 1 / TAU) * h_star + (w_r @ tanh(h_star) + w_c @ c + b_r) / TAU
            e = w_o @ tanh(h) + b_o - y
            h_star = h - 0.3 * (1 - tanh(h) ** 2) * (w_o.T @ e)
            c = c - 0.2 * (w_c.T @ (h - h_star))
            changes["weight_ho"] -= 0.01 * np.outer(tanh(h), e)
            changes["cell.weight_ih"] -= 0.02 * np.outer(c, h - h_star)
            if t > 0:
                changes["cell.weight_hh"] -= 0.03 * np.outer(tanh(h_star_before), h - h_star)
            if bias:
                changes["bias_ho"] -= 0.01 * e
                changes["cell.bias_ih"] -= 0.03 * (h - h_star)
    for key, tensor in network.state_dict().items():
        change = (tensor - before[key]).numpy()
        np.testing.assert_allclose(change, changes[key], rtol=1e-10, atol=1e-10, err_msg=key)
        assert change.any(), key
    assert all(p.grad is None for p in network.parameters())


def test_local_rule_of_a_population():
    together = make("PC-RNN-HC-A", population=2, alpha_x=0.3, alpha_h=0.2)
    alone = make("PC-RNN-HC-A", alpha_x=0.3, alpha_h=0.2)
    alone.load_state_dict({key: tensor[1] for key, tensor in together.state_dict().items()})
    targets, h_0, causes_0 = start("PC-RNN-HC-A", 2)
    learn_locally(together, targets, h_0, causes_0, lr_o=[0.5, 0.01], lr_c=0.02, lr_h=[0.1, 0.03])
    learn_locally(alone, targets[1], h_0[1], causes_0[1], lr_o=0.01, lr_c=0.02, lr_h=0.03)
    for key, tensor in alone.state_dict().items():
        torch.testing.assert_close(together.state_dict()[key][1], tensor, rtol=1e-12, atol=1e-12)


def test_local_rule_learns_by_repetition():
    network = PredictiveCoding("PC-RNN-HC-A", 2, 30, 2, tau=4.0, alpha_x=0.1)
    time = torch.linspace(0, 2 * torch.pi, 30)
    circle = torch.stack([time.cos(), time.sin()], -1)
    targets = torch.stack([circle, circle.flip(0)], 1) * 0.5
    h_0 = torch.randn(2, 30)
    errors = [
        learn_locally(network, targets, h_0, torch.eye(2), lr_o=0.02, lr_c=0.02, lr_h=0.02)
        .errors.square()
        .mean()
        .item()
        for _ in range(200)
    ]
    assert errors[-1] < 0.2 * errors[0]


# Inferring causes


def test_inferred_causes_go_on_from_one_presentation_to_the_next():
    network = make("PC-RNN-HC-A", population=2, alpha_x=0.3, alpha_h=0.2)
    targets, h_0, _ = start("PC-RNN-HC-A", 2)
    course = network.infer_causes(targets, h_0, presentations=2)
    first = network(targets, h_0)
    second = network(targets, h_0, first.causes_n)
    torch.testing.assert_close(course, torch.cat([first.causes, second.causes], 1))
    assert not course.requires_grad
    alone = make("PC-RNN-HC-A")
    assert alone.infer_causes(targets[0, :, 0], presentations=3).shape == (3 * STEPS, M)


# The examples of the documentation


def example(name):
    path = Path(__file__).parents[2] / "docs" / "examples" / f"{name}.py"
    if not path.exists():
        pytest.skip("the documentation is not here")
    return SimpleNamespace(**runpy.run_path(str(path)))


def test_example_of_recall(tmp_path, capsys):
    pytest.importorskip("matplotlib").use("agg")
    rates = example("recall_by_inference").main(tmp_path / "recall.png", iterations=40)
    assert rates.mean() > 2 / 6
    assert "chance 0.17" in capsys.readouterr().out
    assert (tmp_path / "recall.png").stat().st_size > 10_000


def test_example_of_local_learning():
    errors = example("local_learning").main(presentations=100)
    assert errors[-1] < 0.5 * errors[0]


# Refusals


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (("GRU", 0, N, P), {}, ValueError, "not a predictive-coding cell; those are PC-RNN-GC,"),
        (("PC", 0, N, P), {}, ValueError, "unknown cell 'PC'"),
        (("PC-RNN-V", 2, N, P), {}, ValueError, "no hidden causes"),
        (("PC-RNN-V", 0, 0, P), {}, ValueError, "hidden_size must be an integer"),
        (("PC-RNN-V", 0, N, 0), {}, ValueError, "output_size must be an integer"),
        (("PC-RNN-V", 0, N, P), {"alpha_x": -0.1}, ValueError, "alpha_x must be at least 0"),
        (("PC-RNN-V", 0, N, P), {"alpha_x": np.nan}, ValueError, "alpha_x must be at least 0"),
        (("PC-RNN-V", 0, N, P), {"alpha_x": [0.1, 0.2]}, ValueError, "alpha_x has 2 values"),
        (("PC-RNN-V", 0, N, P), {"alpha_h": 0.1}, TypeError, "'alpha_h'; its options are alpha_x,"),
        (("PC-RNN-GC", 0, N, P), {"alpha_h": 0.1}, TypeError, "no option 'alpha_h'"),
        (("PC-RNN-HC-A", M, N, P), {"alpha_h_prime": 0.1}, TypeError, "no option 'alpha_h_prime'"),
    ],
)
def test_networks_that_cannot_be(arguments, options, error, words):
    with pytest.raises(error, match=words) as caught:
        PredictiveCoding(*arguments, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "targets", "h_0", "causes_0", "words"),
    [
        ("PC-RNN-V", (STEPS, B, 3), None, None, "Expected 2, got 3"),
        ("PC-RNN-V", (B,), None, None, "2-D or 3-D, got 1-D"),
        ("PC-RNN-V", (0, B, P), None, None, "at least one step"),
        ("PC-RNN-V", (STEPS, B, P), [(B, 4)], None, r"state of size \(4, 5\), got \(4, 4\)"),
        ("PC-RNN-V", (STEPS, P), [(B, N)], None, r"state of size \(5,\), got \(4, 5\)"),
        ("PC-RNN-GC", (STEPS, B, P), [(B, N)], None, "state of PC-RNN-GC is h, velocity"),
        ("PC-RNN-HC-A", (STEPS, B, P), None, (B, 2), r"causes of size \(4, 3\), got \(4, 2\)"),
    ],
)
def test_tensors_of_the_wrong_shape(name, targets, h_0, causes_0, words):
    network = make(name)
    h_0 = h_0 and tuple(torch.zeros(shape, **F64) for shape in h_0)
    causes_0 = causes_0 and torch.zeros(causes_0, **F64)
    with pytest.raises(RuntimeError, match=words):
        network(torch.zeros(targets, **F64), h_0, causes_0)


def test_other_refusals():
    network = make("PC-RNN-V", population=2)
    with pytest.raises(RuntimeError, match="Expected 2, got 3"):
        network(torch.zeros(3, STEPS, B, P, **F64))
    with pytest.raises(TypeError, match="no rate 'alpha_h'; its rates are alpha_x"):
        network.set_rates(alpha_h=0.1)
    with pytest.raises(ValueError, match="no hidden causes"):
        network(torch.zeros(2, STEPS, B, P, **F64), None, torch.zeros(2, B, 0, **F64))
    with pytest.raises(ValueError, match="no hidden causes to infer"):
        network.infer_causes(torch.zeros(2, STEPS, B, P, **F64))
    with pytest.raises(ValueError, match="of PC-RNN-HC-A, not of PC-RNN-V"):
        learn_locally(network, torch.zeros(2, STEPS, B, P, **F64), lr_o=0.1, lr_c=0.1, lr_h=0.1)
    network = make("PC-RNN-HC-A")
    with pytest.raises(ValueError, match="presentations must be at least 1"):
        network.infer_causes(torch.zeros(STEPS, B, P, **F64), presentations=0)
    with pytest.raises(ValueError, match="lr_c must be at least 0"):
        learn_locally(network, torch.zeros(STEPS, B, P, **F64), lr_o=0.1, lr_c=-0.1, lr_h=0.1)
