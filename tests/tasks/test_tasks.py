"""The tasks: their data, losses and scores against plain definitions."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from rnncells import RNN, cell, tasks
from rnncells.cells import CELLS
from rnncells.layers.network import Network
from rnncells.random.splitmix import member_keys
from rnncells.tasks import Task, task_class, task_names
from rnncells.tasks.binary_addition import draw_sums
from rnncells.tasks.trajectories import synthetic
from rnncells.tasks.trajectory_generation import thin

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
N = 8


def test_tasks_are_found_by_name():
    assert {"binary_addition", "copy_first_input", "trajectory_generation"} <= set(task_names())
    for name in task_names():
        assert issubclass(task_class(name), Task)
    with pytest.raises(ValueError, match=r"'binary_adition' \(did you mean 'binary_addition'\?\)"):
        task_class("binary_adition")


def test_a_file_in_the_folder_is_a_task(tmp_path, monkeypatch):
    (tmp_path / "another_copy.py").write_text(
        "from rnncells.tasks.copy_first_input import CopyFirstInput\n"
        "class AnotherCopy(CopyFirstInput):\n"
        "    chance = 2.0\n"
    )
    (tmp_path / "no_task.py").write_text("from rnncells.tasks import Task\n")
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(tmp_path)])
    task_names.cache_clear()
    try:
        assert "another_copy" in task_names()
        assert "no_task" not in task_names()
        assert task_class("another_copy").chance == 2.0
    finally:
        task_names.cache_clear()
        task_class.cache_clear()


def made(name, length, seeds, hyperparameters, settings, data=None):
    kind = task_class(name)
    return kind(length, seeds, hyperparameters, kind.Settings(**settings), CPU, data)


def network_of(task, name="GRU", layers=1, **options):
    """Build the network that training would build."""
    task.fit_to(CELLS[name])
    rnn = RNN(name, task.input_size, N, layers, population=len(task.seeds), **options)
    initializers = task.readout_initial(N)
    network = Network(rnn, task.output_size, *initializers, task.seeds, task.input_sizes)
    task.prepare(network)
    return network


def value(outcome, metric, seed, position=0):
    """Return one number of an outcome."""
    rows = outcome.metrics.query("metric == @metric and seed == @seed and position == @position")
    return rows["value"].item()


@torch.no_grad()
def evaluated(task, network, diverged):
    """Evaluate as the training loop does."""
    return task.outcome(network, diverged)


NONE_DIVERGED = np.zeros(2, dtype=bool)

# Binary addition


def numbers(bits):
    """Turn bits (steps, ...), least significant first, into Python's exact integers."""
    return sum(bit.astype(object) << k for k, bit in enumerate(bits))


def drawn(samples, length, step=0):
    """Draw sums of one member, as integer arrays of operands (steps, samples, 2) and sums."""
    operands, sums = draw_sums(member_keys([0], "sums"), step, samples, length)
    assert operands.shape == (1, length + 1, samples, 2)
    assert sums.shape == (1, length + 1, samples, 1)
    assert operands.dtype == sums.dtype == torch.float32
    return operands[0].numpy().astype(int), sums[0, ..., 0].numpy().astype(int)


@pytest.mark.parametrize("length", [*range(2, 70), 123, 124, 125, 200])
def test_every_bit_of_every_sum(length):
    operands, sums = drawn(300, length)
    assert set(np.unique(operands)) <= {0, 1}
    a, b = numbers(operands[..., 0]), numbers(operands[..., 1])
    for k in range(length + 1):
        assert [(x + y) >> k & 1 for x, y in zip(a, b, strict=True)] == sums[k].tolist()
    assert max(a + b) < 2 ** (length + 1)  # no bit is lost at the end
    # The highest bits are 1 and the digits add up to the length.
    digits = [(x.bit_length(), y.bit_length()) for x, y in zip(a, b, strict=True)]
    assert all(x >= 1 and y >= 1 and x + y == length for x, y in digits)


def uniform_over(values, possible):
    """Tell whether integers could be uniform over a range."""
    counts = [np.sum(values == number) for number in possible]
    return sum(counts) == len(values) and stats.chisquare(counts).pvalue > 1e-3


