"""Trajectory data sets: a synthetic generator, and a reader for the user's own file.

A data set is an array ``(N, points, D)`` of N trajectories of D coordinates; synthetic ones lie in
the plane.
"""

import io
import logging
import os
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from ..jobs.errors import UserError, one_line
from ..random.streams import stream
from .arraypickle import load_array
from .base import DataSource
from .settings import BUDGET, File, Seed

logger = logging.getLogger(__name__)

#: The most points of a synthetic data set, coordinate pairs.
MOST_POINTS = 100_000_000
#: The axes of a data set, as messages name them.
SHAPE = "(trajectories, points, coordinates)"


class DataError(UserError):
    """A data file that cannot be used; the message is one line for the user."""


def _ascending(bounds: list[int]) -> list[int]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"{bounds} is not in ascending order")
    return bounds


class Trajectories(DataSource):
    """Trajectories: synthetic ones in the plane, or those of a file."""

    file: File = Field(
        None,
        description="Your own data: an array (trajectories, points, coordinates) as .npy, .npz or "
        "pickle. Of the keys below only `scale` then has an effect.",
    )
    scale: float = Field(
        1.0,
        gt=0,
        description="All coordinates are multiplied by this. The published settings, the threshold "
        "among them, are for coordinates within about ±1.2.",
    )
    trajectories: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        250, description="How many to synthesise.", json_schema_extra=BUDGET
    )
    points: Annotated[int, Field(ge=2, le=1_000_000)] = Field(
        1200, description="Points of a synthetic trajectory."
    )
    via_points: Annotated[
        list[Annotated[int, Field(ge=2, le=100_000)]],
        Field(min_length=2, max_length=2),
        AfterValidator(_ascending),
    ] = Field(
        [20, 32],
        description="Least and largest number of via-points of a synthetic trajectory; more are "
        "harder.",
        json_schema_extra=BUDGET,
    )
    seed: Seed = Field(0, description="Seed of the synthesis.")

    @model_validator(mode="after")
    def _not_too_many(self) -> "Trajectories":
        if self.trajectories * self.points > MOST_POINTS:
            raise ValueError(
                f"{self.trajectories:,} trajectories of {self.points:,} points are too many; "
                f"allowed: {MOST_POINTS:,} points in all"
            )
        return self

    @model_validator(mode="after")
    def _readable(self) -> "Trajectories":
        self.shape()
        return self

    def shape(self) -> tuple[int, int, int]:
        """Return how many trajectories, points and coordinates there are, without making them.

        Raises:
            DataError: if the file holds no trajectories.
        """
        if self.file is None:
            return self.trajectories, self.points, 2
        status = os.stat(self.file)
        return _shape_of(self.file, status.st_size, status.st_mtime_ns)

    def make(self) -> np.ndarray:
        """Read the file, or draw synthetic trajectories.

        Returns:
            float64, ``(trajectories, points, coordinates)``.
        """
        if self.file is not None:
            data = load(self.file)
        else:
            data = synthetic(self.trajectories, self.points, self.seed, tuple(self.via_points))
        data = self.scale * data
        logger.info(
            "%d trajectories of %d points with %d coordinates, from %.4g to %.4g (scale %g)",
            *(*data.shape, data.min(), data.max(), self.scale),
        )
        if looks_swapped(data):
            logger.warning(
                "neighbouring points are further apart than neighbouring trajectories: is the "
                "order of the axes %s? The shape is %s",
                SHAPE,
                data.shape,
            )
        return data

    def files(self) -> list[str]:
        """Return the user's file, if there is one."""
        return [] if self.file is None else [self.file]


def synthetic(
    trajectories: int, points: int, seed: int, via_points: tuple[int, int] = (20, 32)
) -> np.ndarray:
    r"""Draw trajectories that look like handwriting.

    A trajectory passes through via-points, their number uniform within the bounds ``via_points``
    and their coordinates N(0, 0.5) clipped to +-1.2, along straight minimum-jerk strokes (position
    :math:`10u^3 - 15u^4 + 6u^5`). A stroke's duration is proportional to length^0.6 times
    U(0.6, 1.4), plus 0.1.

    Returns:
        float64 array ``(trajectories, points, 2)``.
    """
    rng = stream(seed, "trajectories")
    return np.stack([_one(rng, points, *via_points) for _ in range(trajectories)])


