"""The loss and the gradients of a network in one pass agree with autograd's."""

import numpy as np
import pytest
import torch

from rnncells import RNN, kernels
from rnncells.cells import CELLS
from rnncells.cells.initial import uniform
from rnncells.layers.network import Network, Objective
from rnncells.training.fused import FusedLoss

SEEDS = [3, 1, 2]


def network_of(cell, input_size=2, hidden_size=5, layers=1, outputs=2, **options):
    rnn = RNN(cell, input_size, hidden_size, layers, population=len(SEEDS), **options)
    initializer = uniform(0.7)
    return Network(rnn, outputs, initializer, initializer, SEEDS).double()


def objective_of(
    network, batch=4, steps=6, last=False, error="squared", codes=False, constant=False
):
    generator = torch.Generator().manual_seed(steps)

    def draw(*shape):
        return torch.rand(len(SEEDS), *shape, dtype=torch.float64, generator=generator)

    x = draw(1 if constant else steps, batch, network.rnn.input_size)
    if constant:
        x = x.expand(-1, steps, -1, -1)
    outputs = network.readout.bias.size(-1)
    shape = (batch, outputs) if last else (steps, batch, outputs)
    given = draw(batch, network.rnn.code_size) if codes else None
    return Objective(x, draw(*shape), draw(*shape), error, given, last)


def gradients(network):
    return {name: p.grad for name, p in network.named_parameters() if p.requires_grad}


def by_autograd(network, objective):
    network.zero_grad(set_to_none=True)
    with kernels.disabled():
        loss = network.loss(objective)
    loss.backward(torch.ones_like(loss))
    return loss.detach(), gradients(network)


def in_one_pass(fused, objective):
    fused.network.zero_grad(set_to_none=True)
    loss = fused(objective)
    assert loss is not None
    return loss, gradients(fused.network)


def assert_agreement(network, *objectives):
    fused = FusedLoss(network)
    for objective in objectives:
        expected, found = by_autograd(network, objective), in_one_pass(fused, objective)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_one_pass_agrees_with_autograd(cell, layers, last, codes):
    network = network_of(cell, layers=layers)
    options = {"last": last, "codes": codes}
    # Again with the memory of the first, then with other shapes.
    same = objective_of(network, **options)
    assert_agreement(network, same, same, objective_of(network, steps=1, batch=1, **options))


@pytest.mark.parametrize("cell", ["GRU", "PC-RNN-HC-M"])
def test_the_input_may_be_constant_and_the_error_logistic(cell):
    network = network_of(cell, layers=2)
    assert_agreement(network, objective_of(network, constant=True, error="logistic"))


@pytest.mark.parametrize("outputs", [1, 3, 17])
@pytest.mark.parametrize("last", [False, True])
def test_the_error_may_be_a_cross_entropy(last, outputs):
    """Also of targets that are no distribution, and with other weights for every class."""
    network = network_of("GRU", outputs=outputs)
    objective = objective_of(network, batch=70, last=last, error="cross_entropy")
    # Differences of a thousand would overflow without the largest logit taken off first.
    network.readout.weight.data[0] *= 1000
    assert_agreement(network, objective)


def test_the_cross_entropy_is_that_of_pytorch():
    network = network_of("GRU", outputs=4)
    x = objective_of(network).x
    classes = torch.arange(3 * 6 * 4).view(3, 6, 4) % 4
    target = torch.nn.functional.one_hot(classes, 4).double()
    objective = Objective(x, target, torch.full_like(target, 1 / 24), "cross_entropy")
    loss, _ = in_one_pass(FusedLoss(network), objective)
    for k, logits in enumerate(network(x)):
        plain = torch.nn.functional.cross_entropy(logits.flatten(0, 1), classes[k].flatten())
        torch.testing.assert_close(loss[k], plain.detach())


@pytest.mark.parametrize("cell", ["TRNN", "PC-RNN-GC", "LSTM"])
def test_keys_learn(cell):
    network = network_of(cell, input_size=0)
    objective = objective_of(network, codes=True)
    network.learn_codes(objective.codes)
    assert_agreement(network, objective)
    assert network.codes.grad.abs().max() > 0


def test_what_is_frozen_gets_no_gradient():
    network = network_of("GRU", layers=3)
    for parameter in (*network.rnn.cells[0].parameters(), network.rnn.cells[1].weight_ih):
        parameter.requires_grad_(False)
    assert_agreement(network, objective_of(network))
    network.rnn.requires_grad_(False)
    assert_agreement(network, objective_of(network))
    assert all(parameter.grad is None for parameter in network.rnn.parameters())


def test_what_is_frozen_may_learn_later():
    network = network_of("GRU", layers=2)
    fused, objective = FusedLoss(network), objective_of(network)
    for frozen in (True, False, True):
        network.rnn.requires_grad_(not frozen)
        expected, found = by_autograd(network, objective), in_one_pass(fused, objective)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("threads", [1, 5])
def test_any_number_of_threads(threads):
    network, before = network_of("nBRC", layers=2), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert_agreement(network, objective_of(network, batch=203))
    finally:
        torch.set_num_threads(before)


def test_parameters_of_each_member():
    network = network_of("TRNN", tau=np.array([1.5, 4.0, 20.0]))
    assert_agreement(network, objective_of(network))


def test_what_has_no_kernel_is_left_to_autograd():
    network = network_of("GRU", bidirectional=True)
    assert FusedLoss(network)(objective_of(network_of("GRU"))) is None
    network = network_of("GRU")
    with kernels.disabled():
        assert FusedLoss(network)(objective_of(network)) is None


def test_weights_that_do_not_fit_are_left_to_autograd():
    seeds = [1, 2]
    network = Network(RNN("GRU", 2, 5, population=2), 1, uniform(0.5), uniform(0.5), seeds)
    objective = Objective(torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 1), torch.ones(2, 4, 3, 1))
    assert FusedLoss(network)(objective) is not None
    cell = network.rnn.cells[0]
    for weight in ("weight_hh", "weight_ih", "bias_hh"):
        before = getattr(cell, weight)
        for other in (
            before.detach().double(),
            before.detach()[..., :3],
            before.detach().to("meta"),
        ):
            cell._parameters[weight] = torch.nn.Parameter(other)  # load_state_dict(assign=True)
            assert FusedLoss(network)(objective) is None
        setattr(cell, weight, before)
    network.readout.weight.data = torch.randn(2, 4, 1)
    assert FusedLoss(network)(objective) is None
