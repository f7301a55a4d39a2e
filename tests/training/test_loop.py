"""The training loop: members are independent, divergence, early stop, ridge readout, optimiser."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from rnncells import RNN
from rnncells.cells import CELLS
from rnncells.jobs.errors import UserError
from rnncells.kernels.backend import find
from rnncells.layers.network import ERRORS, Readout, weighted_sum
from rnncells.random.streams import stream
from rnncells.training.adam import PopulationAdam
from rnncells.training.loop import resolve_device
from rnncells.training.ridge import ridge_regression
from tests.tiny import SETTINGS, TRAJECTORIES, T, run


def numbers(result, seed, *metrics):
    """Return a seed's metrics as a dictionary, all of them or those named."""
    rows = result.metrics[result.metrics["seed"] == seed]
    if metrics:
        rows = rows[rows["metric"].isin(metrics)]
    return rows.set_index(["metric", "axis", "position"])["value"].to_dict()


def losses(result, seed):
    """Return a seed's training losses, step by step."""
    return np.array(list(numbers(result, seed, "train_loss").values()))


def assert_same_numbers(a, b, seed, **tolerance):
    assert numbers(a, seed) == pytest.approx(numbers(b, seed), **tolerance, nan_ok=True)


def hyperparameters_of(name, lr, k=0):
    """Return one member's hyperparameters for trajectory generation, different for each k."""
    numbers = {
        "tau": 2.0 + 3 * k,
        "tau_slow": 20.0 + k,
        "tau_fast": 2.0 + k,
        "gamma": 0.1 + 0.2 * k,
        "alpha_h_prime": 0.01 + 0.1 * k,
        "connectivity": 0.3 + 0.2 * k,
        "sigma": 0.5 + k,
    }
    return {"lr": lr, "p": 3 + 2 * k} | {key: numbers[key] for key in CELLS[name].search_space}


# Members are independent


def test_generation_members_equal_the_seeds_alone(cell_name):
    """With p, learning rate and the cell's own hyperparameters different for each member."""
    seeds = (4, 9)
    members = [hyperparameters_of(cell_name, lr, k) for k, lr in enumerate((0.01, 0.003))]
    settings = {"initial_state": "learned"} if cell_name == "PC-RNN-GC" else {}
    together = run("trajectory_generation", cell_name, seeds, members, **settings)
    for k, (seed, member) in enumerate(zip(seeds, members, strict=True)):
        alone = run("trajectory_generation", cell_name, (seed,), [member], **settings)
        assert_same_numbers(together, alone, seed, rel=1e-3)
        assert together.score[k] == alone.score[0]
        assert losses(alone, seed)[-1] != losses(alone, seed)[0]  # it did train


@pytest.mark.parametrize("name", ["LSTM", "nBRC"])
@pytest.mark.parametrize("task", ["copy_first_input", "binary_addition"])
def test_members_equal_the_seeds_alone(task, name):
    seeds, rates = (4, 9, 2), (0.01, 0.001, 0.1)
    together = run(task, name, seeds, [{"lr": lr} for lr in rates], layers=2)
    for k, (seed, lr) in enumerate(zip(seeds, rates, strict=True)):
        alone = run(task, name, (seed,), [{"lr": lr}], layers=2)
        assert_same_numbers(together, alone, seed, rel=2e-3)
        assert together.score[k] == pytest.approx(alone.score[0], rel=2e-3)
        assert together.parameters == alone.parameters


@pytest.mark.parametrize("task", list(SETTINGS))
def test_the_same_call_gives_the_same_numbers(task):
    member = {"lr": 0.01} | ({"p": 3} if task == "trajectory_generation" else {})
    results = [run(task, "GRU", (1, 2), [member] * 2) for _ in range(2)]
    first, second = (result.metrics for result in results)
    assert first.equals(second)
    assert not np.allclose(losses(results[0], 1), losses(results[0], 2))


def test_learning_lowers_the_loss(cell_name):
    member = hyperparameters_of(cell_name, 0.02)
    result = run("trajectory_generation", cell_name, (0,), [member], iterations=60, length=10)
    course = losses(result, 0)
    assert len(course) == 60
    assert not result.diverged.any()
    assert course[-5:].mean() < 0.8 * course[:5].mean()


@pytest.mark.parametrize("name", ["GRU", "BRC", "nBRC", "LSTM"])
def test_copying_is_learned(name):
    result = run(
        "copy_first_input", name, (0,), [{"lr": 0.02}], epochs=25, train_sequences=200, length=3
    )
    test = numbers(result, 0, "test_mse")
    assert test["test_mse", "epoch", 25] < 0.5 * test["test_mse", "epoch", 1]
    assert result.score[0] == pytest.approx(1 - test["test_mse", "epoch", 25], rel=1e-5)