def test_digits_and_operands_are_uniform():
    operands, _ = drawn(40_000, 9)
    a, b = (numbers(operands[..., k]).astype(int) for k in range(2))
    digits = np.frompyfunc(int.bit_length, 1, 1)(a.astype(object)).astype(int)
    assert uniform_over(digits, range(1, 9))
    for d in range(2, 6):
        assert uniform_over(a[digits == d], range(2 ** (d - 1), 2**d))
        assert uniform_over(b[digits == 9 - d], range(2 ** (d - 1), 2**d))


@pytest.mark.parametrize("length", [20, 64, 130])
def test_digits_and_bits_are_uniform_at_any_length(length):
    operands, _ = drawn(20_000, length)
    place = np.arange(length + 1)
    digits = np.where(operands > 0, place[:, None, None] + 1, 0).max(0)
    assert uniform_over(digits[:, 0], range(1, length))
    # Below the top bit, every bit of both operands is a fair coin.
    for operand in range(2):
        for k in place[: length - 2]:
            bits = operands[k, digits[:, operand] > k + 1, operand]
            assert stats.binomtest(int(bits.sum()), len(bits)).pvalue > 1e-5


def test_sums_need_two_digits():
    with pytest.raises(ValueError, match="at least 2, got 1"):
        drawn(3, 1)


def addition(length=6, seeds=(0, 1), **settings):
    defaults = {
        "first_length": 3,
        "epochs_per_length": 2,
        "samples_per_epoch": 25,
        "batch_size": 10,
        "test_length": 8,
        "test_samples": 40,
    }
    return made("binary_addition", length, seeds, [{}] * len(seeds), defaults | settings)


def test_curriculum():
    task = addition()
    assert task.steps == 4 * 2 * 3  # lengths, epochs, batches of an epoch
    lengths = [task.batch(step).x.size(1) - 1 for step in range(task.steps)]
    assert lengths == sorted([3, 4, 5, 6] * 6)


def test_addition_batches_are_sums_and_depend_on_seed_and_step_only():
    task = addition()
    first, again = task.batch(4), addition().batch(4)
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.target, again.target)
    assert torch.equal(task.batch(4).x, first.x)
    assert not torch.equal(first.x, task.batch(5).x)
    assert not torch.equal(first.x[0], first.x[1])
    assert torch.equal(first.x[1], addition(seeds=(1,)).batch(4).x[0])
    x = first.x[0].numpy().astype(int)
    total = numbers(x[..., 0]) + numbers(x[..., 1])
    assert list(numbers(first.target[0, ..., 0].numpy().astype(int))) == list(total)


def epochs_of(task, length):
    """Return the sums of each epoch at a length, as sets and lists of (member, bits)."""
    first = (length - task.first_length) * task.steps_per_length
    for epoch in range(task.settings.epochs_per_length):
        steps = range(
            first + epoch * task.steps_per_epoch, first + (epoch + 1) * task.steps_per_epoch
        )
        batches = [task.batch(step) for step in steps]
        x, target = (torch.cat([getattr(b, n) for b in batches], 2).int() for n in ("x", "target"))
        samples = torch.cat([x, target], 3).transpose(1, 2).flatten(2)  # (S, samples, bits)
        yield [[tuple(sample) for sample in member] for member in samples.tolist()]


def test_the_samples_of_a_length_are_drawn_once_and_shuffled_for_every_epoch():
    task = addition(samples_per_epoch=25, epochs_per_length=3)
    assert [task.batch(step).x.size(2) for step in range(3)] == [10, 10, 5]
    one, two, three = epochs_of(task, 6)
    for k in range(2):
        assert sorted(one[k]) == sorted(two[k]) == sorted(three[k])
        assert one[k] != two[k] != three[k] != one[k]
    assert sorted(one[0]) != sorted(one[1])
    # Operands and sum of a sample stay together.
    for batch in (task.batch(step) for step in range(task.steps)):
        x, target = batch.x.numpy().astype(int), batch.target.numpy().astype(int)
        for k in range(2):
            total = numbers(x[k, ..., 0]) + numbers(x[k, ..., 1])
            assert list(numbers(target[k, ..., 0])) == list(total)


def test_fresh_samples_differ_from_epoch_to_epoch():
    task = addition(length=40, samples_per_epoch=20, epochs_per_length=2, fresh=True)
    one, two = epochs_of(task, 40)
    assert len(set(one[0])) == len(set(two[0])) == 20
    assert not set(one[0]) & set(two[0])


