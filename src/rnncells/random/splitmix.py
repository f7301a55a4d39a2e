"""SplitMix64 as a counter-based generator: any number of a sequence, without those before it.

Word n of a key is a fixed mix of key and n (Steele, Lea & Flood 2014). It is integer arithmetic
alone, so every device gives the same bits, for all members at once and without a synchronisation
with the host. The keys come from named streams.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .streams import stream


def _signed(word: int) -> int:
    """Reinterpret an unsigned 64-bit word as int64, whose arithmetic wraps around modulo 2^64."""
    return word - (word >> 63 << 64)


GAMMA = _signed(0x9E3779B97F4A7C15)
MIX = ((30, _signed(0xBF58476D1CE4E5B9)), (27, _signed(0x94D049BB133111EB)), (31, 1))


def member_keys(seeds: Sequence[int], *path: str | int) -> Tensor:
    """Return 64 random bits for each seed, ``(S,)`` of type int64, from its stream at ``path``."""
    bounds = np.iinfo(np.int64)
    return torch.tensor(
        [
            stream(seed, *path).integers(bounds.min, bounds.max, dtype=np.int64, endpoint=True)
            for seed in seeds
        ]
    )


def words(keys: Tensor, step: int, count: int) -> Tensor:
    """Return the first ``count`` (below 2^32) words of 64 random bits of a step, ``(S, count)``.

    A step is 2^32 words long. The first words do not depend on how many follow.
    """
    n = torch.arange(1, count + 1, device=keys.device) + (step << 32)
    word = keys[:, None] + n * GAMMA
    for shift, factor in MIX:
        word = (word ^ _shifted(word, shift)) * factor
    return word


def below(word: Tensor, bound: int) -> Tensor:
    """Turn words into integers from 0 to ``bound`` - 1, uniform up to bound / 2^32."""
    return _shifted(word, 32) * bound >> 32


def _shifted(word: Tensor, bits: int) -> Tensor:
    """Shift to the right logically, with zeros; ``>>`` of an int64 is arithmetic."""
    return word >> bits & (1 << 64 - bits) - 1
