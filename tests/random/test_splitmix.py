"""The counter-based generator: known answers, and statistics along every one of its axes."""

import numpy as np
import pytest
import torch
from scipy import stats

from rnncells.random.splitmix import below, member_keys, words


def splitmix64(key: int, start: int, count: int) -> np.ndarray:
    """The published generator, word by word, in NumPy's unsigned integers."""
    state = np.uint64(key % 2**64) + np.uint64(start) * np.uint64(0x9E3779B97F4A7C15)
    out = np.empty(count, np.uint64)
    for k in range(count):
        state += np.uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[k] = z ^ (z >> np.uint64(31))
    return out


def unsigned(tensor: torch.Tensor) -> np.ndarray:
    return tensor.numpy().view(np.uint64)


def test_published_values():
    """The first words of seed 1234567 of the reference implementation in C."""
    first = unsigned(words(torch.tensor([1234567]), 0, 5))[0].tolist()
    assert first == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("step", [0, 1, 77, 123_456])
def test_against_unsigned_arithmetic(step):
    keys = torch.tensor([0, 5, -1, 2**63 - 1, -(2**63)])
    drawn = unsigned(words(keys, step, 50))
    for key, row in zip(keys.tolist(), drawn, strict=True):
        np.testing.assert_array_equal(row, splitmix64(key, step * 2**32, 50))


def test_a_word_depends_on_its_key_step_and_place_only():
    keys = member_keys([3, 4], "a", 1)
    assert torch.equal(keys[1:], member_keys([4], "a", 1))
    assert not (keys == member_keys([3, 4], "a", 2)).any()
    long = words(keys, 7, 1000)
    assert torch.equal(words(keys[1:], 7, 10), long[1:, :10])


# Axes: 40 members, 40 steps, 100 places.
KEYS = member_keys(range(40), "test")
DRAWN = torch.stack([words(KEYS, step, 100) for step in range(40)], 1)


def test_no_word_comes_twice():
    assert DRAWN.unique().numel() == DRAWN.numel()


def test_every_bit_is_uniform():
    bits = DRAWN.reshape(-1, 1) >> torch.arange(64) & 1
    ones = bits.sum(0).numpy()
    z = (ones - len(bits) / 2) / np.sqrt(len(bits) / 4)
    assert np.abs(z).max() < 4.5
    assert stats.kstest(z, "norm").pvalue > 1e-3


@pytest.mark.parametrize("shift", [0, 8, 24, 40, 56])
def test_every_byte_is_uniform(shift):
    counts = torch.bincount((DRAWN.flatten() >> shift) & 255, minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("lag", [1, 2, 7, 32])
def test_neighbours_have_nothing_in_common(axis, lag):
    """No bit predicts its neighbour's, and the number of bits that differ is binomial."""
    size = DRAWN.size(axis) - lag
    differ = DRAWN.narrow(axis, 0, size) ^ DRAWN.narrow(axis, lag, size)
    bits = (differ.reshape(-1, 1) >> torch.arange(64) & 1).double()
    assert (bits.mean(0) - 0.5).abs().max() < 4.5 * 0.5 / len(bits) ** 0.5
    number = np.clip(bits.sum(1).int().numpy(), 20, 44)
    expected = stats.binom.pmf(range(20, 45), 64, 0.5)
    expected[[0, -1]] = stats.binom.cdf(20, 64, 0.5)
    counts = np.bincount(number, minlength=45)[20:]
    assert stats.chisquare(counts, len(number) * expected).pvalue > 1e-3


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_no_linear_correlation(axis):
    rows = DRAWN.movedim(axis, 0).flatten(1).double().numpy()
    r = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert stats.kstest(r * np.sqrt(rows.shape[1]), "norm").pvalue > 1e-3


@pytest.mark.parametrize("bound", [1, 2, 7, 19, 63])
def test_integers_below_a_bound_are_uniform(bound):
    drawn = below(DRAWN.flatten(), bound)
    assert drawn.min() >= 0
    counts = torch.bincount(drawn, minlength=bound)
    assert len(counts) == bound
    assert bound == 1 or stats.chisquare(counts).pvalue > 1e-3


def test_extreme_words_stay_below_the_bound():
    extremes = torch.tensor([0, -1, 2**63 - 1, -(2**63)])
    assert below(extremes, 10).tolist() == [0, 9, 4, 5]
    assert below(extremes, 2**31 - 1).max() == 2**31 - 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_draws_the_same_words():
    assert torch.equal(words(KEYS.cuda(), 3, 100).cpu(), DRAWN[:, 3])