def test_batches_do_not_depend_on_which_came_before():
    task = addition()
    backwards = {step: task.batch(step) for step in reversed(range(task.steps))}
    for step in range(task.steps):
        assert torch.equal(addition().batch(step).x, backwards[step].x)


def test_addition_loss_and_accuracy():
    task = addition()
    network = network_of(task)
    batch = task.batch(0)
    p = torch.sigmoid(network(batch.x))
    plain = -(batch.target * p.log() + (1 - batch.target) * (1 - p).log()).mean((1, 2, 3))
    torch.testing.assert_close(task.loss(network, batch), plain)

    outcome = evaluated(task, network, NONE_DIVERGED)
    for k, seed in enumerate(task.seeds):
        shares = []
        for length in range(3, 9):
            test = task.test(length)
            said = network(test.x)[k, ..., 0] > 0
            shares.append((said == test.target[k, ..., 0].bool()).all(0).double().mean().item())
            assert value(outcome, "accuracy", seed, length) == pytest.approx(shares[-1])
        assert value(outcome, "mean_accuracy", seed) == pytest.approx(np.mean(shares))
        assert outcome.score[k] == pytest.approx(np.mean(shares))


def test_addition_accuracy_of_perfect_and_diverged_members():
    class Perfect:
        """A stand-in for a network that adds correctly, but for one bit of the second member."""

        def __call__(self, x):
            operands = x.int().numpy().astype(object)
            total = sum(operands[:, k].sum(-1) << k for k in range(x.size(1)))
            bits = np.stack([total >> k & 1 for k in range(x.size(1))], 1).astype(float)
            bits[1, 0, 0] = 1 - bits[1, 0, 0]
            return torch.as_tensor(20 * bits - 10)[..., None]

    task = addition()
    outcome = evaluated(task, Perfect(), NONE_DIVERGED)
    np.testing.assert_allclose(outcome.score, [1.0, 39 / 40])
    outcome = evaluated(task, Perfect(), np.array([False, True]))
    np.testing.assert_allclose(outcome.score, [1.0, 0.0])
    np.testing.assert_allclose(outcome.metrics.query("seed == 1")["value"], 0.0)


# Copy first input


def copying(length=5, seeds=(0, 1), **settings):
    defaults = {
        "train_sequences": 50,
        "test_sequences": 30,
        "batch_size": 20,
        "epochs": 3,
        "stop_below": 0.1,
    }
    return made("copy_first_input", length, seeds, [{}] * len(seeds), defaults | settings)


def test_copy_target_is_the_first_input():
    task = copying()
    for step in range(task.steps):
        batch = task.batch(step)
        assert torch.equal(batch.target, batch.x[:, 0])
        assert batch.x.shape == (2, 5, 10 if step % 3 == 2 else 20, 1)


def test_copy_inputs_are_normal_and_test_differs_from_training():
    task = copying(train_sequences=500, test_sequences=500)
    for data in (task.train, task.test):
        assert data.shape == (2, 500, 5)
        assert stats.kstest(data.numpy().ravel(), "norm").pvalue > 1e-3
    first_inputs = [set(part[k, :, 0].tolist()) for part in (task.train, task.test) for k in (0, 1)]
    assert len(set.union(*first_inputs)) == 2000  # no sequence is shared by parts or by seeds


def test_every_epoch_visits_every_training_sequence_once():
    task = copying()
    assert task.steps_per_epoch == 3
    orders = []
    for epoch in range(3):
        batches = [task.batch(3 * epoch + k).x[..., 0] for k in range(3)]
        seen = torch.cat(batches, 2).transpose(1, 2)
        orders.append(seen)
        for k in range(2):
            assert sorted(seen[k].tolist()) == sorted(task.train[k].tolist())
    assert not torch.equal(orders[0], orders[1])


def test_copy_batches_depend_on_seed_and_step_only():
    task, other = copying(), copying(seeds=(1,))
    forward = [task.batch(step).x for step in range(task.steps)]
    for step in reversed(range(task.steps)):
        assert torch.equal(task.batch(step).x, forward[step])
        assert torch.equal(other.batch(step).x[0], forward[step][1])


