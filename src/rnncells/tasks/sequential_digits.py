"""Sequential digits: say which digit an image shows, after its pixels one by one."""

from __future__ import annotations

import gzip
import io
import math
import struct
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from ..jobs.errors import UserError, one_line
from ..random.streams import stream
from .base import DataSource, Published
from .sequences import Extent, Part, SequenceTask
from .settings import BUDGET, Count, File, Seed

#: The number of scikit-learn's digits.
DIGITS = 1797
#: Of images that are not split already, the share that is tested on.
TESTED = 0.2
#: The types of numbers in an IDX file, by its third byte.
IDX = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


class Images(DataSource):
    """Images with labels: scikit-learn's 1,797 digits of 8 x 8 pixels, or those of a file."""

    file: File = Field(
        None,
        description="Your own images: an .npz with the arrays `x_train`, `y_train`, `x_test`, "
        "`y_test` (as of MNIST), or with `x` and `y`; or an IDX file, gzip or not, with the "
        "three keys below.",
    )
    labels: File = Field(None, description="The labels of an IDX file of images.")
    test_file: File = Field(None, description="The IDX file of test images, if there is one.")
    test_labels: File = Field(None, description="Its labels.")
    seed: Seed = Field(0, description="Seed of the split, where there are no test images.")

    @model_validator(mode="after")
    def _pairs(self) -> Images:
        if (self.test_file is None) != (self.test_labels is None):
            raise ValueError("test_file and test_labels are needed together")
        if self.file is None and (self.labels or self.test_file):
            raise ValueError("labels and test_file are for a file of images")
        return self

    def files(self) -> list[str]:
        """Return the user's files."""
        given = (self.file, self.labels, self.test_file, self.test_labels)
        return [path for path in given if path is not None]

    def make(self) -> np.ndarray:
        """Return the images ``(N, pixels + 2)``: pixels of 0 to 1, the label, whether it is tested.

        Raises:
            UserError: if a file has no images.
        """
        parts = self._read()
        width = parts[0][0].shape[1]
        if any(x.shape[1] != width for x, _ in parts):
            raise UserError("data.test_file: its images have another size than those of data.file")
        x = np.concatenate([x for x, _ in parts]).astype(np.float32)
        y = np.concatenate([y for _, y in parts])
        if len(parts) == 2:
            tested = np.arange(len(x)) >= len(parts[0][0])
        else:
            order = stream(self.seed, "images", "split").permutation(len(x))
            tested = order < round(TESTED * len(x))
        x = x / max(float(np.abs(x).max()), 1e-30)
        return np.column_stack([x, y, tested]).astype(np.float32)

    def _read(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return images and labels: of training and of test, or all."""
        if self.file is None:
            from sklearn.datasets import load_digits

            return [load_digits(return_X_y=True)]
        if self.labels is None:
            return _npz(self.file)
        pairs = [("file", self.file, self.labels)]
        if self.test_file is not None:
            pairs.append(("test_file", self.test_file, self.test_labels))
        return [_checked(f"data.{key}", _idx(x), _idx(y)) for key, x, y in pairs]


def _npz(path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [("x_train", "y_train"), ("x_test", "y_test")]
            if "x_train" not in file:
                names = [("x", "y")]
            pairs = [(file[x], file[y]) for x, y in names]
    except Exception as error:  # a damaged file can raise anything
        raise UserError(
            f"data.file: {path} holds no images ({one_line(error)}); allowed: an .npz with "
            "x_train, y_train, x_test, y_test, or x and y, or an IDX file with data.labels"
        ) from error
    return [_checked("data.file", x, y) for x, y in pairs]


def _idx(path: str) -> np.ndarray:
    """Read an IDX file, the format of MNIST: a header, then the numbers."""
    content = Path(path).read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read()
        zero, kind, axes = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
        if zero or math.prod(shape) * np.dtype(IDX[kind]).itemsize != len(content) - 4 - 4 * axes:
            raise ValueError("its size is not that of its header")
        return np.frombuffer(content, IDX[kind], offset=4 + 4 * axes).reshape(shape)
    except (OSError, EOFError, struct.error, KeyError, ValueError) as error:
        raise UserError(f"data: {path} is no IDX file ({one_line(error)})") from error


def _checked(where: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flatten images, and refuse what is none."""
    if x.ndim < 2 or y.shape != (len(x),) or not len(x) or x.dtype.kind not in "uifb":
        raise UserError(
            f"{where}: images of shape {x.shape} and labels of shape {y.shape}; expected "
            "(N, height, width) and (N,)"
        )
    if not np.isfinite(x).all() or y.dtype.kind not in "ui" or y.min() < 0 or y.max() > 999:
        raise UserError(f"{where}: pixels must be finite, and labels integers from 0 to 999")
    return x.reshape(len(x), -1), y.astype(np.int64)


class SequentialDigits(SequenceTask):
    """Classify an image from its pixels, one per step, after the last step.

    Pixels are scaled to -0.5 to 0.5 and come row by row, or in an order of their own (permuted).
    Blank steps, whose input is 0, may follow them, over which the answer has to be remembered. The
    loss is the cross entropy after the last step, the error the share of images named wrongly.

    The length is the number of steps, blank ones included: 64 and 364 are the digits without and
    with 300 blank steps.

    Source: Le, Jaitly & Hinton 2015 (sequential and permuted MNIST); the blank steps are those of
    Vecoven, Ernst & Drion 2021. The digits of 8 x 8 pixels are scikit-learn's (Alpaydin & Kaynak
    1998).
    """

    class Settings(SequenceTask.Settings):
        """Training of sequential_digits."""

        order: Literal["rows", "permuted"] = Field(
            "rows", description="Row by row, or in one random order that is the same for all."
        )
        permutation_seed: Seed = Field(1, description="Seed of that order.")
        validation_share: float = Field(
            0.1, gt=0, lt=1, description="Share of the training images that only validate."
        )
        epochs: Count = Field(
            50, description="Passes over the training images.", json_schema_extra=BUDGET
        )

    Data = Images
    category = "classification"
    length_is = "the number of steps, pixels and then blank ones"
    published = Published(lengths=(64, 364), hidden_sizes=(100,), layers=(1,), seeds=5)

    @classmethod
    def check_plan(cls, lengths, settings, data, cell) -> None:
        """Refuse lengths below the number of pixels, which a file's are known by its job."""
        if data.file is None and (shortest := min(lengths)) < 64:
            raise ValueError(f"lengths: {shortest} is below the number of pixels, 64")

    @classmethod
    def extent(cls, length, settings, data) -> Extent | None:
        """Return the size of scikit-learn's digits; a file's is known by its job."""
        if data.file is not None:
            return None
        train = DIGITS - round(TESTED * DIGITS)
        train -= max(1, round(settings.validation_share * train))
        return Extent(train, DIGITS, steps=length)

    def draw(self, seed: int) -> dict[str, Part]:
        """Split the images; which of them validate is the seed's."""
        images, tested = self.data_set[:, :-1], self.data_set[:, -1] > 0
        blank = self.length - (images.shape[1] - 1)
        if blank < 0:
            raise UserError(
                f"lengths: {self.length} is below the number of pixels; the least allowed is "
                f"{images.shape[1] - 1}"
            )
        train = np.flatnonzero(~tested)
        train = stream(seed, "sequential_digits", "split").permutation(train)
        validating = max(1, round(self.settings.validation_share * len(train)))
        chosen = {
            "train": train[validating:],
            "validation": train[:validating],
            "test": np.flatnonzero(tested),
        }
        return {name: self._part(images[of], blank) for name, of in chosen.items()}

    def _part(self, images: np.ndarray, blank: int) -> Part:
        pixels, labels = images[:, :-1] - 0.5, images[:, -1].astype(int)
        if self.settings.order == "permuted":
            rng = stream(self.settings.permutation_seed, "sequential_digits", "order")
            pixels = pixels[:, rng.permutation(pixels.shape[1])]
        x = np.pad(pixels, ((0, 0), (0, blank)))[..., None].astype(np.float32)
        classes = int(self.data_set[:, -2].max()) + 1
        target = np.zeros((*x.shape[:2], classes), np.float32)
        target[np.arange(len(x)), -1, labels] = 1
        mask = np.zeros(x.shape[:2], bool)
        mask[:, -1] = True
        return Part(x, target, mask)
