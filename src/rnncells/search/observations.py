"""Read the observations of a finished search, and refuse those of an incomplete one."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..jobs.errors import UserError
from ..jobs.files import read_table, reading
from .space import Space

#: The surrogate squares scores; the square must be finite.
LARGEST = 1e100


class ObservationError(UserError):
    """Observations that no surrogate can be fitted to; the message is one line for the user."""


def read_observations(path: str | Path, configurations: int, settings: Mapping) -> pd.DataFrame:
    """Read the observations of a search that has come to its end.

    Args:
        path: the file.
        configurations: how many the search has tried.
        settings: its ``space``, as for :func:`~.optimum.extract`.

    Raises:
        DamagedFile: if they are not those of configurations 0, 1, ... ``configurations`` - 1, or
            hold what no search writes.
    """
    observations = read_table(path)
    with reading(path):
        if list(observations["configuration"]) != list(range(configurations)):
            raise ValueError(f"it has not each of the {configurations} configurations once")
        if not np.isfinite(observations["diverged"]).all():
            raise ValueError("it does not say which configurations diverged")
        if len(usable_observations(observations, Space(settings))) < configurations:
            raise ValueError("it has scores that are no numbers, or values outside of the space")
    return observations


def usable_observations(observations: pd.DataFrame, space: Space) -> pd.DataFrame:
    """Return the observations that have a finite score and lie in the space, as numbers.

    Raises:
        ObservationError: if columns are missing.
    """
    missing = [name for name in (*space.names, "score") if name not in observations]
    if missing:
        raise ObservationError(
            f"observations lack the columns {', '.join(missing)}; "
            f"needed: {', '.join((*space.names, 'score'))}"
        )
    numbers = observations[[*space.names, "score"]].apply(pd.to_numeric, errors="coerce")
    usable = (numbers.abs() < LARGEST).all(axis=1)
    for dimension in space.dimensions:
        usable &= dimension.holds(numbers[dimension.name])
    return observations.assign(**numbers)[usable]