@torch.no_grad()
def test_copy_loss_check_and_score():
    task = copying(test_sequences=33)
    network = network_of(task, layers=2)
    batch = task.batch(0)
    last = network(batch.x)[:, -1]
    torch.testing.assert_close(
        task.loss(network, batch), (last - batch.target).square().mean((1, 2))
    )
    x = task.test.transpose(1, 2)[..., None]
    mse = (network(x)[:, -1] - x[:, 0]).square().mean((1, 2)).detach().numpy()
    assert task.check(network, 2) is None
    measured, epoch = task.check(network, 6)
    assert epoch == 2
    np.testing.assert_allclose(measured["test_mse"], mse, rtol=1e-5)
    assert task.finished({"test_mse": np.array([0.09, 0.1])}).tolist() == [True, False]
    outcome = evaluated(task, network, np.array([False, True]))
    np.testing.assert_allclose(outcome.score, [max(0, 1 - mse[0]), 0.0], rtol=1e-4, atol=1e-6)
    assert value(outcome, "final_test_mse", 0) == pytest.approx(mse[0], rel=1e-5)


def test_copy_score_is_the_share_of_variance_explained():
    task = copying()
    network = network_of(task)
    task._mse = lambda *_: np.array([0.25, 1.7])
    np.testing.assert_allclose(evaluated(task, network, NONE_DIVERGED).score, [0.75, 0.0])


# Trajectory generation

TRAJECTORIES = synthetic(12, 40, seed=0)
T = 10


def generation(sizes=(3, 5), seeds=(0, 1), **settings):
    defaults = {
        "iterations": 4,
        "threshold": 0.5,
        "initial_state": "fixed",
        "feedback": "none",
        "examples": 2,
    }
    hyperparameters = [{"p": p} for p in sizes]
    return made(
        "trajectory_generation", T, seeds, hyperparameters, defaults | settings, TRAJECTORIES
    )


def test_every_member_has_its_own_sequences():
    task = generation(sizes=(3, 12, 4.6), seeds=(0, 1, 0))
    assert task.sizes == [3, 12, 5]
    data = TRAJECTORIES[:, ::4].astype(np.float32)
    chosen = []
    for k, p in enumerate(task.sizes):
        for sequence in task.target[k, :, :p].transpose(0, 1).numpy():
            (match,) = np.flatnonzero((data == sequence).all((1, 2)))
            chosen.append((k, match.item()))
        assert not task.real[k, p:].any()
    assert len(set(chosen)) == 3 + 12 + 5  # none twice
    by_member = [[match for k, match in chosen if k == member] for member in range(3)]
    assert by_member[0] == by_member[2][:3]  # the same seed, with more sequences
    assert by_member[0] != by_member[1][:3]


@pytest.mark.parametrize("p", [0, 13])
def test_p_beyond_the_data_set(p):
    with pytest.raises(ValueError, match="allowed: 1 to 12"):
        generation(sizes=(3, p))


def test_thinning():
    data = np.arange(48.0).reshape(2, 12, 2)
    np.testing.assert_array_equal(thin(data, 4), data[:, [0, 3, 6, 9]])
    np.testing.assert_array_equal(thin(data, 5), data[:, [0, 2, 4, 6, 8]])
    np.testing.assert_array_equal(thin(data, 12), data)
    with pytest.raises(ValueError, match=r"longer than .* allowed is 12"):
        thin(data, 13)
    with pytest.raises(ValueError, match="needs trajectories"):
        thin(None, 4)


def test_keys_are_normal_and_those_of_the_seed():
    task = generation(sizes=(12, 12))
    network_of(task, "MTRNN", layers=2)
    assert task.codes.shape == (2, 12, 2 * 2 * N)
    assert stats.kstest(task.codes.numpy().ravel(), "norm").pvalue > 1e-3
    alone = generation(sizes=(4,), seeds=(1,))
    network_of(alone, "MTRNN", layers=2)
    assert torch.equal(task.codes[1, :4], alone.codes[0])
    assert not torch.allclose(task.codes[0], task.codes[1])


def test_readout_laws():
    initializer, bias_initializer = generation().readout_initial(100)
    rng = np.random.default_rng(0)
    assert stats.kstest(initializer(rng, (100, 50)).ravel() * 100, "norm").pvalue > 1e-3
    assert stats.kstest(bias_initializer(rng, (2000,)) * 10, "norm").pvalue > 1e-3
    initializer, _ = copying().readout_initial(100)
    assert (
        stats.kstest(initializer(rng, (100, 50)).ravel(), stats.uniform(-0.1, 0.2).cdf).pvalue
        > 1e-3
    )