def _one(rng: np.random.Generator, points: int, fewest: int, most: int) -> np.ndarray:
    number = rng.integers(fewest, most + 1)
    via = np.clip(rng.normal(0.0, 0.5, (number, 2)), -1.2, 1.2)
    strokes = np.diff(via, axis=0)
    length = np.linalg.norm(strokes, axis=1)
    duration = length**0.6 * rng.uniform(0.6, 1.4, len(length)) + 0.1
    start = np.concatenate([[0.0], np.cumsum(duration)])
    time = np.linspace(0.0, start[-1], points)
    k = np.clip(np.searchsorted(start, time, side="right") - 1, 0, len(strokes) - 1)
    u = ((time - start[k]) / duration[k])[:, None]
    return via[k] + strokes[k] * (10 * u**3 - 15 * u**4 + 6 * u**5)


def load(path: str | Path) -> np.ndarray:
    """Read a user's data set: ``.npy``, ``.npz`` with one array, or a pickled NumPy array.

    Nothing in the file is executed: a pickle may hold NumPy arrays and nothing else.

    Returns:
        float64 array ``(N, points, D)``.

    Raises:
        DataError: if the file cannot be read, or is not such an array of finite numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        data = _read(path)
    except DataError as error:
        raise DataError(f"{path}: {one_line(error)}") from error
    # A damaged file can make the readers raise nearly anything; whatever it is, it is refused.
    except Exception as error:
        if _is_text(path):
            raise DataError(
                f"{path}: is a text file; expected an array {SHAPE} as .npy, .npz or pickle "
                "(numpy.save writes .npy)"
            ) from error
        raise DataError(
            f"{path}: cannot be read as .npy, .npz or a pickled NumPy array ({one_line(error)})"
        ) from error
    return checked(data, str(path))


@cache
def _shape_of(path: str, size: int, time: int) -> tuple[int, ...]:
    """Return the shape of the data in a file of this size and time; of .npy the header is read."""
    with open(path, "rb") as file:
        is_npy = file.read(6) == b"\x93NUMPY"
    if is_npy:
        try:
            return check_shape(np.load(path, mmap_mode="r", allow_pickle=False), path).shape
        except DataError:
            raise
        except Exception as error:
            raise DataError(f"{path}: cannot be read as .npy ({one_line(error)})") from error
    return load(path).shape


def _is_text(path: Path) -> bool:
    """Return whether a file is text; pickles of protocol 0 are text that ends with a full stop."""
    content = path.read_bytes()
    start = " ".join(content[:4096].decode("utf-8", errors="replace").split())
    return bool(start) and start.isprintable() and not content.endswith(b".")


def _read(path: Path) -> np.ndarray:
    content = path.read_bytes()
    if not content.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        return load_array(content)
    data = np.load(io.BytesIO(content), allow_pickle=False)
    if isinstance(data, np.ndarray):
        return data
    if len(data.files) != 1:
        raise DataError(f"holds {len(data.files)} arrays, expected exactly one")
    return data[data.files[0]]


def check_shape(data: object, name: str) -> np.ndarray:
    """Return ``data`` if it is an array of real numbers ``(N, points, D)``.

    Raises:
        DataError: otherwise.
    """
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "fiu":
        kind = f"dtype {data.dtype}" if isinstance(data, np.ndarray) else type(data).__name__
        raise DataError(f"{name}: expected an array of real numbers, got {kind}")
    if data.ndim != 3 or 0 in data.shape:
        raise DataError(f"{name}: expected shape {SHAPE}, got {data.shape}")
    if data.shape[2] > 3 and min(data.shape[:2]) <= 3:
        raise DataError(
            f"{name}: expected shape {SHAPE}, got {data.shape}, whose coordinates seem to be on "
            "another axis"
        )
    return data


def checked(data: object, name: str) -> np.ndarray:
    """Return ``data`` as float64 if it is a finite array ``(N, points, D)`` that varies.

    Raises:
        DataError: otherwise.
    """
    data = check_shape(data, name).astype(np.float64)
    if not np.isfinite(data).all():
        raise DataError(f"{name}: holds NaN or infinite numbers; all must be finite")
    if data.size > 1 and (data == data.flat[0]).all():
        raise DataError(f"{name}: all its numbers are {data.flat[0]:g}; expected trajectories")
    return data


def looks_swapped(data: np.ndarray) -> bool:
    """Return whether trajectories are continuous along the first axis and not along the second."""
    if min(data.shape[:2]) < 3:
        return False
    across, along = (np.abs(np.diff(data, axis=axis)).mean() for axis in (0, 1))
    return bool(across < 0.5 * along)
