"""Timing several pieces of work in turns, so that a slow minute of the machine is shared by all."""

import gc
from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np
import torch

Work = Callable[[], object]

#: A measurement repeats its work until it takes this long, in seconds.
BLOCK = 0.02


def interleave(
    contestants: Mapping[str, Work], seconds: float, rounds: int
) -> dict[str, np.ndarray]:
    """Time contestants one after the other, round by round.

    Args:
        contestants: the works by name.
        seconds: rounds are made until they have taken this long.
        rounds: the least number of rounds.

    Returns:
        for each contestant, the milliseconds of one work in every round.
    """
    blocks = {}
    for name, work in contestants.items():
        _milliseconds(work, 1)  # whatever is compiled or set up at the first call
        blocks[name] = max(1, round(1e3 * BLOCK / _milliseconds(work, 1)))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    began = perf_counter()
    gc.disable()
    gc.freeze()  # what is there already need not be looked through after every round
    try:
        while perf_counter() - began < seconds or len(times[name]) < rounds:
            for name, work in contestants.items():
                times[name].append(_milliseconds(work, blocks[name]))
            gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: np.array(values) for name, values in times.items()}


def _milliseconds(work: Work, repetitions: int) -> float:
    began = perf_counter()
    for _ in range(repetitions):
        work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return 1e3 * (perf_counter() - began) / repetitions