def plain_generation(task, network, k, name, inputs):
    """Generate member k's sequences with a single cell, one step after the other.

    ``inputs(t, prediction before)`` returns the input of step t.
    """
    p = task.sizes[k]
    made = cell(name, task.input_size, N)
    weights = network.rnn.cells[0].state_dict()
    made.load_state_dict({tensor: values[k] for tensor, values in weights.items()})
    key = task.codes[k, :p]
    if name == "LSTM":
        state = (torch.tanh(key), key)
    elif name == "MTRNN":
        state = (key[:, :N], key[:, N:])
    elif "GC" in name:
        state = (key, torch.zeros_like(key))
    else:
        state = key
    predictions, before = [], torch.zeros(p, 2)
    for t in range(T):
        state = made(inputs(t, before), state)
        read = made.state_names.index(made.output_state)
        h = made.output(state[read] if isinstance(state, tuple) else state)
        before = h @ network.readout.weight[k] + network.readout.bias[k]
        predictions.append(before)
    return torch.stack(predictions)


def input_of(task, k, feedback=None):
    """Return the input of member k's step t, by the task's definition."""
    p = task.sizes[k]
    if task.causes:
        return lambda t, before: torch.eye(p, task.input_size)
    if feedback == "prediction":
        return lambda t, before: before.detach()
    if feedback == "teacher":
        target = task.target[k, :, :p]
        return lambda t, before: target[t - 1] if t else torch.zeros(p, 2)
    return lambda t, before: torch.empty(p, 0)


def assert_scored(task, network, generated):
    """Check the outcome against what the networks generate, one tensor (T, p, 2) per member."""
    outcome = evaluated(task, network, NONE_DIVERGED)
    for k, (seed, p) in enumerate(zip(task.seeds, task.sizes, strict=True)):
        target = task.target[k, :, :p]
        errors = (generated[k] - target).square().sum(-1).sqrt().mean(0)
        count = int((errors < task.settings.threshold).sum())
        for position, error in enumerate(errors.tolist()):
            assert value(outcome, "sequence_error", seed, position) == pytest.approx(error, 1e-4)
        assert value(outcome, "sequences", seed) == count
        assert value(outcome, "p", seed) == p
        assert value(outcome, "score", seed) == outcome.score[k] == 2 * count - p
    return outcome


def test_generation_loss_and_count(cell_name):
    task = generation()
    network = network_of(task, cell_name)
    losses = task.loss(network, task.batch(0))
    generated = []
    for k, p in enumerate(task.sizes):
        predicted = plain_generation(task, network, k, cell_name, input_of(task, k))
        target = task.target[k, :, :p]
        torch.testing.assert_close(losses[k], (predicted - target).square().mean())
        generated.append(predicted.detach())
    # A threshold between the errors, so that some sequences count and some do not.
    errors = torch.cat(
        [
            (predicted - task.target[k, :, :p]).norm(dim=-1).mean(0)
            for k, (predicted, p) in enumerate(zip(generated, task.sizes, strict=True))
        ]
    ).sort()[0]
    between = errors[3:5].mean().item()
    task.settings = task.settings.model_copy(update={"threshold": between})
    outcome = assert_scored(task, network, generated)
    assert (outcome.score + task.sizes).sum() == 2 * 4


@pytest.mark.parametrize("feedback", ["prediction", "teacher"])
@pytest.mark.parametrize("name", ["TRNN", "LSTM", "MTRNN"])
def test_feedback(name, feedback):
    task = generation(feedback=feedback)
    network = network_of(task, name)
    loss = task.loss(network, task.batch(0))
    grads = torch.autograd.grad(loss.sum(), network.readout.weight)[0]
    generated = []
    for k, p in enumerate(task.sizes):
        predicted = plain_generation(task, network, k, name, input_of(task, k, feedback))
        plain = (predicted - task.target[k, :, :p]).square().mean()
        torch.testing.assert_close(loss[k], plain)
        # No gradient flows back through the input.
        grad = torch.autograd.grad(plain, network.readout.weight)[0]
        torch.testing.assert_close(grads[k], grad[k])
        # It is scored with its own prediction in both cases.
        own = plain_generation(task, network, k, name, input_of(task, k, "prediction"))
        generated.append(own.detach())
    assert_scored(task, network, generated)


