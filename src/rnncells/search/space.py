"""The space of a search: parameters with bounds, and their map to the unit cube."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Dimension:
    """Bounds of one parameter, on a ``linear``, ``integer`` or ``log`` scale.

    An integer dimension is linear for the surrogate; its values are rounded before training.
    """

    name: str
    low: float
    high: float
    scale: str
    first: float

    def to_unit(self, value):
        """Map a value, or an array of values, to [0, 1]."""
        if self.scale == "log":
            low, high = math.log(self.low), math.log(self.high)
            return (np.log(value) - low) / (high - low)
        return (np.asarray(value, float) - self.low) / (self.high - self.low)

    def from_unit(self, u):
        """Map [0, 1] to values; integers are not rounded."""
        if self.scale == "log":
            return self.low * (self.high / self.low) ** np.asarray(u, float)
        return self.low + (self.high - self.low) * np.asarray(u, float)

    def tried(self, u: float) -> float:
        """Return the value that is trained for a point of [0, 1]."""
        value = min(max(float(self.from_unit(u)), self.low), self.high)
        return round(value) if self.scale == "integer" else value

    def holds(self, value):
        """Return whether :meth:`tried` can return a value, or each of an array of values."""
        rounding = 0.5 if self.scale == "integer" else 0.0
        return (self.low - rounding <= value) & (value <= self.high + rounding)


class Space:
    """The parameters of a search, in order.

    Args:
        settings: name -> mapping with ``low``, ``high``, ``scale`` and, for a search, ``first``.
    """

    def __init__(self, settings: Mapping[str, Mapping]):
        self.dimensions = [
            Dimension(name, s["low"], s["high"], s["scale"], s.get("first", s["low"]))
            for name, s in settings.items()
        ]
        self.names = [d.name for d in self.dimensions]

    def __len__(self) -> int:
        return len(self.dimensions)

    def to_unit(self, table: pd.DataFrame) -> np.ndarray:
        """Map columns of values to points ``(rows, dimensions)`` of the unit cube."""
        return np.column_stack([d.to_unit(table[d.name].to_numpy(float)) for d in self.dimensions])

    def from_unit(self, point: Sequence[float]) -> dict[str, float]:
        """Map a point of the unit cube to values."""
        return {d.name: float(d.from_unit(u)) for d, u in zip(self.dimensions, point, strict=True)}

    def tried(self, point: Sequence[float]) -> dict[str, float]:
        """Map a point of the unit cube to the values that are trained."""
        return {d.name: d.tried(u) for d, u in zip(self.dimensions, point, strict=True)}

    def first(self) -> list[float]:
        """Return the first point of a search."""
        return [float(d.to_unit(d.first)) for d in self.dimensions]
