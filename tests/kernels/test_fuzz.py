"""Random layers and inputs: kernels and readable steps return the same, or refuse the same.

``RNNCELLS_FUZZ=3000 pytest tests/kernels/test_fuzz.py`` compares that many.
"""

import os
import warnings

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from rnncells import RNN, kernels
from rnncells.cells import CELLS

CASES = int(os.environ.get("RNNCELLS_FUZZ", "160"))
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}


def strided(rng, tensor):
    """Return the same numbers in memory of another order, or with gaps, or shared along an axis."""
    match rng.integers(4):
        case 0:
            return tensor.mT.contiguous().mT
        case 1:
            wide = torch.stack([tensor, tensor], -1).flatten(-2)
            return wide[..., ::2]
        case 2 if tensor.dim() == 3 and tensor.size(0):
            return tensor[:1].expand_as(tensor)
    return tensor


def draw(seed):
    """Return a random layer, and a function that runs it and returns all it computes."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    name = sorted(CELLS)[seed % len(CELLS)]
    dtype = [torch.float64, torch.float32][rng.integers(2)]
    steps, batch = rng.integers([0, 0], [10, 6]).tolist()
    inputs, n = rng.integers([0, 1], [18, 18]).tolist()
    chance = rng.random(8) < 0.5
    population = int(rng.integers(1, 4)) if rng.random() < 0.25 else None
    leading = () if population is None else (population,)
    packed = population is None and min(steps, batch, inputs) > 0 and rng.random() < 0.3
    unbatched = not packed and rng.random() < 0.1
    rnn = RNN(
        name,
        inputs,
        n,
        num_layers=int(rng.integers(1, 4)),
        bias=bool(chance[0]),
        batch_first=bool(chance[1]),
        bidirectional=bool(chance[2]),
        population=population,
        dtype=dtype,
    )
    for parameter in rnn.parameters():
        parameter.requires_grad_(bool(rng.random() < 0.8) and bool(chance[3] or rng.random() < 0.5))
    if unbatched:
        shape, state_shape = (steps, inputs), (len(rnn.cells), n)
    else:
        shape = (batch, steps, inputs) if rnn.batch_first else (steps, batch, inputs)
        state_shape = (len(rnn.cells), batch, n)
    x = torch.randn(*leading, *shape, dtype=dtype)
    states = [torch.randn(*leading, *state_shape, dtype=dtype) for _ in rnn.state_names]
    if chance[4]:
        x = strided(rng, x)
        states = [strided(rng, state) for state in states]
    x.requires_grad_(bool(chance[5]))
    for state in states:
        state.requires_grad_(bool(chance[6]))
    lengths = torch.as_tensor(rng.integers(1, steps + 1, batch)) if packed else None
    part = rng.integers(3)  # which results the gradients are of

    def run():
        given = x
        if lengths is not None:
            given = pack_padded_sequence(x, lengths, rnn.batch_first, enforce_sorted=False)
        h_0 = None if chance[7] else (tuple(states) if len(states) > 1 else states[0])
        output, h_n = rnn(given, h_0)
        output = output.data if isinstance(output, PackedSequence) else output
        found = [output, *(h_n if isinstance(h_n, tuple) else (h_n,))]
        generator = torch.Generator().manual_seed(seed)
        counted = [found[:1], found[1:], found][part]
        loss = sum((torch.randn(t.shape, generator=generator).to(t) * t).sum() for t in counted)
        wanted = [t for t in (x, *states, *rnn.parameters()) if t.requires_grad]
        if not wanted or not loss.requires_grad:
            return found
        return found + [
            torch.zeros(()) if grad is None else grad
            for grad in torch.autograd.grad(loss, wanted, allow_unused=True)
        ]

    return rnn, dtype, steps, run


@pytest.mark.parametrize("seed", range(CASES))
def test_kernels_and_readable_steps_agree(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rnn, dtype, steps, run = draw(seed)
    if steps == 0:
        with pytest.raises(RuntimeError, match="sequence length"):
            run()
        with kernels.disabled(), pytest.raises(RuntimeError, match="sequence length"):
            run()
        return
    fast = run()
    with kernels.disabled():
        readable = run()
    for a, b in zip(fast, readable, strict=True):
        assert a.shape == b.shape, rnn
        assert a.dtype == b.dtype, rnn
        if b.numel():
            scale = max(1.0, b.detach().abs().max())
            assert (a - b).abs().max() <= TOLERANCE[dtype] * scale, rnn
