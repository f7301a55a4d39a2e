"""Named random streams: every random draw of the project comes from one of these.

A stream is identified by a seed and a path of names, for instance ``stream(3, "train", 17)``. Two
different paths give independent generators, and the same path gives the same generator on every
machine, so a draw can be repeated without storing the state of any generator. NumPy's generators
fill arrays in order: the first rows of a draw do not depend on how many rows follow.
"""

from zlib import crc32

import numpy as np


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """Return the generator of ``seed`` at ``path`` (names, or counters such as a step number)."""
    key = tuple(crc32(part.encode()) if isinstance(part, str) else int(part) for part in path)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
