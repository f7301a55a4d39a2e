"""The random moments of this suite: all of them follow from one seed."""

import os

import numpy as np

from rnncells.random.streams import stream

SEED = int(os.environ.get("FAULTS_SEED", 0))


def moments(name: str, number: int, life: float) -> list[float]:
    """Draw random moments of a life (seconds): one in each of ``number`` equal parts."""
    draws = stream(SEED, "faults", name)
    return draws.permutation((np.arange(number) + draws.random(number)) / number * life).tolist()