def test_reservoir_stays_as_it_is():
    """The loss of an ESN falls, and only the readout's numbers are learned."""
    network = RNN("ESN", 0, 8, population=1, tau=[2.0])
    assert not [p for p in network.parameters() if p.requires_grad]
    result = run("trajectory_generation", "ESN", (0,), [hyperparameters_of("ESN", 0.05)])
    assert result.parameters == 8 * 2 + 2
    assert losses(result, 0)[-1] < losses(result, 0)[0]


def test_parameters_are_counted_per_member():
    result = run("trajectory_generation", "TRNN", (0, 1), [hyperparameters_of("TRNN", 0.05)] * 2)
    assert result.parameters == (8 * 8 + 8) + (8 * 2 + 2)


# Divergence and early stop


@pytest.mark.parametrize("rate", [1e6, 1e38])
@pytest.mark.parametrize(
    ("task", "name", "member"),
    [
        ("copy_first_input", "sRNN", {}),
        ("copy_first_input", "LSTM", {}),
        ("binary_addition", "sRNN", {}),
        ("trajectory_generation", "GRU", {"p": 4}),
        ("trajectory_generation", "PC-RNN-GC", {"p": 4, "tau": 2.0, "alpha_h_prime": 0.1}),
    ],
)
def test_a_failing_member_does_not_disturb_the_others(task, name, member, rate):
    """At 1e38 its numbers overflow and it has diverged; at 1e6 it is just very wrong."""
    members = [{"lr": lr, **member} for lr in (0.01, rate, 0.001)]
    result = run(task, name, (1, 2, 3), members, length=8)
    without = run(task, name, (1, 3), members[::2], length=8)
    for seed in (1, 3):
        assert_same_numbers(result, without, seed, rel=1e-3)
    np.testing.assert_allclose(result.score[[0, 2]], without.score, rtol=1e-3)
    assert result.steps[0] == result.steps[2] == without.steps[0]
    if rate == 1e38:
        assert result.diverged.tolist() == [False, True, False]
        assert result.steps[1] < result.steps[0]
    if task == "binary_addition":
        assert rate == 1e6 or set(numbers(result, 2, "accuracy").values()) == {0.0}
    else:
        assert result.score[1] == (-4 if task == "trajectory_generation" else 0)


def test_training_ends_when_all_have_diverged():
    result = run("copy_first_input", "sRNN", (1, 2), [{"lr": 1e30}] * 2)
    assert result.diverged.all()
    assert (result.steps < 12).all()
    assert not result.score.any()


def test_early_stop_freezes_a_member():
    """Seed 1 stops early, and has the numbers that it has alone; seed 2 goes on."""
    more = {"epochs": 12, "train_sequences": 200, "length": 2, "stop_below": 0.2}
    members = [{"lr": 0.03}, {"lr": 0.0003}]
    result = run("copy_first_input", "GRU", (1, 2), members, **more)
    alone = run("copy_first_input", "GRU", (1,), members[:1], **more)
    on = run("copy_first_input", "GRU", (1,), members[:1], **more | {"stop_below": 0.0})
    stop = int(alone.steps[0])
    assert result.steps.tolist() == [stop, 120]
    assert stop < 120
    assert stop % 10 == 0
    assert_same_numbers(result, alone, 1, rel=1e-3)
    course = [value for _, value in sorted(numbers(result, 1, "test_mse").items())]
    assert len(course) == stop // 10
    assert course[-1] < 0.2 <= min(course[:-1])
    assert numbers(result, 1)["final_test_mse", "none", 0] == pytest.approx(course[-1], rel=1e-5)
    assert len(losses(result, 1)) == stop
    # Without the stop it would have gone on learning.
    assert numbers(on, 1)["final_test_mse", "none", 0] < 0.9 * course[-1]
    assert not result.diverged.any()


# Ridge readout


