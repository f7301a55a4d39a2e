"""Outputs and gradients of a layer on random numbers: kernels against the readable steps."""

import torch
from torch.nn.utils.rnn import pack_padded_sequence

from rnncells import RNN


def make(name, dtype, steps, batch, n, inputs, population=None, **options):
    """Return a layer, an input, and initial states."""
    rnn = RNN(name, inputs, n, population=population, dtype=dtype, **options)
    leading = () if population is None else (population,)
    x = torch.randn(*leading, steps, batch, inputs, dtype=dtype)
    shape = (*leading, len(rnn.cells), batch, n)
    return rnn, x, [torch.randn(shape, dtype=dtype) for _ in rnn.state_names]


def results(rnn, x, h_0, lengths=None, first=0):
    """Return outputs, last states and all gradients of a random function of both.

    The function is of the outputs too, unless ``first`` is 1.
    """
    inputs = [t.detach().clone().requires_grad_() for t in (x, *h_0)]
    x, *h_0 = inputs
    if lengths is not None:
        x = pack_padded_sequence(x, lengths, enforce_sorted=False)
    output, h_n = rnn(x, tuple(h_0) if len(h_0) > 1 else h_0[0])
    if lengths is not None:
        output = output.data
    found = [output, *(h_n if isinstance(h_n, tuple) else (h_n,))]
    generator = torch.Generator().manual_seed(0)
    loss = sum((torch.randn(t.shape, generator=generator).to(t) * t).sum() for t in found[first:])
    wanted = inputs + [p for p in rnn.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    return [t.detach() for t in (*found, *gradients)]


def assert_near(found, expected, tolerance):
    """Compare tensors one by one, relative to the largest number of each."""
    for a, b in zip(found, expected, strict=True):
        if b.numel():
            assert (a - b).abs().max() <= tolerance * max(1e-3, b.abs().max())