def test_feedback_through_two_layers():
    task = generation(feedback="prediction", sizes=(3, 3))
    network = network_of(task, "GRU", layers=2)
    predicted = network.feed_back(T, task.codes)
    x = torch.cat([torch.zeros(2, 1, 3, 2), predicted[:, :-1]], 1)
    torch.testing.assert_close(network(x, task.codes), predicted)


def test_perfect_and_diverged_members():
    task = generation(sizes=(3, 5), threshold=0.1)
    task.generate = lambda network: task.target + 0.07  # a distance of 0.099
    outcome = evaluated(task, None, NONE_DIVERGED)
    np.testing.assert_array_equal(outcome.score, [3, 5])
    task.generate = lambda network: task.target + 0.071  # a distance of 0.1004
    np.testing.assert_array_equal(evaluated(task, None, NONE_DIVERGED).score, [-3, -5])
    task.generate = lambda network: task.target
    outcome = evaluated(task, None, np.array([False, True]))
    np.testing.assert_array_equal(outcome.score, [3, -5])
    assert value(outcome, "sequences", 1) == 0


@pytest.mark.parametrize("initial_state", ["fixed", "learned"])
def test_initial_states_are_learned_only_if_asked_for(initial_state):
    task = generation(initial_state=initial_state)
    network = network_of(task, "PC-RNN-GC")
    names = {name for name, _ in network.named_parameters()}
    assert ("codes" in names) == (initial_state == "learned")
    if initial_state == "learned":
        assert torch.equal(network.codes, task.codes)
        (grad,) = torch.autograd.grad(task.loss(network, task.batch(0)).sum(), network.codes)
        for k, p in enumerate(task.sizes):
            assert grad[k, :p].abs().sum(-1).all()
            assert not grad[k, p:].any()  # what is padded has no weight
        with torch.no_grad():
            network.codes += 1
        free = SimpleNamespace(sizes=task.sizes, input_size=0, codes=network.codes, causes=False)
        predicted = plain_generation(free, network, 1, "PC-RNN-GC", input_of(task, 1))
        torch.testing.assert_close(task.generate(network)[1], predicted)


def test_examples_show_targets_and_predictions():
    task = generation(sizes=(1, 5))
    network = network_of(task, "TRNN")
    examples = evaluated(task, network, NONE_DIVERGED).examples
    assert len(examples) == T * 2 * (1 + 2)  # steps, coordinates; what is padded is left out
    predicted = task.generate(network).detach().numpy()
    for k, seed in enumerate(task.seeds):
        own = examples[examples["seed"] == seed]
        where = (k, own["step"].to_numpy(), own["sample"].to_numpy(), own["coordinate"].to_numpy())
        np.testing.assert_allclose(own["target"], task.target.numpy()[where], rtol=1e-6)
        np.testing.assert_allclose(own["prediction"], predicted[where], rtol=1e-6)


# The README's own task


def test_the_readmes_own_task_and_its_chance_level():
    section = (ROOT / "README.md").read_text().split("## Add your own task\n")[1]
    namespace = {"__name__": "adding"}
    exec(re.search(r"```python\n(.*?)```", section, re.S)[1], namespace)
    kind = namespace["Adding"]
    task = kind(7, [3, 4], [{}, {}], kind.Settings(batch_size=20_000), CPU)
    batch = task.batch(0)
    assert batch.x.shape == (2, 7, 20_000, 2)
    numbers, marks = batch.x.unbind(-1)
    assert (marks.sum(1) == 2).all()
    assert stats.kstest(numbers.numpy().ravel(), "uniform").pvalue > 1e-3
    places = marks.sum((0, 2)).numpy()
    assert stats.chisquare(places).pvalue > 1e-3
    torch.testing.assert_close(batch.target[..., 0], (numbers * marks).sum(1))
    # The best guess without the input is the mean, 1; its squared error is the chance level.
    assert (batch.target - 1).square().mean().item() == pytest.approx(kind.chance, rel=0.02)
    alone = kind(7, [4], [{}], kind.Settings(batch_size=20_000), CPU)
    assert torch.equal(alone.batch(5).x[0], task.batch(5).x[1])