@pytest.mark.parametrize("ridge", [1e-3, 1.0])
@pytest.mark.parametrize("samples", [50, 12])
def test_ridge_regression(samples, ridge):
    """Against least squares with the penalty as extra samples, which leave the bias free."""
    rng = np.random.default_rng(samples)
    x, y = rng.standard_normal((samples, 20)) + 1, rng.standard_normal((samples, 3)) - 2
    rows = np.hstack([np.sqrt(ridge) * np.eye(20), np.zeros((20, 1))])
    augmented = np.vstack([np.hstack([x, np.ones((samples, 1))]), rows])
    expected = np.linalg.lstsq(augmented, np.vstack([y, np.zeros((20, 3))]))[0]
    weight, bias = ridge_regression(torch.as_tensor(x), torch.as_tensor(y), ridge)
    np.testing.assert_allclose(weight, expected[:-1], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(bias, expected[-1], rtol=1e-8, atol=1e-10)


def test_reservoir_with_ridge_readout():
    """A member's loss is what least squares leaves over the features of its own reservoir."""
    seeds, sizes, n = (3, 8), (2, 4), 6
    members = [hyperparameters_of("ESN", 0.0, k) | {"p": p} for k, p in enumerate(sizes)]
    for member in members:
        del member["lr"]
    result = run(
        "trajectory_generation", "ESN", seeds, members, readout="ridge", ridge=1e-9, hidden_size=n
    )
    assert result.steps.tolist() == [1, 1]
    for seed, p, member in zip(seeds, sizes, members, strict=True):
        own = {name: [member[name]] for name in ("tau", "connectivity", "sigma")}
        rnn = RNN("ESN", 0, n, population=1, **own)
        rnn.reset_parameters([seed])
        keys, target = keys_and_targets(seed, p, n)
        features = rnn(torch.empty(1, T, p, 0), rnn.state_from_code(keys))[0][0]
        x = np.hstack([features.reshape(-1, n).numpy(), np.ones((T * p, 1))])
        y = target.reshape(-1, 2).numpy()
        residual = x @ np.linalg.lstsq(x, y)[0] - y
        assert losses(result, seed).item() == pytest.approx(np.mean(residual**2), rel=1e-3)


def keys_and_targets(seed, p, n):
    """Return what the task draws for one seed."""
    path = (seed, "trajectory_generation")
    keys = stream(*path, "keys").standard_normal((p, n))
    chosen = stream(*path, "choice").permutation(len(TRAJECTORIES))[:p]
    target = TRAJECTORIES[chosen][:, :: 40 // T].swapaxes(0, 1).copy()
    return torch.as_tensor(keys[None], dtype=torch.float32), torch.as_tensor(target)


def test_a_large_reservoir_learns_all_sequences():
    member = {"p": 5, "tau": 2.0, "connectivity": 0.5, "sigma": 1.0}
    more = {"readout": "ridge", "ridge": 1e-8, "threshold": 0.1, "hidden_size": 80}
    result = run("trajectory_generation", "ESN", (0,), [member], **more)
    assert result.score[0] == 5


def test_ridge_readout_for_copying():
    more = {"readout": "ridge", "ridge": 1e-6, "hidden_size": 60, "train_sequences": 400}
    options = {"tau": 1.0, "spectral_radius": 0.9}
    result = run("copy_first_input", "ESN", (0, 1), [{}] * 2, length=2, options=options, **more)
    assert (result.score > 0.8).all()


# Devices


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_asked_for_and_missing():
    with pytest.raises(UserError, match="no CUDA device; allowed: auto, cpu"):
        resolve_device("cuda")
    assert resolve_device("auto").type == "cpu"


def test_a_parameter_without_a_gradient_stays_as_it_is():
    used, unused = (torch.nn.Parameter(torch.ones(2, 3)) for _ in range(2))
    optimiser = PopulationAdam([unused, used], torch.tensor([0.1, 0.2]))
    used.sum().backward()
    optimiser.step()
    assert torch.equal(unused, torch.ones(2, 3))
    torch.testing.assert_close(used[:, 0], torch.tensor([0.9, 0.8]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_gives_the_numbers_of_the_cpu():
    members = [{"lr": 0.01}, {"lr": 1e38}]
    cpu, cuda = (
        run("copy_first_input", "nBRC", (1, 2), members, layers=2, device=device)
        for device in ("cpu", "cuda")
    )
    assert_same_numbers(cuda, cpu, 1, rel=5e-3)
    assert cuda.steps.tolist() == cpu.steps.tolist()
    assert cuda.diverged.tolist() == [False, True]


# The optimiser

RATES = (0.1, 0.003, 1e-5)
SHAPES = ((4, 2), (5,), ())
STEPS = 60


@cache
def gradients():
    """Return the gradients of every step and parameter, some of them tiny, for all members."""
    rng = np.random.default_rng(0)
    scales = 10.0 ** rng.integers(-9, 3, (STEPS, len(SHAPES)))
    return [
        [
            torch.as_tensor(scale * rng.standard_normal((len(RATES), *shape)))
            for scale, shape in zip(row, SHAPES, strict=True)
        ]
        for row in scales
    ]


def start():
    return [torch.linspace(-1, 1, len(RATES) * int(np.prod(shape))).double() for shape in SHAPES]


def population_adam(change=lambda step, grads: None, active=lambda step: None):
    """Return the parameters after every step."""
    parameters = [
        torch.nn.Parameter(values.view(len(RATES), *shape))
        for values, shape in zip(start(), SHAPES, strict=True)
    ]
    optimiser = PopulationAdam(parameters, torch.tensor(RATES, dtype=torch.float64))
    course = []
    for step in range(STEPS):
        grads = [grad.clone() for grad in gradients()[step]]
        change(step, grads)
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad
        optimiser.step(active(step))
        course.append([parameter.detach().clone() for parameter in parameters])
    return course


def member_adam(k):
    """Return member k's parameters after every step of PyTorch's own Adam."""
    parameters = [
        torch.nn.Parameter(values.view(len(RATES), *shape)[k].clone())
        for values, shape in zip(start(), SHAPES, strict=True)
    ]
    optimiser = torch.optim.Adam(parameters, lr=RATES[k])
    course = []
    for row in gradients():
        for parameter, grad in zip(parameters, row, strict=True):
            parameter.grad = grad[k].clone()
        optimiser.step()
        course.append([parameter.detach().clone() for parameter in parameters])
    return course


def assert_member(course, expected, k, steps):
    for step in steps:
        for ours, theirs in zip(course[step], expected[step], strict=True):
            torch.testing.assert_close(ours[k], theirs, rtol=1e-10, atol=1e-12)


def test_adam_of_every_member():
    course = population_adam()
    for k in range(len(RATES)):
        assert_member(course, member_adam(k), k, range(STEPS))


def test_adam_leaves_inactive_members_alone():
    stop = 20

    def active(step):
        return torch.tensor([True, step < stop, True])

    course = population_adam(active=active)
    for k in (0, 2):
        assert_member(course, member_adam(k), k, range(STEPS))
    assert_member(course, member_adam(1), 1, range(stop))
    for parameters, last in ((parameters, course[stop - 1]) for parameters in course[stop:]):
        assert all(torch.equal(a[1], b[1]) for a, b in zip(parameters, last, strict=True))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_adam_keeps_a_members_nan_to_itself(bad):
    def change(step, grads):
        if step >= 20:
            for grad in grads:
                grad[1] = bad

    def active(step):
        return torch.tensor([True, step < 20, True])

    for course in (population_adam(change), population_adam(change, active)):
        for k in (0, 2):
            assert_member(course, member_adam(k), k, range(STEPS))
    # Held, the member keeps its last finite numbers; not held, it has none any more.
    assert all(parameter[1].isfinite().all() for parameter in course[-1])
    assert not population_adam(change)[-1][0][1].isfinite().any()


# The readout


def readout_and_data(outputs, dtype=torch.float64):
    readout = Readout(3, 6, outputs).to(dtype)
    for parameter in readout.parameters():
        nn.init.normal_(parameter)
    output = torch.randn(3, 5, 40, 6, dtype=dtype, requires_grad=True)
    target = torch.rand(3, 4, 40, outputs, dtype=dtype)
    # As a layer's outputs: those of a member do not follow those of the one before without a gap.
    return readout, output[:, 1:], target, torch.rand_like(target)


@pytest.mark.parametrize("outputs", [1, 2, 11])
def test_readout(outputs):
    readout, output, *_ = readout_and_data(outputs)
    expected = torch.einsum("stbn,snk->stbk", output, readout.weight)
    torch.testing.assert_close(readout(output), expected + readout.bias[:, None, None])


@pytest.mark.parametrize("threads", [1, 5])
@pytest.mark.parametrize("error", ["squared", "logistic"])
@pytest.mark.parametrize("outputs", [1, 2, 11])
def test_the_loss_of_a_readout_in_one_pass(outputs, error, threads):
    readout, output, target, scale = readout_and_data(outputs)
    wanted, before = (output, readout.weight, readout.bias), torch.get_num_threads()
    torch.set_num_threads(threads)
    backend = find(output)
    assert backend is not None
    with torch.no_grad():
        loss, grads = backend.read_out(output, readout.weight, readout.bias, target, scale, error)
        _, (none, *_) = backend.read_out(*wanted, target, scale, error, with_features=False)
    torch.set_num_threads(before)
    expected = weighted_sum(ERRORS[error](readout(output), target), scale)
    torch.testing.assert_close(loss, expected.detach())
    for found, grad in zip(grads, torch.autograd.grad(expected.sum(), wanted), strict=True):
        torch.testing.assert_close(found, grad)
    assert none is None
